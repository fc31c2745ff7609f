package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/txn"
)

// errOperationNotAttempted is for the good partitions of a request that fails because of others.
const errOperationNotAttempted int16 = 55

// addition is one transaction's part of an AddPartitionsToTxn request.
type addition struct {
	id       string
	producer txn.Producer
	verify   bool // check only, as brokers do for producers
	parts    []txn.Partition
	codes    []*int16 // parallel to parts: where the answers go
	ch       <-chan txn.Action
}

// add takes one partition.
func (a *addition) add(topic string, partition int32, code *int16) {
	a.parts = append(a.parts, txn.Partition{Topic: topic, Partition: partition})
	a.codes = append(a.codes, code)
}

// start asks the coordinator, or answers at once: if a partition does not exist none is added.
func (a *addition) start(r *request, refuse int16) {
	b := r.conn.broker
	if refuse == errNone {
		refuse = r.txnID(kmsg.ACLOperationWrite, a.id)
	}
	if refuse != errNone {
		for _, code := range a.codes {
			*code = refuse
		}
		return
	}
	missing := false
	for i, p := range a.parts {
		*a.codes[i] = errOperationNotAttempted
		if code := r.topic(kmsg.ACLOperationWrite, p.Topic); code != errNone {
			*a.codes[i] = code
			missing = true
			continue
		}
		if _, err := b.lookup(p.Topic, p.Partition); err != nil {
			*a.codes[i] = errUnknownTopicOrPartition
			missing = true
		}
	}
	switch {
	case missing:
	case a.verify:
		b.transactions.do(func(_ time.Time, c *txn.Coordinator) {
			for i := range a.parts {
				*a.codes[i] = produceCode(c.Verify(a.id, a.producer, &a.parts[i], ""))
			}
		})
	default:
		a.ch = b.transactions.ask(func(now time.Time, c *txn.Coordinator, tk txn.Ticket) {
			c.Add(now, tk, a.id, a.producer, a.parts, nil)
		})
	}
}

// finish waits for the answer.
func (a *addition) finish(ctx context.Context, b *Broker, version int16) {
	if a.ch == nil {
		return
	}
	code := txnCode(b.transactions.answer(ctx, a.ch).Code, version, 2)
	for i := range a.codes {
		*a.codes[i] = code
	}
}

func handleAddPartitionsToTxn(b *Broker, r *request) reply {
	req := r.body.(*kmsg.AddPartitionsToTxnRequest)
	resp := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
	resp.Topics = []kmsg.AddPartitionsToTxnResponseTopic{}
	resp.Transactions = []kmsg.AddPartitionsToTxnResponseTransaction{}
	var adds []*addition
	if req.Version < 4 {
		adds = append(adds, singleAddition(req, resp))
	} else {
		adds = batchedAdditions(req, resp)
	}
	refuse := errNone
	if req.Version >= 4 { // between brokers only
		refuse = r.cluster(kmsg.ACLOperationClusterAction)
		resp.ErrorCode = refuse
	}
	for _, a := range adds {
		a.start(r, refuse)
	}
	return later(func(ctx context.Context) kmsg.Response {
		for _, a := range adds {
			a.finish(ctx, b, req.Version)
		}
		return resp
	})
}

func singleAddition(req *kmsg.AddPartitionsToTxnRequest, resp *kmsg.AddPartitionsToTxnResponse) *addition {
	a := &addition{id: req.TransactionalID, producer: txn.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}}
	for _, t := range req.Topics {
		rt := kmsg.NewAddPartitionsToTxnResponseTopic()
		rt.Topic = t.Topic
		rt.Partitions = make([]kmsg.AddPartitionsToTxnResponseTopicPartition, len(t.Partitions))
		for i, p := range t.Partitions {
			rt.Partitions[i].Partition = p
			a.add(t.Topic, p, &rt.Partitions[i].ErrorCode)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return a
}

func batchedAdditions(req *kmsg.AddPartitionsToTxnRequest, resp *kmsg.AddPartitionsToTxnResponse) []*addition {
	var adds []*addition
	for _, x := range req.Transactions {
		a := &addition{
			id: x.TransactionalID, producer: txn.Producer{ID: x.ProducerID, Epoch: x.ProducerEpoch}, verify: x.VerifyOnly,
		}
		rx := kmsg.NewAddPartitionsToTxnResponseTransaction()
		rx.TransactionalID = x.TransactionalID
		rx.Topics = []kmsg.AddPartitionsToTxnResponseTransactionTopic{}
		for _, t := range x.Topics {
			rt := kmsg.NewAddPartitionsToTxnResponseTransactionTopic()
			rt.Topic = t.Topic
			rt.Partitions = make([]kmsg.AddPartitionsToTxnResponseTransactionTopicPartition, len(t.Partitions))
			for i, p := range t.Partitions {
				rt.Partitions[i].Partition = p
				a.add(t.Topic, p, &rt.Partitions[i].ErrorCode)
			}
			rx.Topics = append(rx.Topics, rt)
		}
		resp.Transactions = append(resp.Transactions, rx)
		adds = append(adds, a)
	}
	return adds
}
