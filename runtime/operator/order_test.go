package operator

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/sql/types"
)

var rankSchema = []types.Type{tInt, tInt, tText}

func rankGen(rng *rand.Rand) []any {
	return []any{randomInt(rng, 3), randomInt(rng, 6), string(rune('a' + rng.IntN(3)))}
}

// byOrder sorts by column 1 descending, then column 2; the schema's columns are all compared in the end, as in the encoding.
func byOrder(a, b []any) int {
	return cmp.Or(-compareCells(a[1], b[1]), compareCells(a[2], b[2]))
}

var rankOrder = []SortKey{{Col: 1, Desc: true}, {Col: 2}}

// bruteTop ranks rows. Ties differ at most in the partition column, which is the same within a partition.
func bruteTop(rows [][]any, limit int, rank bool) map[string]int {
	parts := map[any][][]any{}
	for _, r := range rows {
		parts[r[0]] = append(parts[r[0]], r)
	}
	out := map[string]int{}
	for _, p := range parts {
		slices.SortFunc(p, byOrder)
		for i, r := range p[:min(limit, len(p))] {
			if rank {
				r = append(slices.Clone(r), i+1)
			}
			out[fmt.Sprint(r)]++
		}
	}
	return out
}

func TestTopN(t *testing.T) {
	for seed := range uint64(6) {
		for _, rank := range []bool{false, true} {
			for _, appendOnly := range []bool{false, true} {
				h := &history{rng: rand.New(rand.NewPCG(seed, 10)), gen: rankGen}
				var steps []step
				for range 150 {
					if appendOnly {
						h.live = append(h.live, rankGen(h.rng))
						steps = append(steps, push(0, ins(h.live[len(h.live)-1]...)))
						continue
					}
					steps = append(steps, pushes(h.next()...)...)
				}
				o := TopNOptions{Input: rankSchema, PartitionBy: []int{0}, Order: rankOrder, Limit: 5, WithRank: rank, AppendOnly: appendOnly}
				s := script{make: func() Operator { return NewTopN(o) }, inputs: [][]types.Type{rankSchema}, steps: steps}
				verify(t, s, func(d *driver) error {
					if appendOnly && d.left() > 4*5 {
						return fmt.Errorf("%d rows kept", d.left())
					}
					return wantTable(bruteTop(h.live, 5, rank))(d)
				})
			}
		}
	}
}

func TestSort(t *testing.T) {
	for seed := range uint64(5) {
		// The first column is constant, so that byOrder decides everything.
		h := &history{rng: rand.New(rand.NewPCG(seed, 11)), gen: func(rng *rand.Rand) []any { return append([]any{int64(1)}, rankGen(rng)[1:]...) }}
		var steps []step
		for range 150 {
			steps = append(steps, pushes(h.next()...)...)
		}
		rows := slices.Clone(h.live)
		slices.SortFunc(rows, byOrder)
		for _, x := range []struct{ offset, limit int }{{0, -1}, {3, 10}, {1000, 5}, {0, 0}} {
			o := SortOptions{Input: rankSchema, Order: rankOrder, Offset: int64(x.offset), Limit: int64(x.limit)}
			want := []rec{}
			from := min(x.offset, len(rows))
			to := len(rows)
			if x.limit >= 0 {
				to = min(to, from+x.limit)
			}
			for _, r := range rows[from:to] {
				want = append(want, ins(r...))
			}
			verify(t, script{make: func() Operator { return NewSort(o) }, inputs: [][]types.Type{rankSchema}, steps: steps}, wantRows(want))
		}
	}
}

// Arrival order must survive kills.
func TestMaterialize(t *testing.T) {
	var steps []step
	var want []rec
	rng := rand.New(rand.NewPCG(1, 12))
	for _, i := range rng.Perm(100) {
		r := ins(i, i, "x")
		steps = append(steps, push(0, r))
		if i%3 == 0 {
			steps = append(steps, push(0, rec{3, r.cells}))
		} else {
			want = append(want, r)
		}
	}
	o := MaterializeOptions{Input: rankSchema}
	verify(t, script{make: func() Operator { return NewMaterialize(o) }, inputs: [][]types.Type{rankSchema}, steps: steps}, wantRows(want))
}

func TestLimit(t *testing.T) {
	var rows []rec
	for i := range 40 {
		rows = append(rows, ins(i, i, "x"))
	}
	o := LimitOptions{Offset: 7, Limit: 20}
	s := script{make: func() Operator { return NewLimit(o) }, inputs: [][]types.Type{rankSchema}, steps: pushes(rows...)}
	verify(t, s, func(d *driver) error {
		if !d.op.(Finisher).Done() {
			return fmt.Errorf("not done")
		}
		return wantRows(rows[7:27])(d)
	})
}

// upserts is a random upsert changelog over three columns, keyed by the first.
func upserts(rng *rand.Rand, n int) (steps []step, final map[string]int) {
	last := map[any][]any{}
	for range n {
		r := []any{randomInt(rng, 6), rng.Int64N(3), "v"}
		if rng.IntN(4) == 0 {
			steps = append(steps, push(0, rec{3, []any{r[0], nil, nil}})) // a tombstone knows the key only
			delete(last, r[0])
			continue
		}
		steps = append(steps, push(0, rec{2, r}))
		last[r[0]] = r
	}
	final = map[string]int{}
	for _, r := range last {
		final[fmt.Sprint(r)]++
	}
	return steps, final
}

func TestNormalize(t *testing.T) {
	for seed := range uint64(6) {
		steps, want := upserts(rand.New(rand.NewPCG(seed, 13)), 200)
		o := NormalizeOptions{Input: rankSchema, Key: []int{0}}
		s := script{make: func() Operator { return NewNormalize(o) }, inputs: [][]types.Type{rankSchema}, steps: steps}
		verify(t, s, func(d *driver) error {
			if d.left() != len(want) {
				return fmt.Errorf("%d entries for %d rows", d.left(), len(want))
			}
			return wantTable(want)(d)
		})
	}
}

func TestDedup(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 14))
	var steps []step
	first, last := []rec{}, map[any]rec{}
	for i := range 200 {
		r := ins(randomInt(rng, 20), i, "x")
		steps = append(steps, push(0, r))
		if _, ok := last[r.cells[0]]; !ok {
			first = append(first, r)
		}
		last[r.cells[0]] = r
	}
	want := map[string]int{}
	for _, r := range last {
		want[fmt.Sprint(r.cells)]++
	}
	for _, keepFirst := range []bool{true, false} {
		o := DedupOptions{Input: rankSchema, Key: []int{0}, First: keepFirst}
		s := script{make: func() Operator { return NewDedup(o) }, inputs: [][]types.Type{rankSchema}, steps: steps}
		if keepFirst {
			verify(t, s, wantRows(first))
		} else {
			verify(t, s, wantTable(want))
		}
	}
}
