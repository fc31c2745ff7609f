package expr

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// lambdaInput is rows of (a ARRAY<BIGINT>, n BIGINT), some NULL, and the same as Go values.
type lambdaInput struct {
	batch *vector.Batch
	lists [][]any // nil: NULL
	n     []any
}

func randomLists(rng *rand.Rand, rows int) lambdaInput {
	in := lambdaInput{batch: vector.NewBatch([]types.Field{{Type: types.ArrayOf(types.Of(types.Int64))}, {Type: types.Of(types.Int64)}}, rows)}
	number := func(v *vector.Vector) any {
		if rng.IntN(8) == 0 {
			v.AppendNull()
			return nil
		}
		x := rng.Int64N(20) - 5
		v.AppendI64(x)
		return x
	}
	a := in.batch.Cols[0]
	for i := range rows {
		var list []any
		if rng.IntN(10) > 0 {
			list = []any{}
			for range rng.IntN(6) {
				list = append(list, number(a.Child[0]))
			}
		}
		a.EndList()
		if list == nil {
			a.SetNull(i)
		}
		in.lists, in.n = append(in.lists, list), append(in.n, number(in.batch.Cols[1]))
		in.batch.N++
	}
	return in
}

// plus and less are SQL's.
func plus(x, y any) any {
	if x == nil || y == nil {
		return nil
	}
	return x.(int64) + y.(int64)
}

func less(x, y any) any {
	if x == nil || y == nil {
		return nil
	}
	return x.(int64) < y.(int64)
}

// lambdaCases computes each expression row by row, the obvious way.
var lambdaCases = map[string]func(list []any, n any) any{
	"transform(a, x -> x + n)": func(list []any, n any) any {
		out := []any{}
		for _, x := range list {
			out = append(out, plus(x, n))
		}
		return out
	},
	"transform(a, (x, i) -> x + i)": func(list []any, _ any) any {
		out := []any{}
		for i, x := range list {
			out = append(out, plus(x, int64(i+1)))
		}
		return out
	},
	"filter(a, x -> n < x)": func(list []any, n any) any {
		out := []any{}
		for _, x := range list {
			if less(n, x) == true {
				out = append(out, x)
			}
		}
		return out
	},
	"reduce(a, n, (s, x) -> s + coalesce(x, 1))": func(list []any, n any) any {
		for _, x := range list {
			if x == nil {
				x = int64(1)
			}
			n = plus(n, x)
		}
		return n
	},
	"reduce(a, 0, (s, x) -> coalesce(x, s), s -> s + n)": func(list []any, n any) any {
		s := any(int64(0))
		for _, x := range list {
			if x != nil {
				s = x
			}
		}
		return plus(s, n)
	},
	"any_match(a, x -> x < n)": func(list []any, n any) any {
		out := any(false)
		for _, x := range list {
			if l := less(x, n); l == true {
				return true
			} else if l == nil {
				out = nil
			}
		}
		return out
	},
	"array_sort(filter(a, x -> x IS NOT NULL), (x, y) -> y - x)": func(list []any, _ any) any {
		out := []any{}
		for _, x := range list {
			if x != nil {
				out = append(out, x)
			}
		}
		slices.SortStableFunc(out, func(x, y any) int { return int(y.(int64) - x.(int64)) })
		return out
	},
	"transform(a, x -> reduce(a, x, (s, y) -> s + y))": func(list []any, _ any) any {
		out := []any{}
		for _, x := range list {
			for _, y := range list {
				x = plus(x, y)
			}
			out = append(out, x)
		}
		return out
	},
}

func textOf(x any) string {
	switch x := x.(type) {
	case nil:
		return "NULL"
	case bool:
		return map[bool]string{false: "0", true: "1"}[x]
	case []any:
		s := "["
		for i, e := range x {
			if i > 0 {
				s += ", "
			}
			if e == nil {
				s += "null"
			} else {
				s += fmt.Sprint(e)
			}
		}
		return s + "]"
	}
	return fmt.Sprint(x)
}

// TestLambdasAgreeWithLoops compares columnar lambdas with loops over rows, on batches of several sizes that one evaluator sees in turn.
func TestLambdasAgreeWithLoops(t *testing.T) {
	a := &Col{Index: 0, Name: "a", Typ: types.ArrayOf(types.Of(types.Int64))}
	n := &Col{Index: 1, Name: "n", Typ: types.Of(types.Int64)}
	for src, want := range lambdaCases {
		e, err := parseExpr(src, a, n)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		ev := Compile([]Expr{e})
		rng := rand.New(rand.NewPCG(7, 3))
		for _, rows := range []int{1, 0, 40, 300, 7} {
			in := randomLists(rng, rows)
			var ctx function.Ctx
			out := ev.Eval(&ctx, in.batch)[0]
			if len(ctx.Errs) > 0 || out.N != rows {
				t.Fatalf("%s: %d rows of %d, errors %v", src, out.N, rows, ctx.Errs)
			}
			for i := range rows {
				expected := "NULL"
				if in.lists[i] != nil {
					expected = textOf(want(in.lists[i], in.n[i]))
				}
				if got := string(function.AppendText(nil, out, i)); got != expected {
					t.Fatalf("%s over %s, %s\n got %s\nwant %s", src, textOf(in.lists[i]), textOf(in.n[i]), got, expected)
				}
			}
		}
	}
}

