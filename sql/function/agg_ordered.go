package function

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/invariant"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Ordering is ORDER BY inside an aggregate.
type Ordering struct {
	Keys []types.Type
	Desc []bool // by key
	// Distinct: each list of arguments counts once, at the first place that the order gives it; rows with a NULL argument do not count.
	Distinct bool
}

// NewOrdered wraps an aggregate so that it sees the rows of a group in an order: NULL first where it ascends, rows that are equal there
// by their arguments. What arrives first does not matter, and rows can be taken back whatever the inner aggregate. The wrapped
// aggregate's arguments are the inner one's and then the keys.
func NewOrdered(inner BoundAgg, o Ordering) BoundAgg {
	wrapped := inner
	wrapped.ArgTypes = slices.Concat(inner.ArgTypes, o.Keys)
	wrapped.NewState = func(retract bool) AggState {
		s := &orderedState{order: o, types: inner.ArgTypes, inner: inner.NewState(false)}
		if !retract {
			s.keep = inner.OneRow
		}
		for _, t := range inner.ArgTypes {
			s.args = append(s.args, vector.New(t, 0))
		}
		s.inner.Grow(1)
		return s
	}
	return wrapped
}

// orderedState keeps the rows of each group as bytes that sort as the rows do: the keys, those that descend inverted, then the
// arguments. The inner aggregate gets them all, in order, whenever a result is wanted.
type orderedState struct {
	order  Ordering
	types  []types.Type
	keep   int // -1, 1: only the first or last row can matter any more
	groups []orderedGroup
	inner  AggState
	args   []*vector.Vector // the rows of one group
	gids   []int32          // zeros
	seen   map[string]bool  // scratch of Distinct
	one    [1]*vector.Vector
	buf    []byte
}

// orderedGroup is the rows of a group. Invariant: rows[:sorted] is sorted, without two equal entries and without counts of 0.
type orderedGroup struct {
	rows   []orderedRow
	sorted int
	live   int64 // rows that were added less those taken back
	bytes  int
}

type orderedRow struct {
	bytes []byte
	args  int   // where the arguments begin
	n     int64 // how often; negative: taken back before it came
}

func (s *orderedState) Grow(groups int) { s.groups = growTo(s.groups, groups) }
func (s *orderedState) Clear(group int) { s.groups[group] = orderedGroup{} }

func (s *orderedState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	values, keys := args[:len(s.types)], args[len(s.types):]
	for k, g := range gids {
		i := rowAt(rows, k)
		if s.order.Distinct && anyNullAt(values, i) {
			continue
		}
		r := s.encode(keys, values, i)
		r.n = sign(change, k)
		group := &s.groups[g]
		group.rows = append(group.rows, r)
		group.live += r.n
		group.bytes += len(r.bytes)
		if len(group.rows) > 2*group.sorted+orderedSlack {
			s.sort(group)
		}
		if group.live > maxCollected || group.bytes > maxCollectedBytes {
			return diag.New(diag.InvalidArgument, -1, "a group orders more than %d values or %d bytes", maxCollected, maxCollectedBytes)
		}
	}
	return nil
}

func (s *orderedState) encode(keys, values []*vector.Vector, i int) (r orderedRow) {
	s.buf = s.buf[:0]
	for c := range keys {
		from := len(s.buf)
		s.one[0] = keys[c]
		s.buf = row.EncodeKey(s.buf, s.one[:], i)
		if s.order.Desc[c] {
			invert(s.buf[from:])
		}
	}
	r.args = len(s.buf)
	s.buf = row.EncodeKey(s.buf, values, i)
	r.bytes = slices.Clone(s.buf)
	return r
}

// orderedSlack is how many rows may come before a small group is sorted again; a large one may double first.
const orderedSlack = 64

func anyNullAt(args []*vector.Vector, i int) bool {
	for _, v := range args {
		if v.IsNull(i) {
			return true
		}
	}
	return false
}

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

// sort brings the rows of a group in order. Those that cannot matter any more go.
func (s *orderedState) sort(g *orderedGroup) {
	g.sort()
	if s.keep == 0 || len(g.rows) < 2 {
		return
	}
	if s.keep > 0 {
		g.rows[0] = g.rows[len(g.rows)-1]
	}
	clear(g.rows[1:])
	g.rows = g.rows[:1]
	g.rows[0].n = 1
	g.sorted, g.live, g.bytes = 1, 1, len(g.rows[0].bytes)
}

