package function

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
	"pgregory.net/rapid"
)

// row of a model: values of both arguments; the second only matters to aggregates of two.
type modelRow struct{ x, y int64 }

const modelNull = 9

func modelColumns(rows []modelRow, kinds []types.Type) []*vector.Vector {
	cols := make([]*vector.Vector, len(kinds))
	for c, kind := range kinds {
		cols[c] = vector.New(kind, len(rows))
		for _, r := range rows {
			x := r.x
			if c == 1 {
				x = r.y
			}
			switch {
			case x == modelNull:
				cols[c].AppendNull()
			case kind.Class() == types.ClassI64:
				cols[c].AppendI64(x)
			case kind.Class() == types.ClassF64:
				cols[c].AppendF64(float64(x))
			case kind.Class() == types.ClassI128:
				cols[c].AppendI128(types.I128(x))
			default:
				cols[c].AppendString(fmt.Sprint(x))
			}
		}
	}
	return cols
}

// aggCase is an aggregate under test. Ordered ones depend on the order of arrival.
type aggCase struct {
	name     string
	args     []types.Type
	distinct bool
	ordered  bool
	consts   map[int]float64 // constant arguments
}

var aggCases = []aggCase{
	{"count", nil, false, false, nil}, {"count", []types.Type{tInt}, false, false, nil}, {"count", []types.Type{tInt}, true, false, nil}, {"count", []types.Type{tInt, tText}, true, false, nil},
	{"sum", []types.Type{tInt}, false, false, nil}, {"sum", []types.Type{tInt}, true, false, nil}, {"sum", []types.Type{tFloat}, false, false, nil}, {"sum", []types.Type{types.DecimalOf(10, 2)}, false, false, nil},
	{"avg", []types.Type{tInt}, false, false, nil}, {"avg", []types.Type{tFloat}, false, false, nil},
	{"min", []types.Type{tInt}, false, false, nil}, {"max", []types.Type{tInt}, false, false, nil}, {"min", []types.Type{tFloat}, false, false, nil}, {"max", []types.Type{tText}, false, false, nil},
	{"max", []types.Type{types.DecimalOf(10, 2)}, false, false, nil}, {"bit_and", []types.Type{tInt}, false, false, nil}, {"bit_xor", []types.Type{tInt}, false, false, nil},
	{"arg_max", []types.Type{tText, tInt}, false, true, nil}, {"group_concat", []types.Type{tText}, false, true, nil}, {"array_agg", []types.Type{tInt}, false, true, nil},
	{"first_value", []types.Type{tInt}, false, true, nil}, {"last_value", []types.Type{tText}, false, true, nil}, {"approx_count_distinct", []types.Type{tInt}, false, false, nil},
	{"any_value", []types.Type{tInt}, false, true, nil},
	{"bool_and", []types.Type{tBool}, false, false, nil}, {"bool_or", []types.Type{tBool}, false, false, nil}, {"count_if", []types.Type{tBool}, false, false, nil},
	{"sum_if", []types.Type{tInt, tBool}, false, false, nil}, {"max_if", []types.Type{tInt, tBool}, false, false, nil}, {"count_distinct", []types.Type{tInt, tText}, false, false, nil},
	{"corr", []types.Type{tFloat, tFloat}, false, false, nil}, {"covar_samp", []types.Type{tFloat, tFloat}, false, false, nil}, {"regr_slope", []types.Type{tFloat, tFloat}, false, false, nil},
	{"skewness", []types.Type{tFloat}, false, false, nil}, {"kurtosis", []types.Type{tFloat}, false, false, nil}, {"geomean", []types.Type{tFloat}, false, false, nil},
	{"product", []types.Type{tFloat}, false, false, nil}, {"avg_weighted", []types.Type{tFloat, tFloat}, false, false, nil}, {"var_pop", []types.Type{tFloat}, false, false, nil},
	{"mode", []types.Type{tInt}, false, false, nil}, {"mode", []types.Type{tText}, false, false, nil}, {"entropy", []types.Type{tText}, false, false, nil}, {"value_counts", []types.Type{tInt}, false, false, nil},
	{"median", []types.Type{tFloat}, false, false, nil}, {"percentile_cont", []types.Type{tFloat, tFloat}, false, false, map[int]float64{1: 0.3}},
	{"percentile_disc", []types.Type{tText, tFloat}, false, false, map[int]float64{1: 0.9}}, {"largest", []types.Type{tInt, tInt}, false, false, map[int]float64{1: 3}},
	{"smallest", []types.Type{tText, tInt}, false, false, map[int]float64{1: 2}}, {"top_k", []types.Type{tText, tInt}, false, false, map[int]float64{1: 2}},
	{"approx_top_k", []types.Type{tInt, tInt}, false, false, map[int]float64{1: 3}}, {"histogram", []types.Type{tFloat, tFloat, tFloat, tInt}, false, false, map[int]float64{1: 2, 2: 6, 3: 3}},
	{"checksum", []types.Type{tInt, tText}, false, false, nil}, {"json_arrayagg", []types.Type{tInt}, false, true, nil}, {"map_agg", []types.Type{tInt, tText}, false, true, nil},
}

