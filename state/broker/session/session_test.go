package session

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var t0 = time.Unix(1000, 0)

func items(n int) []Item {
	out := make([]Item, n)
	for i := range out {
		out[i] = Item{Key{Topic: "t", Partition: int32(i)}, Want{FetchOffset: int64(i)}}
	}
	return out
}

func order(r *Round) (out []int32) {
	for i := range r.Len() {
		out = append(out, r.Item(i).Partition)
	}
	return out
}

func TestSessionLife(t *testing.T) {
	c := NewCache(Options{})
	r := c.Open(t0, false, items(3))
	if r == nil || r.ID() <= 0 || r.Len() != 3 {
		t.Fatalf("opened %+v", r)
	}
	for i := range 3 {
		if !r.Note(i, Answer{HighWatermark: 5}) {
			t.Error("a full answer must hold every partition")
		}
	}
	id := r.ID()
	r, err := c.Continue(t0, id, 1, Change{})
	if err != None || !slices.Equal(order(r), []int32{0, 1, 2}) {
		t.Fatal(err, order(r))
	}
	if r.Note(0, Answer{HighWatermark: 5}) {
		t.Error("nothing is new, yet it must be told")
	}
	if !r.Note(1, Answer{HighWatermark: 6, Records: true}) || !r.Note(2, Answer{HighWatermark: 5, Start: 1}) {
		t.Error("records or a moved start were not told")
	}
	if _, err := c.Continue(t0, id, 1, Change{}); err != InvalidEpoch {
		t.Error("repeated epoch:", err)
	}
	if _, err := c.Continue(t0, id, 2, Change{ByID: true}); err != TopicIDError {
		t.Error("topic ids in a session of names:", err)
	}
	r2, err := c.Continue(t0, id, 2, Change{Items: []Item{{Key{Topic: "u"}, Want{}}}, Forgotten: []Key{{Topic: "t", Partition: 0}, {Topic: "no"}}})
	if err != None || !slices.Equal(order(r2), []int32{2, 1, 0}) || !r.Superseded() || r2.Superseded() {
		t.Fatal(err, order(r2))
	}
	gone := Change{}
	for i := range r2.Len() {
		gone.Forgotten = append(gone.Forgotten, r2.Item(i).Key)
	}
	if r, err := c.Continue(t0, id, 3, gone); r != nil || err != None {
		t.Error("an emptied session goes on:", r, err)
	}
	if _, err := c.Continue(t0, id, 4, Change{}); err != NotFound {
		t.Error("an emptied session is still there:", err)
	}
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("left behind: %+v", s)
	}
}

func TestFailedPartitionIsToldUntilItIsWell(t *testing.T) {
	c := NewCache(Options{})
	r := c.Open(t0, false, items(1))
	r.Note(0, Answer{HighWatermark: -1, Start: -1, Failed: true})
	for epoch, step := range []struct {
		a    Answer
		must bool
	}{{Answer{HighWatermark: -1, Start: -1, Failed: true}, true}, {Answer{HighWatermark: 4}, true}, {Answer{HighWatermark: 4}, false}} {
		r, _ := c.Continue(t0, r.ID(), int32(epoch+1), Change{})
		if got := r.Note(0, step.a); got != step.must {
			t.Errorf("step %d: must answer %v, want %v", epoch, got, step.must)
		}
	}
}

func TestEpochWraps(t *testing.T) {
	if nextEpoch(math.MaxInt32) != 1 || nextEpoch(1) != 2 {
		t.Error("epochs do not begin again at 1")
	}
}

func TestEviction(t *testing.T) {
	c := NewCache(Options{MaxSessions: 2, Eviction: time.Minute})
	a, b := c.Open(t0, false, items(2)), c.Open(t0, false, items(5))
	if c.Open(t0.Add(30*time.Second), false, items(9)) != nil {
		t.Fatal("a young session was evicted")
	}
	at := t0.Add(2 * time.Minute)
	for i, r := range []*Round{a, b} { // both in use, but old
		if _, err := c.Continue(at, r.ID(), 1, Change{}); err != None {
			t.Fatal(i, err)
		}
	}
	if c.Open(at, false, items(1)) != nil {
		t.Fatal("a smaller session replaced larger ones")
	}
	if c.Open(at, false, items(3)) == nil {
		t.Fatal("a larger session did not replace the smallest old one")
	}
	if _, err := c.Continue(at, a.ID(), 2, Change{}); err != NotFound {
		t.Error("the smallest is still there:", err)
	}
	if c.Open(at.Add(2*time.Minute), false, items(1)) == nil {
		t.Error("idle sessions were not evicted")
	}
	if s := c.Stats(); s.Sessions != 2 || s.Evicted != 2 {
		t.Errorf("%+v", s)
	}
}

func TestPartitionLimit(t *testing.T) {
	c := NewCache(Options{MaxPartitions: 4})
	if c.Open(t0, false, items(5)) != nil {
		t.Fatal("larger than the cache")
	}
	r := c.Open(t0, false, items(3))
	if _, err := c.Continue(t0, r.ID(), 1, Change{Items: items(6)}); err != NotFound {
		t.Error("grew beyond the limit:", err)
	}
	if s := c.Stats(); s.Partitions != 0 {
		t.Errorf("%+v", s)
	}
}

// TestRandomSessions compares a session with a plain map under random changes.
func TestRandomSessions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	c := NewCache(Options{})
	model := map[Key]Want{}
	r := c.Open(t0, false, items(4))
	for _, it := range items(4) {
		model[it.Key] = it.Want
	}
	id := r.ID()
	for epoch := int32(1); epoch < 2000; epoch++ {
		var ch Change
		for range rng.IntN(3) {
			it := Item{Key{Topic: "t", Partition: rng.Int32N(12)}, Want{FetchOffset: rng.Int64N(100)}}
			ch.Items = append(ch.Items, it)
			model[it.Key] = it.Want
		}
		for range rng.IntN(2) {
			k := Key{Topic: "t", Partition: rng.Int32N(12)}
			if len(model) > 2 {
				ch.Forgotten = append(ch.Forgotten, k)
				delete(model, k)
			}
		}
		r, err := c.Continue(t0, id, epoch, ch)
		if err != None || r.Len() != len(model) {
			t.Fatalf("epoch %d: %v, %d partitions, want %d", epoch, err, r.Len(), len(model))
		}
		for i := range r.Len() {
			it := r.Item(i)
			if w, ok := model[it.Key]; !ok || w != it.Want {
				t.Fatalf("epoch %d: %+v, want %+v", epoch, it, w)
			}
			r.Note(i, Answer{Records: rng.IntN(3) == 0})
		}
	}
}
