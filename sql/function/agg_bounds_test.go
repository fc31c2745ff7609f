package function

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// fold runs values through an aggregate of one group.
func fold(t testing.TB, c aggCase, cols []*vector.Vector) *vector.Vector {
	bound, err := LookupAgg(c.name).Bind(c.arguments())
	if err != nil {
		t.Fatal(err)
	}
	s := bound.NewState(false)
	s.Grow(1)
	if err := s.Add(make([]int32, cols[0].N), nil, nil, cols); err != nil {
		t.Fatal(err)
	}
	fresh := bound.NewState(false) // what is encoded answers the same
	fresh.Grow(1)
	if _, err := fresh.Decode(0, s.Encode(0, nil)); err != nil {
		t.Fatal(err)
	}
	out := vector.New(bound.Ret, 1)
	fresh.Emit(0, out)
	return out
}

func typesOf(list ...types.Type) []types.Type { return list }

func floats(values []float64) *vector.Vector {
	v := vector.New(tFloat, len(values))
	for _, x := range values {
		v.AppendF64(x)
	}
	return v
}

// TestDigestBound: the rank of an answer is wrong by at most half the weight of a centroid of k1, π/δ sqrt(q(1-q)), for several
// distributions in random and in sorted order.
func TestDigestBound(t *testing.T) {
	const n = 50_000
	r := rand.New(rand.NewPCG(1, 2))
	draws := map[string]func() float64{"uniform": r.Float64, "normal": r.NormFloat64, "exponential": r.ExpFloat64, "steps": func() float64 { return math.Floor(r.Float64() * 1000) }}
	for name, draw := range draws {
		values := make([]float64, n)
		for i := range values {
			values[i] = draw()
		}
		for _, order := range []string{"random", "ascending", "descending"} {
			sorted := slices.Clone(values)
			slices.Sort(sorted)
			switch order {
			case "ascending":
				copy(values, sorted)
			case "descending":
				copy(values, sorted)
				slices.Reverse(values)
			}
			for _, q := range []float64{0, 0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
				got := fold(t, aggCase{name: "approx_percentile", args: typesOf(tFloat, tFloat), consts: map[int]float64{1: q}}, []*vector.Vector{floats(values), nil}).F64[0]
				low, _ := slices.BinarySearch(sorted, got)
				high, _ := slices.BinarySearch(sorted, math.Nextafter(got, math.Inf(1)))
				bound := math.Pi/digestCompression*math.Sqrt(q*(1-q)) + 2.0/n
				if miss := max(float64(low)/n-q, q-float64(high)/n, 0); miss > bound {
					t.Errorf("%s %s: quantile %v is %v: its rank is wrong by %v, more than %v", name, order, q, got, miss, bound)
				}
			}
		}
	}
}

// TestFrequentBound: counts are never too high, and too low by at most rows/(room+1), on Zipf's distribution.
func TestFrequentBound(t *testing.T) {
	const n, k, room = 200_000, 10, 100
	r := rand.New(rand.NewPCG(3, 4))
	zipf := rand.NewZipf(r, 1.2, 1, 1<<20)
	v, truth := vector.New(tInt, n), map[int64]int64{}
	for range n {
		x := int64(zipf.Uint64())
		v.AppendI64(x)
		truth[x]++
	}
	out := fold(t, aggCase{name: "approx_top_k", args: typesOf(tInt, tInt), consts: map[int]float64{1: k}}, []*vector.Vector{v, nil})
	item := out.Child[0]
	if item.N != k {
		t.Fatalf("%d values", item.N)
	}
	for i := range item.N {
		x, count := item.Child[0].I64[i], item.Child[1].I64[i]
		if count > truth[x] || count < truth[x]-n/(room+1) {
			t.Errorf("%d occurs %d times, counted %d", x, truth[x], count)
		}
	}
	if item.Child[0].I64[0] != 0 {
		t.Errorf("the most frequent value is %d", item.Child[0].I64[0])
	}
}

// TestDistinctBound: three standard errors, 1.04/sqrt(m), of HyperLogLog.
func TestDistinctBound(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	bound := 3 * 1.04 / math.Sqrt(sketchSize)
	for _, n := range []int{300, 1000, 5_000, 50_000, 500_000} {
		v := vector.New(tInt, n)
		for range n {
			v.AppendI64(int64(r.Uint64()))
		}
		got := fold(t, aggCase{name: "approx_count_distinct", args: typesOf(tInt)}, []*vector.Vector{v}).I64[0]
		if miss := math.Abs(float64(got)-float64(n)) / float64(n); miss > bound {
			t.Errorf("%d values counted as %d: wrong by %.4f, more than %.4f", n, got, miss, bound)
		}
	}
}

// TestOrderFree: functions of the set of rows do not depend on their order.
func TestOrderFree(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range aggCases {
		if c.ordered || len(c.args) == 0 || c.distinct {
			continue
		}
		rows := make([]modelRow, 60)
		for i := range rows {
			rows[i] = modelRow{r.Int64N(modelNull + 1), r.Int64N(modelNull + 1)}
		}
		bound, err := LookupAgg(c.name).Bind(c.arguments())
		if err != nil {
			t.Fatal(err)
		}
		want := string(AppendText(nil, fold(t, c, modelColumns(rows, bound.ArgTypes)), 0))
		for range 5 {
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			if got := string(AppendText(nil, fold(t, c, modelColumns(rows, bound.ArgTypes)), 0)); !sameResult(bound, got, want) {
				t.Errorf("%s %v: %s and %s", c.name, c.args, want, got)
			}
		}
	}
}
