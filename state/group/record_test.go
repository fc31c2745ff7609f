package group

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/state/record"
)

// TestDecodeArbitrary feeds damaged records: an error is fine, a panic is not.
func TestDecodeArbitrary(t *testing.T) {
	g := newGroup("g")
	g.add(&member{id: "m", instanceID: "i", session: time.Second, protocols: []Protocol{{"range", []byte("x")}}})
	good := []record.Record{
		g.record().encode(),
		change{kind: kindOffset, group: "g", partition: TopicPartition{"t", 1}, offset: Offset{1, 2, "m", time.UnixMilli(3)}}.encode(),
		change{kind: kindPending, group: "g", producerID: 9, partition: TopicPartition{"t", 1}, offset: Offset{1, 2, "m", time.UnixMilli(3)}}.encode(),
	}
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(good).Draw(t, "record")
		r.Key, r.Value = damage(t, r.Key), damage(t, r.Value)
		_, _ = decodeRecord(r)
	})
}

// damage changes a byte, and cuts.
func damage(t *rapid.T, b []byte) []byte {
	b = bytes.Clone(b)
	b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
	return b[:rapid.IntRange(0, len(b)).Draw(t, "length")]
}

// TestRecordsKeepTheirMeaning decodes what was encoded.
func TestRecordsKeepTheirMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ch := change{
			kind: rapid.SampledFrom([]recordKind{kindOffset, kindPending}).Draw(t, "kind"), group: rapid.String().Draw(t, "group"),
			partition: TopicPartition{rapid.String().Draw(t, "topic"), rapid.Int32().Draw(t, "partition")},
			offset:    Offset{rapid.Int64().Draw(t, "offset"), rapid.Int32().Draw(t, "epoch"), rapid.String().Draw(t, "metadata"), time.UnixMilli(7)},
		}
		if ch.kind == kindPending {
			ch.producerID = rapid.Int64().Draw(t, "pid")
		}
		got, err := decodeRecord(ch.encode())
		if err != nil || got.partition != ch.partition || got.offset != ch.offset || got.producerID != ch.producerID || got.group != ch.group {
			t.Fatalf("%+v became %+v (%v)", ch, got, err)
		}
	})
}
