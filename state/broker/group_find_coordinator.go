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
	if req.Version < 4 && code == errNone {
		code = r.mayFind(req.CoordinatorType, req.CoordinatorKey)
	}
	at := r.conn.listener.at
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
		if code == errNone {
			if c.ErrorCode = r.mayFind(req.CoordinatorType, key); c.ErrorCode != errNone {
				c.NodeID, c.Host, c.Port = -1, "", -1
			}
		}
		resp.Coordinators = append(resp.Coordinators, c)
	}
	return ready(resp)
}

// mayFind returns errNone, or the refusal if the sender may not know of the group or transactional id.
func (r *request) mayFind(kind int8, key string) int16 {
	if kind == coordinatorTxn {
		return r.txnID(kmsg.ACLOperationDescribe, key)
	}
	return r.group(kmsg.ACLOperationDescribe, key)
}
