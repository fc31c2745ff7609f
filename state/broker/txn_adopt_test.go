package broker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace/millrace/state/txn"
)

// journalCopy copies the coordinator's journal when all of it is durable.
func (n *node) journalCopy(ctx context.Context) (name, dir string) {
	n.t.Helper()
	p, err := n.b.lookup(txnTopic, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	for still := false; !still; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			n.t.Fatal("the journal does not come to rest")
		}
		n.b.transactions.do(func(_ time.Time, c *txn.Coordinator) { _, still = c.Snapshot() })
	}
	dir = n.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(p.log.Dir())); err != nil {
		n.t.Fatal(err)
	}
	name, err = filepath.Rel(n.dir, p.log.Dir())
	if err != nil {
		n.t.Fatal(err)
	}
	return name, dir
}

// crashWithJournal is crash, with the coordinator's journal as it was when copied: what a power cut may leave. Clients come over.
func (n *node) crashWithJournal(name, journal string) {
	n.t.Helper()
	old := n.b
	defer func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		old.Close(now) // cuts its connections
	}()
	n.crashAfter(func(dir string) error {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
		return os.CopyFS(filepath.Join(dir, name), os.DirFS(journal))
	})
}

// TestTxnBeginningLostAtPowerCut loses the journal's record of a transaction whose data and offsets are durable, as nobody waits for
// that record. The client's commit or abort must reach all of it; what nobody can end is aborted at once.
func TestTxnBeginningLostAtPowerCut(t *testing.T) {
	for name, opts := range map[string][]kgo.Opt{"old": {kgo.MaxVersions(kversion.V3_0_0())}, "new": nil} {
		for _, how := range []string{"commit", "abort", "init", "nobody"} {
			t.Run(name+"/"+how, func(t *testing.T) {
				n := startNode(t)
				n.topic("t", 1)
				ctx := testContext(t)
				neverUsed, empty := n.journalCopy(ctx)
				e := &epochs{t, n, ctx, n.producer("sink", opts...)}
				begin(t, e.cl)
				send(ctx, t, e.cl, "t", "one")
				e.store(1)
				end(ctx, t, e.cl, kgo.TryCommit)
				name, journal := n.journalCopy(ctx)

				begin(t, e.cl)
				send(ctx, t, e.cl, "t", "two")
				e.store(2)
				if how == "nobody" {
					name, journal = neverUsed, empty
				}
				n.crashWithJournal(name, journal)
				epoch, values, last := int64(1), "[one last]", newEpochs(ctx, t, n)
				switch how {
				case "commit":
					end(ctx, t, e.cl, kgo.TryCommit)
					epoch, values = 2, "[one two last]"
				case "abort":
					end(ctx, t, e.cl, kgo.TryAbort)
				case "nobody":
					n.stable("t", 4)
					e.want(1, nil)
				}
				begin(t, last.cl) // InitProducerId
				send(ctx, t, last.cl, "t", "last")
				end(ctx, t, last.cl, kgo.TryCommit)
				last.want(epoch, nil)
				if got := fmt.Sprint(n.committed("t", "last")); got != values {
					t.Errorf("committed %s, want %s", got, values)
				}
			})
		}
	}
}

// TestTxnTimeoutAfterPowerCut checks that a transaction taken up again does not stay open when its client is gone too.
func TestTxnTimeoutAfterPowerCut(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	p := n.producer("x", kgo.TransactionTimeout(200*time.Millisecond))
	if _, _, err := p.ProducerID(ctx); err != nil {
		t.Fatal(err)
	}
	name, journal := n.journalCopy(ctx)
	begin(t, p)
	send(ctx, t, p, "t", "a")
	n.crashWithJournal(name, journal)
	part, err := n.b.lookup("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := part.log.WaitVisible(ctx, 2); err != nil { // the marker
		t.Fatal(err)
	}
	n.stable("t", 2)
}
