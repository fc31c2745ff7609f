package broker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/state/log"
)

// crashRun is a broker process that is killed and started again and again under four clients that live through it: an idempotent
// producer to topic "plain", a transactional producer to topic "txn", a group reading "plain", and a group that copies "plain" to
// "copy" with each batch and its offsets in one transaction.
type crashRun struct {
	t    *testing.T
	addr atomic.Value // string; where the broker listens at the moment

	mu         sync.Mutex
	sent       int             // guarded by mu; records given to the idempotent producer are 0 to sent-1
	failed     []error         // guarded by mu; records it could not deliver
	outcome    map[int]outcome // guarded by mu; of each transaction
	committed  map[int32]int64 // guarded by mu; newest group offset acknowledged for each partition
	transacted map[outcome]int // guarded by mu
	copies     int             // transactions of the copying group; only its goroutine writes
	disturbed  int             // those of them before the last kill
}

// killsVariable, if set in the environment, is how many kills each test makes that counts them by kills.
const killsVariable = "MILLRACE_KILLS"

// kills is how often a test kills the broker: usual, a fifth of it in a short run, or what the environment asks for.
func kills(usual int) int {
	if n, err := strconv.Atoi(os.Getenv(killsVariable)); err == nil {
		return n
	}
	if testing.Short() {
		return max(usual/5, 2)
	}
	return usual
}

// outcome is what a producer knows of its transaction.
type outcome string

const (
	unknown   outcome = "unknown"
	committed outcome = "committed"
	aborted   outcome = "aborted"
)

// TestCrashesLoseNothing kills the broker's process at random moments under load. Afterwards every record is there exactly once and in
// order, every transaction whole or not at all, and committed offsets have never gone back.
func TestCrashesLoseNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := &crashRun{t: t, outcome: map[int]outcome{}, committed: map[int32]int64{}, transacted: map[outcome]int{}}
	dir := t.TempDir()
	v := startVictim(t, dir)
	r.addr.Store(v.addr)
	adm := kadm.NewClient(r.client())
	if _, err := adm.CreateTopics(testContext(t), 2, 1, nil, "plain", "txn", "copy"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for _, f := range []func(context.Context){r.producePlain, r.produceTxns, r.consumeGroup, r.copyRecords} {
		clients.Go(func() { f(ctx) })
	}
	for range kills(25) {
		time.Sleep(time.Duration(20+rnd.IntN(200)) * time.Millisecond)
		v.kill()
		before := r.acknowledged()
		v = startVictim(t, dir)
		r.addr.Store(v.addr)
		r.checkOffsets(adm, before)
	}
	stop()
	clients.Wait()
	r.copyRest(adm)
	before := r.acknowledged()
	r.checkOffsets(adm, before)
	v.kill()
	b := openBroker(t, dir)
	r.checkPlain(b)
	r.checkTxns(b)
	r.checkCopy(b)
	t.Logf("%d records, transactions %v, offsets %v, copied in %d transactions", r.sent, r.transacted, before, r.disturbed)
}

func (r *crashRun) client(opts ...kgo.Opt) *kgo.Client {
	cl, err := kgo.NewClient(append(r.options(), opts...)...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(cl.CloseAllowingRebalance)
	return cl
}

// options connect to whatever broker process runs at the moment.
func (r *crashRun) options() []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(InternalAddr),
		kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", r.addr.Load().(string))
		}),
		kgo.RetryBackoffFn(func(int) time.Duration { return 5 * time.Millisecond }),
		kgo.RequestRetries(10_000),
		kgo.MetadataMinAge(10 * time.Millisecond),
		kgo.ProducerLinger(time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}
}

// producePlain sends numbered records, even ones to partition 0, and at the end waits until all are acknowledged.
func (r *crashRun) producePlain(ctx context.Context) {
	cl := r.client(kgo.MaxBufferedRecords(500))
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	n := 0
	for ctx.Err() == nil {
		for range 10 {
			rec := &kgo.Record{Topic: "plain", Partition: int32(n % 2), Value: fmt.Append(nil, n)}
			cl.Produce(context.Background(), rec, func(_ *kgo.Record, err error) {
				if err != nil {
					r.mu.Lock()
					r.failed = append(r.failed, err)
					r.mu.Unlock()
				}
			})
			n++
		}
		<-pace.C
	}
	if err := cl.Flush(testContext(r.t)); err != nil {
		r.t.Errorf("records that are never acknowledged: %v", err)
	}
	r.mu.Lock()
	r.sent = n
	r.mu.Unlock()
}

