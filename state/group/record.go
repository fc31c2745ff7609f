package group

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Record is one record of the offsets topic; a nil Value deletes the Key.
// FORMAT.md draws the bytes.
type Record struct {
	Key   []byte
	Value []byte
}

type recordKind byte

// Kinds of record: first byte after the version of every key.
const (
	kindOffset   recordKind = 1
	kindGroup    recordKind = 2
	kindPending  recordKind = 3
	kindConsumer recordKind = 4
)

// formatVersion starts every key and value.
const formatVersion = 1

// change is a record with its meaning: which fields count depends on kind.
type change struct {
	kind         recordKind
	tombstone    bool
	group        string
	partition    TopicPartition // offset, pending
	producerID   int64          // pending
	offset       Offset         // offset, pending
	generation   int32          // group
	protocolType string         // group
	protocol     string         // group
	leader       string         // group
	emptySince   time.Time      // group
	members      []*member      // group; only what is stored of them
	consumers    *consumers     // consumer; only what is stored of it
}

func (ch change) encode() Record {
	k := []byte{formatVersion, byte(ch.kind)}
	k = appendString(k, ch.group)
	switch ch.kind {
	case kindPending:
		k = binary.AppendVarint(k, ch.producerID)
		k = appendPartition(k, ch.partition)
	case kindOffset:
		k = appendPartition(k, ch.partition)
	}
	if ch.tombstone {
		return Record{Key: k}
	}
	v := []byte{formatVersion}
	switch ch.kind {
	case kindConsumer:
		v = binary.AppendVarint(v, millis(ch.emptySince))
		v = appendConsumers(v, ch.consumers)
	case kindGroup:
		v = binary.AppendVarint(v, int64(ch.generation))
		v = appendString(v, ch.protocolType)
		v = binary.AppendVarint(v, millis(ch.emptySince))
		v = appendString(v, ch.protocol)
		v = appendString(v, ch.leader)
		v = binary.AppendUvarint(v, uint64(len(ch.members)))
		for _, m := range ch.members {
			v = appendMember(v, m)
		}
	default:
		v = binary.AppendVarint(v, ch.offset.Offset)
		v = binary.AppendVarint(v, int64(ch.offset.LeaderEpoch))
		v = appendString(v, ch.offset.Metadata)
		v = binary.AppendVarint(v, millis(ch.offset.CommittedAt))
	}
	return Record{Key: k, Value: v}
}

func decodeRecord(r Record) (change, error) {
	var ch change
	k := reader{b: r.Key}
	if v := k.byte(); v != formatVersion && k.err == nil {
		return ch, fmt.Errorf("decoding offsets record: key version %d is not known", v)
	}
	ch.kind = recordKind(k.byte())
	ch.group = k.string()
	switch ch.kind {
	case kindPending:
		ch.producerID = k.varint()
		ch.partition = k.partition()
	case kindOffset:
		ch.partition = k.partition()
	case kindGroup, kindConsumer:
	default:
		if k.err == nil {
			k.err = fmt.Errorf("kind %d is not known", ch.kind)
		}
	}
	if k.err != nil {
		return ch, fmt.Errorf("decoding offsets record key: %w", k.err)
	}
	if r.Value == nil {
		ch.tombstone = true
		return ch, nil
	}
	v := reader{b: r.Value}
	if n := v.byte(); n != formatVersion && v.err == nil {
		return ch, fmt.Errorf("decoding offsets record: value version %d is not known", n)
	}
	switch ch.kind {
	case kindConsumer:
		ch.emptySince = fromMillis(v.varint())
		ch.consumers = v.consumers()
	case kindGroup:
		ch.generation = int32(v.varint())
		ch.protocolType = v.string()
		ch.emptySince = fromMillis(v.varint())
		ch.protocol = v.string()
		ch.leader = v.string()
		for n := v.uvarint(); n > 0 && v.err == nil; n-- {
			ch.members = append(ch.members, v.member())
		}
	default:
		ch.offset.Offset = v.varint()
		ch.offset.LeaderEpoch = int32(v.varint())
		ch.offset.Metadata = v.string()
		ch.offset.CommittedAt = fromMillis(v.varint())
	}
	if v.err != nil {
		return ch, fmt.Errorf("decoding offsets record value: %w", v.err)
	}
	return ch, nil
}

func appendMember(b []byte, m *member) []byte {
	for _, s := range []string{m.id, m.instanceID, m.clientID, m.clientHost} {
		b = appendString(b, s)
	}
	b = binary.AppendVarint(b, m.session.Milliseconds())
	b = binary.AppendVarint(b, m.rebalance.Milliseconds())
	b = appendString(b, string(m.assignment))
	b = binary.AppendUvarint(b, uint64(len(m.protocols)))
	for _, p := range m.protocols {
		b = appendString(b, p.Name)
		b = appendString(b, string(p.Metadata))
	}
	return b
}

func (r *reader) member() *member {
	m := &member{id: r.string(), instanceID: r.string(), clientID: r.string(), clientHost: r.string()}
	m.session = time.Duration(r.varint()) * time.Millisecond
	m.rebalance = time.Duration(r.varint()) * time.Millisecond
	m.assignment = []byte(r.string())
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		m.protocols = append(m.protocols, Protocol{r.string(), []byte(r.string())})
	}
	return m
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendPartition(b []byte, tp TopicPartition) []byte {
	b = appendString(b, tp.Topic)
	return binary.AppendVarint(b, int64(tp.Partition))
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return -1
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms < 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

var errShort = errors.New("record is cut short")

// reader decodes; the first error sticks and later reads give zero values.
type reader struct {
	b   []byte
	err error
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

func (r *reader) fail() {
	if r.err == nil {
		r.err = errShort
	}
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

func (r *reader) partition() TopicPartition {
	return TopicPartition{Topic: r.string(), Partition: int32(r.varint())}
}
