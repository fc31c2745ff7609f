package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/log"
)

// oldestProduce is the first version with the record format stored here; older ones are advertised only (see dispatchTable).
const oldestProduce = 3

// maxProduceWait bounds the time an acknowledgement waits for the disk, whatever the client asks for.
const maxProduceWait = 2 * time.Minute

// produceCall carries one Produce request from append to acknowledgement.
type produceCall struct {
	broker  *Broker
	from    *request // for authorization, while the handler runs
	req     *kmsg.ProduceRequest
	resp    *kmsg.ProduceResponse
	waiting []produceWait
	denied  map[*partition]int16 // by the transaction coordinator
	begins  map[*partition]int64 // where a transaction begins: the end of the log when the coordinator was asked
}

// produceWait is an appended batch and the place its outcome goes to.
type produceWait struct {
	ticket           ticket
	topic, partition int // indexes into the response
}

// handleProduce appends every batch at once, in request order, and acknowledges when they are durable as far as acks and the topic
// ask for it.
func handleProduce(b *Broker, r *request) reply {
	req := r.body.(*kmsg.ProduceRequest)
	c := &produceCall{broker: b, from: r, req: req, resp: req.ResponseKind().(*kmsg.ProduceResponse)}
	refuse := errNone
	switch {
	case req.Version < oldestProduce:
		refuse = errUnsupportedVersion
	case req.Acks < -1 || req.Acks > 1:
		refuse = errInvalidRequiredAcks
	}
	if refuse == errNone {
		refuse = c.admitTransaction()
	}
	c.resp.Topics = make([]kmsg.ProduceResponseTopic, 0, len(req.Topics))
	for i := range req.Topics {
		c.appendTopic(&req.Topics[i], refuse)
	}
	switch {
	case req.Acks == 0:
		return reply{}
	case req.Acks == 1 || len(c.waiting) == 0:
		return ready(c.resp)
	}
	c.req, c.from = nil, nil // the buffer behind it is reused when this handler returns
	timeout := min(max(time.Duration(req.TimeoutMillis)*time.Millisecond, time.Second), maxProduceWait)
	return later(func(context.Context) kmsg.Response { return c.await(timeout) })
}

func (c *produceCall) appendTopic(t *kmsg.ProduceRequestTopic, refuse int16) {
	rt := kmsg.NewProduceResponseTopic()
	rt.Topic, rt.TopicID = t.Topic, t.TopicID
	rt.Partitions = make([]kmsg.ProduceResponseTopicPartition, len(t.Partitions))
	top, parts := c.broker.findTopic(t.Topic, t.TopicID)
	if refuse == errNone && (top != nil || t.Topic != "") {
		refuse = c.from.topic(kmsg.ACLOperationWrite, topicName(top, t.Topic))
	}
	for i := range t.Partitions {
		rp := &rt.Partitions[i]
		rp.Default()
		rp.Partition, rp.BaseOffset, rp.LogAppendTime, rp.LogStartOffset = t.Partitions[i].Partition, -1, -1, -1
		rp.ErrorRecords = []kmsg.ProduceResponseTopicPartitionErrorRecord{}
		idx := int(rp.Partition)
		switch {
		case refuse != errNone:
			rp.ErrorCode = refuse
		case top == nil && c.req.Version >= 13:
			rp.ErrorCode = errUnknownTopicID
		case idx < 0 || idx >= len(parts):
			rp.ErrorCode = errUnknownTopicOrPartition
		case top.internal:
			rp.ErrorCode = errInvalidTopic
		default:
			c.appendBatch(parts[idx], t.Partitions[i].Records, rp, produceWait{topic: len(c.resp.Topics), partition: i})
		}
	}
	c.resp.Topics = append(c.resp.Topics, rt)
}

func (c *produceCall) appendBatch(p *partition, batch []byte, rp *kmsg.ProduceResponseTopicPartition, w produceWait) {
	count := &p.topic.count
	count.produces.Add(1)
	if rp.ErrorCode = c.denied[p]; rp.ErrorCode != errNone {
		count.failedProduces.Add(1)
		return
	}
	at, verified := c.begins[p]
	res, err := p.log.Append(batch, log.AppendOptions{LeaderEpoch: leaderEpoch, Keyed: true, TxnVerified: verified, VerifiedAt: at})
	c.broker.noteDisk(err)
	if err != nil {
		rp.ErrorCode, rp.ErrorMessage = errorCode(err), errorMessage(err)
		count.failedProduces.Add(1)
		return
	}
	if !res.Duplicate {
		count.messagesIn.Add(res.Last - res.First + 1)
		count.bytesIn.Add(int64(len(batch)))
	}
	rp.BaseOffset, rp.LogAppendTime, rp.LogStartOffset = res.First, res.TimestampMs, p.log.StartOffset()
	c.broker.count.batches.Add(1)
	w.ticket = ticket{p.log, res.First, res.Last}
	c.waiting = append(c.waiting, w)
}

// await waits for all appended batches and returns the response.
func (c *produceCall) await(timeout time.Duration) kmsg.Response {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	for _, w := range c.waiting {
		if err := w.ticket.wait(ctx); err != nil {
			rp := &c.resp.Topics[w.topic].Partitions[w.partition]
			rp.ErrorCode, rp.BaseOffset = errorCode(err), -1
			rp.ErrorMessage = errorMessage(fmt.Errorf("waiting for the disk: %w", err))
		}
	}
	return c.resp
}

// admitTransaction asks the coordinator about every partition where a transactional batch would start. The result is an error for
// the whole request, or errNone with the single refusals in denied.
func (c *produceCall) admitTransaction() int16 {
	var (
		from  txnProducer
		parts []topicPartition
		logs  []*partition
	)
	for i := range c.req.Topics {
		t := &c.req.Topics[i]
		top, ps := c.broker.findTopic(t.Topic, t.TopicID)
		if top != nil && c.from.topic(kmsg.ACLOperationWrite, top.name) != errNone {
			continue // refused by appendTopic, and must not join the transaction
		}
		for j := range t.Partitions {
			h, err := log.ParseHeader(t.Partitions[j].Records)
			idx := int(t.Partitions[j].Partition)
			if err != nil || !h.Transactional() || idx < 0 || idx >= len(ps) {
				continue // malformed ones are refused by the append
			}
			if c.req.TransactionID == nil {
				return errInvalidRequest
			}
			if code := c.from.txnID(kmsg.ACLOperationWrite, *c.req.TransactionID); code != errNone {
				return code
			}
			from = txnProducer{*c.req.TransactionID, h.ProducerID, h.ProducerEpoch}
			if ps[idx].log.InTransaction(h.ProducerID, h.ProducerEpoch) {
				continue
			}
			if c.begins == nil {
				c.begins = map[*partition]int64{}
			}
			c.begins[ps[idx]] = ps[idx].log.EndOffset()
			parts = append(parts, topicPartition{top.name, int32(idx)})
			logs = append(logs, ps[idx])
		}
	}
	if len(parts) == 0 {
		return errNone
	}
	if c.broker.txns == nil {
		return errCoordinatorNotAvailable
	}
	c.denied = make(map[*partition]int16, len(parts))
	for i, code := range c.broker.txns.admitPartitions(c.broker.ctx, from, parts, c.req.Version >= 12) {
		c.denied[logs[i]] = code
	}
	return errNone
}
