package operator

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

var sideSchema = []types.Type{tInt, tInt, tText}

func sideGen(rng *rand.Rand) []any {
	return []any{randomInt(rng, 4), rng.Int64N(4), string(rune('a' + rng.IntN(3)))}
}

// lessThan is the residual left.1 < right.1.
func lessThan(t testing.TB) expr.Expr {
	e, err := expr.NewCall("<", -1, &expr.Col{Index: 1, Typ: tInt}, &expr.Col{Index: 4, Typ: tInt})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// bruteJoin joins by definition.
func bruteJoin(kind JoinKind, left, right [][]any, residual bool) map[string]int {
	out := map[string]int{}
	null := []any{nil, nil, nil}
	matched := make([]bool, len(right))
	emit := func(l, r []any) { out[fmt.Sprint(append(append([]any{}, l...), r...))]++ }
	for _, l := range left {
		found := false
		for j, r := range right {
			if l[0] != nil && l[0] == r[0] && (!residual || l[1].(int64) < r[1].(int64)) {
				found, matched[j] = true, true
				emit(l, r)
			}
		}
		if !found && kind != InnerJoin {
			emit(l, null)
		}
	}
	for j, r := range right {
		if kind == FullJoin && !matched[j] {
			emit(null, r)
		}
	}
	return out
}

func joinOptions(t testing.TB, kind JoinKind, residual bool) JoinOptions {
	o := JoinOptions{Kind: kind, Left: sideSchema, Right: sideSchema, LeftKeys: []int{0}, RightKeys: []int{0}, LeftWindowEnd: -1, RightWindowEnd: -1}
	if residual {
		o.Residual = lessThan(t)
	}
	return o
}

func TestJoin(t *testing.T) {
	for _, kind := range []JoinKind{InnerJoin, LeftJoin, FullJoin} {
		for _, residual := range []bool{false, true} {
			t.Run(fmt.Sprint(kind, residual), func(t *testing.T) {
				for seed := range uint64(5) {
					rng := rand.New(rand.NewPCG(seed, 5))
					h := [2]*history{{rng: rng, gen: sideGen}, {rng: rng, gen: sideGen}}
					var steps []step
					for range 120 {
						side := rng.IntN(2)
						for _, r := range h[side].next() {
							steps = append(steps, push(side, r))
						}
					}
					o := joinOptions(t, kind, residual)
					s := script{make: func() Operator { return NewJoin(o) }, inputs: [][]types.Type{sideSchema, sideSchema}, steps: steps}
					want := bruteJoin(kind, h[0].live, h[1].live, residual)
					verify(t, s, func(d *driver) error {
						keyed := 0
						for _, l := range append(h[0].live, h[1].live...) {
							keyed += b2i(l[0] != nil)
						}
						if d.left() > keyed {
							return fmt.Errorf("%d entries in the state for %d rows", d.left(), keyed)
						}
						return wantTable(want)(d)
					})
				}
			})
		}
	}
}

// Joins on a window keep no closed window, and show rows without a partner only when the window closes.
func TestJoinWindowed(t *testing.T) {
	schema := []types.Type{tInt, tTime, tInt}
	for _, kind := range []JoinKind{InnerJoin, LeftJoin, FullJoin} {
		for seed := range uint64(5) {
			steps, live, late := windowedRows(seed)
			o := JoinOptions{Kind: kind, Left: schema, Right: schema, LeftKeys: []int{0, 1}, RightKeys: []int{0, 1}, LeftWindowEnd: 1, RightWindowEnd: 1}
			want := map[string]int{}
			matches := func(l, r []any) bool { return l[0] != nil && l[0] == r[0] && l[1] == r[1] }
			bruteJoinOn(kind, live[0], live[1], matches, want)
			s := script{make: func() Operator { return NewJoin(o) }, inputs: [][]types.Type{schema, schema}, steps: steps}
			verify(t, s, wantClosed(late, want))
		}
	}
}

// windowedRows draws rows (key, window's end, value) of both sides with watermarks between them; live are those that come in time.
func windowedRows(seed uint64) (steps []step, live [2][][]any, late int) {
	rng := rand.New(rand.NewPCG(seed, 6))
	wm := int64(MinTime)
	for i := range 150 {
		side := rng.IntN(2)
		end := int64(i/20+rng.IntN(3)) * 10 * ms
		r := []any{randomInt(rng, 3), end, rng.Int64N(50)}
		steps = append(steps, push(side, ins(r...)))
		if closedBy(wm, end) {
			late++
		} else {
			live[side] = append(live[side], r)
		}
		if rng.IntN(10) == 0 {
			wm = max(wm, int64(i/20)*10*ms)
			steps = append(steps, mark(wm))
		}
	}
	return steps, live, late
}

// wantClosed wants a table that was only added to, and no state left.
func wantClosed(late int, want map[string]int) func(*driver) error {
	return func(d *driver) error {
		if len(d.late) != late {
			return fmt.Errorf("%d late, want %d", len(d.late), late)
		}
		if d.left() > 0 {
			return fmt.Errorf("%d entries stay in the state", d.left())
		}
		for _, r := range d.out.rows {
			if !r.op.Adds() {
				return fmt.Errorf("%v in an append-only join", r)
			}
		}
		return wantTable(want)(d)
	}
}

func bruteJoinOn(kind JoinKind, left, right [][]any, matches func(l, r []any) bool, out map[string]int) {
	null := []any{nil, nil, nil}
	emit := func(l, r []any) { out[fmt.Sprint(append(append([]any{}, l...), r...))]++ }
	paired := make([]bool, len(right))
	for _, l := range left {
		found := false
		for j, r := range right {
			if matches(l, r) {
				found, paired[j] = true, true
				emit(l, r)
			}
		}
		if !found && kind != InnerJoin {
			emit(l, null)
		}
	}
	for j, r := range right {
		if kind == FullJoin && !paired[j] {
			emit(null, r)
		}
	}
}

func TestLookupJoin(t *testing.T) {
	for _, kind := range []JoinKind{InnerJoin, LeftJoin} {
		for _, residual := range []bool{false, true} {
			for _, unique := range []bool{false, true} {
				for seed := range uint64(5) {
					testLookup(t, kind, residual, unique, seed)
				}
			}
		}
	}
}

func testLookup(t *testing.T, kind JoinKind, residual, unique bool, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 8))
	right := &history{rng: rng, gen: sideGen}
	var steps []step
	if unique {
		for k := range 3 {
			r := []any{int64(k), rng.Int64N(4), "x"}
			right.live = append(right.live, r)
			steps = append(steps, push(1, ins(r...)))
		}
	} else {
		for range 40 {
			for _, r := range right.next() {
				steps = append(steps, push(1, r))
			}
		}
	}
	steps = append(steps, endOf(1))
	left := &history{rng: rng, gen: sideGen}
	for range 100 {
		for _, r := range left.next() {
			steps = append(steps, push(0, r))
		}
	}
	j := joinOptions(t, kind, residual)
	o := LookupJoinOptions{Kind: kind, Left: j.Left, Right: j.Right, LeftKeys: j.LeftKeys, RightKeys: j.RightKeys, Residual: j.Residual}
	s := script{make: func() Operator { return NewLookupJoin(o) }, inputs: [][]types.Type{sideSchema, sideSchema}, steps: steps, gated: true}
	verify(t, s, wantTable(bruteJoin(kind, left.live, right.live, residual)))
}

