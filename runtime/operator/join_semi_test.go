package operator

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/sql/types"
)

// bruteSemi answers a semi, anti or mark join by definition.
func bruteSemi(kind JoinKind, left, right [][]any, matches func(l, r []any) bool) map[string]int {
	out := map[string]int{}
	for _, l := range left {
		has := false
		for _, r := range right {
			has = has || matches(l, r)
		}
		switch {
		case kind == MarkKind:
			out[fmt.Sprint(append(append([]any{}, l...), int64(b2i(has))))]++
		case has == (kind == SemiKind):
			out[fmt.Sprint(l)]++
		}
	}
	return out
}

// Random histories of both sides, with restarts, give what the definition gives.
func TestSemiJoin(t *testing.T) {
	for _, kind := range []JoinKind{SemiKind, AntiKind, MarkKind} {
		for _, variant := range []string{"", "residual", "null equal"} {
			t.Run(fmt.Sprint(kind, variant), func(t *testing.T) {
				for seed := range uint64(5) {
					rng := rand.New(rand.NewPCG(seed, 7))
					h := [2]*history{{rng: rng, gen: sideGen}, {rng: rng, gen: sideGen}}
					var steps []step
					for range 120 {
						side := rng.IntN(2)
						for _, r := range h[side].next() {
							steps = append(steps, push(side, r))
						}
					}
					o := joinOptions(t, kind, variant == "residual")
					if variant == "null equal" {
						o.NullEqual = []bool{true}
					}
					s := script{make: func() Operator { return NewSemiJoin(o) }, inputs: [][]types.Type{sideSchema, sideSchema}, steps: steps}
					want := bruteSemi(kind, h[0].live, h[1].live, func(l, r []any) bool {
						return (l[0] != nil || o.NullEqual != nil) && l[0] == r[0] && (variant != "residual" || l[1].(int64) < r[1].(int64))
					})
					verify(t, s, wantTable(want))
				}
			})
		}
	}
}

// Over a table that was read first every left row is answered at once, whatever its change.
func TestLookupJoinExists(t *testing.T) {
	for _, kind := range []JoinKind{SemiKind, AntiKind, MarkKind} {
		for _, residual := range []bool{false, true} {
			for seed := range uint64(5) {
				rng := rand.New(rand.NewPCG(seed, 8))
				var right, left [][]any
				var steps []step
				for range rng.IntN(30) {
					right = append(right, sideGen(rng))
					steps = append(steps, push(1, ins(right[len(right)-1]...)))
				}
				steps = append(steps, endOf(1))
				for range 60 {
					left = append(left, sideGen(rng))
					steps = append(steps, push(0, ins(left[len(left)-1]...)))
				}
				j := joinOptions(t, kind, residual)
				o := LookupJoinOptions{Kind: kind, Left: j.Left, Right: j.Right, LeftKeys: j.LeftKeys, RightKeys: j.RightKeys, Residual: j.Residual}
				want := bruteSemi(kind, left, right, func(l, r []any) bool {
					return l[0] != nil && l[0] == r[0] && (!residual || l[1].(int64) < r[1].(int64))
				})
				s := script{make: func() Operator { return NewLookupJoin(o) }, inputs: [][]types.Type{sideSchema, sideSchema}, steps: steps, gated: true}
				verify(t, s, wantTable(want))
			}
		}
	}
}

// On windows rows without a partner come when their window closes, and nothing is taken back.
func TestSemiJoinWindowed(t *testing.T) {
	schema := []types.Type{tInt, tTime, tInt}
	for _, kind := range []JoinKind{SemiKind, AntiKind, MarkKind} {
		for seed := range uint64(5) {
			steps, live, late := windowedRows(seed)
			o := JoinOptions{Kind: kind, Left: schema, Right: schema, LeftKeys: []int{0, 1}, RightKeys: []int{0, 1}, LeftWindowEnd: 1, RightWindowEnd: 1}
			want := bruteSemi(kind, live[0], live[1], func(l, r []any) bool { return l[0] != nil && l[0] == r[0] && l[1] == r[1] })
			s := script{make: func() Operator { return NewSemiJoin(o) }, inputs: [][]types.Type{schema, schema}, steps: steps}
			verify(t, s, wantClosed(late, want))
		}
	}
}
