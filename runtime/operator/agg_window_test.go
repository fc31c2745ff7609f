package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/sql/types"
)

const ms = 1000

// eventSteps makes rows (time, key, value) around an advancing clock, with late ones, and watermarks.
func eventSteps(rng *rand.Rand, n int) []step {
	var out []step
	now, wm := int64(-40*ms), int64(MinTime)
	for range n {
		now += rng.Int64N(4 * ms)
		t := now - rng.Int64N(30*ms)
		if rng.IntN(5) > 0 {
			t = now
		}
		out = append(out, push(0, ins(t, randomInt(rng, 4), rng.Int64N(100))))
		if rng.IntN(6) == 0 {
			wm = max(wm, now-8*ms)
			out = append(out, mark(wm))
		}
	}
	return out
}

var eventSchema = []types.Type{tTime, tInt, tInt}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// bruteWindows lists the windows of t by definition.
func bruteWindows(w Window, t int64) (out [][2]int64) {
	switch w.Kind {
	case Hop:
		for s := floorDiv(t-w.Offset, w.Slide) - w.Size/w.Slide - 1; s <= floorDiv(t-w.Offset, w.Slide)+1; s++ {
			if start := s*w.Slide + w.Offset; start <= t && t < start+w.Size {
				out = append(out, [2]int64{start, start + w.Size})
			}
		}
	case Cumulate:
		start := floorDiv(t-w.Offset, w.Size)*w.Size + w.Offset
		for end := start + w.Slide; end <= start+w.Size; end += w.Slide {
			if t < end {
				out = append(out, [2]int64{start, end})
			}
		}
	default:
		start := floorDiv(t-w.Offset, w.Size)*w.Size + w.Offset
		out = append(out, [2]int64{start, start + w.Size})
	}
	return out
}

type bruteGroup struct {
	start, end int64
	key        any
	count, sum int64
}

// bruteAggWindow computes the exact output.
func bruteAggWindow(w Window, steps []step) (out []rec, late int) {
	groups := map[string]*bruteGroup{}
	wm := int64(MinTime)
	fire := func() {
		var ready []*bruteGroup
		for k, g := range groups {
			if wm >= g.end-ms {
				ready = append(ready, g)
				delete(groups, k)
			}
		}
		slices.SortFunc(ready, func(a, b *bruteGroup) int {
			if a.end != b.end {
				return int(a.end - b.end)
			}
			return compareCells(a.key, b.key)
		})
		for _, g := range ready {
			out = append(out, ins(g.key, g.start, g.end, g.end-ms, g.count, fmt.Sprint(g.sum)))
		}
	}
	for _, s := range append(slices.Clone(steps), mark(MaxTime)) {
		if s.isMark {
			wm = s.watermark
			fire()
			continue
		}
		c := s.row.cells
		windows := bruteWindows(w, c[0].(int64))
		isLate := len(windows) > 0
		for _, x := range windows {
			if x[1]-ms <= wm {
				continue
			}
			isLate = false
			name := fmt.Sprint(x, c[1])
			if groups[name] == nil {
				groups[name] = &bruteGroup{start: x[0], end: x[1], key: c[1]}
			}
			groups[name].count++
			groups[name].sum += c[2].(int64)
		}
		late += b2i(isLate)
	}
	return out, late
}

func TestAggWindow(t *testing.T) {
	windows := map[string]Window{
		"tumble":      {Kind: Tumble, Size: 10 * ms},
		"offset":      {Kind: Tumble, Size: 10 * ms, Offset: 3 * ms},
		"hop":         {Kind: Hop, Size: 10 * ms, Slide: 4 * ms},
		"hop sparse":  {Kind: Hop, Size: 3 * ms, Slide: 8 * ms},
		"cumulate":    {Kind: Cumulate, Size: 20 * ms, Slide: 5 * ms, Offset: ms},
		"zone hourly": {Kind: Tumble, Size: 10 * ms, Zone: time.FixedZone("x", 3600)},
	}
	for name, w := range windows {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				steps := eventSteps(rand.New(rand.NewPCG(seed, 1)), 300)
				brute := w
				want, late := bruteAggWindow(brute, steps)
				if late == 0 && w.Kind == Tumble {
					t.Fatal("the script has no late rows")
				}
				o := AggWindowOptions{Window: w, Input: eventSchema, Keys: []int{1},
					Aggs: []Aggregate{aggregate(t, "count", -1, nil, eventSchema), aggregate(t, "sum", -1, []int{2}, eventSchema)}}
				s := script{make: func() Operator { return NewAggWindow(o) }, inputs: [][]types.Type{eventSchema}, steps: steps}
				verify(t, s, func(d *driver) error {
					if len(d.late) != late {
						return fmt.Errorf("%d late rows, want %d", len(d.late), late)
					}
					if d.left() > 0 { // the watermark stays
						return fmt.Errorf("%d entries left in the state", d.left())
					}
					return wantRows(want)(d)
				})
			}
		})
	}
}

func TestAggWindowRetracts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	h := &history{rng: rng, gen: func(rng *rand.Rand) []any { return []any{rng.Int64N(50 * ms), randomInt(rng, 3), rng.Int64N(9)} }}
	var steps []step
	for range 300 {
		steps = append(steps, pushes(h.next()...)...)
	}
	var live []step
	for _, r := range h.live {
		live = append(live, push(0, ins(r...)))
	}
	w := Window{Kind: Tumble, Size: 10 * ms}
	want, _ := bruteAggWindow(w, live)
	o := AggWindowOptions{Window: w, Input: eventSchema, Keys: []int{1}, Retract: true,
		Aggs: []Aggregate{aggregate(t, "count", -1, nil, eventSchema), aggregate(t, "sum", -1, []int{2}, eventSchema)}}
	verify(t, script{make: func() Operator { return NewAggWindow(o) }, inputs: [][]types.Type{eventSchema}, steps: steps}, wantRows(want))
}

