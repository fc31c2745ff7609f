package txn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Record is one record of the transaction topic; a nil Value deletes the Key.
// FORMAT.md draws the bytes.
type Record struct {
	Key   []byte
	Value []byte
}

// formatVersion starts every key and value.
const formatVersion = 1

// kindTransaction is the second byte of every key, there being one kind so far.
const kindTransaction = 1

func transactionKey(id string) []byte {
	return appendString([]byte{formatVersion, kindTransaction}, id)
}

func encodeTombstone(id string) Record { return Record{Key: transactionKey(id)} }

func encodeTransaction(t *transaction) Record {
	v := []byte{formatVersion, byte(t.state), 0}
	if t.rotates {
		v[2] = 1
	}
	v = appendProducer(v, t.producer)
	v = appendProducer(v, t.previous)
	v = binary.AppendVarint(v, t.timeout.Milliseconds())
	v = appendTime(v, t.started)
	v = appendTime(v, t.updated)
	v = binary.AppendUvarint(v, uint64(len(t.partitions)))
	for _, p := range t.sortedPartitions() {
		v = appendString(v, p.Topic)
		v = binary.AppendVarint(v, int64(p.Partition))
	}
	v = binary.AppendUvarint(v, uint64(len(t.groups)))
	for _, g := range t.sortedGroups() {
		v = appendString(v, g)
	}
	return Record{Key: transactionKey(t.id), Value: v}
}

// decodeRecord returns the transactional id of a record and what is stored of
// it, nil if it was deleted.
func decodeRecord(r Record) (string, *transaction, error) {
	k := reader{b: r.Key}
	if v := k.byte(); v != formatVersion && k.err == nil {
		return "", nil, fmt.Errorf("decoding transaction record: key version %d is not known", v)
	}
	if kind := k.byte(); kind != kindTransaction && k.err == nil {
		return "", nil, fmt.Errorf("decoding transaction record: kind %d is not known", kind)
	}
	id := k.string()
	if k.err != nil {
		return "", nil, fmt.Errorf("decoding transaction record key: %w", k.err)
	}
	if r.Value == nil {
		return id, nil, nil
	}
	v := reader{b: r.Value}
	if n := v.byte(); n != formatVersion && v.err == nil {
		return "", nil, fmt.Errorf("decoding transaction record: value version %d is not known", n)
	}
	t := v.transaction(id)
	if v.err != nil {
		return "", nil, fmt.Errorf("decoding transaction record value: %w", v.err)
	}
	return id, t, nil
}

func (r *reader) transaction(id string) *transaction {
	t := newTransaction(id)
	t.state = State(r.byte())
	if t.state > CompleteAbort && r.err == nil {
		r.err = fmt.Errorf("state %d is not known", t.state)
	}
	t.rotates = r.byte() == 1
	t.producer = r.producer()
	t.previous = r.producer()
	t.timeout = time.Duration(r.varint()) * time.Millisecond
	t.started = r.time()
	t.updated = r.time()
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		t.partitions[Partition{r.string(), int32(r.varint())}] = true
	}
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		t.groups[r.string()] = true
	}
	return t
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendProducer(b []byte, p Producer) []byte {
	b = binary.AppendVarint(b, p.ID)
	return binary.AppendVarint(b, int64(p.Epoch))
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, -1)
	}
	return binary.AppendVarint(b, t.UnixMilli())
}

var errShort = errors.New("record is cut short")

// reader decodes; the first error sticks and later reads give zero values.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = errShort
	}
}

func (r *reader) byte() byte {
	if r.err != nil || len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if r.err != nil || n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.err != nil || n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) string() string {
	l := r.uvarint()
	if r.err != nil || l > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	s := string(r.b[:l])
	r.b = r.b[l:]
	return s
}

func (r *reader) producer() Producer {
	return Producer{r.varint(), int16(r.varint())}
}

func (r *reader) time() time.Time {
	if ms := r.varint(); ms >= 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}
