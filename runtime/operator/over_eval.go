package operator

import (
	"cmp"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// overEval computes calls over whole partitions: rows in order, in columns. Frames only move forward from row to row, so that aggregates add
// the rows that enter and take back those that leave.
type overEval struct {
	calls []OverCall
	order []SortKey
	accs  []accumulators // by call; only aggregates have any
	out   []*vector.Vector

	batch   vector.Batch
	groupOf []int32 // by row: its group of ties
	starts  []int32 // by group: its first row; one more at the end
	keys    rangeKeys
	zeros   []int32 // as many as rows: the group id of all
	rows    []int32 // 0, 1, 2 ..
	gone    []vector.Change
	pos     []int32 // IGNORE NULLS: rows that count
	count   []int32 // IGNORE NULLS: by row, how many of those come before it
}

func newOverEval(calls []OverCall, order []SortKey) *overEval {
	e := &overEval{calls: calls, order: order, accs: make([]accumulators, len(calls)), out: make([]*vector.Vector, len(calls))}
	for i := range calls {
		c := &calls[i]
		e.out[i] = vector.New(c.Ret, 0)
		if c.Kind == function.WindowAggregate {
			e.accs[i] = newAccumulators([]Aggregate{c.Aggregate}, !c.Frame.Start.Unbounded)
			e.accs[i].grow(1)
		}
	}
	return e
}

// begin starts a partition with the columns that its rows will be in.
func (e *overEval) begin(cols []*vector.Vector) {
	e.batch.Cols, e.batch.N = cols, 0
	e.groupOf, e.starts = e.groupOf[:0], e.starts[:0]
	for _, v := range e.out {
		v.Reset()
	}
}

// add says that the next row is complete in the columns, and whether it ties with the one before.
func (e *overEval) add(ties bool) {
	if !ties {
		e.starts = append(e.starts, int32(e.batch.N))
	}
	e.groupOf = append(e.groupOf, int32(len(e.starts)-1))
	e.batch.N++
}

// run computes all calls.
func (e *overEval) run() error {
	n := e.batch.N
	e.starts = append(e.starts, int32(n))
	for len(e.rows) < n {
		e.rows = append(e.rows, int32(len(e.rows)))
		e.zeros = append(e.zeros, 0)
		e.gone = append(e.gone, vector.Delete)
	}
	for i := range e.calls {
		c := &e.calls[i]
		if c.Kind.Framed() {
			if err := e.framed(c, &e.accs[i], e.out[i]); err != nil {
				return err
			}
			continue
		}
		e.ranked(c, e.out[i])
	}
	return nil
}

// ranked computes what depends on the row's place only.
func (e *overEval) ranked(c *OverCall, out *vector.Vector) {
	n := e.batch.N
	if c.Kind == function.Lag || c.Kind == function.Lead {
		e.neighbours(c, out)
		return
	}
	size, extra := int64(n), int64(0)
	if c.Kind == function.Ntile {
		size, extra = int64(n)/c.N, int64(n)%c.N
	}
	for i := range int32(n) {
		g := e.groupOf[i]
		switch c.Kind {
		case function.RowNumber:
			out.AppendI64(int64(i) + 1)
		case function.Rank:
			out.AppendI64(int64(e.starts[g]) + 1)
		case function.DenseRank:
			out.AppendI64(int64(g) + 1)
		case function.PercentRank:
			out.AppendF64(float64(e.starts[g]) / float64(max(n-1, 1)))
		case function.CumeDist:
			out.AppendF64(float64(e.starts[g+1]) / float64(n))
		case function.Ntile:
			out.AppendI64(bucket(int64(i), size, extra))
		}
	}
}

// bucket is the bucket of row i, from 1, when the first extra buckets have size + 1 rows and the others size.
func bucket(i, size, extra int64) int64 {
	if large := extra * (size + 1); i >= large {
		return extra + (i-large)/size + 1
	}
	return i/(size+1) + 1
}

func (e *overEval) neighbours(c *OverCall, out *vector.Vector) {
	v := e.batch.Cols[c.Args[0]]
	n, step := int64(e.batch.N), min(c.N, maxFrameRows)
	if c.IgnoreNulls {
		e.index(v)
	}
	for i := range n {
		j := i + step
		if c.Kind == function.Lag {
			j = i - step
		}
		if c.IgnoreNulls && c.N > 0 {
			k := int64(e.count[i+1]) + step - 1
			if c.Kind == function.Lag {
				k = int64(e.count[i]) - step
			}
			j = -1
			if k >= 0 && k < int64(len(e.pos)) {
				j = int64(e.pos[k])
			}
		}
		switch {
		case j >= 0 && j < n:
			out.AppendFrom(v, int(j))
		case len(c.Args) > 1:
			out.AppendFrom(e.batch.Cols[c.Args[1]], int(i))
		default:
			out.AppendNull()
		}
	}
}

// index lists the rows where v is not NULL.
func (e *overEval) index(v *vector.Vector) {
	e.pos, e.count = e.pos[:0], e.count[:0]
	for i := range e.batch.N {
		e.count = append(e.count, int32(len(e.pos)))
		if !v.IsNull(i) {
			e.pos = append(e.pos, int32(i))
		}
	}
	e.count = append(e.count, int32(len(e.pos)))
}

// framed computes a call over frames.
func (e *overEval) framed(c *OverCall, acc *accumulators, out *vector.Vector) error {
	n := e.batch.N
	if c.Frame.Unit == FrameRange {
		e.keys.load(e.batch.Cols[e.order[0].Col], e.order[0].Desc)
	}
	if c.Kind != function.WindowAggregate && c.IgnoreNulls {
		e.index(e.batch.Cols[c.Args[0]])
	}
	if c.Kind == function.WindowAggregate {
		acc.clear(0)
	}
	lo, hi, from, to := 0, 0, 0, 0 // the frame; the rows in the accumulator
	for i := range n {
		lo, hi = e.frame(&c.Frame, i, lo, hi)
		if c.Kind != function.WindowAggregate {
			e.valueOf(c, lo, hi, out)
			continue
		}
		if lo >= to && to > from {
			acc.clear(0)
			from, to = lo, lo
		} else if lo > from {
			if err := e.fold(acc, from, min(lo, to), e.gone); err != nil {
				return err
			}
			from, to = lo, max(to, lo)
		}
		if hi > to {
			if err := e.fold(acc, to, hi, nil); err != nil {
				return err
			}
			to = hi
		}
		acc.states[0].Emit(0, out)
	}
	return nil
}

// fold adds rows [from, to) to an accumulator, or takes them back.
func (e *overEval) fold(acc *accumulators, from, to int, changes []vector.Change) error {
	if from >= to {
		return nil
	}
	if changes != nil {
		changes = changes[from:to]
	}
	return acc.add(&e.batch, e.zeros[from:to], e.rows[from:to], changes)
}

func (e *overEval) valueOf(c *OverCall, lo, hi int, out *vector.Vector) {
	at := -1
	switch first, last := lo, hi-1; {
	case c.IgnoreNulls:
		k := int64(e.count[lo]) // of the first that counts
		switch c.Kind {
		case function.LastValue:
			k = int64(e.count[hi]) - 1
		case function.NthValue:
			k += min(c.N, maxFrameRows) - 1
		}
		if k >= 0 && k < int64(len(e.pos)) && int(e.pos[k]) >= lo && int(e.pos[k]) < hi {
			at = int(e.pos[k])
		}
	case hi <= lo:
	case c.Kind == function.FirstValue:
		at = first
	case c.Kind == function.LastValue:
		at = last
	case c.N <= int64(hi-lo):
		at = lo + int(c.N) - 1
	}
	if at < 0 {
		out.AppendNull()
		return
	}
	out.AppendFrom(e.batch.Cols[c.Args[0]], at)
}

// frame finds the rows [lo, hi) that row i sees, given those of the row before it. Both bounds ascend.
func (e *overEval) frame(f *Frame, i, lo, hi int) (int, int) {
	n, g := int64(e.batch.N), int64(e.groupOf[i])
	switch {
	case f.Unit == FrameRange:
		lo, hi = e.rangeFrame(f, i, lo, hi)
		return lo, max(lo, hi)
	case f.Unit == FrameGroups:
		lo, hi = e.groupStart(g+f.Start.rows()), e.groupStart(g+f.End.rows()+1)
	default:
		lo, hi = int(clamp(int64(i)+f.Start.rows(), n)), int(clamp(int64(i)+f.End.rows()+1, n))
	}
	if f.Start.Unbounded {
		lo = 0
	}
	if f.End.Unbounded {
		hi = int(n)
	}
	return lo, max(lo, hi)
}

func clamp(x, n int64) int64 { return min(max(x, 0), n) }

// groupStart is the first row of a group of ties; groups beyond the ends begin there.
func (e *overEval) groupStart(g int64) int {
	return int(e.starts[clamp(g, int64(len(e.starts)-1))])
}

func (e *overEval) rangeFrame(f *Frame, i, lo, hi int) (int, int) {
	n, g := e.batch.N, e.groupOf[i]
	switch {
	case f.Start.Unbounded:
		lo = 0
	case e.keys.isNull(i):
		lo = int(e.starts[g])
	default:
		bound := e.keys.bound(i, &f.Start)
		for lo < n && e.keys.compare(lo, bound) < 0 {
			lo++
		}
	}
	switch {
	case f.End.Unbounded:
		hi = n
	case e.keys.isNull(i):
		hi = int(e.starts[g+1])
	default:
		bound := e.keys.bound(i, &f.End)
		for hi < n && e.keys.compare(hi, bound) <= 0 {
			hi++
		}
	}
	return lo, hi
}

// rangeKeys is the order column of frames of RANGE, and the arithmetic on it.
type rangeKeys struct {
	v    *vector.Vector
	desc bool
}

// rangeKey is a value of the order: Wide of integers, DECIMALs and times, or Float.
type rangeKey struct {
	wide  types.Int256
	float float64
}

func (r *rangeKeys) load(v *vector.Vector, desc bool) { r.v, r.desc = v, desc }

func (r *rangeKeys) isNull(i int) bool { return r.v.IsNull(i) }

func (r *rangeKeys) at(i int) rangeKey {
	switch v := r.v; {
	case v.Type.Class() == types.ClassF64:
		return rangeKey{float: v.F64[i]}
	case v.Type.Class() == types.ClassI128:
		return rangeKey{wide: v.I128[i].Widen()}
	case v.Type.Class() == types.ClassI256:
		return rangeKey{wide: v.I256[i]}
	case v.Type.Kind == types.Uint64:
		return rangeKey{wide: types.U128(uint64(v.I64[i])).Widen()}
	}
	return rangeKey{wide: types.I256(r.v.I64[i])}
}

// The largest distance from 0 that a bound has: beyond every value.
var farthest = types.Int256{3: 1 << 62}

// bound is the value that lies the offset behind row i, in the direction of the order.
func (r *rangeKeys) bound(i int, b *FrameBound) rangeKey {
	k, months, by := r.at(i), b.Months, b.Offset.Widen()
	if r.desc {
		months, by = -months, by.Neg()
		k.float -= b.Float
	} else {
		k.float += b.Float
	}
	if months != 0 {
		k.wide = addMonths(r.v.Type.Kind, k.wide, months)
	}
	sum, ok := k.wide.Add(by)
	if !ok {
		if sum = farthest; by.IsNeg() {
			sum = farthest.Neg()
		}
	}
	k.wide = sum
	return k
}

// addMonths moves an instant, or a DATE, by months; past the ends of the calendar it is as far as can be.
func addMonths(kind types.Kind, x types.Int256, months int64) types.Int256 {
	narrow, _ := x.Narrow()
	t, _ := narrow.Int64() // instants and dates are int64
	var ok bool
	if kind == types.Date {
		t, ok = types.AddMonths(t, months)
	} else {
		t, ok = types.AddInterval(t, types.IntervalOf(months, 0))
	}
	switch {
	case ok:
		return types.I256(t)
	case months < 0:
		return farthest.Neg()
	}
	return farthest
}

// compare tells whether row j comes before (-1), at or behind a bound in the order. NULLs are the least values.
func (r *rangeKeys) compare(j int, bound rangeKey) int {
	c := -1
	if !r.isNull(j) {
		k := r.at(j)
		c = cmp.Or(k.wide.Cmp(bound.wide), cmp.Compare(k.float, bound.float))
	}
	if r.desc {
		return -c
	}
	return c
}
