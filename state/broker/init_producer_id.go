package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleInitProducerID gives an idempotent producer an id nobody had before. Transactional producers go to their coordinator.
func handleInitProducerID(b *Broker, r *request) reply {
	req := r.body.(*kmsg.InitProducerIDRequest)
	if code := r.mayInitProducer(req.TransactionalID); code != errNone {
		resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = code, -1, -1
		return ready(resp)
	}
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
		resp.ErrorCode = errorCode(err)
		return ready(resp)
	}
	resp.ProducerID, resp.ProducerEpoch = id, 0
	return ready(resp)
}

// mayInitProducer returns errNone, or the refusal if the sender may not have a producer id. An idempotent producer needs the right to
// write anywhere at all.
func (r *request) mayInitProducer(txnID *string) int16 {
	switch {
	case txnID != nil:
		return r.txnID(kmsg.ACLOperationWrite, *txnID)
	case r.allowedSomewhere(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationWrite):
		return errNone
	}
	return r.cluster(kmsg.ACLOperationIdempotentWrite)
}