// sort brings the rows in order and adds up equal ones.
func (g *orderedGroup) sort() {
	if g.sorted == len(g.rows) {
		return
	}
	slices.SortFunc(g.rows, func(a, b orderedRow) int { return bytes.Compare(a.bytes, b.bytes) })
	kept := g.rows[:0]
	g.bytes = 0
	for i := 0; i < len(g.rows); {
		r := g.rows[i]
		for i++; i < len(g.rows) && bytes.Equal(g.rows[i].bytes, r.bytes); i++ {
			r.n += g.rows[i].n
		}
		if r.n != 0 {
			kept = append(kept, r)
			g.bytes += len(r.bytes)
		}
	}
	clear(g.rows[len(kept):])
	g.rows, g.sorted = kept, len(kept)
}

func (s *orderedState) Emit(group int, out *vector.Vector) {
	g := &s.groups[group]
	s.sort(g)
	for _, v := range s.args {
		v.Reset()
	}
	s.gids = s.gids[:0]
	clear(s.seen)
	for _, r := range g.rows {
		if s.order.Distinct && !s.first(r.bytes[r.args:]) {
			continue
		}
		for n := r.n; n > 0; n-- {
			if _, err := row.DecodeKey(r.bytes[r.args:], s.types, s.args); err != nil {
				panic("function: an ordered row does not decode") // Add and Decode have checked it
			}
			s.gids = append(s.gids, 0)
			if s.order.Distinct {
				break
			}
		}
	}
	if err := s.inner.Add(s.gids, nil, nil, s.args); err != nil {
		invariant.Check(false, "an ordered aggregate fails: %v", err) // the limits of Add are those of the inner one
	}
	s.inner.Emit(0, out)
	s.inner.Clear(0)
}

// first tells whether these arguments are new in the present Emit.
func (s *orderedState) first(args []byte) bool {
	if s.seen[string(args)] {
		return false
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	s.seen[string(args)] = true
	return true
}

// Encode writes the rows in order, so that equal groups have equal bytes.
func (s *orderedState) Encode(group int, dst []byte) []byte {
	g := &s.groups[group]
	s.sort(g)
	dst = binary.AppendUvarint(dst, uint64(len(g.rows)))
	for _, r := range g.rows {
		dst = binary.AppendVarint(binary.AppendUvarint(dst, uint64(r.args)), r.n)
		dst = appendSized(dst, r.bytes)
	}
	return dst
}

func (s *orderedState) Decode(group int, data []byte) ([]byte, error) {
	count, n := binary.Uvarint(data)
	if n <= 0 {
		return nil, errState
	}
	data = data[n:]
	g := orderedGroup{}
	for range count {
		args, n := binary.Uvarint(data)
		if n <= 0 {
			return nil, errState
		}
		times, rest, err := readVarint(data[n:])
		if err != nil {
			return nil, err
		}
		encoded, rest, err := readSized(rest)
		if err != nil || args > uint64(len(encoded)) || !s.decodes(encoded[args:]) {
			return nil, errState
		}
		g.rows = append(g.rows, orderedRow{bytes: slices.Clone(encoded), args: int(args), n: times})
		g.live += times
		g.bytes += len(encoded)
		data = rest
	}
	g.sort()
	s.groups[group] = g
	return data, nil
}

func (s *orderedState) decodes(args []byte) bool {
	for _, v := range s.args {
		v.Reset()
	}
	rest, err := row.DecodeKey(args, s.types, s.args)
	return err == nil && len(rest) == 0
}

// NewSkipNulls wraps an aggregate so that rows whose first argument is NULL do not count: IGNORE NULLS.
func NewSkipNulls(inner BoundAgg) BoundAgg {
	wrapped := inner
	wrapped.NewState = func(retract bool) AggState { return &skipNulls{AggState: inner.NewState(retract)} }
	return wrapped
}

type skipNulls struct {
	AggState
	gids, rows []int32
	change     []vector.Change
}

// Add passes the other rows on.
func (s *skipNulls) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	if !args[0].HasNulls() {
		return s.AggState.Add(gids, rows, change, args)
	}
	s.gids, s.rows, s.change = s.gids[:0], s.rows[:0], s.change[:0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[0].IsNull(i) {
			continue
		}
		s.gids, s.rows = append(s.gids, g), append(s.rows, int32(i))
		if change != nil {
			s.change = append(s.change, change[k])
		}
	}
	if change == nil {
		return s.AggState.Add(s.gids, s.rows, nil, args)
	}
	return s.AggState.Add(s.gids, s.rows, s.change, args)
}
