package function

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// null stands for NULL in the lists of the reference.
const null = int64(-1 << 60)

func randomList(rng *rand.Rand) []int64 {
	list := []int64{}
	for range rng.IntN(7) {
		x := rng.Int64N(6)
		if rng.IntN(8) == 0 {
			x = null
		}
		list = append(list, x)
	}
	return list
}

func appendList(v *vector.Vector, list []int64) {
	for _, x := range list {
		appendCell(v.Child[0], x)
	}
	v.EndList()
}

func appendCell(v *vector.Vector, x int64) {
	if x == null {
		v.AppendNull()
		return
	}
	v.AppendI64(x)
}

func unique(list []int64) []int64 {
	out := []int64{}
	for _, x := range list {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

func where(list []int64, keep func(int64) bool) []int64 {
	out := []int64{}
	for _, x := range list {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

// arrayReference computes functions of two lists x, y and a number n, one row at a time.
var arrayReference = map[string]func(x, y []int64, n int64) any{
	"array_distinct": func(x, _ []int64, _ int64) any { return unique(x) },
	"array_union":    func(x, y []int64, _ int64) any { return unique(slices.Concat(x, y)) },
	"array_concat":   func(x, y []int64, _ int64) any { return slices.Concat([]int64{}, x, y) },
	"array_intersect": func(x, y []int64, _ int64) any {
		return unique(where(x, func(e int64) bool { return slices.Contains(y, e) }))
	},
	"array_except": func(x, y []int64, _ int64) any {
		return unique(where(x, func(e int64) bool { return !slices.Contains(y, e) }))
	},
	"contains_all": func(x, y []int64, _ int64) any {
		return !slices.ContainsFunc(y, func(e int64) bool { return !slices.Contains(x, e) })
	},
	"arrays_overlap": func(x, y []int64, _ int64) any {
		if slices.ContainsFunc(x, func(e int64) bool { return e != null && slices.Contains(y, e) }) {
			return true
		}
		if len(x) > 0 && len(y) > 0 && (slices.Contains(x, null) || slices.Contains(y, null)) {
			return nil
		}
		return false
	},
	"array_remove":   func(x, _ []int64, n int64) any { return where(x, func(e int64) bool { return e != n }) },
	"array_append":   func(x, _ []int64, n int64) any { return slices.Concat(x, []int64{n}) },
	"array_prepend":  func(x, _ []int64, n int64) any { return slices.Concat([]int64{n}, x) },
	"array_compact":  func(x, _ []int64, _ int64) any { return where(x, func(e int64) bool { return e != null }) },
	"array_contains": func(x, _ []int64, n int64) any { return slices.Contains(x, n) },
	"array_position": func(x, _ []int64, n int64) any { return int64(slices.Index(x, n) + 1) },
	"array_positions": func(x, _ []int64, n int64) any {
		out := []int64{}
		for i, e := range x {
			if e == n {
				out = append(out, int64(i+1))
			}
		}
		return out
	},
	"array_reverse": func(x, _ []int64, _ int64) any { x = slices.Clone(x); slices.Reverse(x); return x },
	"sort_array":    func(x, _ []int64, _ int64) any { return slices.Sorted(slices.Values(x)) },
	"array_max": func(x, _ []int64, _ int64) any {
		if m := slices.Max(append(slices.Clone(x), null)); m != null {
			return m
		}
		return nil
	},
	"array_first": func(x, _ []int64, _ int64) any {
		if len(x) == 0 || x[0] == null {
			return nil
		}
		return x[0]
	},
	"cardinality": func(x, _ []int64, _ int64) any { return int64(len(x)) },
}

func referenceText(x any) string {
	switch x := x.(type) {
	case nil:
		return "NULL"
	case bool:
		return fmt.Sprint(boolInt(x))
	case []int64:
		s := "["
		for i, e := range x {
			if i > 0 {
				s += ", "
			}
			if e == null {
				s += "null"
			} else {
				s += fmt.Sprint(e)
			}
		}
		return s + "]"
	}
	return fmt.Sprint(x)
}

// TestArrayFunctions compares the columnar functions of arrays with the obvious ones.
func TestArrayFunctions(t *testing.T) {
	list := types.ArrayOf(tInt)
	for name, want := range arrayReference {
		f := Lookup(name)
		var bound Bound
		var err error
		takes := 0
		for i, args := range [][]Arg{{{Type: list}}, {{Type: list}, {Type: tInt}}, {{Type: list}, {Type: list}}} {
			if bound, err = f.Bind(args); err == nil && bound.Kernel != nil && (i > 0 || name != "array_concat") {
				takes = i
				break
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rng := rand.New(rand.NewPCG(11, 4))
		x, y, n := vector.New(list, 0), vector.New(list, 0), vector.New(tInt, 0)
		var expected []string
		for range 500 {
			a, b, k := randomList(rng), randomList(rng), rng.Int64N(6)
			appendList(x, a)
			appendList(y, b)
			n.AppendI64(k)
			expected = append(expected, referenceText(want(a, b, k)))
		}
		out := vector.New(bound.Ret, 0)
		bound.Kernel(&Ctx{}, [][]*vector.Vector{{x}, {x, n}, {x, y}}[takes], x.N, out)
		for i, w := range expected {
			if got := string(AppendText(nil, out, i)); got != w {
				t.Fatalf("%s(%s, %s | %d)\n got %s\nwant %s", name, AppendText(nil, x, i), AppendText(nil, y, i), n.I64[i], got, w)
			}
		}
	}
}

// TestLargeSets: sets of many elements take time in proportion to their size.
func TestLargeSets(t *testing.T) {
	const size = 200_000
	list := types.ArrayOf(tInt)
	x, y := vector.New(list, 1), vector.New(list, 1)
	for i := range int64(size) {
		x.Child[0].AppendI64(i)
		y.Child[0].AppendI64(i + size/2)
	}
	x.EndList()
	y.EndList()
	for name, want := range map[string]int{"array_union": size * 3 / 2, "array_intersect": size / 2, "array_except": size / 2} {
		bound, err := Lookup(name).Bind([]Arg{{Type: list}, {Type: list}})
		if err != nil {
			t.Fatal(err)
		}
		out := vector.New(list, 1)
		bound.Kernel(&Ctx{}, []*vector.Vector{x, y}, 1, out)
		if got := listLen(out, 0); got != want {
			t.Errorf("%s: %d elements, want %d", name, got, want)
		}
	}
}

func BenchmarkArraySets(b *testing.B) {
	list := types.ArrayOf(tInt)
	rng := rand.New(rand.NewPCG(1, 1))
	x, y := vector.New(list, 0), vector.New(list, 0)
	for range 4096 {
		appendList(x, randomList(rng))
		appendList(y, randomList(rng))
	}
	for _, name := range []string{"array_union", "array_intersect", "arrays_overlap"} {
		bound, err := Lookup(name).Bind([]Arg{{Type: list}, {Type: list}})
		if err != nil {
			b.Fatal(err)
		}
		out := vector.New(bound.Ret, 0)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				out.Reset()
				bound.Kernel(&Ctx{}, []*vector.Vector{x, y}, x.N, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
		})
	}
}
