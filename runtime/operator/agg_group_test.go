package operator

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/sql/types"
)

var groupSchema = []types.Type{tInt, tText, tInt}

func groupGen(rng *rand.Rand) []any {
	return []any{randomInt(rng, 4), string(rune('a' + rng.IntN(2))), randomInt(rng, 5)}
}

// bruteGroupBy aggregates rows by the first two columns (keyed) or all of them.
func bruteGroupBy(rows [][]any, keyed bool) map[string]int {
	type group struct {
		key      []any
		count, n int64
		sum      int64
	}
	groups := map[string]*group{}
	if !keyed {
		groups["[]"] = &group{}
	}
	for _, r := range rows {
		var key []any
		if keyed {
			key = r[:2]
		}
		g := groups[fmt.Sprint(key)]
		if g == nil {
			g = &group{key: key}
			groups[fmt.Sprint(key)] = g
		}
		g.count++
		if v, ok := r[2].(int64); ok {
			g.n++
			g.sum += v
		}
	}
	out := map[string]int{}
	for _, g := range groups {
		var sum any = fmt.Sprint(g.sum)
		if g.n == 0 {
			sum = nil
		}
		out[fmt.Sprint(append(append([]any{}, g.key...), g.count, sum))]++
	}
	return out
}

func groupOptions(t testing.TB, keys []int) AggGroupOptions {
	return AggGroupOptions{Input: groupSchema, Keys: keys, WindowEnd: -1, Retract: true,
		Aggs: []Aggregate{aggregate(t, "count", -1, nil, groupSchema), aggregate(t, "sum", -1, []int{2}, groupSchema)}}
}

func TestAggGroup(t *testing.T) {
	for seed := range uint64(6) {
		for _, final := range []bool{false, true} {
			for _, keys := range [][]int{{0, 1}, nil} {
				h := &history{rng: rand.New(rand.NewPCG(seed, 4)), gen: groupGen}
				var steps []step
				for range 200 {
					steps = append(steps, pushes(h.next()...)...)
				}
				o := groupOptions(t, keys)
				o.FinalOnly = final
				want := bruteGroupBy(h.live, keys != nil)
				verify(t, script{make: func() Operator { return NewAggGroup(o) }, inputs: [][]types.Type{groupSchema}, steps: steps}, wantTable(want))
			}
		}
	}
}

func TestAggGroupOfNothing(t *testing.T) {
	o := groupOptions(t, nil)
	s := script{make: func() Operator { return NewAggGroup(o) }, inputs: [][]types.Type{groupSchema}}
	verify(t, s, wantRows([]rec{ins(0, nil)}))
	o.FinalOnly = true
	s.make = func() Operator { return NewAggGroup(o) }
	verify(t, s, wantRows([]rec{ins(0, nil)}))
	// All rows gone: the global group stays, a keyed one goes.
	s.steps = pushes(rec{0, []any{1, "a", 2}}, rec{3, []any{1, "a", 2}})
	o.FinalOnly = false
	s.make = func() Operator { return NewAggGroup(o) }
	verify(t, s, wantTable(map[string]int{"[0 <nil>]": 1}))
	k := groupOptions(t, []int{0, 1})
	s.make = func() Operator { return NewAggGroup(k) }
	verify(t, s, func(d *driver) error {
		if d.left() > 0 {
			return fmt.Errorf("state of a dead group stays: %v", d.state.entries)
		}
		return wantTable(map[string]int{})(d)
	})
}

func TestAggGroupEmitsOnlyChanges(t *testing.T) {
	o := groupOptions(t, []int{0})
	o.Aggs = []Aggregate{aggregate(t, "max", -1, []int{2}, groupSchema)}
	s := script{make: func() Operator { return NewAggGroup(o) }, inputs: [][]types.Type{groupSchema},
		steps: []step{push(0, ins(1, "", 5)), mark(1), push(0, ins(1, "", 3)), mark(2), push(0, ins(1, "", 9))}}
	verify(t, s, wantRows([]rec{ins(1, 5), {1, []any{1, 5}}, {2, []any{1, 9}}}))
}

// Groups of closed windows leave the state silently; rows that come for them are late.
func TestAggGroupWindowEnd(t *testing.T) {
	schema := []types.Type{tTime, tInt}
	o := AggGroupOptions{Input: schema, Keys: []int{1, 0}, WindowEnd: 1, Aggs: []Aggregate{aggregate(t, "count", -1, nil, schema)}}
	steps := []step{push(0, ins(10*ms, 1)), push(0, ins(20*ms, 1)), mark(9 * ms), push(0, ins(10*ms, 1)), push(0, ins(20*ms, 1))}
	s := script{make: func() Operator { return NewAggGroup(o) }, inputs: [][]types.Type{schema}, steps: steps}
	verify(t, s, func(d *driver) error {
		if len(d.late) != 1 {
			return fmt.Errorf("late: %v", d.late)
		}
		if d.left() > 0 {
			return fmt.Errorf("%d entries stay in the state", d.left())
		}
		return wantTable(map[string]int{fmt.Sprint([]any{1, 10 * ms, 1}): 1, fmt.Sprint([]any{1, 20 * ms, 2}): 1})(d)
	})
}

func TestAggGroupFinalWindows(t *testing.T) {
	schema := []types.Type{tTime, tInt}
	o := AggGroupOptions{Input: schema, Keys: []int{0}, WindowEnd: 0, FinalOnly: true, Aggs: []Aggregate{aggregate(t, "count", -1, nil, schema)}}
	steps := []step{push(0, ins(10*ms, 1)), mark(50 * ms), push(0, ins(60*ms, 1))}
	verify(t, script{make: func() Operator { return NewAggGroup(o) }, inputs: [][]types.Type{schema}, steps: steps},
		wantRows([]rec{ins(10*ms, 1), ins(60*ms, 1)}))
}

func TestAggregateFilter(t *testing.T) {
	schema := []types.Type{tInt, types.Of(types.Bool)}
	o := AggGroupOptions{Input: schema, Keys: nil, WindowEnd: -1, Aggs: []Aggregate{aggregate(t, "count", 1, nil, schema)}}
	steps := pushes(ins(1, 1), ins(2, 0), ins(3, nil), ins(4, 1))
	verify(t, script{make: func() Operator { return NewAggGroup(o) }, inputs: [][]types.Type{schema}, steps: steps},
		wantTable(map[string]int{"[2]": 1}))
}