// TestLambdaErrors: an error of an element is one of its row, wherever the lambda stands, and none where the row is not asked about.
func TestLambdaErrors(t *testing.T) {
	a := &Col{Index: 0, Name: "a", Typ: types.ArrayOf(types.Of(types.Int64))}
	n := &Col{Index: 1, Name: "n", Typ: types.Of(types.Int64)}
	b := vector.NewBatch([]types.Field{{Type: a.Typ}, {Type: n.Typ}}, 4)
	for i, list := range [][]int64{{1, 2}, {1, 1 << 62, 1 << 62}, {}, {1 << 62, 3}} {
		for _, x := range list {
			b.Cols[0].Child[0].AppendI64(x)
		}
		b.Cols[0].EndList()
		b.Cols[1].AppendI64(int64(i))
		b.N++
	}
	for src, want := range map[string][]int{
		"transform(a, x -> x * 4)":                                       {1, 3},
		"transform(a, x -> transform(a, y -> y * 4))":                    {1, 3},
		"reduce(a, 0, (s, x) -> s + x * 4)":                              {1, 3},
		"case when n = 1 then transform(a, x -> x * 4) else array() end": {1},
		"n <> 3 and any_match(a, x -> x * 4 > 0)":                        {1},
		"array_sort(a, (x, y) -> if(x > 5, NULL, 0))":                    {1, 3},
	} {
		e, err := parseExpr(src, a, n)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		for _, sel := range [][]int32{nil, {0, 3}} {
			b.Sel = sel
			var ctx function.Ctx
			Compile([]Expr{e}).Eval(&ctx, b)
			var rows []int
			for _, e := range ctx.Errs {
				rows = append(rows, e.Row)
			}
			slices.Sort(rows)
			expected := want
			if sel != nil {
				expected = slices.DeleteFunc(slices.Clone(want), func(r int) bool { return r == 1 })
			}
			if !slices.Equal(rows, expected) {
				t.Errorf("%s of %v: errors of rows %v, want %v", src, sel, rows, expected)
			}
		}
	}
}

// TestLambdaSubstitution: a lambda that comes to stand within another one keeps its own parameters.
func TestLambdaSubstitution(t *testing.T) {
	a := &Col{Index: 0, Name: "a", Typ: types.ArrayOf(types.Of(types.Int64))}
	s := &Col{Index: 1, Name: "s", Typ: types.Of(types.Int64)}
	outer, err := parseExpr("transform(a, x -> x + s)", a, s)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := parseExpr("reduce(a, 0, (p, q) -> p + q)", a)
	if err != nil {
		t.Fatal(err)
	}
	merged := Rewrite(outer, func(e Expr) Expr {
		if c, ok := e.(*Col); ok && c.Index == 1 {
			return sum
		}
		return e
	})
	if got := Print(merged); got != "TRANSFORM(a, x -> x + REDUCE(a, 0, (p, q) -> p + q))" {
		t.Error(got)
	}
	if !Equal(merged, merged) || Equal(merged, outer) || !slices.Equal(Columns(merged), []int{0}) {
		t.Error("comparing")
	}
	b := vector.NewBatch([]types.Field{{Type: a.Typ}}, 1)
	for _, x := range []int64{1, 2, 3} {
		b.Cols[0].Child[0].AppendI64(x)
	}
	b.Cols[0].EndList()
	b.N = 1
	var ctx function.Ctx
	out := Compile([]Expr{merged}).Eval(&ctx, b)[0]
	if got := string(function.AppendText(nil, out, 0)); got != "[7, 8, 9]" {
		t.Error(got)
	}
}

// TestLambdaAllocations: a warm lambda allocates per batch, not per row or element.
func TestLambdaAllocations(t *testing.T) {
	a := &Col{Index: 0, Name: "a", Typ: types.ArrayOf(types.Of(types.Int64))}
	n := &Col{Index: 1, Name: "n", Typ: types.Of(types.Int64)}
	in := randomLists(rand.New(rand.NewPCG(1, 1)), 2000)
	for _, src := range []string{"transform(a, x -> x + n)", "filter(a, x -> x > n)", "reduce(a, 0, (s, x) -> s + x)", "any_match(a, x -> x = n)"} {
		e, err := parseExpr(src, a, n)
		if err != nil {
			t.Fatal(err)
		}
		ev := Compile([]Expr{e})
		var ctx function.Ctx
		run := func() { ev.Eval(&ctx, in.batch) }
		run()
		run()
		if got := testing.AllocsPerRun(5, run); got > 16 {
			t.Errorf("%s: %v allocations for 2000 rows", src, got)
		}
	}
}

func BenchmarkLambda(b *testing.B) {
	a := &Col{Index: 0, Name: "a", Typ: types.ArrayOf(types.Of(types.Int64))}
	n := &Col{Index: 1, Name: "n", Typ: types.Of(types.Int64)}
	in := randomLists(rand.New(rand.NewPCG(1, 1)), vector.MaxRows)
	for _, src := range []string{"transform(a, x -> x + n)", "filter(a, x -> x > n)", "reduce(a, 0, (s, x) -> s + x)", "array_sort(a, x -> x)", "array_sort(a, (x, y) -> coalesce(x - y, 0))"} {
		b.Run(src, func(b *testing.B) {
			e, err := parseExpr(src, a, n)
			if err != nil {
				b.Fatal(err)
			}
			ev := Compile([]Expr{e})
			var ctx function.Ctx
			for b.Loop() {
				ev.Eval(&ctx, in.batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(in.batch.Cols[0].Child[0].N), "ns/element")
		})
	}
}
