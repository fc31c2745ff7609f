package operator

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// benchOver makes an OverStream over benchSchema, partitioned by its key.
func benchOver(tb testing.TB, calls ...OverCall) Operator {
	return opened(tb, NewOver(OverOptions{Input: benchSchema, PartitionBy: []int{1}, Order: []SortKey{{Col: 0}}, Calls: calls, Mode: OverWatermark}))
}

// benchCalls are the shapes of calls that streams have.
func benchCalls(tb testing.TB) map[string][]OverCall {
	sum := func(f Frame) OverCall {
		a := aggregate(tb, "sum", -1, []int{2}, benchSchema)
		return OverCall{Kind: function.WindowAggregate, Ret: a.Bound.Ret, Aggregate: a, Frame: f}
	}
	peak := func(f Frame) OverCall {
		a := aggregate(tb, "max", -1, []int{2}, benchSchema)
		return OverCall{Kind: function.WindowAggregate, Ret: a.Bound.Ret, Aggregate: a, Frame: f}
	}
	lag := OverCall{Kind: function.Lag, Ret: tInt, N: 1, Aggregate: Aggregate{Args: []int{2}}}
	last := Frame{Unit: FrameRange, Start: FrameBound{Offset: types.I128(-100_000)}}
	return map[string][]OverCall{
		"running sum":       {sum(toCurrent)},
		"sum of 10 rows":    {sum(rowsFrame(-9, 0))},
		"sum of 100 rows":   {sum(rowsFrame(-99, 0))},
		"sum of 1000 rows":  {sum(rowsFrame(-999, 0))},
		"max of 100 rows":   {peak(rowsFrame(-99, 0))},
		"sum of a time":     {sum(last)},
		"lag":               {lag},
		"lead":              {{Kind: function.Lead, Ret: tInt, N: 1, Aggregate: Aggregate{Args: []int{2}}}},
		"lag, rank and sum": {lag, numbered(function.Rank, 0), sum(toCurrent)},
	}
}

func BenchmarkOverStream(b *testing.B) {
	for name, calls := range benchCalls(b) {
		b.Run(name, func(b *testing.B) { benchPush(b, benchOver(b, calls...), benchBatches(16, 1000, 1), 1) })
	}
}

// No call allocates per row once the operator is warm. A min or max that rows leave keeps its values in a map, which now and then makes room.
func TestOverStreamAllocations(t *testing.T) {
	out := &discard{}
	for name, calls := range benchCalls(t) {
		op := benchOver(t, calls...)
		b := benchBatches(1, 100, 1)[0]
		epoch := uint64(0)
		round := func() {
			last := b.Cols[0].I64[b.N-1]
			if err := op.Push(0, b, out); err != nil {
				t.Fatal(err)
			}
			if _, err := op.Watermark(last, out); err != nil {
				t.Fatal(err)
			}
			epoch++
			if err := op.Barrier(epoch); err != nil {
				t.Fatal(err)
			}
			for i := range b.Cols[0].I64 {
				b.Cols[0].I64[i] += vector.MaxRows
			}
		}
		for range 60 {
			round()
		}
		if n := testing.AllocsPerRun(20, round); n > vector.MaxRows/100 {
			t.Errorf("%s allocates %v times per batch of %d rows", name, n, b.N)
		}
	}
}

// A batch of a few rows changes partitions of many: each is computed again as a whole.
func BenchmarkOverChanges(b *testing.B) {
	for _, size := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("partitions of %d rows", size), func(b *testing.B) {
			calls := []OverCall{numbered(function.Rank, 0), aggCall(b, "sum", toCurrent, 2)}
			op := opened(b, NewOver(OverOptions{Input: overSchema, PartitionBy: []int{1}, Order: []SortKey{{Col: 2, Desc: true}}, Calls: calls}))
			rng, out := rand.New(rand.NewPCG(1, 2)), &discard{}
			batch := &vector.Batch{Cols: newColumns(overSchema)}
			fill := func(n int) {
				batch.Reset()
				for range n {
					for c, x := range [...]int64{rng.Int64(), rng.Int64N(10), rng.Int64N(1000), 0} {
						batch.Cols[c].AppendI64(x)
					}
					batch.N++
				}
			}
			fill(10 * size)
			if err := op.Push(0, batch, out); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			rows := 0
			for b.Loop() {
				fill(10)
				for _, change := range []vector.Change{vector.Insert, vector.Delete} {
					batch.Op = batch.Op[:0]
					for range batch.N {
						batch.Op = append(batch.Op, change)
					}
					if err := op.Push(0, batch, out); err != nil {
						b.Fatal(err)
					}
					rows += batch.N
				}
			}
			perRow(b, rows)
		})
	}
}
