package broker

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxDescribedPartitions bounds one answer, whatever the client asks for.
const maxDescribedPartitions = 2000

// handleDescribeTopicPartitions is the paged form of Metadata that kafka-topics --describe uses. No topics means all of them.
func handleDescribeTopicPartitions(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DescribeTopicPartitionsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeTopicPartitionsResponse)
	resp.Topics = []kmsg.DescribeTopicPartitionsResponseTopic{}
	names := slices.DeleteFunc(b.topicNames(), func(n string) bool { return r.topic(kmsg.ACLOperationDescribe, n) != errNone })
	if len(req.Topics) > 0 {
		names = names[:0]
		for _, t := range req.Topics {
			names = append(names, t.Topic)
		}
		slices.Sort(names)
		names = slices.Compact(names)
	}
	left := int(req.ResponsePartitionLimit)
	if left <= 0 || left > maxDescribedPartitions {
		left = maxDescribedPartitions
	}
	for _, name := range names {
		from := 0
		if c := req.Cursor; c != nil && name < c.Topic {
			continue
		} else if c != nil && name == c.Topic {
			from = max(int(c.Partition), 0)
		}
		if left == 0 {
			next := kmsg.NewDescribeTopicPartitionsResponseNextCursor()
			next.Topic, next.Partition = name, int32(from)
			resp.NextCursor = &next
			break
		}
		rt, total := b.describePartitions(r, name, from, left)
		resp.Topics = append(resp.Topics, rt)
		left -= len(rt.Partitions)
		if end := from + len(rt.Partitions); end < total {
			next := kmsg.NewDescribeTopicPartitionsResponseNextCursor()
			next.Topic, next.Partition = name, int32(end)
			resp.NextCursor = &next
			break
		}
	}
	return ready(resp)
}

// describePartitions describes at most limit partitions of a topic, and says how many it has.
func (b *Broker) describePartitions(r *request, name string, from, limit int) (kmsg.DescribeTopicPartitionsResponseTopic, int) {
	rt := kmsg.NewDescribeTopicPartitionsResponseTopic()
	rt.Topic, rt.Partitions = &name, []kmsg.DescribeTopicPartitionsResponseTopicPartition{}
	rt.AuthorizedOperations = r.operations(true, kmsg.ACLResourceTypeTopic, name)
	if rt.ErrorCode = r.topic(kmsg.ACLOperationDescribe, name); rt.ErrorCode != errNone {
		return rt, 0
	}
	t, parts := b.findTopic(name, topicID{})
	if t == nil {
		rt.ErrorCode = errUnknownTopicOrPartition
		return rt, 0
	}
	rt.TopicID, rt.IsInternal = t.id, t.internal
	self := []int32{b.opts.NodeID}
	for _, p := range parts[min(from, len(parts)):min(from+limit, len(parts))] {
		rp := kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
		rp.Partition, rp.LeaderID, rp.LeaderEpoch = p.index, b.opts.NodeID, leaderEpoch
		rp.Replicas, rp.ISR = self, self
		rp.EligibleLeaderReplicas, rp.LastKnownELR, rp.OfflineReplicas = []int32{}, []int32{}, []int32{}
		rt.Partitions = append(rt.Partitions, rp)
	}
	return rt, len(parts)
}