func (c aggCase) arguments() []Arg {
	args := make([]Arg, len(c.args))
	for i, k := range c.args {
		args[i].Type = k
		if x, ok := c.consts[i]; ok {
			v := vector.New(k, 1)
			if k.Kind == types.Int64 {
				v.AppendI64(int64(x))
			} else {
				v.AppendF64(x)
			}
			args[i].Const = v
		}
	}
	return args
}

// sameResult compares results; DOUBLEs may differ by what rounding leaves when rows are taken back.
func sameResult(bound BoundAgg, got, want string) bool {
	if got == want || bound.Ret.Kind != types.Float64 {
		return got == want
	}
	x, err1 := strconv.ParseFloat(got, 64)
	y, err2 := strconv.ParseFloat(want, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	return math.Abs(x-y) <= 1e-6*max(1, math.Abs(x))
}

func (c aggCase) bind(t *rapid.T) BoundAgg {
	bound, err := LookupAgg(c.name).Bind(c.arguments())
	if err != nil {
		t.Fatal(err)
	}
	if c.distinct {
		bound = NewDistinct(bound)
	}
	return bound
}

func emitted(bound BoundAgg, s AggState, group int) string {
	out := vector.New(bound.Ret, 1)
	s.Emit(group, out)
	return string(AppendText(nil, out, 0))
}

// TestRetractionIsRecomputation: adding rows and taking some back gives what the rows that remain give, through encoding and reuse of
// groups too.
func TestRetractionIsRecomputation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(aggCases).Draw(t, "aggregate")
		bound := c.bind(t)
		const groups = 3
		state := bound.NewState(true)
		state.Grow(groups)
		var live [groups][]modelRow
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			var rows []modelRow
			var gids, sel []int32
			var change []vector.Change
			for range rapid.IntRange(1, 20).Draw(t, "rows") {
				g := rapid.IntRange(0, groups-1).Draw(t, "group")
				if n := len(live[g]); n > 0 && rapid.IntRange(0, 2).Draw(t, "op") == 0 {
					at := rapid.IntRange(0, n-1).Draw(t, "victim")
					if c.ordered { // the oldest equal row goes
						for k, r := range live[g] {
							if r.x == live[g][at].x && (len(c.args) == 1 || r.y == live[g][at].y) {
								at = k
								break
							}
						}
					}
					rows, change = append(rows, live[g][at]), append(change, vector.Delete)
					live[g] = append(live[g][:at:at], live[g][at+1:]...)
				} else {
					r := modelRow{rapid.Int64Range(0, modelNull).Draw(t, "x"), rapid.Int64Range(0, modelNull).Draw(t, "y")}
					if c.name == "arg_max" { // ties are decided by arrival or by value: leave them out
						r.y = r.x
					}
					rows, change = append(rows, r), append(change, vector.Insert)
					live[g] = append(live[g], r)
				}
				gids, sel = append(gids, int32(g)), append(sel, int32(len(sel)))
			}
			if err := state.Add(gids, sel, change, modelColumns(rows, c.args)); err != nil {
				t.Fatal(err)
			}
			state = recode(t, bound, state, groups)
			for g := range groups {
				want := recompute(t, c, bound, live[g])
				if got := emitted(bound, state, g); !sameResult(bound, got, want) && c.name != "any_value" {
					t.Fatalf("%s %v: group %d is %s, want %s of %v", c.name, c.args, g, got, want, live[g])
				}
			}
		}
		state.Clear(1)
		if got, want := emitted(bound, state, 1), recompute(t, c, bound, nil); got != want {
			t.Fatalf("%s: cleared group is %s, want %s", c.name, got, want)
		}
	})
}

// recode moves all groups to a fresh state through their encoding.
func recode(t *rapid.T, bound BoundAgg, s AggState, groups int) AggState {
	fresh := bound.NewState(true)
	fresh.Grow(groups)
	for g := range groups {
		data := s.Encode(g, nil)
		rest, err := fresh.Decode(g, append(data, "rest"...))
		if err != nil || !bytes.Equal(rest, []byte("rest")) {
			t.Fatalf("decoding %x: %v, rest %q", data, err, rest)
		}
	}
	return fresh
}

// recompute uses the accumulators without retraction, which share little with those that retract.
func recompute(t *rapid.T, c aggCase, bound BoundAgg, rows []modelRow) string {
	s := bound.NewState(false)
	s.Grow(1)
	if err := s.Add(make([]int32, len(rows)), nil, nil, modelColumns(rows, c.args)); err != nil {
		t.Fatal(err)
	}
	return emitted(bound, s, 0)
}

