package exchange

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/runtime/flow"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// TestGroupsCovered: for every number of tasks the ranges of groups are a partition, and TaskOf agrees with them.
func TestGroupsCovered(t *testing.T) {
	for n := 1; n <= KeyGroups; n++ {
		if GroupFrom(0, n) != 0 || GroupFrom(n, n) != KeyGroups {
			t.Fatalf("%d tasks own [%d, %d)", n, GroupFrom(0, n), GroupFrom(n, n))
		}
		for i := range n {
			from, to := GroupFrom(i, n), GroupFrom(i+1, n)
			if from >= to {
				t.Fatalf("task %d of %d owns [%d, %d)", i, n, from, to)
			}
			for g := from; g < to; g++ {
				if TaskOf(g, n) != i {
					t.Fatalf("group %d of %d tasks goes to %d, task %d owns it", g, n, TaskOf(g, n), i)
				}
			}
		}
	}
}

var routedFields = []types.Field{{Name: "k", Type: types.Of(types.Int64)}, {Name: "s", Type: types.Of(types.String)}}

func routedBatch(rng *rand.Rand, rows int) *vector.Batch {
	b := vector.NewBatch(routedFields, rows)
	for i := range rows {
		b.Cols[0].AppendI64(rng.Int64N(50))
		if i%7 == 0 {
			b.Cols[1].AppendNull()
		} else {
			b.Cols[1].AppendString(fmt.Sprint(i))
		}
		b.EndRow(vector.Change(i % 4))
	}
	for i := range rows {
		if rng.IntN(3) > 0 {
			b.Sel = append(b.Sel, int32(i))
		}
	}
	return b
}

func routedRow(b *vector.Batch, i int) string {
	s := "NULL"
	if !b.Cols[1].IsNull(i) {
		s = string(b.Cols[1].Bytes(i))
	}
	return fmt.Sprint(b.Change(i), " ", b.Cols[0].I64[i], " ", s)
}

// TestRouterSplits: every counting row reaches exactly the task that owns its key's group, unchanged and in its order.
func TestRouterSplits(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7} {
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		inboxes := make([]*Inbox, n)
		targets := make([]*Channel, n)
		for i := range n {
			inboxes[i] = NewInbox()
			targets[i] = inboxes[i].Add(0, 0)
		}
		r := NewRouter(ByKey, []int{0}, routedFields, targets)
		for range 5 {
			b := routedBatch(rng, 300)
			want := make([][]string, n)
			var hash [1]uint64
			for k := range b.Rows() {
				i := b.Row(k)
				row.Hash(b.Cols[:1], []int32{int32(i)}, hash[:])
				to := TaskOf(row.KeyGroup(hash[0]), n)
				want[to] = append(want[to], routedRow(b, i))
			}
			if err := r.Push(b); err != nil {
				t.Fatal(err)
			}
			for to := range n {
				checkRouted(t, inboxes[to], want[to])
			}
		}
	}
}

func checkRouted(t *testing.T, in *Inbox, want []string) {
	t.Helper()
	if len(want) == 0 {
		return
	}
	_, _, m, _ := in.Receive()
	var got []string
	for k := range m.Batch.Rows() {
		got = append(got, routedRow(m.Batch, m.Batch.Row(k)))
	}
	m.Release()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %v\nwant %v", got, want)
	}
}

func TestRouterBroadcastAndTell(t *testing.T) {
	inboxes := []*Inbox{NewInbox(), NewInbox()}
	targets := []*Channel{inboxes[0].Add(0, 0), inboxes[1].Add(0, 0)}
	r := NewRouter(Broadcast, nil, routedFields, targets)
	b := routedBatch(rand.New(rand.NewPCG(1, 1)), 20)
	if err := r.Push(b); err != nil {
		t.Fatal(err)
	}
	if err := r.Tell(flow.Message{Kind: flow.Barrier, Epoch: 3}); err != nil {
		t.Fatal(err)
	}
	for _, in := range inboxes {
		if _, _, m, _ := in.Receive(); m.Kind != flow.Rows || m.Batch.Rows() != b.Rows() {
			t.Errorf("got %+v", m)
		}
		if _, _, m, _ := in.Receive(); m.Kind != flow.Barrier || m.Epoch != 3 {
			t.Errorf("got %+v", m)
		}
	}
}

// TestRouterReusesBatches: what receivers give back is filled again.
func TestRouterReusesBatches(t *testing.T) {
	in := NewInbox()
	r := NewRouter(Gather, nil, routedFields, []*Channel{in.Add(0, 0)})
	b := routedBatch(rand.New(rand.NewPCG(1, 1)), 100)
	round := func() {
		if err := r.Push(b); err != nil {
			t.Fatal(err)
		}
		_, _, m, _ := in.Receive()
		m.Release()
	}
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Errorf("%v allocations per batch", n)
	}
}
