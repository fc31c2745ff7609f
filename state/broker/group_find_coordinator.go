package broker

import "github.com/twmb/franz-go/pkg/kmsg"

// Kinds of coordinator a client may look for.
const (
	coordinatorGroup = 0
	coordinatorTxn   = 1
)

// handleFindCoordinator answers with this broker, which coordinates everything.
func handleFindCoordinator(b *Broker, r *request) reply {
	req := r.body.(*kmsg.FindCoordinatorRequest)
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	code := errNone
	if req.CoordinatorType != coordinatorGroup && req.CoordinatorType != coordinatorTxn {
		code = errInvalidRequest
	}
	at := r.conn.at
	resp.ErrorCode = code
	resp.Coordinators = []kmsg.FindCoordinatorResponseCoordinator{}
	if code == errNone {
		resp.NodeID, resp.Host, resp.Port = b.opts.NodeID, at.host, at.port
	} else {
		resp.NodeID, resp.Port = -1, -1
	}
	for _, key := range req.CoordinatorKeys {
		c := kmsg.NewFindCoordinatorResponseCoordinator()
		c.Key, c.ErrorCode = key, code
		c.NodeID, c.Host, c.Port = resp.NodeID, resp.Host, resp.Port
		resp.Coordinators = append(resp.Coordinators, c)
	}
	return ready(resp)
}
