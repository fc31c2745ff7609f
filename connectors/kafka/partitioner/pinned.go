package partitioner

import "github.com/twmb/franz-go/pkg/kgo"

// Pinned takes the partition that a record names, and leaves records with a negative one to another partitioner. A partition that does
// not exist fails the record.
func Pinned(others kgo.Partitioner) kgo.Partitioner { return pinned{others} }

type pinned struct{ kgo.Partitioner }

// ForTopic implements kgo.Partitioner.
func (p pinned) ForTopic(topic string) kgo.TopicPartitioner {
	return pinnedTopic{p.Partitioner.ForTopic(topic)}
}

type pinnedTopic struct{ kgo.TopicPartitioner }

// RequiresConsistency implements kgo.TopicPartitioner.
func (t pinnedTopic) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || t.TopicPartitioner.RequiresConsistency(r)
}

// Partition implements kgo.TopicPartitioner.
func (t pinnedTopic) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return t.TopicPartitioner.Partition(r, n)
}
