package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Limits of what is fetched ahead of the readers.
const (
	queueBudget    = 64 << 20 // bytes of all queues of one source
	queueBytesMax  = 8 << 20  // bytes of one queue past which its partition gets no more credit
	queueBytesMin  = 256 << 10
	recordOverhead = 96 // bytes that a fetched record takes beside key and value, about
	stallTime      = 50 * time.Millisecond
	fetchMaxWait   = 500 * time.Millisecond // a partition that is opened or resumed may have to wait for a fetch under way
)

// dispatcher owns the client's polling: one goroutine spreads fetched records over the queues of the open partitions. A partition whose
// queue is full is paused as soon as another one would starve behind it, and resumed when half of its queue is read.
//
// Partitions are added and removed by the polling goroutine only, between two polls, so that no fetch made for an earlier assignment
// can reach the queue of a later one.
type dispatcher struct {
	client *kgo.Client
	stable bool          // readers stop at the last stable offset
	done   chan struct{} // closed when the goroutine has ended
	drain  chan struct{} // capacity 1; a queue has become empty or gained room

	mu       sync.Mutex
	wake     context.CancelFunc // guarded by mu; ends the poll under way
	commands []func()           // guarded by mu; to be run between two polls
	closed   bool               // guarded by mu

	queues map[partition]*queue // owned by the goroutine
}

func startDispatcher(client *kgo.Client, stable bool) *dispatcher {
	d := &dispatcher{client: client, stable: stable, done: make(chan struct{}), drain: make(chan struct{}, 1), queues: map[partition]*queue{}}
	go d.run()
	return d
}

// do runs f in the goroutine, between two polls, and waits for it. False when the dispatcher is closed.
func (d *dispatcher) do(f func()) bool {
	ran := make(chan struct{})
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return false
	}
	d.commands = append(d.commands, func() { f(); close(ran) })
	if d.wake != nil {
		d.wake()
	}
	d.mu.Unlock()
	select {
	case <-ran:
		return true
	case <-d.done:
		return false
	}
}

var errClosed = errors.New("kafka source is closed")

// open begins to fetch p; end is its end as known now.
func (d *dispatcher) open(p partition, at position, end int64) (*queue, error) {
	q := &queue{dispatch: d, part: p, notify: make(chan struct{}, 1), end: end, high: end, behind: at.next}
	taken := false
	ok := d.do(func() {
		if taken = d.queues[p] != nil; taken {
			return
		}
		d.queues[p] = q
		d.assign(p, at)
		d.share()
	})
	switch {
	case !ok:
		return nil, errClosed
	case taken:
		return nil, fmt.Errorf("%s is being read already", p)
	}
	return q, nil
}

func (d *dispatcher) assign(p partition, at position) {
	offset := kgo.NewOffset().At(at.next).WithEpoch(at.epoch)
	d.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{p.topic: {p.id: offset}})
}

func (d *dispatcher) unassign(p partition) {
	one := map[string][]int32{p.topic: {p.id}}
	d.client.RemoveConsumePartitions(one)
	d.client.ResumeFetchPartitions(one)
}

// share divides the budget among the queues.
func (d *dispatcher) share() {
	limit := min(queueBytesMax, max(queueBytesMin, queueBudget/max(1, len(d.queues))))
	for _, q := range d.queues {
		q.mu.Lock()
		q.limit = limit
		q.mu.Unlock()
	}
}

// release stops fetching the partition of q.
func (d *dispatcher) release(q *queue) {
	d.do(func() {
		if d.queues[q.part] == q {
			delete(d.queues, q.part)
			d.unassign(q.part)
			d.share()
		}
	})
}

// restart fetches the partition of q again, from another place.
func (d *dispatcher) restart(q *queue, at position) {
	d.do(func() {
		q.clear()
		d.unassign(q.part)
		d.assign(q.part, at)
	})
}

func (d *dispatcher) close() {
	d.mu.Lock()
	d.closed = true
	if d.wake != nil {
		d.wake()
	}
	d.mu.Unlock()
	<-d.done
}

func (d *dispatcher) run() {
	defer close(d.done)
	for {
		ctx, ok := d.runCommands()
		if !ok {
			for _, q := range d.queues {
				q.fail(fetchError{err: errClosed})
			}
			return
		}
		if d.throttle(ctx) {
			d.spread(d.client.PollFetches(ctx))
		}
	}
}

