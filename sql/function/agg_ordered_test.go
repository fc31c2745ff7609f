package function

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// orderedCase is a row of the reference: the text that is joined, and two keys.
type orderedCase struct {
	text string
	null bool
	a, b int64
}

// joinOrdered is GROUP_CONCAT([DISTINCT] text ORDER BY a DESC, b), the obvious way.
func joinOrdered(rows []orderedCase, distinct bool) string {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(x, y orderedCase) int {
		if x.a != y.a {
			return int(y.a - x.a)
		}
		if x.b != y.b {
			return int(x.b - y.b)
		}
		return strings.Compare(x.text, y.text)
	})
	var parts []string
	for _, r := range rows {
		if !r.null && !(distinct && slices.Contains(parts, r.text)) {
			parts = append(parts, r.text)
		}
	}
	if len(parts) == 0 {
		return "NULL"
	}
	return strings.Join(parts, ",")
}

// Rows come and go at random, and the state is written and read back in between: the result is always that of the rows left.
func TestOrderedAggregate(t *testing.T) {
	inner, err := LookupAgg("group_concat").Bind([]Arg{{Type: tText}})
	if err != nil {
		t.Fatal(err)
	}
	for _, distinct := range []bool{false, true} {
		bound := NewOrdered(inner, Ordering{Keys: []types.Type{tInt, tInt}, Desc: []bool{true, false}, Distinct: distinct})
		rng := rand.New(rand.NewPCG(5, 8))
		state := bound.NewState(true)
		state.Grow(2)
		var left []orderedCase
		for round := range 300 {
			cols := []*vector.Vector{vector.New(tText, 0), vector.New(tInt, 0), vector.New(tInt, 0)}
			var change []vector.Change
			for range rng.IntN(6) {
				r := orderedCase{text: string(rune('a' + rng.IntN(5))), null: rng.IntN(9) == 0, a: rng.Int64N(3), b: rng.Int64N(3)}
				op := vector.Insert
				if len(left) > 0 && rng.IntN(2) == 0 {
					k := rng.IntN(len(left))
					r, left, op = left[k], slices.Delete(slices.Clone(left), k, k+1), vector.Delete
				} else {
					left = append(left, r)
				}
				if r.null {
					cols[0].AppendNull()
				} else {
					cols[0].AppendString(r.text)
				}
				cols[1].AppendI64(r.a)
				cols[2].AppendI64(r.b)
				change = append(change, op)
			}
			gids := make([]int32, len(change))
			for i := range gids {
				gids[i] = 1
			}
			if err := state.Add(gids, nil, change, cols); err != nil {
				t.Fatal(err)
			}
			if round%7 == 0 {
				saved := state.Encode(1, nil)
				state = bound.NewState(true)
				state.Grow(2)
				if rest, err := state.Decode(1, saved); err != nil || len(rest) != 0 {
					t.Fatal(err, rest)
				}
			}
			out := vector.New(bound.Ret, 1)
			state.Emit(1, out)
			if got, want := string(AppendText(nil, out, 0)), joinOrdered(left, distinct); got != want {
				t.Fatalf("round %d, distinct %v: %v\n got %s\nwant %s", round, distinct, left, got, want)
			}
		}
	}
}

// FIRST and LAST in an order keep one row of each group as long as none is taken back.
func TestOrderedEndsKeepOneRow(t *testing.T) {
	for name, want := range map[string]int64{"first": 3, "last": 9996} {
		inner, err := LookupAgg(name).Bind([]Arg{{Type: tInt}})
		if err != nil {
			t.Fatal(err)
		}
		state := NewOrdered(inner, Ordering{Keys: []types.Type{tInt}, Desc: []bool{false}}).NewState(false)
		state.Grow(1)
		x := vector.New(tInt, 0)
		for i := range int64(10_000) {
			if v := i * 7919 % 10_000; v > 2 && v < 9997 {
				x.AppendI64(v)
			}
		}
		for range 3 {
			if err := state.Add(make([]int32, x.N), nil, nil, []*vector.Vector{x, x}); err != nil {
				t.Fatal(err)
			}
		}
		out := vector.New(tInt, 1)
		state.Emit(0, out)
		if size := len(state.Encode(0, nil)); out.I64[0] != want || size > 40 {
			t.Errorf("%s is %d, want %d; %d bytes of state", name, out.I64[0], want, size)
		}
	}
}

// Broken state is an error, not a panic.
func TestOrderedStateIsChecked(t *testing.T) {
	inner, err := LookupAgg("array_agg").Bind([]Arg{{Type: tText}})
	if err != nil {
		t.Fatal(err)
	}
	bound := NewOrdered(inner, Ordering{Keys: []types.Type{tInt}, Desc: []bool{false}})
	text, key := vector.New(tText, 0), vector.New(tInt, 0)
	text.AppendString("abc")
	key.AppendI64(7)
	state := bound.NewState(false)
	state.Grow(1)
	if err := state.Add([]int32{0}, nil, nil, []*vector.Vector{text, key}); err != nil {
		t.Fatal(err)
	}
	good := state.Encode(0, nil)
	for i := range good {
		for _, b := range []byte{0, 1, 0x7f, 0xff} {
			bad := slices.Clone(good)
			bad[i] = b
			fresh := bound.NewState(false)
			fresh.Grow(1)
			if _, err := fresh.Decode(0, bad); err == nil {
				fresh.Emit(0, vector.New(bound.Ret, 1))
			}
		}
		if _, err := bound.NewState(false).Decode(0, good[:i]); err == nil {
			t.Errorf("%d bytes of %d are accepted", i, len(good))
		}
	}
}

func BenchmarkOrderedAggregate(b *testing.B) {
	inner, err := LookupAgg("array_agg").Bind([]Arg{{Type: tInt}})
	if err != nil {
		b.Fatal(err)
	}
	bound := NewOrdered(inner, Ordering{Keys: []types.Type{tInt}, Desc: []bool{false}})
	const rows, groups = 4096, 64
	x, gids := vector.New(tInt, rows), make([]int32, rows)
	for i := range rows {
		x.AppendI64(int64(i*7919) % rows)
		gids[i] = int32(i % groups)
	}
	out := vector.New(bound.Ret, groups)
	for b.Loop() {
		state := bound.NewState(false)
		state.Grow(groups)
		if err := state.Add(gids, nil, nil, []*vector.Vector{x, x}); err != nil {
			b.Fatal(err)
		}
		out.Reset()
		for g := range groups {
			state.Emit(g, out)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
