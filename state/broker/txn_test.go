package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/log"
	"github.com/millrace/millrace/state/txn"
)

// crash opens a broker on a copy of the data as it is now, as a process killed at this moment leaves it.
func (n *node) crash() {
	n.t.Helper()
	n.crashAfter(func(string) error { return nil })
}

// crashAfter is crash with a change made to the copy.
func (n *node) crashAfter(change func(dir string) error) {
	n.t.Helper()
	dir := n.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(n.dir)); err != nil {
		n.t.Fatal(err)
	}
	if err := change(dir); err != nil {
		n.t.Fatal(err)
	}
	old := n.b
	n.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		old.Close(ctx)
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dir = dir
	n.open()
}

func (n *node) producer(id string, opts ...kgo.Opt) *kgo.Client {
	n.t.Helper()
	return n.client(append([]kgo.Opt{kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner())}, opts...)...)
}

// send produces one value in the transaction and waits for it to be in the log.
func send(ctx context.Context, t *testing.T, cl *kgo.Client, topic, value string) {
	t.Helper()
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatalf("producing %s: %v", value, err)
	}
}

func begin(t *testing.T, cl *kgo.Client) {
	t.Helper()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
}

func end(ctx context.Context, t *testing.T, cl *kgo.Client, how kgo.TransactionEndTry) {
	t.Helper()
	if err := cl.EndTransaction(ctx, how); err != nil {
		t.Fatalf("ending transaction: %v", err)
	}
}

// committed reads the topic as far as a reader of committed data gets, which is wherever the last record is.
func (n *node) committed(topic, last string) []string {
	n.t.Helper()
	ctx := testContext(n.t)
	cl := n.client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	var got []string
	for len(got) == 0 || got[len(got)-1] != last {
		got = append(got, poll(ctx, n.t, cl, 1)...)
	}
	return got
}

func (n *node) stable(topic string, want int64) {
	n.t.Helper()
	w, err := n.b.Watermarks(topic, 0)
	if err != nil || w.Stable != want {
		n.t.Fatalf("last stable offset of %s is %d, want %d (%+v, %v)", topic, w.Stable, want, w, err)
	}
}

func TestTxnCommitIsVisibleAbortIsNot(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	p := n.producer("x")
	begin(t, p)
	send(ctx, t, p, "t", "a")
	n.stable("t", 0)
	end(ctx, t, p, kgo.TryCommit)
	n.stable("t", 2)
	begin(t, p)
	send(ctx, t, p, "t", "b")
	end(ctx, t, p, kgo.TryAbort)
	n.stable("t", 4)
	begin(t, p)
	send(ctx, t, p, "t", "c")
	end(ctx, t, p, kgo.TryCommit)
	if got := fmt.Sprint(n.committed("t", "c")); got != "[a c]" {
		t.Fatalf("committed %s", got)
	}
}

func TestTxnSecondProducerFencesFirst(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	first := n.producer("x")
	begin(t, first)
	send(ctx, t, first, "t", "zombie")
	second := n.producer("x")
	begin(t, second)
	send(ctx, t, second, "t", "heir")
	if err := first.EndTransaction(ctx, kgo.TryCommit); !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch) {
		t.Fatalf("the first producer's commit: %v", err)
	}
	if err := first.ProduceSync(ctx, &kgo.Record{Topic: "t", Value: []byte("late")}).FirstErr(); err == nil {
		t.Fatal("the first producer can still write")
	}
	end(ctx, t, second, kgo.TryCommit)
	if got := fmt.Sprint(n.committed("t", "heir")); got != "[heir]" {
		t.Fatalf("committed %s", got)
	}
}

func TestTxnOpenAtCrashIsAborted(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	p := n.producer("x")
	begin(t, p)
	send(ctx, t, p, "t", "lost")
	n.crash()
	n.stable("t", 0)
	p = n.producer("x")
	begin(t, p)
	send(ctx, t, p, "t", "kept")
	n.stable("t", 2) // the aborted record and its marker
	end(ctx, t, p, kgo.TryCommit)
	if got := fmt.Sprint(n.committed("t", "kept")); got != "[kept]" {
		t.Fatalf("committed %s", got)
	}
}