// bruteTemporal plays the script by definition, without forgetting anything.
func bruteTemporal(kind JoinKind, steps []step, residual bool) (out []rec, late int) {
	type version struct {
		t    int64
		row  []any
		gone bool
	}
	versions := map[any][]version{}
	var waiting []rec
	wm := int64(MinTime)
	fire := func() {
		for {
			first := -1
			for i, r := range waiting {
				if r.cells[1].(int64) <= wm && (first < 0 || r.cells[1].(int64) < waiting[first].cells[1].(int64)) {
					first = i
				}
			}
			if first < 0 {
				return
			}
			l := waiting[first]
			waiting = append(append([]rec{}, waiting[:first]...), waiting[first+1:]...)
			var best *version
			for _, v := range versions[l.cells[0]] {
				if v.t <= l.cells[1].(int64) && (best == nil || v.t >= best.t) {
					best = &v
				}
			}
			if best != nil && (best.gone || l.cells[0] == nil || residual && l.cells[1].(int64) >= best.row[1].(int64)+20) {
				best = nil
			}
			switch {
			case best != nil:
				out = append(out, rec{l.op, append(append([]any{}, l.cells...), best.row...)})
			case kind == LeftJoin:
				out = append(out, rec{l.op, append(append([]any{}, l.cells...), nil, nil, nil)})
			}
		}
	}
	for _, s := range append(append([]step{}, steps...), mark(MaxTime)) {
		switch {
		case s.isMark:
			wm = s.watermark
			fire()
		case s.input == 1:
			c := s.row.cells
			if s.row.op != 1 {
				versions[c[0]] = append(versions[c[0]], version{c[1].(int64), c, s.row.op == 3})
			}
		case s.row.cells[1].(int64) <= wm && !(kind == InnerJoin && s.row.cells[0] == nil):
			late++
		default:
			waiting = append(waiting, *s.row)
		}
	}
	return out, late
}

