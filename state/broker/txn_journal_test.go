package broker

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestJournalsAreCompacted makes both coordinators replace their journals by snapshots and checks that a crash loses nothing.
func TestJournalsAreCompacted(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	adm := kadm.NewClient(n.client())
	for i := range 20 {
		var os kadm.Offsets
		os.AddOffset("t", 0, int64(i), -1)
		if err := adm.CommitAllOffsets(ctx, fmt.Sprint("g", i%3), os); err != nil {
			t.Fatal(err)
		}
	}
	e := newEpochs(ctx, t, n)
	for i := range int64(5) {
		begin(t, e.cl)
		send(ctx, t, e.cl, "t", fmt.Sprint(i))
		e.store(i)
		if i < 4 {
			end(ctx, t, e.cl, kgo.TryCommit)
		}
	}
	for _, j := range []*journal{n.b.groups.journal, n.b.transactions.journal} {
		j.mu.Lock()
		j.records += 2 * journalGarbage
		j.mu.Unlock()
		for start := int64(0); start == 0; {
			w, err := n.b.Watermarks(j.tp.topic, 0)
			if err != nil || ctx.Err() != nil {
				t.Fatalf("%s is not compacted: %+v %v", j.tp.topic, w, err)
			}
			start = w.Start
			time.Sleep(time.Millisecond)
		}
	}
	n.crash()
	adm = kadm.NewClient(n.client())
	for g, want := range []int64{18, 19, 17} {
		os, err := adm.FetchOffsets(ctx, fmt.Sprint("g", g))
		if err != nil || os["t"][0].At != want {
			t.Fatalf("offset of group %d: %v, want %d (%v)", g, os, want, err)
		}
	}
	e = newEpochs(ctx, t, n)
	if _, _, err := e.cl.ProducerID(ctx); err != nil {
		t.Fatal(err)
	}
	e.want(3, nil)
	n.stable("t", 10) // five records and five markers
}
