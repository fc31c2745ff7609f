package broker

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/log"
)

func benchBroker(b *testing.B) *Broker {
	br, err := Open(Options{DataDir: b.TempDir(), DefaultConfig: map[string]string{"flush.policy": "async"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { br.Close(context.Background()) })
	if err := br.CreateTopic("t", 1, map[string]string{"retention.bytes": "1000000000"}); err != nil {
		b.Fatal(err)
	}
	return br
}

func benchRecords() []byte {
	recs := make([]log.Record, 300)
	for i := range recs {
		recs[i] = log.Record{TimestampMs: 1, Value: bytes.Repeat([]byte("v"), 200)}
	}
	return log.BuildBatch(nil, recs, log.BatchOptions{})
}

// BenchmarkFetch reads 1 MiB at a time through the in-memory connection, without decoding records.
func BenchmarkFetch(b *testing.B) {
	br := benchBroker(b)
	_, parts := br.findTopic("t", topicID{})
	batch := benchRecords()
	for range 2000 {
		if _, err := parts[0].log.Append(batch, log.AppendOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	c := dialRaw(b, br)
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxBytes, req.MinBytes, req.SessionEpoch = 12, 1<<20, 1, -1
	rt := kmsg.NewFetchRequestTopic()
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.PartitionMaxBytes = 1 << 20
	rt.Topic, rt.Partitions = "t", append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	frame := kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)
	buf := make([]byte, 2<<20)
	b.SetBytes(int64(len(batch) * (1 << 20 / len(batch))))
	b.ReportAllocs()
	for b.Loop() {
		c.net.Write(frame)
		if _, err := io.ReadFull(c.net, buf[:4]); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c.net, buf[:binary.BigEndian.Uint32(buf)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProduce sends one batch of 300 records a request and waits for each answer.
func BenchmarkProduce(b *testing.B) {
	br := benchBroker(b)
	c := dialRaw(b, br)
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 9, -1, 5000
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = benchRecords()
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.Partitions = "t", append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	frame := kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)
	buf := make([]byte, 1024)
	b.SetBytes(int64(len(rp.Records)))
	b.ReportAllocs()
	for b.Loop() {
		c.net.Write(frame)
		if _, err := io.ReadFull(c.net, buf[:4]); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c.net, buf[:binary.BigEndian.Uint32(buf)]); err != nil {
			b.Fatal(err)
		}
	}
}
