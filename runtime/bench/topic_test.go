package bench

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/sql/vector"
)

// bidColumns are the columns of a bid in SQL.
const bidColumns = "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, dateTime TIMESTAMP(3), extra STRING, " +
	"WATERMARK FOR dateTime AS dateTime - INTERVAL 4 SECOND"

// partitions of the topic of bids.
const partitions = 4

// fillBids produces the JSON of n bids of the Nexmark generator, in the order of their times over the partitions. It returns their mean size.
func fillBids(b testing.TB, c *cluster, topic string, n int) float64 {
	b.Helper()
	c.createTopic(b, topic, partitions)
	producer := c.client(b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.DefaultProduceTopic(topic), kgo.ProducerBatchMaxBytes(1_000_000), kgo.MaxBufferedRecords(200_000))
	s := c.engine.NewSession()
	run := func(text string) func(context.Context) (*vector.Batch, error) {
		r, err := s.Exec(b.Context(), text)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(r.Close)
		return r.Next
	}
	run(fmt.Sprintf("CREATE SOURCE IF NOT EXISTS generator WITH (connector='nexmark', stream='bid', events='%d', rate='100000')", n))
	next := run("SELECT raw FROM generator")
	var mu sync.Mutex
	var failed error
	bytes, i := 0, 0
	for {
		batch, err := next(b.Context())
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		for k := range batch.Rows() {
			value := append([]byte(nil), batch.Cols[0].Bytes(batch.Row(k))...)
			bytes += len(value)
			producer.Produce(b.Context(), &kgo.Record{Partition: int32(i % partitions), Value: value}, func(_ *kgo.Record, err error) {
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
				}
			})
			i++
		}
	}
	if err := producer.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	if failed != nil {
		b.Fatal(failed)
	}
	if i != n {
		b.Fatalf("%d bids produced, not %d", i, n)
	}
	return float64(bytes) / float64(n)
}

// fetchAll is the bare loop that jobs are held against: a client that polls all records of a topic and counts them.
func fetchAll(b testing.TB, c *cluster, topic string, n int) {
	b.Helper()
	cl, err := kgo.NewClient(append(c.client(b).Opts(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	for seen := 0; seen < n; {
		f := cl.PollFetches(b.Context())
		if err := f.Err(); err != nil {
			b.Fatal(err)
		}
		seen += f.NumRecords()
	}
}
