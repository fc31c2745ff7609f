package broker

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/millrace/millrace/state/log"
)

// Sizes of journals.
const (
	// maxJournalBatchBytes bounds the records of several appends written as one batch. A single append may exceed it.
	maxJournalBatchBytes = 512 << 10
	// journalGarbage is how many records beyond twice the live ones a journal gathers before it is compacted.
	journalGarbage = 100_000
	// snapshotBatchRecords is how many records of a snapshot go in one batch.
	snapshotBatchRecords = 1000
)

// internalTopicConfig is the configuration of the coordinators' topics. An append is one batch whatever its size, for it is atomic.
func internalTopicConfig() map[string]string {
	return map[string]string{"cleanup.policy": "compact", "flush.policy": "ack", "max.message.bytes": "104857600", "segment.bytes": "16777216"}
}

// journal writes the appends of one coordinator to its topic, in the order they were handed over, and reports them in that order
// once they are durable. Appends that arrive while one is being synced go together in the next batch.
//
// The queue needs no bound of its own: each entry belongs to a request in progress, and those are bounded.
type journal struct {
	b  *Broker
	tp topicPartition
	// report is called on the journal's goroutine, without its lock.
	report func(ids []uint64, ok bool)

	mu      sync.Mutex
	records int            // guarded by mu; in the topic, about
	queue   []journalEntry // guarded by mu
	stopped bool           // guarded by mu
	wake    chan struct{}  // holds a token when there is something to do
	done    chan struct{}  // closed when the goroutine has ended
	failed  bool           // an append failed: all after it fail too, since the log must not have gaps. Journal goroutine only
}

// journalEntry is one append.
type journalEntry struct {
	id       uint64
	records  []log.Record
	snapshot bool // takes the place of everything before it; not reported
}

// startJournal goes on after replay found so many records.
func startJournal(b *Broker, tp topicPartition, records int, report func(ids []uint64, ok bool)) *journal {
	j := &journal{b: b, tp: tp, records: records, report: report, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go j.run()
	return j
}

// enqueue hands over an append; id comes back through report.
func (j *journal) enqueue(id uint64, records []log.Record) {
	j.mu.Lock()
	j.queue = append(j.queue, journalEntry{id: id, records: records})
	j.records += len(records)
	j.mu.Unlock()
	j.poke()
}

// needsSnapshot says whether most of the topic is garbage, given how many records matter.
func (j *journal) needsSnapshot(live int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.records > 2*live+journalGarbage
}

// compact hands over a snapshot of all that was handed over before.
func (j *journal) compact(records []log.Record) {
	j.mu.Lock()
	j.queue = append(j.queue, journalEntry{records: records, snapshot: true})
	j.records = len(records)
	j.mu.Unlock()
	j.poke()
}

func (j *journal) poke() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// stop writes what is queued and ends the goroutine. What is handed over later is never written nor reported.
func (j *journal) stop() {
	j.mu.Lock()
	j.stopped = true
	j.mu.Unlock()
	j.poke()
	<-j.done
}

func (j *journal) run() {
	defer close(j.done)
	for range j.wake {
		for {
			ids, e := j.take()
			if e.snapshot {
				j.writeSnapshot(e.records)
				continue
			}
			if len(ids) == 0 {
				break
			}
			j.report(ids, j.write(e.records))
		}
		j.mu.Lock()
		stopped := j.stopped
		j.mu.Unlock()
		if stopped {
			return
		}
	}
}

// take removes the appends of the next batch, or a snapshot, from the queue.
func (j *journal) take() (ids []uint64, batch journalEntry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	size := 0
	for len(j.queue) > 0 {
		e := j.queue[0]
		if e.snapshot {
			if len(ids) == 0 {
				batch = e
				j.queue = j.queue[1:]
			}
			break
		}
		for i := range e.records {
			size += len(e.records[i].Key) + len(e.records[i].Value)
		}
		if len(ids) > 0 && size > maxJournalBatchBytes {
			break
		}
		ids = append(ids, e.id)
		batch.records = append(batch.records, e.records...)
		j.queue = j.queue[1:]
	}
	return ids, batch
}

// pause waits a moment. false: the journal is to stop.
func (j *journal) pause() bool {
	select {
	case <-time.After(journalRetry):
	case <-j.b.ctx.Done():
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.stopped
}

// writeSnapshot appends a snapshot and, once it is durable, drops what it replaces. Cut short by a crash it does no harm: it repeats
// what replay knows by then.
func (j *journal) writeSnapshot(records []log.Record) {
	if j.failed {
		return
	}
	if err := j.replaceBefore(records); err != nil {
		j.b.opts.Logger.Error("compacting coordinator journal failed", "topic", j.tp.topic, "error", err)
	}
}

func (j *journal) replaceBefore(records []log.Record) error {
	p, err := j.b.lookup(j.tp.topic, j.tp.partition)
	if err != nil {
		return err
	}
	start := p.log.EndOffset()
	for len(records) > 0 {
		n := min(len(records), snapshotBatchRecords)
		t, err := j.b.appendRecords(j.tp, records[:n], log.BatchOptions{})
		if errors.Is(err, log.ErrDiskFull) {
			return fmt.Errorf("writing snapshot: %w", err) // what is written repeats what is known: no harm, the next one begins anew
		}
		if err == nil {
			err = t.wait(j.b.ctx)
		}
		if err != nil {
			j.failed = true
			return fmt.Errorf("writing snapshot: %w", err)
		}
		records = records[n:]
	}
	if _, err := p.log.DeleteBefore(start); err != nil {
		return fmt.Errorf("dropping what the snapshot replaces: %w", err)
	}
	return nil
}

// journalRetry is the pause before an append that found the disk full is tried again.
const journalRetry = 200 * time.Millisecond

// write makes one batch durable. While the disk is full it waits: a failure would be for good, and those who wait for the answer can
// give up by themselves.
func (j *journal) write(records []log.Record) bool {
	if j.failed {
		return false
	}
	t, err := j.b.appendRecords(j.tp, records, log.BatchOptions{})
	for errors.Is(err, log.ErrDiskFull) && j.pause() {
		j.b.noteDisk(err)
		t, err = j.b.appendRecords(j.tp, records, log.BatchOptions{})
	}
	j.b.noteDisk(err)
	if err == nil {
		err = t.wait(j.b.ctx)
	}
	if err != nil {
		j.failed = true
		j.b.opts.Logger.Error("coordinator journal failed", "topic", j.tp.topic, "error", err)
	}
	return err == nil
}
