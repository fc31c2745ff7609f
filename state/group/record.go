package group

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/millrace/millrace/state/record"
)

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

func (ch change) encode() record.Record {
	k := []byte{formatVersion, byte(ch.kind)}
	k = record.AppendString(k, ch.group)
	switch ch.kind {
	case kindPending:
		k = binary.AppendVarint(k, ch.producerID)
		k = appendPartition(k, ch.partition)
	case kindOffset:
		k = appendPartition(k, ch.partition)
	}
	if ch.tombstone {
		return record.Record{Key: k}
	}
	v := []byte{formatVersion}
	switch ch.kind {
	case kindConsumer:
		v = record.AppendTime(v, ch.emptySince)
		v = appendConsumers(v, ch.consumers)
	case kindGroup:
		v = binary.AppendVarint(v, int64(ch.generation))
		v = record.AppendString(v, ch.protocolType)
		v = record.AppendTime(v, ch.emptySince)
		v = record.AppendString(v, ch.protocol)
		v = record.AppendString(v, ch.leader)
		v = binary.AppendUvarint(v, uint64(len(ch.members)))
		for _, m := range ch.members {
			v = appendMember(v, m)
		}
	default:
		v = binary.AppendVarint(v, ch.offset.Offset)
		v = binary.AppendVarint(v, int64(ch.offset.LeaderEpoch))
		v = record.AppendString(v, ch.offset.Metadata)
		v = record.AppendTime(v, ch.offset.CommittedAt)
	}
	return record.Record{Key: k, Value: v}
}

func decodeRecord(r record.Record) (change, error) {
	var ch change
	k := reader{record.Reader{Data: r.Key}}
	if v := k.Byte(); v != formatVersion && k.Err == nil {
		return ch, fmt.Errorf("decoding offsets record: key version %d is not known", v)
	}
	ch.kind = recordKind(k.Byte())
	ch.group = k.String()
	switch ch.kind {
	case kindPending:
		ch.producerID = k.Varint()
		ch.partition = k.partition()
	case kindOffset:
		ch.partition = k.partition()
	case kindGroup, kindConsumer:
	default:
		if k.Err == nil {
			k.Err = fmt.Errorf("kind %d is not known", ch.kind)
		}
	}
	if k.Err != nil {
		return ch, fmt.Errorf("decoding offsets record key: %w", k.Err)
	}
	if r.Value == nil {
		ch.tombstone = true
		return ch, nil
	}
	v := reader{record.Reader{Data: r.Value}}
	if n := v.Byte(); n != formatVersion && v.Err == nil {
		return ch, fmt.Errorf("decoding offsets record: value version %d is not known", n)
	}
	switch ch.kind {
	case kindConsumer:
		ch.emptySince = v.Time()
		ch.consumers = v.consumers()
	case kindGroup:
		ch.generation = int32(v.Varint())
		ch.protocolType = v.String()
		ch.emptySince = v.Time()
		ch.protocol = v.String()
		ch.leader = v.String()
		for n := v.Uvarint(); n > 0 && v.Err == nil; n-- {
			ch.members = append(ch.members, v.member())
		}
	default:
		ch.offset.Offset = v.Varint()
		ch.offset.LeaderEpoch = int32(v.Varint())
		ch.offset.Metadata = v.String()
		ch.offset.CommittedAt = v.Time()
	}
	if v.Err != nil {
		return ch, fmt.Errorf("decoding offsets record value: %w", v.Err)
	}
	return ch, nil
}

func appendMember(b []byte, m *member) []byte {
	for _, s := range []string{m.id, m.instanceID, m.clientID, m.clientHost} {
		b = record.AppendString(b, s)
	}
	b = binary.AppendVarint(b, m.session.Milliseconds())
	b = binary.AppendVarint(b, m.rebalance.Milliseconds())
	b = record.AppendString(b, string(m.assignment))
	b = binary.AppendUvarint(b, uint64(len(m.protocols)))
	for _, p := range m.protocols {
		b = record.AppendString(b, p.Name)
		b = record.AppendString(b, string(p.Metadata))
	}
	return b
}

func (r *reader) member() *member {
	m := &member{id: r.String(), instanceID: r.String(), clientID: r.String(), clientHost: r.String()}
	m.session = time.Duration(r.Varint()) * time.Millisecond
	m.rebalance = time.Duration(r.Varint()) * time.Millisecond
	m.assignment = []byte(r.String())
	for n := r.Uvarint(); n > 0 && r.Err == nil; n-- {
		m.protocols = append(m.protocols, Protocol{r.String(), []byte(r.String())})
	}
	return m
}

func appendPartition(b []byte, tp TopicPartition) []byte {
	b = record.AppendString(b, tp.Topic)
	return binary.AppendVarint(b, int64(tp.Partition))
}

// reader reads fields of this package's records.
type reader struct{ record.Reader }

func (r *reader) partition() TopicPartition {
	return TopicPartition{Topic: r.String(), Partition: int32(r.Varint())}
}
