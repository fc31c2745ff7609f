package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleInitProducerID gives an idempotent producer an id nobody had before. Transactional producers go to their coordinator.
func handleInitProducerID(b *Broker, r *request) reply {
	req := r.body.(*kmsg.InitProducerIDRequest)
	if req.TransactionalID != nil && b.txns != nil {
		return later(func(ctx context.Context) kmsg.Response { return b.txns.initProducerID(ctx, req) })
	}
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	if req.TransactionalID != nil {
		resp.ErrorCode = errCoordinatorNotAvailable
		return ready(resp)
	}
	id, err := b.pids.take()
	if err != nil {
		b.opts.Logger.Error("no producer id", "error", err)
		resp.ErrorCode = errUnknownServer
		return ready(resp)
	}
	resp.ProducerID, resp.ProducerEpoch = id, 0
	return ready(resp)
}
