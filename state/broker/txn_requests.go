package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/txn"
)

// txnCode is the code for the wire: versions before fencedSince do not know PRODUCER_FENCED.
func txnCode(code txn.Code, version, fencedSince int16) int16 {
	if code == txn.ProducerFenced && version < fencedSince {
		code = txn.InvalidProducerEpoch
	}
	return int16(code)
}

// initProducerID implements txnCoordinator.
func (s *txnService) initProducerID(ctx context.Context, req *kmsg.InitProducerIDRequest) *kmsg.InitProducerIDResponse {
	r := txn.InitRequest{
		Transactional: req.TransactionalID != nil, TransactionalID: text(req.TransactionalID),
		Timeout: time.Duration(req.TransactionTimeoutMillis) * time.Millisecond,
		Current: txn.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch},
	}
	if req.Version < 3 {
		r.Current = txn.Producer{ID: -1, Epoch: -1}
	}
	a := s.answer(ctx, s.ask(func(now time.Time, c *txn.Coordinator, tk txn.Ticket) { c.Init(now, tk, r) }))
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ErrorCode = txnCode(a.Code, req.Version, 4)
	resp.ProducerID, resp.ProducerEpoch = a.Producer.ID, a.Producer.Epoch
	return resp
}

// admitPartitions implements txnCoordinator.
func (s *txnService) admitPartitions(ctx context.Context, p txnProducer, parts []topicPartition, implicit bool) []int16 {
	codes := make([]int16, len(parts))
	producer := txn.Producer{ID: p.id, Epoch: p.epoch}
	tps := make([]txn.Partition, len(parts))
	for i, part := range parts {
		tps[i] = txn.Partition{Topic: part.topic, Partition: part.partition}
	}
	if implicit {
		a := s.answer(ctx, s.ask(func(now time.Time, c *txn.Coordinator, tk txn.Ticket) {
			c.Add(now, tk, p.txnID, producer, tps, nil)
		}))
		for i := range codes {
			codes[i] = produceCode(a.Code)
		}
		return codes
	}
	s.do(func(_ time.Time, c *txn.Coordinator) {
		for i := range tps {
			codes[i] = produceCode(c.Verify(p.txnID, producer, &tps[i], ""))
		}
	})
	return codes
}

// produceCode is the code for Produce and TxnOffsetCommit, whose clients know the epoch error only.
func produceCode(code txn.Code) int16 {
	if code == txn.ProducerFenced {
		code = txn.InvalidProducerEpoch
	}
	return int16(code)
}

func handleEndTxn(b *Broker, r *request) reply {
	req := r.body.(*kmsg.EndTxnRequest)
	s := b.transactions
	if code := r.txnID(kmsg.ACLOperationWrite, req.TransactionalID); code != errNone {
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = code, -1, -1
		return ready(resp)
	}
	p := txn.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}
	bump := req.Version >= 5
	ch := s.ask(func(now time.Time, c *txn.Coordinator, tk txn.Ticket) {
		c.End(now, tk, req.TransactionalID, p, req.Commit, bump)
	})
	return later(func(ctx context.Context) kmsg.Response {
		a := s.answer(ctx, ch)
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = txnCode(a.Code, req.Version, 2)
		resp.ProducerID, resp.ProducerEpoch = a.Producer.ID, a.Producer.Epoch
		return resp
	})
}

func handleAddOffsetsToTxn(b *Broker, r *request) reply {
	req := r.body.(*kmsg.AddOffsetsToTxnRequest)
	s := b.transactions
	code := r.txnID(kmsg.ACLOperationWrite, req.TransactionalID)
	if code == errNone {
		code = r.group(kmsg.ACLOperationRead, req.Group)
	}
	if code != errNone {
		resp := req.ResponseKind().(*kmsg.AddOffsetsToTxnResponse)
		resp.ErrorCode = code
		return ready(resp)
	}
	p := txn.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}
	ch := s.ask(func(now time.Time, c *txn.Coordinator, tk txn.Ticket) {
		c.Add(now, tk, req.TransactionalID, p, nil, []string{req.Group})
	})
	return later(func(ctx context.Context) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.AddOffsetsToTxnResponse)
		resp.ErrorCode = txnCode(s.answer(ctx, ch).Code, req.Version, 2)
		return resp
	})
}