// runCommands runs what do has asked for and returns the context of the next poll; false when the dispatcher is closed.
func (d *dispatcher) runCommands() (context.Context, bool) {
	d.mu.Lock()
	if d.wake != nil {
		d.wake()
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.wake = cancel
	commands := d.commands
	d.commands = nil
	closed := d.closed
	d.mu.Unlock()
	if closed {
		cancel()
		return nil, false
	}
	for _, f := range commands {
		f()
	}
	return ctx, true
}

// throttle holds back the next poll while queues are full, so that the client's own buffer holds back the brokers, which costs nothing.
// Full queues are paused instead, which costs what was fetched of them meanwhile, when an empty one has records waiting at the broker,
// and when nobody reads for a while: then others may have new records that must not wait. False when ctx ended.
func (d *dispatcher) throttle(ctx context.Context) bool {
	var stall <-chan time.Time
	for {
		full, starving := false, false
		for _, q := range d.queues {
			f, s := q.load()
			full, starving = full || f, starving || s
		}
		if !full {
			return true
		}
		if starving {
			d.pauseFull()
			return true
		}
		if stall == nil {
			stall = time.After(stallTime)
		}
		select {
		case <-ctx.Done():
			return false
		case <-d.drain:
			stall = nil
		case <-stall:
			d.pauseFull()
			return true
		}
	}
}

func (d *dispatcher) pauseFull() {
	for _, q := range d.queues {
		q.pauseIfFull()
	}
}

// spread hands what a poll brought to the queues.
func (d *dispatcher) spread(fetches kgo.Fetches) {
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		q := d.queues[partition{f.Topic, f.Partition}]
		if q == nil {
			return // the error of the poll itself: its context ended
		}
		var loss *kgo.ErrDataLoss
		switch {
		case f.Err == nil:
		case errors.As(f.Err, &loss):
			d.stop(q, fetchError{err: f.Err, lost: true, resume: loss.ResetTo})
			return
		case errors.Is(f.Err, kerr.OffsetOutOfRange):
			d.stop(q, fetchError{err: f.Err, lost: true, resume: noBound})
			return
		case !kerr.IsRetriable(f.Err) || errors.Is(f.Err, kerr.UnknownTopicOrPartition) || errors.Is(f.Err, kerr.UnknownTopicID):
			d.stop(q, fetchError{err: f.Err})
			return
		}
		q.push(f.FetchPartition)
	})
}

// stop gives a partition up until its reader decides.
func (d *dispatcher) stop(q *queue, err fetchError) {
	d.unassign(q.part)
	q.fail(err)
}

// fetchError ends a queue. lost: the records to be read next do not exist; resume is where the log is known to have been cut, if it is.
type fetchError struct {
	err    error
	lost   bool
	resume int64
}

// queue is what was fetched of one partition and is not read yet. The dispatcher pushes, one reader takes.
type queue struct {
	dispatch *dispatcher
	part     partition
	notify   chan struct{} // capacity 1; something for the reader has changed

	mu     sync.Mutex
	chunks []chunk    // guarded by mu; bounded by limit and one fetch
	bytes  int        // guarded by mu; of chunks
	limit  int        // guarded by mu
	paused bool       // guarded by mu
	end    int64      // guarded by mu; end of what may be read: last stable offset or high watermark of the last fetch
	high   int64      // guarded by mu; high watermark of the last fetch
	behind int64      // guarded by mu; offset behind the last record ever pushed
	failed fetchError // guarded by mu
}

type chunk struct {
	records []*kgo.Record
	bytes   int
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (q *queue) push(f kgo.FetchPartition) {
	bytes := 0
	for _, r := range f.Records {
		bytes += len(r.Key) + len(r.Value) + recordOverhead
	}
	q.mu.Lock()
	if len(f.Records) > 0 {
		q.chunks = append(q.chunks, chunk{f.Records, bytes})
		q.bytes += bytes
		q.behind = f.Records[len(f.Records)-1].Offset + 1
	}
	if f.HighWatermark >= 0 {
		q.high, q.end = f.HighWatermark, f.HighWatermark
	}
	if f.LastStableOffset >= 0 && q.dispatch.stable {
		q.end = f.LastStableOffset
	}
	q.mu.Unlock()
	signal(q.notify)
}

func (q *queue) fail(err fetchError) {
	q.mu.Lock()
	q.failed = err
	q.mu.Unlock()
	signal(q.notify)
}

func (q *queue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.chunks, q.bytes, q.failed, q.paused = nil, 0, fetchError{}, false
}

// load tells whether the queue is full, and whether it is empty although the broker has records for it.
func (q *queue) load() (full, starving bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes >= q.limit && !q.paused, len(q.chunks) == 0 && q.behind < q.end
}

// The client is called with mu held, so that pause and resume reach it in the order in which paused changes.
func (q *queue) pauseIfFull() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes >= q.limit && !q.paused {
		q.paused = true
		q.dispatch.client.PauseFetchPartitions(map[string][]int32{q.part.topic: {q.part.id}})
	}
}

// take returns the oldest records, if any.
func (q *queue) take() []*kgo.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.chunks) == 0 {
		return nil
	}
	c := q.chunks[0]
	q.chunks[0] = chunk{}
	q.chunks = q.chunks[1:]
	q.bytes -= c.bytes
	if q.paused && q.bytes < q.limit/2 {
		q.paused = false
		q.dispatch.client.ResumeFetchPartitions(map[string][]int32{q.part.topic: {q.part.id}})
	}
	signal(q.dispatch.drain)
	return c.records
}

// state returns the ends last heard of, and why fetching ended if it did; empty tells whether nothing is queued.
func (q *queue) state() (end, high int64, failed fetchError, empty bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.end, q.high, q.failed, len(q.chunks) == 0
}
