package group

import (
	"encoding/binary"
	"slices"
	"time"
)

func appendConsumers(b []byte, cg *consumers) []byte {
	b = binary.AppendVarint(b, int64(cg.epoch))
	b = binary.AppendVarint(b, int64(cg.targetEpoch))
	b = appendString(b, cg.assignor)
	b = binary.AppendUvarint(b, uint64(len(cg.members)))
	for _, m := range cg.inOrder() {
		b = appendConsumer(b, m)
	}
	return b
}

func appendConsumer(b []byte, m *consumer) []byte {
	for _, s := range []string{m.id, m.instanceID, m.rackID, m.clientID, m.clientHost} {
		b = appendString(b, s)
	}
	b = binary.AppendVarint(b, m.rebalance.Milliseconds())
	b = binary.AppendUvarint(b, uint64(len(m.topics)))
	for _, t := range m.topics {
		b = appendString(b, t)
	}
	b = appendString(b, m.pattern)
	b = appendString(b, m.assignor)
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
	cg.epoch, cg.targetEpoch = int32(r.varint()), int32(r.varint())
	cg.assignor = r.string()
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		m := r.consumer()
		if cg.members[m.id] != nil && r.err == nil {
			r.fail()
		}
		cg.add(m)
	}
	return cg
}

func (r *reader) consumer() *consumer {
	m := &consumer{id: r.string(), instanceID: r.string(), rackID: r.string(), clientID: r.string(), clientHost: r.string()}
	m.rebalance = time.Duration(r.varint()) * time.Millisecond
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		m.topics = append(m.topics, r.string())
	}
	slices.Sort(m.topics) // lookups rely on it
	m.pattern = r.string()
	m.matcher, _ = compilePattern(m.pattern) // one that does not compile matches nothing
	m.assignor = r.string()
	m.epoch, m.previous = int32(r.varint()), int32(r.varint())
	m.state = consumerState(r.byte())
	m.assigned, m.revoking, m.target = r.partitionSet(), r.partitionSet(), r.partitionSet()
	return m
}

func (r *reader) partitionSet() partitionSet {
	s := partitionSet{}
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		var id TopicID
		for i := range id {
			id[i] = r.byte()
		}
		for k := r.uvarint(); k > 0 && r.err == nil; k-- {
			s[idPartition{id, int32(r.varint())}] = true
		}
	}
	return s
}
