package txn

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/millrace/millrace/state/record"
)

// formatVersion starts every key and value.
const formatVersion = 1

// kindTransaction is the second byte of every key, there being one kind so far.
const kindTransaction = 1

func transactionKey(id string) []byte {
	return record.AppendString([]byte{formatVersion, kindTransaction}, id)
}

func encodeTombstone(id string) record.Record { return record.Record{Key: transactionKey(id)} }

func encodeTransaction(t *transaction) record.Record {
	v := []byte{formatVersion, byte(t.state), 0}
	if t.rotates {
		v[2] = 1
	}
	v = appendProducer(v, t.producer)
	v = appendProducer(v, t.previous)
	v = binary.AppendVarint(v, t.timeout.Milliseconds())
	v = record.AppendTime(v, t.started)
	v = record.AppendTime(v, t.updated)
	v = binary.AppendUvarint(v, uint64(len(t.partitions)))
	for _, p := range t.sortedPartitions() {
		v = record.AppendString(v, p.Topic)
		v = binary.AppendVarint(v, int64(p.Partition))
	}
	v = binary.AppendUvarint(v, uint64(len(t.groups)))
	for _, g := range t.sortedGroups() {
		v = record.AppendString(v, g)
	}
	return record.Record{Key: transactionKey(t.id), Value: v}
}

// decodeRecord returns the transactional id of a record and what is stored of
// it, nil if it was deleted.
func decodeRecord(r record.Record) (string, *transaction, error) {
	k := reader{record.Reader{Data: r.Key}}
	if v := k.Byte(); v != formatVersion && k.Err == nil {
		return "", nil, fmt.Errorf("decoding transaction record: key version %d is not known", v)
	}
	if kind := k.Byte(); kind != kindTransaction && k.Err == nil {
		return "", nil, fmt.Errorf("decoding transaction record: kind %d is not known", kind)
	}
	id := k.String()
	if k.Err != nil {
		return "", nil, fmt.Errorf("decoding transaction record key: %w", k.Err)
	}
	if r.Value == nil {
		return id, nil, nil
	}
	v := reader{record.Reader{Data: r.Value}}
	if n := v.Byte(); n != formatVersion && v.Err == nil {
		return "", nil, fmt.Errorf("decoding transaction record: value version %d is not known", n)
	}
	t := v.transaction(id)
	if v.Err != nil {
		return "", nil, fmt.Errorf("decoding transaction record value: %w", v.Err)
	}
	return id, t, nil
}

func (r *reader) transaction(id string) *transaction {
	t := newTransaction(id)
	t.state = State(r.Byte())
	if t.state > CompleteAbort && r.Err == nil {
		r.Err = fmt.Errorf("state %d is not known", t.state)
	}
	t.rotates = r.Byte() == 1
	t.producer = r.producer()
	t.previous = r.producer()
	t.timeout = time.Duration(r.Varint()) * time.Millisecond
	t.started = r.Time()
	t.updated = r.Time()
	for n := r.Uvarint(); n > 0 && r.Err == nil; n-- {
		t.partitions[Partition{r.String(), int32(r.Varint())}] = true
	}
	for n := r.Uvarint(); n > 0 && r.Err == nil; n-- {
		t.groups[r.String()] = true
	}
	return t
}

func appendProducer(b []byte, p Producer) []byte {
	b = binary.AppendVarint(b, p.ID)
	return binary.AppendVarint(b, int64(p.Epoch))
}

// reader reads fields of this package's records.
type reader struct{ record.Reader }

func (r *reader) producer() Producer {
	return Producer{r.Varint(), int16(r.Varint())}
}
