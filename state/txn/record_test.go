package txn

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/state/record"
)

// TestRecords decodes what was encoded, and damaged records without panic.
func TestRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newTransaction(rapid.String().Draw(t, "id"))
		x.state = State(rapid.IntRange(0, int(CompleteAbort)).Draw(t, "state"))
		x.producer = Producer{rapid.Int64().Draw(t, "pid"), rapid.Int16().Draw(t, "epoch")}
		x.rotates = rapid.Bool().Draw(t, "rotates")
		x.timeout = time.Minute
		x.started, x.updated = time.UnixMilli(5), time.UnixMilli(6)
		for range rapid.IntRange(0, 5).Draw(t, "partitions") {
			x.partitions[Partition{rapid.String().Draw(t, "topic"), rapid.Int32().Draw(t, "partition")}] = true
		}
		x.groups[rapid.String().Draw(t, "group")] = true
		r := encodeTransaction(x)
		id, got, err := decodeRecord(r)
		if err != nil || id != x.id || !reflect.DeepEqual(got, x) {
			t.Fatalf("%+v became %+v (%v)", x, got, err)
		}
		v := bytes.Clone(r.Value)
		v[rapid.IntRange(0, len(v)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		_, _, _ = decodeRecord(record.Record{Key: r.Key, Value: v[:rapid.IntRange(0, len(v)).Draw(t, "length")]})
	})
}
