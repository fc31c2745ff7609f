package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleListPartitionReassignments lists none: there is nowhere to move a partition to.
func handleListPartitionReassignments(_ *Broker, r *request) reply {
	req := r.body.(*kmsg.ListPartitionReassignmentsRequest)
	resp := req.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
	resp.Topics = []kmsg.ListPartitionReassignmentsResponseTopic{}
	resp.ErrorCode = r.cluster(kmsg.ACLOperationDescribe)
	resp.ErrorMessage = refusedMessage(resp.ErrorCode)
	return ready(resp)
}
