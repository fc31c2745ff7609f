package log

import (
	"bytes"
	"context"
	"testing"
	"time"
)

func benchBatch(bytesEach, n int) []byte {
	recs := make([]Record, n)
	for i := range recs {
		recs[i] = Record{TimestampMs: 1, Value: bytes.Repeat([]byte("v"), bytesEach)}
	}
	return BuildBatch(nil, recs, BatchOptions{})
}

// flushPolicies are what a topic can ask for, from the safest to the fastest.
var flushPolicies = []struct {
	name string
	opts Options
	wait bool // for each batch to be durable, as a producer with acks=all does
}{
	{"ack/acks=all", Options{Flush: FlushAck}, true},
	{"ack/acks=1", Options{Flush: FlushAck}, false},
	{"async/flush.messages=10000", Options{Flush: FlushAsync, FlushRecords: 10_000}, false},
	{"async/flush.ms=100", Options{Flush: FlushAsync, FlushInterval: 100 * time.Millisecond}, false},
	{"async", Options{Flush: FlushAsync}, false},
}

// BenchmarkAppend shows what each policy costs one producer that sends batches of 300 records of 200 bytes.
func BenchmarkAppend(b *testing.B) {
	for _, p := range flushPolicies {
		b.Run(p.name, func(b *testing.B) {
			o := p.opts
			o.RetentionBytes = 256 << 20
			l := open(b, b.TempDir(), o)
			batch := benchBatch(200, 300)
			b.SetBytes(int64(len(batch)))
			b.ReportAllocs()
			for b.Loop() {
				res, err := l.Append(batch, AppendOptions{})
				if err == nil && p.wait {
					err = l.WaitVisible(context.Background(), res.Last+1)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFetch(b *testing.B) {
	l := open(b, b.TempDir(), Options{Flush: FlushAsync})
	batch := benchBatch(200, 300)
	for range 2000 {
		mustAppend(b, l, batch)
	}
	end := l.EndOffset()
	buf := make([]byte, 0, 2<<20)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	var offset int64
	for b.Loop() {
		got, err := l.Read(buf[:0], offset, ReadOptions{MaxBytes: 1 << 20})
		if err != nil {
			b.Fatal(err)
		}
		offset += int64(len(got)/len(batch)) * 300
		if offset >= end {
			offset = 0
		}
	}
}
