package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/group"
	"github.com/millrace/millrace/state/txn"
)

// implicitOffsetsVersion is the TxnOffsetCommit version from which the group joins the transaction by itself (KIP-890).
const implicitOffsetsVersion = 5

// txnCommit is a TxnOffsetCommit in progress.
type txnCommit struct {
	s        *txnService
	req      *kmsg.TxnOffsetCommitRequest
	producer txn.Producer
	oc       offsetsCommit
}

func handleTxnOffsetCommit(b *Broker, r *request) reply {
	req := r.body.(*kmsg.TxnOffsetCommitRequest)
	resp := req.ResponseKind().(*kmsg.TxnOffsetCommitResponse)
	resp.Topics = make([]kmsg.TxnOffsetCommitResponseTopic, len(req.Topics))
	t := &txnCommit{s: b.transactions, req: req, producer: txn.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}}
	refuse := r.txnID(kmsg.ACLOperationWrite, req.TransactionalID)
	if refuse == errNone {
		refuse = r.group(kmsg.ACLOperationRead, req.Group)
	}
	for i, topic := range req.Topics {
		rt := &resp.Topics[i]
		rt.Topic = topic.Topic
		rt.Partitions = make([]kmsg.TxnOffsetCommitResponseTopicPartition, len(topic.Partitions))
		for k, p := range topic.Partitions {
			rt.Partitions[k].Partition, rt.Partitions[k].ErrorCode = p.Partition, refuse
			if refuse == errNone {
				rt.Partitions[k].ErrorCode = r.topic(kmsg.ACLOperationRead, topic.Topic)
			}
			if rt.Partitions[k].ErrorCode != errNone {
				continue
			}
			t.oc.add(b, group.CommitOffset{
				TopicPartition: group.TopicPartition{Topic: topic.Topic, Partition: p.Partition},
				Offset:         p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: text(p.Metadata),
			}, &rt.Partitions[k].ErrorCode)
		}
	}
	if refuse != errNone {
		return ready(resp)
	}
	if req.Version >= implicitOffsetsVersion {
		added := t.s.ask(func(now time.Time, c *txn.Coordinator, tk txn.Ticket) {
			c.Add(now, tk, req.TransactionalID, t.producer, nil, []string{req.Group})
		})
		return later(func(ctx context.Context) kmsg.Response {
			if code := t.s.answer(ctx, added).Code; code != txn.None {
				t.refuse(code)
				return resp
			}
			t.finish(ctx, t.write())
			return resp
		})
	}
	ch := t.write()
	return later(func(ctx context.Context) kmsg.Response {
		t.finish(ctx, ch)
		return resp
	})
}

// write hands the offsets to the group coordinator if the transaction is open and includes the group. Both happen under the
// transaction service's lock, so that the end of the transaction cannot come in between. nil: refused.
func (t *txnCommit) write() (ch <-chan group.Action) {
	req := t.req
	cr := group.CommitRequest{
		Group: req.Group, MemberID: req.MemberID, InstanceID: text(req.InstanceID), Generation: req.Generation, Offsets: t.oc.offsets,
	}
	if req.Version < 3 {
		cr.Generation = -1
	}
	t.s.do(func(now time.Time, c *txn.Coordinator) {
		if code := c.Verify(req.TransactionalID, t.producer, nil, req.Group); code != txn.None {
			t.refuse(code)
			return
		}
		ch = t.s.b.groups.ask(func(now time.Time, c *group.Coordinator, tk group.Ticket) {
			c.CommitTxn(now, tk, t.producer.ID, cr)
		})
	})
	return ch
}

func (t *txnCommit) refuse(code txn.Code) {
	for _, c := range t.oc.codes {
		*c = produceCode(code)
	}
}

func (t *txnCommit) finish(ctx context.Context, ch <-chan group.Action) {
	if ch != nil {
		t.oc.finish(await[group.Action, group.CommitReply](ctx, ch))
	}
}
