package broker

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

// TestTxnEpochPerTransaction checks which of the two protocols a client uses: a new one gets an epoch for each transaction, an old one
// keeps its own and joins partitions by itself.
func TestTxnEpochPerTransaction(t *testing.T) {
	for name, c := range map[string]struct {
		opts   []kgo.Opt
		raised int16
	}{
		"old": {[]kgo.Opt{kgo.MaxVersions(kversion.V3_0_0())}, 0},
		"new": {nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t)
			n.topic("t", 1)
			ctx := testContext(t)
			p := n.producer("x", c.opts...)
			_, first, err := p.ProducerID(ctx)
			if err != nil {
				t.Fatal(err)
			}
			begin(t, p)
			send(ctx, t, p, "t", "a")
			end(ctx, t, p, kgo.TryCommit)
			begin(t, p)
			send(ctx, t, p, "t", "b")
			end(ctx, t, p, kgo.TryAbort)
			n.stable("t", 4)
			_, last, err := p.ProducerID(ctx)
			if err != nil || last-first != c.raised {
				t.Fatalf("epoch went from %d to %d (%v), want %d more", first, last, err, c.raised)
			}
			begin(t, p)
			send(ctx, t, p, "t", "c")
			end(ctx, t, p, kgo.TryCommit)
			if got := fmt.Sprint(n.committed("t", "c")); got != "[a c]" {
				t.Fatalf("committed %s", got)
			}
		})
	}
}