func TestTxnTimeoutAborts(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	p := n.producer("x", kgo.TransactionTimeout(100*time.Millisecond))
	begin(t, p)
	send(ctx, t, p, "t", "slow")
	for {
		w, err := n.b.Watermarks("t", 0)
		if err != nil {
			t.Fatal(err)
		}
		if w.Stable == 2 {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatal("the transaction is still open")
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := p.EndTransaction(ctx, kgo.TryCommit); err == nil {
		t.Fatal("a transaction that timed out was committed")
	}
}

// TestTxnConsumeTransformProduce runs the loop of exactly-once processing over a group, through a crash.
func TestTxnConsumeTransformProduce(t *testing.T) {
	n := startNode(t)
	n.topic("in", 1)
	n.topic("out", 1)
	n.produce("in", 1, 0, 10)
	ctx := testContext(t)
	session := func() *kgo.GroupTransactSession {
		s, err := kgo.NewGroupTransactSession(
			kgo.SeedBrokers(InternalAddr), kgo.Dialer(n.dial), kgo.TransactionalID("copy"),
			kgo.ConsumerGroup("g"), kgo.ConsumeTopics("in"),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	step := func(s *kgo.GroupTransactSession, how kgo.TransactionEndTry) {
		fs := s.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatal(err)
		}
		if err := s.Begin(); err != nil {
			t.Fatal(err)
		}
		fs.EachRecord(func(r *kgo.Record) { s.Produce(ctx, &kgo.Record{Topic: "out", Value: r.Value}, nil) })
		if _, err := s.End(ctx, how); err != nil {
			t.Fatal(err)
		}
	}
	s := session()
	step(s, kgo.TryAbort)
	step(s, kgo.TryCommit)
	s.Close()
	n.crash()
	n.produce("in", 1, 10, 12)
	s = session()
	defer s.Close()
	step(s, kgo.TryCommit)
	got := n.committed("out", "11")
	if len(got) != 12 {
		t.Fatalf("out has %v, want each number once", got)
	}
}

// epochs is a sink as the engine has one: it keeps the number of its last epoch as a group offset, written in the transaction that
// writes the epoch's records, by bare requests without membership.
type epochs struct {
	t   *testing.T
	n   *node
	ctx context.Context
	cl  *kgo.Client
}

func newEpochs(ctx context.Context, t *testing.T, n *node) *epochs {
	t.Helper()
	return &epochs{t, n, ctx, n.producer("sink")}
}

// store puts the epoch's number into the open transaction.
func (e *epochs) store(epoch int64) {
	e.t.Helper()
	id, pe, err := e.cl.ProducerID(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = "sink", id, pe, "epochs"
	if resp, err := add.RequestWith(e.ctx, e.cl); err != nil || resp.ErrorCode != 0 {
		e.t.Fatalf("adding offsets: %v %v", resp, err)
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = "sink", id, pe, "epochs"
	req.Generation = -1
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic = "t"
	part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	part.Offset, part.Metadata = epoch, kmsg.StringPtr(fmt.Sprint("epoch ", epoch))
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(e.ctx, e.cl)
	if err != nil || resp.Topics[0].Partitions[0].ErrorCode != 0 {
		e.t.Fatalf("committing offsets: %v %v", resp, err)
	}
}

// last asks which epoch is committed; code is what a reader of stable offsets is told.
func (e *epochs) last() (epoch int64, code error) {
	e.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable = true
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = "epochs"
	topic := kmsg.NewOffsetFetchRequestGroupTopic()
	topic.Topic, topic.Partitions = "t", []int32{0}
	topic.TopicID = e.n.b.topicID("t")
	g.Topics = append(g.Topics, topic)
	req.Groups = append(req.Groups, g)
	resp, err := req.RequestWith(e.ctx, e.cl)
	if err != nil {
		e.t.Fatal(err)
	}
	p := resp.Groups[0].Topics[0].Partitions[0]
	return p.Offset, kerr.ErrorForCode(p.ErrorCode)
}

func (e *epochs) want(epoch int64, code error) {
	e.t.Helper()
	if got, err := e.last(); got != epoch || !errors.Is(err, code) {
		e.t.Fatalf("last epoch is %d (%v), want %d (%v)", got, err, epoch, code)
	}
}

// TestTxnEpochMarker crashes the broker before, during and after the commit of an epoch: after InitProducerId the stored number
// tells exactly whether the epoch's records are visible.
func TestTxnEpochMarker(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	e := newEpochs(ctx, t, n)
	e.want(-1, nil)
	begin(t, e.cl)
	send(ctx, t, e.cl, "t", "one")
	e.store(1)
	e.want(-1, kerr.UnstableOffsetCommit)
	end(ctx, t, e.cl, kgo.TryCommit)
	e.want(1, nil)

	begin(t, e.cl)
	send(ctx, t, e.cl, "t", "two, lost")
	e.store(2)
	n.crash() // before the commit
	e = newEpochs(ctx, t, n)
	e.want(-1, kerr.UnstableOffsetCommit)
	if _, _, err := e.cl.ProducerID(ctx); err != nil { // aborts
		t.Fatal(err)
	}
	e.want(1, nil)

	begin(t, e.cl)
	send(ctx, t, e.cl, "t", "two")
	e.store(2)
	end(ctx, t, e.cl, kgo.TryCommit)
	n.crash() // after the commit
	e = newEpochs(ctx, t, n)
	e.want(2, nil)
	if got := fmt.Sprint(n.committed("t", "two")); got != "[one two]" {
		t.Fatalf("committed %s", got)
	}
}

// TestTxnDecidedAtCrashIsFinished takes the markers away from a broker after the decision became durable: the next life writes them.
func TestTxnDecidedAtCrashIsFinished(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	e := newEpochs(ctx, t, n)
	begin(t, e.cl)
	send(ctx, t, e.cl, "t", "one")
	e.store(1)
	s := n.b.transactions
	s.mu.Lock()
	s.stopped = true // markers are not written any more, nothing is asked any more
	id, pe, err := e.cl.ProducerID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.c.End(time.Now(), s.next+1, "sink", txn.Producer{ID: id, Epoch: pe}, true, false)
	s.settle()
	s.mu.Unlock()
	s.journal.stop() // writes the decision
	n.crash()
	n.stable("t", 2)
	e = newEpochs(ctx, t, n)
	e.want(1, nil)
}

func TestTxnAdmin(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	p := n.producer("x")
	begin(t, p)
	send(ctx, t, p, "t", "a")
	adm := kadm.NewClient(n.client())
	list, err := adm.ListTransactions(ctx, nil, []string{"Ongoing"})
	if err != nil || len(list) != 1 || list["x"].State != "Ongoing" {
		t.Fatalf("transactions %v, %v", list, err)
	}
	d, err := adm.DescribeTransactions(ctx, "x", "y")
	if err != nil || !d["x"].Topics.Lookup("t", 0) || !errors.Is(d["y"].Err, kerr.TransactionalIDNotFound) {
		t.Fatalf("described %v, %v", d, err)
	}
	end(ctx, t, p, kgo.TryAbort)
	if d, err = adm.DescribeTransactions(ctx, "x"); err != nil || d["x"].State != "CompleteAbort" {
		t.Fatalf("described %v, %v", d, err)
	}
}

// TestTxnIntruderCannotBlockReaders writes into another producer's open transaction, as a hostile client would that knows its id.
func TestTxnIntruderCannotBlockReaders(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	ctx := testContext(t)
	p := n.producer("x")
	begin(t, p)
	send(ctx, t, p, "t", "a")
	id, epoch, err := p.ProducerID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	raw := dialRaw(t, n.b)
	produceRaw := func(o log.BatchOptions) int16 {
		req := kmsg.NewPtrProduceRequest()
		req.Version, req.Acks, req.TimeoutMillis = 9, -1, 5000
		rp := kmsg.NewProduceRequestTopicPartition()
		rp.Records = log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: []byte("intruder")}}, o)
		rt := kmsg.NewProduceRequestTopic()
		rt.Topic, rt.Partitions = "t", append(rt.Partitions, rp)
		req.Topics = append(req.Topics, rt)
		return ask[*kmsg.ProduceResponse](raw, req).Topics[0].Partitions[0].ErrorCode
	}
	if code := produceRaw(log.BatchOptions{Idempotent: true, ProducerID: id, ProducerEpoch: epoch, BaseSequence: 1}); code != errInvalidTxnState {
		t.Errorf("plain batch inside the transaction: code %d", code)
	}
	if code := produceRaw(log.BatchOptions{Idempotent: true, ProducerID: id, ProducerEpoch: epoch + 5}); code != errInvalidTxnState {
		t.Errorf("plain batch of a raised epoch: code %d", code)
	}
	end(ctx, t, p, kgo.TryCommit)
	n.stable("t", 2)
	if got := fmt.Sprint(n.committed("t", "a")); got != "[a]" {
		t.Errorf("committed %s", got)
	}
}
