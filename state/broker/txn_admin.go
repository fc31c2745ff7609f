package broker

import (
	"regexp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/txn"
)

// errInvalidRegularExpression answers a pattern that cannot be parsed.
const errInvalidRegularExpression int16 = 128

func handleDescribeTransactions(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DescribeTransactionsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
	resp.TransactionStates = []kmsg.DescribeTransactionsResponseTransactionState{}
	for _, id := range req.TransactionalIDs {
		var d txn.Description
		if code := r.txnID(kmsg.ACLOperationDescribe, id); code != errNone {
			d = txn.Description{TransactionalID: id, Code: txn.Code(code), Producer: txn.Producer{ID: -1, Epoch: -1}}
		} else {
			b.transactions.do(func(_ time.Time, c *txn.Coordinator) { d = c.Describe(id) })
			d.Partitions = slices.DeleteFunc(d.Partitions, func(p txn.Partition) bool { return r.topic(kmsg.ACLOperationDescribe, p.Topic) != errNone })
		}
		resp.TransactionStates = append(resp.TransactionStates, describedTransaction(d))
	}
	return ready(resp)
}

func describedTransaction(d txn.Description) kmsg.DescribeTransactionsResponseTransactionState {
	s := kmsg.NewDescribeTransactionsResponseTransactionState()
	s.ErrorCode, s.TransactionalID = int16(d.Code), d.TransactionalID
	s.ProducerID, s.ProducerEpoch = d.Producer.ID, d.Producer.Epoch
	s.TimeoutMillis = int32(d.Timeout.Milliseconds())
	s.StartTimestamp = -1
	s.Topics = []kmsg.DescribeTransactionsResponseTransactionStateTopic{}
	if d.Code != txn.None {
		return s
	}
	s.State = d.State.String()
	if !d.Started.IsZero() {
		s.StartTimestamp = d.Started.UnixMilli()
	}
	for _, p := range d.Partitions { // sorted by topic
		if n := len(s.Topics); n == 0 || s.Topics[n-1].Topic != p.Topic {
			t := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
			t.Topic = p.Topic
			s.Topics = append(s.Topics, t)
		}
		t := &s.Topics[len(s.Topics)-1]
		t.Partitions = append(t.Partitions, p.Partition)
	}
	return s
}

func handleListTransactions(b *Broker, r *request) reply {
	req := r.body.(*kmsg.ListTransactionsRequest)
	resp := req.ResponseKind().(*kmsg.ListTransactionsResponse)
	resp.UnknownStateFilters = []string{}
	resp.TransactionStates = []kmsg.ListTransactionsResponseTransactionState{}
	known := map[string]bool{}
	for s := txn.Empty; s <= txn.CompleteAbort; s++ {
		known[s.String()] = true
	}
	for _, f := range req.StateFilters {
		if !known[f] {
			resp.UnknownStateFilters = append(resp.UnknownStateFilters, f)
		}
	}
	pattern, err := regexp.Compile("^(?:" + text(req.TransactionalIDPattern) + ")$")
	if err != nil {
		resp.ErrorCode = errInvalidRegularExpression
		return ready(resp)
	}
	var list []txn.Description
	var now time.Time
	b.transactions.do(func(t time.Time, c *txn.Coordinator) { now, list = t, c.List() })
	for _, d := range list {
		running := int64(-1)
		if !d.Started.IsZero() {
			running = now.Sub(d.Started).Milliseconds()
		}
		switch {
		case r.txnID(kmsg.ACLOperationDescribe, d.TransactionalID) != errNone,
			len(req.StateFilters) > 0 && !slices.Contains(req.StateFilters, d.State.String()),
			len(req.ProducerIDFilters) > 0 && !slices.Contains(req.ProducerIDFilters, d.Producer.ID),
			req.Version >= 1 && req.DurationFilterMillis >= 0 && running < req.DurationFilterMillis,
			text(req.TransactionalIDPattern) != "" && !pattern.MatchString(d.TransactionalID):
			continue
		}
		s := kmsg.NewListTransactionsResponseTransactionState()
		s.TransactionalID, s.ProducerID, s.TransactionState = d.TransactionalID, d.Producer.ID, d.State.String()
		resp.TransactionStates = append(resp.TransactionStates, s)
	}
	return ready(resp)
}
