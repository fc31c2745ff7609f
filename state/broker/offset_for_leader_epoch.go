package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleOffsetForLeaderEpoch tells where a leader epoch ended, so that clients notice a truncated log.
func handleOffsetForLeaderEpoch(b *Broker, r *request) reply {
	req := r.body.(*kmsg.OffsetForLeaderEpochRequest)
	resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	resp.Topics = []kmsg.OffsetForLeaderEpochResponseTopic{}
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
		rt.Topic, rt.Partitions = t.Topic, []kmsg.OffsetForLeaderEpochResponseTopicPartition{}
		for _, q := range t.Partitions {
			rp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			rp.Partition, rp.LeaderEpoch, rp.EndOffset = q.Partition, -1, -1
			refuse := r.topic(kmsg.ACLOperationDescribe, t.Topic)
			p, err := b.lookup(t.Topic, q.Partition)
			switch {
			case refuse != errNone:
				rp.ErrorCode = refuse
			case err != nil:
				rp.ErrorCode = errorCode(err)
			case q.CurrentLeaderEpoch > leaderEpoch:
				rp.ErrorCode = errUnknownLeaderEpoch
			default:
				rp.LeaderEpoch, rp.EndOffset = p.log.EpochEnd(q.LeaderEpoch)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return ready(resp)
}
