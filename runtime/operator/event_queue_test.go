package operator

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Values come back in order, whatever the order in which they came: as interleaved runs, with some out of order, or at random.
func TestEventQueue(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 41))
		q := newEventQueue(func(a, b int) bool { return a < b })
		var want []int
		tails := make([]int, 1+rng.IntN(12))
		for range 2000 {
			if rng.IntN(3) > 0 || q.len() == 0 {
				k := rng.IntN(len(tails))
				tails[k] += rng.IntN(20)
				x := tails[k]
				if rng.IntN(10) == 0 {
					x -= rng.IntN(200)
				}
				q.push(x)
				at, _ := slices.BinarySearch(want, x)
				want = slices.Insert(want, at, x)
				continue
			}
			if first, got := q.first(), q.pop(); got != want[0] || first != got {
				t.Fatalf("seed %d: got %d and %d, want %d", seed, first, got, want[0])
			}
			want = want[1:]
			n, sum := 0, 0
			if rng.IntN(50) == 0 {
				q.each(func(x *int) { n++; sum += *x })
				for _, x := range want {
					sum -= x
				}
				if n != len(want) || n != q.len() || sum != 0 {
					t.Fatalf("seed %d: %d values of %d", seed, n, len(want))
				}
			}
		}
	}
}
