package operator

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// expansion expands sequence(1, a, 1) beside array(row(b, 'x'), row(a, NULL)), and keeps b.
func expansion(t testing.TB, outer bool) ExpandOptions {
	upTo := call(t, "sequence", expr.NewInt(1), col(0), expr.NewInt(1))
	pairs := call(t, "array", call(t, "row", col(1), expr.NewString("x")), call(t, "row", col(0), expr.NewNull()))
	list := call(t, "if", call(t, ">", col(0), expr.NewInt(0)), pairs, expr.NewNull())
	return ExpandOptions{Input: []types.Type{tInt, tInt}, Args: []expr.Expr{upTo, list}, Keep: []int{1}, Outer: outer,
		Made: []ExpandColumn{{0, -1, tInt}, {1, 0, tInt}, {1, 1, tText}, {-1, -1, tInt}}}
}

// expanded is what a row becomes, by hand.
func expanded(r rec, outer bool) (out []rec) {
	a, b := r.cells[0], r.cells[1]
	n, _ := a.(int64)
	for k := range max(n, 0) {
		cells := []any{b, k + 1, nil, nil, k + 1}
		switch k {
		case 0:
			cells[2], cells[3] = b, "x"
		case 1:
			cells[2] = a
		}
		out = append(out, rec{r.op, cells})
	}
	if n == 1 { // the list has two elements
		out = append(out, rec{r.op, []any{b, nil, a, nil, int64(2)}})
	}
	if len(out) == 0 && outer {
		out = append(out, rec{r.op, []any{b, nil, nil, nil, nil}})
	}
	return out
}

// The rows come in order, each with the change kind of the row that it is made of, whatever the batches.
func TestExpand(t *testing.T) {
	for _, outer := range []bool{false, true} {
		t.Run(fmt.Sprint("outer ", outer), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 21))
			var steps []step
			var want []rec
			for range 300 {
				a := randomInt(rng, 5)
				if x, ok := a.(int64); ok {
					a = x - 1
				}
				if rng.IntN(40) == 0 {
					a = int64(9000) // more than two batches
				}
				r := rec{vector.Change(rng.IntN(4)), []any{a, rng.Int64N(50)}}
				steps = append(steps, push(0, r))
				want = append(want, expanded(r, outer)...)
			}
			o := expansion(t, outer)
			verify(t, script{make: func() Operator { return NewExpand(o) }, inputs: [][]types.Type{{tInt, tInt}}, steps: steps}, wantRows(want))
		})
	}
}

// A row whose argument fails goes to the error policy; the others expand.
func TestExpandRowErrors(t *testing.T) {
	list := call(t, "array", call(t, "*", col(0), expr.NewInt(1<<40)), col(1))
	o := ExpandOptions{Input: []types.Type{tInt, tInt}, Args: []expr.Expr{list}, Keep: []int{1}, Made: []ExpandColumn{{0, -1, tInt}}}
	steps := pushes(ins(int64(1)<<40, int64(1)), ins(int64(0), int64(2)))
	verify(t, script{make: func() Operator { return NewExpand(o) }, inputs: [][]types.Type{{tInt, tInt}}, steps: steps}, func(d *driver) error {
		if d.errs != 1 {
			return fmt.Errorf("%d row errors", d.errs)
		}
		return wantRows([]rec{ins(int64(2), int64(0)), ins(int64(2), int64(2))})(d)
	})
}

// benchExpand makes four rows of each.
func benchExpand(tb testing.TB) Operator {
	list := call(tb, "array", col(1), col(2), expr.NewInt(7), col(1))
	return opened(tb, NewExpand(ExpandOptions{Input: benchSchema, Args: []expr.Expr{list}, Keep: []int{0, 1, 3},
		Made: []ExpandColumn{{0, -1, tInt}, {-1, -1, tInt}}}))
}

func BenchmarkExpand(b *testing.B) { benchPush(b, benchExpand(b), benchBatches(16, 1000, 1), 0) }
