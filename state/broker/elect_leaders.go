package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const errElectionNotNeeded int16 = 84

// handleElectLeaders has nothing to elect: this node leads every partition.
func handleElectLeaders(b *Broker, r *request) reply {
	req := r.body.(*kmsg.ElectLeadersRequest)
	resp := req.ResponseKind().(*kmsg.ElectLeadersResponse)
	resp.Topics = []kmsg.ElectLeadersResponseTopic{}
	if resp.ErrorCode = r.cluster(kmsg.ACLOperationAlter); resp.ErrorCode != errNone && req.Version > 0 {
		return ready(resp)
	}
	for _, t := range req.Topics { // null means all that need it, which is none
		rt := kmsg.NewElectLeadersResponseTopic()
		rt.Topic, rt.Partitions = t.Topic, []kmsg.ElectLeadersResponseTopicPartition{}
		for _, idx := range t.Partitions {
			rp := kmsg.NewElectLeadersResponseTopicPartition()
			rp.Partition, rp.ErrorCode = idx, errElectionNotNeeded
			if _, err := b.lookup(t.Topic, idx); err != nil {
				rp.ErrorCode, rp.ErrorMessage = errorCode(err), errorMessage(err)
			}
			if resp.ErrorCode != errNone { // version 0 has no place for it above
				rp.ErrorCode, rp.ErrorMessage = resp.ErrorCode, refusedMessage(resp.ErrorCode)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return ready(resp)
}
