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
	if !c.Idle(1) || c.Now() != 20 {
		t.Fatal("input 1 says again that it is idle")
	}
	if c.Advance(0, 30) {
		t.Fatal("nobody knows what has come for input 1 since")
	}
	if !c.End(1) || c.Now() != 30 || c.AllEnded() {
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

// TestCombineModel compares random histories with the definition: the minimum, over inputs that have not ended, of their own time or of
// what the furthest of them had when they were last idle; else the maximum of the ended ones; never falling.
func TestCombineModel(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 5))
		n := 1 + rng.IntN(4)
		c := NewCombine(n, operator.MinTime)
		times, reach, ended := make([]int64, n), make([]int64, n), make([]bool, n)
		for i := range times {
			times[i], reach[i] = operator.MinTime, operator.MinTime
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
				for k := range reach {
					if !ended[k] {
						reach[i] = max(reach[i], reach[k])
					}
				}
				moved = c.Idle(i)
			case 1:
				if rng.IntN(5) == 0 {
					ended[i] = true
					moved = c.End(i)
				}
			default:
				at := rng.Int64N(100)
				times[i] = max(times[i], at)
				reach[i] = max(reach[i], at)
				moved = c.Advance(i, at)
			}
			before := want
			want = max(want, combined(times, reach, ended))
			if c.Now() != want || moved && want == before {
				t.Fatalf("seed %d: now %d (moved %v), want %d after %d", seed, c.Now(), moved, want, before)
			}
		}
	}
}

func combined(times, reach []int64, ended []bool) int64 {
	live, over := []int64{}, []int64{}
	for i := range times {
		if ended[i] {
			over = append(over, times[i])
		} else {
			live = append(live, reach[i])
		}
	}
	if len(live) > 0 {
		return slices.Min(live)
	}
	return slices.Max(over)
}
