package operator

import (
	"math"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// frameCall is one call of an OverStream: its frame, and by partition how far it has come. LAG and LEAD are the first value of a frame of
// one row. A frame that begins with the partition only grows: it needs no rows, but what it has seen of them.
type frameCall struct {
	kind     function.WindowKind // a numbering, WindowAggregate, FirstValue, LastValue or NthValue
	frame    Frame
	growing  bool
	nulls    bool // IGNORE NULLS
	n        int64
	arg      int // column of the value; -1: none
	fallback int // column to take when there is no row; -1: NULL
	argType  []types.Type
	acc      accumulators
	by       []frameState // by gid
	gids     [1]int32
	one      [1]*vector.Vector
}

// frameState is a frame in one partition: the entries from lo up to, but without, hi; noEntry is the one that comes next.
type frameState struct {
	lo, hi    int32
	last      int32 // the last entry added that counts, and its place
	lastPlace int64
	from      int64 // after a restart: places below are in the accumulator
	held      []byte
	has       bool
	count     int64 // NTH_VALUE: rows seen that count
}

var takenBack = []vector.Change{vector.Delete}

// bind makes the frame of a call.
func (x *OverStream) bind(c *OverCall) {
	f := &frameCall{kind: c.Kind, frame: c.Frame, nulls: c.IgnoreNulls, n: c.N, arg: -1, fallback: -1}
	at := func(rows int64) FrameBound { return FrameBound{Offset: types.I128(min(rows, maxFrameRows))} }
	switch {
	case c.Kind == function.Lag && c.IgnoreNulls: // of the row before: the last value of all those before
		f.kind, f.frame = function.LastValue, Frame{Start: FrameBound{Unbounded: true}, End: at(-1)}
	case c.Kind == function.Lag:
		f.kind, f.frame = function.FirstValue, Frame{Start: at(-c.N), End: at(-c.N)}
	case c.Kind == function.Lead:
		f.kind, f.frame = function.FirstValue, Frame{Start: at(c.N), End: at(c.N)}
	}
	f.growing = f.frame.Start.Unbounded
	switch {
	case c.Kind == function.WindowAggregate:
		f.acc = newAccumulators([]Aggregate{c.Aggregate}, !f.growing)
	case len(c.Args) > 0:
		f.arg, f.argType = c.Args[0], schemaOf(x.o.Input, c.Args[:1])
		if len(c.Args) > 1 {
			f.fallback = c.Args[1]
		}
	}
	x.calls = append(x.calls, f)
	if !f.framed() {
		x.remembers = true
		return
	}
	x.remembers = x.remembers || f.growing
	forward := f.ahead()
	x.ahead = x.ahead || forward
	x.reaches = x.reaches || forward && f.frame.Unit == FrameRange
	x.bounded = x.bounded || !f.growing
	x.byRows = x.byRows || !f.growing && f.frame.Unit != FrameRange
}

// framed tells whether the call has a frame.
func (c *frameCall) framed() bool { return c.kind.Framed() }

// ahead tells whether the frame reaches behind the present row and those that tie with it.
func (c *frameCall) ahead() bool {
	e := &c.frame.End
	return c.framed() && (e.Months > 0 || !e.Offset.IsNeg() && !e.Offset.IsZero())
}

func (c *frameCall) grow(n int) {
	for len(c.by) < n {
		c.by = append(c.by, frameState{lo: noEntry, hi: noEntry, last: noEntry})
	}
	c.acc.grow(n)
}

// appended says that an entry has come to the end of the history.
func (c *frameCall) appended(e int32, p *overEntry) {
	s := &c.by[p.gid]
	if c.growing && p.place < s.from {
		return
	}
	if s.lo == noEntry && !c.growing {
		s.lo = e
	}
	if s.hi == noEntry {
		s.hi = e
	}
}

// number is what the frame counts of an entry.
func (c *frameCall) number(p *overEntry) int64 {
	switch c.frame.Unit {
	case FrameRows:
		return p.place
	case FrameGroups:
		return p.group
	}
	return p.key
}

// limit is the number that lies a bound behind an entry's.
func (c *frameCall) limit(number int64, b *FrameBound) int64 {
	if c.frame.Unit != FrameRange {
		return number + b.rows()
	}
	if b.Months != 0 {
		t, ok := types.AddInterval(number, types.IntervalOf(b.Months, 0))
		if !ok {
			t = math.MaxInt64
			if b.Months < 0 {
				t = math.MinInt64
			}
		}
		number = t
	}
	by, ok := b.Offset.Int64()
	sum := number + by
	switch {
	case (!ok || by >= 0 && sum < number) && !b.Offset.IsNeg():
		return math.MaxInt64
	case !ok || by < 0 && sum > number:
		return math.MinInt64
	}
	return sum
}

// move makes the frame that of an entry.
func (c *frameCall) move(x *OverStream, p *overEntry) error {
	s := &c.by[p.gid]
	end := c.limit(c.number(p), &c.frame.End)
	for s.hi != noEntry && c.number(&x.entries[s.hi]) <= end {
		if err := c.add(x, s, s.hi); err != nil {
			return err
		}
		s.hi = x.entries[s.hi].next
	}
	if c.growing {
		return nil
	}
	return c.leave(x, s, c.limit(c.number(p), &c.frame.Start))
}

// leave takes out what lies before a limit.
func (c *frameCall) leave(x *OverStream, s *frameState, limit int64) error {
	for s.lo != noEntry && c.number(&x.entries[s.lo]) < limit {
		next := x.entries[s.lo].next
		if s.lo == s.hi {
			s.hi = next // it has never been in the frame
		} else if err := c.remove(x, s.lo); err != nil {
			return err
		}
		s.lo = next
	}
	return nil
}

func (c *frameCall) add(x *OverStream, s *frameState, e int32) error {
	if c.kind == function.WindowAggregate {
		b, err := x.load(&x.added, e)
		if err != nil {
			return err
		}
		c.gids[0] = x.entries[e].gid
		return c.acc.add(b, c.gids[:], firstRow, nil)
	}
	if c.nulls || c.growing {
		b, err := x.load(&x.added, e)
		if err != nil || c.nulls && b.Cols[c.arg].IsNull(0) {
			return err
		}
		if c.growing {
			c.hold(s, b.Cols[c.arg])
			return nil
		}
	}
	s.last, s.lastPlace = e, x.entries[e].place
	return nil
}

// hold keeps the value of a growing frame, as far as it is wanted.
func (c *frameCall) hold(s *frameState, v *vector.Vector) {
	s.count++
	switch {
	case c.kind == function.FirstValue && s.has, c.kind == function.NthValue && s.count != c.n:
		return
	}
	c.one[0] = v
	s.held, s.has = row.EncodeValue(s.held[:0], c.one[:], 0), true
}

func (c *frameCall) remove(x *OverStream, e int32) error {
	if c.kind != function.WindowAggregate {
		return nil
	}
	b, err := x.load(&x.removed, e)
	if err != nil {
		return err
	}
	c.gids[0] = x.entries[e].gid
	return c.acc.add(b, c.gids[:], firstRow, takenBack)
}

// emit appends the result for an entry, whose frame it is.
func (c *frameCall) emit(x *OverStream, e int32, out *vector.Vector) error {
	p := &x.entries[e]
	switch c.kind {
	case function.RowNumber:
		out.AppendI64(p.place)
		return nil
	case function.Rank:
		out.AppendI64(p.rank)
		return nil
	case function.DenseRank:
		out.AppendI64(p.group)
		return nil
	case function.WindowAggregate:
		c.acc.states[0].Emit(int(p.gid), out)
		return nil
	}
	s := &c.by[p.gid]
	if c.growing && s.has {
		c.one[0] = out
		_, err := row.DecodeValue(s.held, c.argType, c.one[:])
		return err
	}
	found, col := noEntry, c.arg
	if !c.growing {
		var err error
		if found, err = c.choose(x, s); err != nil {
			return err
		}
	}
	if found == noEntry {
		if c.fallback < 0 {
			out.AppendNull()
			return nil
		}
		found, col = e, c.fallback
	}
	from := &x.removed
	if found == x.added.entry {
		from = &x.added
	}
	b, err := x.load(from, found)
	if err == nil {
		out.AppendFrom(b.Cols[col], 0)
	}
	return err
}

// choose finds the entry in the frame whose value is wanted; noEntry: none.
func (c *frameCall) choose(x *OverStream, s *frameState) (int32, error) {
	if s.lo == noEntry || s.lo == s.hi {
		return noEntry, nil
	}
	if c.kind == function.LastValue {
		if s.last == noEntry || s.lastPlace < x.entries[s.lo].place {
			return noEntry, nil
		}
		return s.last, nil
	}
	left := int64(1)
	if c.kind == function.NthValue {
		left = c.n
	}
	for e := s.lo; e != s.hi; e = x.entries[e].next {
		if c.nulls {
			if b, err := x.load(&x.removed, e); err != nil {
				return noEntry, err
			} else if b.Cols[c.arg].IsNull(0) {
				continue
			}
		}
		if left--; left == 0 {
			return e, nil
		}
	}
	return noEntry, nil
}

// reached tells whether all rows of an entry's frame have come.
func (c *frameCall) reached(x *OverStream, p *overEntry) bool {
	if !c.ahead() {
		return true
	}
	part := &x.parts[p.gid]
	end := c.limit(c.number(p), &c.frame.End)
	switch c.frame.Unit {
	case FrameRows:
		return part.places >= end
	case FrameGroups:
		return part.groups >= end
	}
	return c.passed(x, p)
}

// passed tells whether the watermark has passed the end of an entry's frame of RANGE.
func (c *frameCall) passed(x *OverStream, p *overEntry) bool {
	end := c.limit(p.key, &c.frame.End)
	return x.progress >= end-(p.key-p.time)
}

// needs is the place of the first entry that the call still reads.
func (c *frameCall) needs(x *OverStream, gid int32) int64 {
	if !c.framed() {
		return math.MaxInt64
	}
	first := c.by[gid].lo
	if c.growing {
		first = c.by[gid].hi
	}
	if first == noEntry {
		return math.MaxInt64
	}
	return x.entries[first].place
}

func (c *frameCall) clear(gid int32) {
	s := &c.by[gid]
	*s = frameState{lo: noEntry, hi: noEntry, last: noEntry, held: s.held[:0]}
	c.acc.clear(gid)
}