// produceTxns writes a number to both partitions in each transaction and aborts every third. After an error, which leaves the outcome
// open, it goes on with a new client.
func (r *crashRun) produceTxns(ctx context.Context) {
	cl := r.client(kgo.TransactionalID("x"))
	for n := 0; ctx.Err() == nil; n++ {
		o, err := r.produceTxn(cl, n)
		r.mu.Lock()
		r.outcome[n] = o
		r.transacted[o]++
		r.mu.Unlock()
		if err != nil {
			r.t.Logf("transaction %d: %v", n, err)
			cl.Close()
			cl = r.client(kgo.TransactionalID("x"))
		}
	}
}

func (r *crashRun) produceTxn(cl *kgo.Client, n int) (outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := cl.BeginTransaction(); err != nil {
		return unknown, err
	}
	value := fmt.Append(nil, n)
	err := cl.ProduceSync(ctx, &kgo.Record{Topic: "txn", Value: value}, &kgo.Record{Topic: "txn", Partition: 1, Value: value}).FirstErr()
	how, done := kgo.TryCommit, committed
	if n%3 == 2 || err != nil {
		how, done = kgo.TryAbort, aborted
	}
	if err := cl.EndTransaction(ctx, how); err != nil {
		return unknown, err
	}
	return done, nil
}

// consumeGroup reads "plain" and commits what it has read.
func (r *crashRun) consumeGroup(ctx context.Context) {
	cl := r.client(kgo.ConsumeTopics("plain"), kgo.ConsumerGroup("g"), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(50*time.Millisecond))
	for ctx.Err() == nil {
		recs := cl.PollFetches(ctx).Records()
		if len(recs) == 0 || cl.CommitRecords(ctx, recs...) != nil {
			continue
		}
		r.mu.Lock()
		for _, rec := range recs {
			r.committed[rec.Partition] = max(r.committed[rec.Partition], rec.Offset+1)
		}
		r.mu.Unlock()
	}
}

// acknowledged copies the group offsets known to be committed.
func (r *crashRun) acknowledged() map[int32]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := map[int32]int64{}
	for p, o := range r.committed {
		m[p] = o
	}
	return m
}

func (r *crashRun) checkOffsets(adm *kadm.Client, atLeast map[int32]int64) {
	r.t.Helper()
	stored, err := adm.FetchOffsets(testContext(r.t), "g")
	if err != nil {
		r.t.Fatal(err)
	}
	for p, want := range atLeast {
		if o, ok := stored.Lookup("plain", p); !ok || o.At < want {
			r.t.Fatalf("committed offset of partition %d is %d, %d was acknowledged", p, o.At, want)
		}
	}
}

func (r *crashRun) checkPlain(b *Broker) {
	r.t.Helper()
	for _, err := range r.failed {
		r.t.Errorf("record not delivered: %v", err)
	}
	for p := range 2 {
		next := p
		part, err := b.lookup("plain", int32(p))
		if err != nil {
			r.t.Fatal(err)
		}
		err = part.log.Each(0, func(rec *log.Record) error {
			if want := fmt.Sprint(next); string(rec.Value) != want {
				return fmt.Errorf("record at offset %d is %s, want %s", rec.Offset, rec.Value, want)
			}
			next += 2
			return nil
		})
		if err != nil || next < r.sent {
			r.t.Errorf("partition %d ends before record %d of %d: %v", p, next, r.sent, err)
		}
	}
	if r.sent == 0 || r.transacted[committed] == 0 || r.transacted[aborted] == 0 || r.committed[0] == 0 || r.committed[1] == 0 {
		r.t.Errorf("the test tested nothing: %d records, transactions %v, offsets %v", r.sent, r.transacted, r.committed)
	}
}

// checkTxns reads both partitions as a reader of committed data does.
func (r *crashRun) checkTxns(b *Broker) {
	r.t.Helper()
	ctx := testContext(r.t)
	last := client(r.t, b, overTCP, kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	begin(r.t, last) // its client ends what is open
	for p := range int32(2) {
		if err := last.ProduceSync(ctx, &kgo.Record{Topic: "txn", Partition: p, Value: []byte("-1")}).FirstErr(); err != nil {
			r.t.Fatal(err)
		}
	}
	end(ctx, r.t, last, kgo.TryCommit)
	seen := [2]map[int]int{{}, {}}
	cl := client(r.t, b, overTCP, kgo.ConsumeTopics("txn"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	for seen[0][-1]+seen[1][-1] < 2 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			r.t.Fatal("reading committed transactions:", err)
		}
		fs.EachRecord(func(rec *kgo.Record) {
			var n int
			fmt.Sscan(string(rec.Value), &n)
			seen[rec.Partition][n]++
		})
	}
	for n, o := range r.outcome {
		a, b := seen[0][n], seen[1][n]
		if a != b || a > 1 || (o == committed && a != 1) || (o == aborted && a != 0) {
			r.t.Errorf("transaction %d, %s, is there %d and %d times", n, o, a, b)
		}
	}
}
