package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestCompactedTopic produces with a real client to a compacted topic, waits for the background, and reads the newest of each key.
func TestCompactedTopic(t *testing.T) {
	b, err := Open(Options{DataDir: t.TempDir(), RetentionInterval: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(context.Background())
	if err := b.CreateTopic("t", 1, map[string]string{"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "7"}); err == nil {
		t.Error("a ratio of 7 was accepted")
	}
	config := map[string]string{"cleanup.policy": "compact", "segment.bytes": "4096", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "0"}
	if err := b.CreateTopic("t", 1, config); err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(InternalAddr), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return b.Dial(ctx) }), kgo.ConsumeTopics("t"), kgo.DefaultProduceTopic("t"),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(0))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	const n, keys = 600, 7
	for i := range n {
		r := &kgo.Record{Key: fmt.Append(nil, "k", i%keys), Value: fmt.Append(nil, i, " with something behind it that fills the segments")}
		if err := cl.ProduceSync(ctx, r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := cl.ProduceSync(ctx, kgo.StringRecord("no key")).FirstErr(); !errors.Is(err, kerr.InvalidRecord) {
		t.Errorf("a record without a key: %v", err)
	}
	p, err := b.lookup("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	for p.log.Size() > 3*4096 { // the active segment and what is left of the others
		select {
		case <-ctx.Done():
			t.Fatalf("%d bytes after %v", p.log.Size(), ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	newest, last, count := map[string]string{}, int64(-1), 0
	for last < n-1 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatal(err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if r.Offset <= last {
				t.Errorf("offset %d after %d", r.Offset, last)
			}
			last, newest[string(r.Key)] = r.Offset, string(r.Value)
			count++
		})
	}
	if len(newest) != keys || count > n/2 {
		t.Errorf("%d records of %d keys are left", count, len(newest))
	}
	for i := n - keys; i < n; i++ {
		if v := newest[fmt.Sprint("k", i%keys)]; v != fmt.Sprint(i, " with something behind it that fills the segments") {
			t.Errorf("key k%d: %q", i%keys, v)
		}
	}
	if ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, "t"); err != nil || ends["t"][0].Offset != n {
		t.Errorf("end offsets %v, %v", ends, err)
	}
}