// TestAggregateDecodeGarbage: bytes from a broken store are refused, not followed.
func TestAggregateDecodeGarbage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(aggCases).Draw(t, "aggregate")
		bound := c.bind(t)
		s := bound.NewState(rapid.Bool().Draw(t, "retract"))
		s.Grow(1)
		data := rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "data")
		if _, err := s.Decode(0, data); err == nil {
			emitted(bound, s, 0)
		}
	})
}

func TestSketch(t *testing.T) {
	bound, err := LookupAgg("approx_count_distinct").Bind([]Arg{{Type: tInt}})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{256, 10_000, 300_000} {
		s := bound.NewState(false)
		s.Grow(1)
		v := vector.New(tInt, n)
		for i := range 2 * n {
			v.AppendI64(int64(i % n))
		}
		if err := s.Add(make([]int32, 2*n), nil, nil, []*vector.Vector{v}); err != nil {
			t.Fatal(err)
		}
		out := vector.New(tInt, 1)
		s.Emit(0, out)
		if got := float64(out.I64[0]); got < 0.95*float64(n) || got > 1.05*float64(n) || n <= 256 && got != float64(n) {
			t.Errorf("%d values counted as %v", n, got)
		}
	}
}

func hotAggregates() map[string]aggCase {
	return map[string]aggCase{"count_if": {name: "count_if", args: []types.Type{tBool}}, "sum_if": {name: "sum_if", args: []types.Type{tInt, tBool}}, "bool_and": {name: "bool_and", args: []types.Type{tBool}},
		"corr": {name: "corr", args: []types.Type{tFloat, tFloat}}, "skewness": {name: "skewness", args: []types.Type{tFloat}}, "geomean": {name: "geomean", args: []types.Type{tFloat}},
		"mode": {name: "mode", args: []types.Type{tInt}}, "mode text": {name: "mode", args: []types.Type{tText}}, "median": {name: "median", args: []types.Type{tFloat}},
		"approx_percentile": {name: "approx_percentile", args: []types.Type{tFloat, tFloat}, consts: map[int]float64{1: 0.9}}, "approx_top_k": {name: "approx_top_k", args: []types.Type{tText, tInt}, consts: map[int]float64{1: 5}},
		"histogram": {name: "histogram", args: []types.Type{tFloat, tFloat, tFloat, tInt}, consts: map[int]float64{1: 2, 2: 6, 3: 3}}, "checksum": {name: "checksum", args: []types.Type{tInt}},
		"approx_count_distinct": {name: "approx_count_distinct", args: []types.Type{tInt}},
		"count":                 {name: "count"}, "sum": {name: "sum", args: []types.Type{tInt}}, "sum float": {name: "sum", args: []types.Type{tFloat}},
		"avg": {name: "avg", args: []types.Type{tInt}}, "min": {name: "min", args: []types.Type{tInt}}, "max text": {name: "max", args: []types.Type{tText}},
		"sum decimal": {name: "sum", args: []types.Type{types.DecimalOf(10, 2)}}, "distinct": {name: "count", args: []types.Type{tInt}, distinct: true}}
}

func hotInput(c aggCase) (gids, rows []int32, cols []*vector.Vector) {
	model := make([]modelRow, vector.MaxRows)
	for i := range model {
		model[i] = modelRow{x: int64(i*7919) % 1000}
		gids, rows = append(gids, int32(i*31%100)), append(rows, int32(i))
	}
	return gids, rows, modelColumns(model, c.args)
}

// TestHotAggregateAllocations: accumulating makes no garbage in steady state.
func TestHotAggregateAllocations(t *testing.T) {
	for name, c := range hotAggregates() {
		s := boundOf(c).NewState(false)
		s.Grow(100)
		gids, rows, cols := hotInput(c)
		run := func() {
			if err := s.Add(gids, rows, nil, cols); err != nil {
				t.Fatal(err)
			}
		}
		for range 200 { // digests and sketches reach their size
			run()
		}
		if n := testing.AllocsPerRun(5, run); n != 0 {
			t.Errorf("%s: %v allocations per batch", name, n)
		}
	}
}

func boundOf(c aggCase) BoundAgg {
	bound, _ := LookupAgg(c.name).Bind(c.arguments())
	if c.distinct {
		bound = NewDistinct(bound)
	}
	return bound
}

func BenchmarkAggregates(b *testing.B) {
	for name, c := range hotAggregates() {
		b.Run(name, func(b *testing.B) {
			s := boundOf(c).NewState(false)
			s.Grow(100)
			gids, rows, cols := hotInput(c)
			b.ReportAllocs()
			for b.Loop() {
				_ = s.Add(gids, rows, nil, cols)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(gids)), "ns/row")
		})
	}
}
