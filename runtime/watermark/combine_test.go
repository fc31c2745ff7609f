package watermark

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/runtime/operator"
)

func TestCombine(t *testing.T) {
	c := NewCombine(2, operator.MinTime)
	if c.Advance(0, 10) || c.Now() != operator.MinTime {
		t.Fatal("the other input has said nothing yet")
	}
	if !c.Advance(1, 5) || c.Now() != 5 {
		t.Fatalf("now %d, want the minimum", c.Now())
	}
	if c.Advance(1, 3) || c.Now() != 5 || c.Input(1) != 5 {
		t.Fatal("an input went back")
	}
	if !c.Idle(1) || c.Now() != 10 {
		t.Fatalf("now %d: an idle input does not hold", c.Now())
	}
	c.Active(1)
	if c.Advance(1, 7) || c.Now() != 10 {
		t.Fatal("the result went back")
	}
	if c.Advance(0, 20) {
		t.Fatal("input 1 is back at 7 and holds")
	}
	if !c.End(1) || c.Now() != 20 || c.AllEnded() {
		t.Fatal("an ended input does not hold")
	}
	c.Idle(0)
	if !c.AllIdle() {
		t.Fatal("one is idle, the other has ended")
	}
	c.End(0)
	if !c.AllEnded() {
		t.Fatal("all have ended")
	}
}

// TestCombineModel compares random histories with the definition: the minimum over inputs that are active, else the maximum over those
// that are idle, else that of the ended ones; never falling.
func TestCombineModel(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 5))
		n := 1 + rng.IntN(4)
		c := NewCombine(n, operator.MinTime)
		times, idle, ended := make([]int64, n), make([]bool, n), make([]bool, n)
		for i := range times {
			times[i] = operator.MinTime
		}
		want := int64(operator.MinTime)
		for range 60 {
			i := rng.IntN(n)
			if ended[i] {
				continue
			}
			moved := false
			switch rng.IntN(6) {
			case 0:
				idle[i] = true
				moved = c.Idle(i)
			case 1:
				if rng.IntN(5) == 0 {
					ended[i] = true
					moved = c.End(i)
				}
			default:
				at := rng.Int64N(100)
				times[i], idle[i] = max(times[i], at), false
				moved = c.Advance(i, at)
			}
			before := want
			want = max(want, combined(times, idle, ended))
			if c.Now() != want || moved && want == before {
				t.Fatalf("seed %d: now %d (moved %v), want %d after %d", seed, c.Now(), moved, want, before)
			}
		}
	}
}

func combined(times []int64, idle, ended []bool) int64 {
	active, resting, over := []int64{}, []int64{}, []int64{}
	for i, at := range times {
		switch {
		case ended[i]:
			over = append(over, at)
		case idle[i]:
			resting = append(resting, at)
		default:
			active = append(active, at)
		}
	}
	switch {
	case len(active) > 0:
		return slices.Min(active)
	case len(resting) > 0:
		return slices.Max(resting)
	}
	return slices.Max(over)
}
