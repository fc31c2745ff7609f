package operator

import (
	"fmt"
	"testing"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// discard is an Output that only counts.
type discard struct{ rows int }

func (d *discard) Push(b *vector.Batch) error { d.rows += b.Rows(); return nil }

var benchSchema = []types.Type{tTime, tInt, tInt, tText}

// benchBatches makes full batches (time, key below keys, value, 17 bytes of text); time advances by step a row.
func benchBatches(n, keys int, step int64) []*vector.Batch {
	out := make([]*vector.Batch, n)
	x, now := uint64(1), int64(0)
	for i := range out {
		b := &vector.Batch{Cols: newColumns(benchSchema)}
		for range vector.MaxRows {
			x = x*6364136223846793005 + 1442695040888963407
			now += step
			b.Cols[0].AppendI64(now)
			b.Cols[1].AppendI64(int64(x>>33) % int64(keys))
			b.Cols[2].AppendI64(int64(x >> 50))
			b.Cols[3].AppendString("some text, 17 byte")
			b.EndRow(vector.Insert)
		}
		out[i] = b
	}
	return out
}

// noState forgets what is written.
type noState struct{}

func (noState) Put(byte, uint16, []byte, []byte)                             {}
func (noState) Delete(byte, uint16, []byte)                                  {}
func (noState) DeleteRange(byte, uint16, []byte, []byte)                     {}
func (noState) Scan(byte, func(group uint16, key, value []byte) error) error { return nil }

func benchContext(tb testing.TB) *Context {
	ctx := &Context{Fn: &function.Ctx{}, State: noState{}}
	ctx.Groups.To = 256
	ctx.RowError = func(_ string, _ *vector.Batch, _ int, err *diag.Error) error { return err }
	ctx.Late = func(string, *vector.Batch, []int32) { tb.Fatal("late rows") }
	return ctx
}

func opened(tb testing.TB, op Operator) Operator {
	tb.Helper()
	if err := op.Open(benchContext(tb)); err != nil {
		tb.Fatal(err)
	}
	return op
}

func benchFilter(tb testing.TB) Operator {
	cond := call(tb, "and", call(tb, ">", col(2), expr.NewInt(100)), call(tb, "<", col(1), expr.NewInt(700)))
	return opened(tb, NewFilter(FilterOptions{Pred: cond}))
}

func benchProject(tb testing.TB) Operator {
	return opened(tb, NewProject(ProjectOptions{Exprs: []expr.Expr{col(1), call(tb, "+", call(tb, "*", col(2), expr.NewInt(3)), col(1))}}))
}

func benchWindow(tb testing.TB, w Window) Operator {
	return opened(tb, NewAggWindow(AggWindowOptions{Window: w, Input: benchSchema, Keys: []int{1},
		Aggs: []Aggregate{aggregate(tb, "count", -1, nil, benchSchema), aggregate(tb, "sum", -1, []int{2}, benchSchema)}}))
}

func benchGroup(tb testing.TB) Operator {
	return opened(tb, NewAggGroup(AggGroupOptions{Input: benchSchema, Keys: []int{1}, WindowEnd: -1,
		Aggs: []Aggregate{aggregate(tb, "count", -1, nil, benchSchema)}}))
}

func benchLookup(tb testing.TB) Operator {
	op := opened(tb, NewLookupJoin(LookupJoinOptions{Kind: LeftJoin, Left: benchSchema, Right: sideSchema, LeftKeys: []int{1}, RightKeys: []int{0}}))
	right := &vector.Batch{Cols: newColumns(sideSchema)}
	for k := range 1000 {
		appendCell(right.Cols[0], k)
		appendCell(right.Cols[1], k*2)
		appendCell(right.Cols[2], "a name")
		right.EndRow(vector.Insert)
	}
	if err := op.Push(1, right, &discard{}); err != nil {
		tb.Fatal(err)
	}
	if err := op.End(1, &discard{}); err != nil {
		tb.Fatal(err)
	}
	return op
}

// No operator on the hot path allocates per batch once it is warm.
func TestSteadyStateAllocations(t *testing.T) {
	out := &discard{}
	batches := benchBatches(1, 1000, 1)
	for name, op := range map[string]Operator{
		"filter": benchFilter(t), "project": benchProject(t), "group": benchGroup(t), "lookup": benchLookup(t), "expand": benchExpand(t),
		"assign": opened(t, NewWindowAssign(WindowAssignOptions{Window: Window{Kind: Hop, Size: 4000, Slide: 1000}})),
		"window": benchWindow(t, Window{Kind: Tumble, Size: 10_000_000}),
		"hop":    benchWindow(t, Window{Kind: Hop, Size: 10_000, Slide: 2_000}),
	} {
		pushOnce := func() {
			if err := op.Push(0, batches[0], out); err != nil {
				t.Fatal(err)
			}
		}
		pushOnce()
		pushOnce()
		if n := testing.AllocsPerRun(20, pushOnce); n > 0 {
			t.Errorf("%s allocates %v times per batch", name, n)
		}
	}
}

func perRow(b *testing.B, rows int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}

// benchPush drives an operator with batches; every is the number of batches between watermarks (0: none).
func benchPush(b *testing.B, op Operator, batches []*vector.Batch, every int) {
	out := &discard{}
	rows, shift, i := 0, int64(0), 0
	span := batches[len(batches)-1].Cols[0].I64[vector.MaxRows-1]
	b.ReportAllocs()
	for b.Loop() {
		x := batches[i%len(batches)]
		if i > 0 && i%len(batches) == 0 {
			shift += span
			for _, y := range batches {
				for k := range y.Cols[0].I64 {
					y.Cols[0].I64[k] += span
				}
			}
		}
		i++
		if err := op.Push(0, x, out); err != nil {
			b.Fatal(err)
		}
		if every > 0 && i%every == 0 {
			if _, err := op.Watermark(x.Cols[0].I64[x.N-1]-1, out); err != nil {
				b.Fatal(err)
			}
		}
		rows += x.Rows()
	}
	perRow(b, rows)
}

func BenchmarkFilter(b *testing.B)  { benchPush(b, benchFilter(b), benchBatches(16, 1000, 1), 0) }
func BenchmarkProject(b *testing.B) { benchPush(b, benchProject(b), benchBatches(16, 1000, 1), 0) }
func BenchmarkAggGroup(b *testing.B) {
	for _, keys := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) { benchPush(b, benchGroup(b), benchBatches(64, keys, 1), 0) })
	}
}
func BenchmarkLookupJoin(b *testing.B) {
	benchPush(b, benchLookup(b), benchBatches(16, 1000, 1), 0)
}