func TestTemporalJoin(t *testing.T) {
	schema := []types.Type{tInt, tTime, tInt}
	for _, kind := range []JoinKind{InnerJoin, LeftJoin} {
		for seed := range uint64(8) {
			rng := rand.New(rand.NewPCG(seed, 9))
			var steps []step
			wm := int64(-100)
			for i := range 250 {
				now := int64(i)
				r := ins(randomInt(rng, 3), now-rng.Int64N(30), rng.Int64N(1000))
				side := rng.IntN(2)
				if side == 1 {
					// Versions come in time: above the watermark, as nothing can be said of others after pruning.
					r.cells[1] = max(r.cells[1].(int64), wm+1)
					r.op = []rec{{op: 0}, {op: 2}, {op: 1}, {op: 3}}[rng.IntN(4)].op
				}
				steps = append(steps, push(side, r))
				if rng.IntN(8) == 0 {
					wm = max(wm, now-20)
					steps = append(steps, mark(wm))
				}
			}
			o := TemporalJoinOptions{Kind: kind, Left: schema, Right: schema, LeftKeys: []int{0}, RightKeys: []int{0}, LeftTime: 1, RightTime: 1}
			want, late := bruteTemporal(kind, steps, false)
			s := script{make: func() Operator { return NewTemporalJoin(o) }, inputs: [][]types.Type{schema, schema}, steps: steps}
			verify(t, s, func(d *driver) error {
				if len(d.late) != late {
					return fmt.Errorf("%d late, want %d", len(d.late), late)
				}
				if d.left() > 3 { // the watermark and the last version of each key
					return fmt.Errorf("%d entries stay in the state", d.left())
				}
				return wantRows(want)(d)
			})
		}
	}
}

// A hot key makes more rows than a batch may hold.
func TestJoinFanOut(t *testing.T) {
	var steps []step
	left, right := [][]any{}, [][]any{}
	for i := range 90 {
		r := []any{int64(1), int64(i), "a"}
		steps = append(steps, push(0, ins(r...)), push(1, ins(r...)))
		left, right = append(left, r), append(right, r)
	}
	for _, kind := range []JoinKind{InnerJoin, FullJoin} {
		o := joinOptions(t, kind, true)
		s := script{make: func() Operator { return NewJoin(o) }, inputs: [][]types.Type{sideSchema, sideSchema}, steps: steps}
		verify(t, s, wantTable(bruteJoin(kind, left, right, true)))
		l := LookupJoinOptions{Kind: InnerJoin, Left: sideSchema, Right: sideSchema, LeftKeys: []int{0}, RightKeys: []int{0}, Residual: o.Residual}
		s = script{make: func() Operator { return NewLookupJoin(l) }, inputs: s.inputs, gated: true}
		for i := range right {
			s.steps = append(s.steps, push(1, ins(right[i]...)))
		}
		for i := range left {
			s.steps = append(s.steps, push(0, ins(left[i]...)))
		}
		verify(t, s, wantTable(bruteJoin(InnerJoin, left, right, true)))
	}
}
