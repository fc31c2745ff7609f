package broker

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkTxnEpoch is one epoch of a sink: two partitions, the epoch's number as a group offset, commit.
func BenchmarkTxnEpoch(b *testing.B) {
	br := openBroker(b, b.TempDir())
	if err := br.CreateTopic("t", 2, nil); err != nil {
		b.Fatal(err)
	}
	cl := client(b, br, overMemory, kgo.TransactionalID("sink"), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0))
	for epoch := int64(1); b.Loop(); epoch++ {
		if err := writeEpoch(context.Background(), cl, epoch); err != nil {
			b.Fatal(err)
		}
	}
}