// Windows of 1 M rows each, emission included.
func BenchmarkAggWindow(b *testing.B) {
	for _, keys := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			benchPush(b, benchWindow(b, Window{Kind: Tumble, Size: 10_000_000}), benchBatches(64, keys, 10), 1)
		})
	}
}

func BenchmarkJoin(b *testing.B) {
	benchJoin(b, opened(b, NewJoin(JoinOptions{Left: benchSchema, Right: benchSchema, LeftKeys: []int{1}, RightKeys: []int{1}, LeftWindowEnd: -1, RightWindowEnd: -1})))
}

// The right side of a semi join holds what the condition reads: the key.
func BenchmarkSemiJoin(b *testing.B) {
	benchJoin(b, opened(b, NewSemiJoin(JoinOptions{Kind: SemiKind, Left: benchSchema, Right: benchSchema, LeftKeys: []int{1}, RightKeys: []int{1}, LeftWindowEnd: -1, RightWindowEnd: -1})))
}

// benchJoin pushes rows to both sides in turn and takes them back in the next round.
func benchJoin(b *testing.B, op Operator) {
	batches := benchBatches(64, 100_000, 1)
	out, rows, i := &discard{}, 0, 0
	b.ReportAllocs()
	for b.Loop() {
		x := batches[i%len(batches)]
		x.Op = x.Op[:0]
		if i/len(batches)%2 == 1 { // every other round takes the rows back
			for range x.N {
				x.Op = append(x.Op, vector.Delete)
			}
		}
		if err := op.Push(i%2, x, out); err != nil {
			b.Fatal(err)
		}
		if i++; i%64 == 0 {
			if err := op.Barrier(uint64(i)); err != nil {
				b.Fatal(err)
			}
		}
		rows += x.N
	}
	perRow(b, rows)
}

func BenchmarkTemporalJoin(b *testing.B) {
	op := opened(b, NewTemporalJoin(TemporalJoinOptions{Kind: LeftJoin, Left: benchSchema, Right: benchSchema, LeftKeys: []int{1}, RightKeys: []int{1}}))
	if err := op.Push(1, benchBatches(1, 1000, 1)[0], &discard{}); err != nil {
		b.Fatal(err)
	}
	benchPush(b, op, benchBatches(16, 1000, 1), 1)
}
