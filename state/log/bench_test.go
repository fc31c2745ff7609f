package log

import (
	"bytes"
	"testing"
)

func benchBatch(bytesEach, n int) []byte {
	recs := make([]Record, n)
	for i := range recs {
		recs[i] = Record{TimestampMs: 1, Value: bytes.Repeat([]byte("v"), bytesEach)}
	}
	return BuildBatch(nil, recs, BatchOptions{})
}

func BenchmarkAppend(b *testing.B) {
	for _, flush := range []FlushPolicy{FlushAsync, FlushAck} {
		b.Run(flush.String(), func(b *testing.B) {
			l := open(b, b.TempDir(), Options{Flush: flush, RetentionBytes: 256 << 20})
			batch := benchBatch(200, 300)
			b.SetBytes(int64(len(batch)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Append(batch, AppendOptions{}); err != nil {
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
