package log

import (
	"testing"
)

// FuzzBatch feeds bytes to every parser of batches: none may panic, and what they accept must survive an append and a read.
func FuzzBatch(f *testing.F) {
	f.Add([]byte{})
	f.Add(batchOf("a", "b"))
	f.Add(MarkerBatch(nil, Marker{ProducerID: 5, Commit: true}))
	f.Add(producerBatchOf(BatchOptions{ProducerID: 1, Transactional: true}, "v"))
	for codec := byte(1); codec < 6; codec++ {
		b := batchOf("compressed?")
		b[posAttributes+1] |= codec
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = EachRecord(b, func(r *Record) error { _ = r.Offset; return nil })
		_, _, _ = parseMarker(b)
		wholeBatches(b, 1<<62)
		_, _ = decodeSnapshot(b)
		h, err := CheckBatch(b)
		if err == nil && h.Length != len(b) {
			t.Fatalf("accepted %d bytes as a batch of %d", len(b), h.Length)
		}
	})
}
