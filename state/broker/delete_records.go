package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleDeleteRecords moves log starts forward; offset -1 means the high watermark.
func handleDeleteRecords(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DeleteRecordsRequest)
	resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	resp.Topics = []kmsg.DeleteRecordsResponseTopic{}
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.NewDeleteRecordsResponseTopic()
		rt.Topic, rt.Partitions = t.Topic, []kmsg.DeleteRecordsResponseTopicPartition{}
		for _, q := range t.Partitions {
			rp := kmsg.NewDeleteRecordsResponseTopicPartition()
			rp.Partition, rp.LowWatermark = q.Partition, -1
			if rp.ErrorCode = r.topic(kmsg.ACLOperationDelete, t.Topic); rp.ErrorCode != errNone {
				rt.Partitions = append(rt.Partitions, rp)
				continue
			}
			p, err := b.lookup(t.Topic, q.Partition)
			if err == nil {
				rp.LowWatermark, err = p.log.DeleteBefore(q.Offset)
			}
			if rp.ErrorCode = errorCode(err); err != nil {
				rp.LowWatermark = -1
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return ready(resp)
}
