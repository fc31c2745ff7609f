package broker

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const errNoReassignment int16 = 85

// handleAlterPartitionReassignments moves partitions to where they are: nowhere else is possible.
func handleAlterPartitionReassignments(b *Broker, r *request) reply {
	req := r.body.(*kmsg.AlterPartitionAssignmentsRequest)
	resp := req.ResponseKind().(*kmsg.AlterPartitionAssignmentsResponse)
	resp.Topics = []kmsg.AlterPartitionAssignmentsResponseTopic{}
	resp.AllowReplicationFactorChange = req.AllowReplicationFactorChange
	if resp.ErrorCode = r.cluster(kmsg.ACLOperationAlter); resp.ErrorCode != errNone {
		resp.ErrorMessage = refusedMessage(resp.ErrorCode)
		return ready(resp)
	}
	for _, t := range req.Topics {
		rt := kmsg.NewAlterPartitionAssignmentsResponseTopic()
		rt.Topic, rt.Partitions = t.Topic, []kmsg.AlterPartitionAssignmentsResponseTopicPartition{}
		for _, q := range t.Partitions {
			rp := kmsg.NewAlterPartitionAssignmentsResponseTopicPartition()
			rp.Partition = q.Partition
			rp.ErrorCode, rp.ErrorMessage = b.reassign(t.Topic, &q)
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return ready(resp)
}

func (b *Broker) reassign(topic string, q *kmsg.AlterPartitionAssignmentsRequestTopicPartition) (int16, *string) {
	_, err := b.lookup(topic, q.Partition)
	switch {
	case err != nil:
		return errorCode(err), errorMessage(err)
	case q.Replicas == nil: // cancel
		return errNoReassignment, kmsg.StringPtr("no reassignment is in progress")
	case len(q.Replicas) != 1 || q.Replicas[0] != b.opts.NodeID:
		return errInvalidReplicaAssign, kmsg.StringPtr(fmt.Sprintf("partitions can be on node %d alone", b.opts.NodeID))
	}
	return errNone, nil
}