// bruteSessions computes the exact output of session windows.
func bruteSessions(gap int64, steps []step) (out []rec, late int) {
	type event struct{ t, v int64 }
	open := map[string][]event{}
	keys := map[string]any{}
	wm := int64(MinTime)
	fire := func() {
		var ready []bruteGroup
		for name, events := range open {
			slices.SortStableFunc(events, func(a, b event) int { return int(a.t - b.t) })
			var rest []event
			for len(events) > 0 {
				n := 1
				for n < len(events) && events[n].t-events[n-1].t <= gap {
					n++
				}
				if end := events[n-1].t + gap; end-ms <= wm {
					g := bruteGroup{start: events[0].t, end: end, key: keys[name], count: int64(n)}
					for _, e := range events[:n] {
						g.sum += e.v
					}
					ready = append(ready, g)
				} else {
					rest = append(rest, events[:n]...)
				}
				events = events[n:]
			}
			open[name] = rest
		}
		slices.SortFunc(ready, func(a, b bruteGroup) int {
			if a.end != b.end {
				return int(a.end - b.end)
			}
			return compareCells(a.key, b.key)
		})
		for _, g := range ready {
			out = append(out, ins(g.key, g.start, g.end, g.end-ms, g.count, fmt.Sprint(g.sum)))
		}
	}
	for _, s := range append(slices.Clone(steps), mark(MaxTime)) {
		if s.isMark {
			wm = s.watermark
			fire()
			continue
		}
		c := s.row.cells
		e, name := event{c[0].(int64), c[2].(int64)}, fmt.Sprint(c[1])
		keys[name] = c[1]
		joins := slices.ContainsFunc(open[name], func(x event) bool { return x.t-e.t <= gap && e.t-x.t <= gap })
		if e.t+gap-ms <= wm && !joins {
			late++
			continue
		}
		if s.row.op.Adds() {
			open[name] = append(open[name], e)
		} else if i := slices.Index(open[name], e); i >= 0 {
			open[name] = slices.Delete(open[name], i, i+1)
		}
	}
	return out, late
}

// Rows that are taken back split sessions, and keys that come back after they were gone are not forgotten.
func TestAggSessionRetracts(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 22))
		now, wm := int64(0), int64(MinTime)
		h := &history{rng: rng, gen: func(rng *rand.Rand) []any { return []any{now - rng.Int64N(6*ms), randomInt(rng, 5), rng.Int64N(3)} }}
		var steps []step
		for range 400 {
			now += rng.Int64N(2 * ms)
			steps = append(steps, pushes(h.next()...)...)
			if rng.IntN(6) == 0 {
				wm = max(wm, now-8*ms)
				steps = append(steps, mark(wm))
			}
		}
		gap := int64(3 * ms)
		want, late := bruteSessions(gap, steps)
		o := AggWindowOptions{Window: Window{Kind: Session, Gap: gap}, Input: eventSchema, Keys: []int{1}, Retract: true,
			Aggs: []Aggregate{aggregate(t, "count", -1, nil, eventSchema), aggregate(t, "sum", -1, []int{2}, eventSchema)}}
		s := script{make: func() Operator { return NewAggWindow(o) }, inputs: [][]types.Type{eventSchema}, steps: steps}
		verify(t, s, func(d *driver) error {
			if len(d.late) != late {
				return fmt.Errorf("%d late rows, want %d", len(d.late), late)
			}
			return wantRows(want)(d)
		})
	}
}

func TestAggSession(t *testing.T) {
	for seed := range uint64(6) {
		steps := eventSteps(rand.New(rand.NewPCG(seed, 2)), 300)
		gap := int64(5 * ms)
		want, late := bruteSessions(gap, steps)
		o := AggWindowOptions{Window: Window{Kind: Session, Gap: gap}, Input: eventSchema, Keys: []int{1},
			Aggs: []Aggregate{aggregate(t, "count", -1, nil, eventSchema), aggregate(t, "sum", -1, []int{2}, eventSchema)}}
		s := script{make: func() Operator { return NewAggWindow(o) }, inputs: [][]types.Type{eventSchema}, steps: steps}
		verify(t, s, func(d *driver) error {
			if len(d.late) != late {
				return fmt.Errorf("%d late rows, want %d", len(d.late), late)
			}
			return wantRows(want)(d)
		})
	}
}

// The gap is inclusive: a row exactly gap later joins, one microsecond later does not.
func TestAggSessionGapIsInclusive(t *testing.T) {
	o := AggWindowOptions{Window: Window{Kind: Session, Gap: 10}, Input: eventSchema, Aggs: []Aggregate{aggregate(t, "count", -1, nil, eventSchema)}}
	steps := pushes(ins(0, 1, 1), ins(10, 1, 1), ins(21, 1, 1))
	want := []rec{ins(0, 20, 20-ms, 2), ins(21, 31, 31-ms, 1)}
	verify(t, script{make: func() Operator { return NewAggWindow(o) }, inputs: [][]types.Type{eventSchema}, steps: steps}, wantRows(want))
}
