package group

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/millrace/millrace/state/record"
)

func appendConsumers(b []byte, cg *consumers) []byte {
	b = binary.AppendVarint(b, int64(cg.epoch))
	b = binary.AppendVarint(b, int64(cg.targetEpoch))
	b = record.AppendString(b, cg.assignor)
	b = binary.AppendUvarint(b, uint64(len(cg.members)))
	for _, m := range cg.inOrder() {
		b = appendConsumer(b, m)
	}
	return b
}

func appendConsumer(b []byte, m *consumer) []byte {
	for _, s := range []string{m.id, m.instanceID, m.rackID, m.clientID, m.clientHost} {
		b = record.AppendString(b, s)
	}
	b = binary.AppendVarint(b, m.rebalance.Milliseconds())
	b = binary.AppendUvarint(b, uint64(len(m.topics)))
	for _, t := range m.topics {
		b = record.AppendString(b, t)
	}
	b = record.AppendString(b, m.pattern)
	b = record.AppendString(b, m.assignor)
	b = binary.AppendVarint(b, int64(m.epoch))
	b = binary.AppendVarint(b, int64(m.previous))
	b = append(b, byte(m.state))
	for _, s := range []partitionSet{m.assigned, m.revoking, m.target} {
		list := grouped(s)
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, t := range list {
			b = append(b, t.Topic[:]...)
			b = binary.AppendUvarint(b, uint64(len(t.Partitions)))
			for _, p := range t.Partitions {
				b = binary.AppendVarint(b, int64(p))
			}
		}
	}
	return b
}

func (r *reader) consumers() *consumers {
	cg := newConsumers()
	cg.epoch, cg.targetEpoch = int32(r.Varint()), int32(r.Varint())
	cg.assignor = r.String()
	for n := r.Uvarint(); n > 0 && r.Err == nil; n-- {
		m := r.consumer()
		if cg.members[m.id] != nil && r.Err == nil {
			r.Fail()
		}
		cg.add(m)
	}
	return cg
}

func (r *reader) consumer() *consumer {
	m := &consumer{id: r.String(), instanceID: r.String(), rackID: r.String(), clientID: r.String(), clientHost: r.String()}
	m.rebalance = time.Duration(r.Varint()) * time.Millisecond
	for n := r.Uvarint(); n > 0 && r.Err == nil; n-- {
		m.topics = append(m.topics, r.String())
	}
	slices.Sort(m.topics) // lookups rely on it
	m.pattern = r.String()
	m.matcher, _ = compilePattern(m.pattern) // one that does not compile matches nothing
	m.assignor = r.String()
	m.epoch, m.previous = int32(r.Varint()), int32(r.Varint())
	m.state = consumerState(r.Byte())
	m.assigned, m.revoking, m.target = r.partitionSet(), r.partitionSet(), r.partitionSet()
	return m
}

func (r *reader) partitionSet() partitionSet {
	s := partitionSet{}
	for n := r.Uvarint(); n > 0 && r.Err == nil; n-- {
		var id TopicID
		for i := range id {
			id[i] = r.Byte()
		}
		for k := r.Uvarint(); k > 0 && r.Err == nil; k-- {
			s[idPartition{id, int32(r.Varint())}] = true
		}
	}
	return s
}
