package expr

import (
	"slices"
	"testing"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
	"pgregory.net/rapid"
)

var filterColumns = []Expr{
	&Col{Index: 0, Name: "a", Typ: types.Of(types.Int64)},
	&Col{Index: 1, Name: "b", Typ: types.Of(types.Int64)},
	&Col{Index: 2, Name: "f", Typ: types.Of(types.Float64)},
	&Col{Index: 3, Name: "s", Typ: types.Of(types.String)},
	&Col{Index: 4, Name: "u", Typ: types.Of(types.Uint64)},
}

var filterTerms = []string{"a = 1", "a <> b", "a < 2", "3 >= b", "f > 1e0", "f <= a", "s = 'x'", "s >= 'b'", "s <> 'x'", "a IS NULL", "s IS NOT NULL",
	"a < b", "f = 0e0", "a + b > 2", "a = 1 OR s = 'x'", "s LIKE '%x'", "u > 1", "9223372036854775807 + a > 0", "NULL", "a"}

func drawBatch(t *rapid.T) *vector.Batch {
	n := rapid.IntRange(0, 130).Draw(t, "n")
	b := &vector.Batch{N: n}
	for c, e := range filterColumns {
		v := vector.New(e.Type(), n)
		nulls := rapid.Bool().Draw(t, "nulls")
		for range n {
			x := rapid.Int64Range(-1, 4).Draw(t, "x")
			switch {
			case nulls && x == 4:
				v.AppendNull()
			case c == 2:
				v.AppendF64(float64(x))
			case c == 3:
				v.AppendString([]string{"", "a", "b", "x", "bx", "c"}[x+1])
			default:
				v.AppendI64(max(x, -int64(1-c/4)))
			}
		}
		b.Cols = append(b.Cols, v)
	}
	if rapid.Bool().Draw(t, "sel") {
		b.Sel = []int32{}
		for i := range n {
			if rapid.Bool().Draw(t, "in") {
				b.Sel = append(b.Sel, int32(i))
			}
		}
	}
	return b
}

// TestFilterAgreesWithEvaluator: a filter selects the rows where the evaluator says TRUE without an error.
func TestFilterAgreesWithEvaluator(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := ""
		for k := range rapid.IntRange(1, 4).Draw(t, "terms") {
			if k > 0 {
				src += " AND "
			}
			src += "(" + rapid.SampledFrom(filterTerms).Draw(t, "term") + ")"
		}
		e, err := parseExpr(src, filterColumns...)
		if err != nil {
			t.Fatal(err)
		}
		b := drawBatch(t)
		var ctx, reference function.Ctx
		got := CompileFilter(mustCondition(t, e)).Select(&ctx, b, nil)
		v := Compile([]Expr{mustCondition(t, e)}).Eval(&reference, b)[0]
		var want []int32
		for k := range b.Rows() {
			i := b.Row(k)
			failed := slices.ContainsFunc(reference.Errs, func(e function.RowError) bool { return e.Row == i })
			if !failed && !v.IsNull(i) && v.Bool(i) {
				want = append(want, int32(i))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s\n got %v\nwant %v", src, got, want)
		}
		for _, e := range ctx.Errs {
			if !slices.ContainsFunc(reference.Errs, func(r function.RowError) bool { return r.Row == e.Row }) {
				t.Fatalf("%s: row %d fails only in the filter", src, e.Row)
			}
		}
	})
}

func mustCondition(t *rapid.T, e Expr) Expr {
	c, err := condition(e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func benchBatch() *vector.Batch {
	b := &vector.Batch{N: vector.MaxRows}
	for c, e := range filterColumns {
		v := vector.New(e.Type(), b.N)
		for i := range b.N {
			switch c {
			case 2:
				v.AppendF64(float64(i % 100))
			case 3:
				v.AppendString([]string{"apple", "bidder", "channel"}[i%3])
			default:
				v.AppendI64(int64(i * 7919 % 1000))
			}
		}
		b.Cols = append(b.Cols, v)
	}
	return b
}

// TestSteadyStateAllocations: filters and evaluators make no garbage once their buffers have grown.
func TestSteadyStateAllocations(t *testing.T) {
	b := benchBatch()
	nulls := benchBatch()
	for i := range nulls.N / 3 {
		nulls.Cols[0].SetNull(i * 3)
		nulls.Cols[3].SetNull(i * 3)
	}
	for _, src := range []string{"a > 500 AND b < 900 AND s = 'bidder'", "a + b * 2 > 100", "a * 0.9 > 10", "CASE WHEN a > 5 THEN b ELSE 0 END = 1",
		"upper(s) = 'APPLE'", "concat(s, a) LIKE 'a%'", "f / 2 > 1e0", "a / b > 1", "substring(s, 2, 2) <> 'x'", "CAST(s AS VARCHAR(2)) = 'ap'", "coalesce(a, 0) IN (1, 2)"} {
		e, err := parseExpr(src, filterColumns...)
		if err != nil {
			t.Fatal(err)
		}
		f, ev := CompileFilter(e), Compile([]Expr{e})
		var ctx function.Ctx
		dst := make([]int32, 0, b.N)
		run := func() {
			for _, in := range []*vector.Batch{b, nulls} {
				dst = f.Select(&ctx, in, dst)
				ev.Eval(&ctx, in)
			}
		}
		run()
		if n := testing.AllocsPerRun(5, run); n != 0 {
			t.Errorf("%s: %v allocations per batch", src, n)
		}
	}
}

func benchFilter(b *testing.B, src string) {
	e, err := parseExpr(src, filterColumns...)
	if err != nil {
		b.Fatal(err)
	}
	batch, f := benchBatch(), CompileFilter(e)
	var ctx function.Ctx
	var dst []int32
	b.ReportAllocs()
	for b.Loop() {
		dst = f.Select(&ctx, batch, dst)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch.N), "ns/row")
}

func BenchmarkFilterTwoInts(b *testing.B) { benchFilter(b, "a > 500 AND b < 900") }
func BenchmarkFilterText(b *testing.B)    { benchFilter(b, "s = 'bidder'") }
func BenchmarkFilterGeneral(b *testing.B) { benchFilter(b, "a + b > 900") }
func BenchmarkFilterDecimal(b *testing.B) { benchFilter(b, "a * 0.9 > 900.0") }
func BenchmarkFilterInSet(b *testing.B)   { benchFilter(b, "a IN (1, 20, 300)") }
