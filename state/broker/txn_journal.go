package broker

import (
	"sync"

	"github.com/millrace/millrace/state/log"
)

// maxJournalBatchBytes bounds the records of several appends written as one batch. A single append may exceed it.
const maxJournalBatchBytes = 512 << 10

// internalTopicConfig is the configuration of the coordinators' topics. An append is one batch whatever its size, for it is atomic.
func internalTopicConfig() map[string]string {
	return map[string]string{"cleanup.policy": "compact", "flush.policy": "ack", "max.message.bytes": "104857600"}
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
	queue   []journalEntry // guarded by mu
	stopped bool           // guarded by mu
	wake    chan struct{}  // holds a token when there is something to do
	done    chan struct{}  // closed when the goroutine has ended
	failed  bool           // an append failed: all after it fail too, since the log must not have gaps. Journal goroutine only
}

// journalEntry is one append.
type journalEntry struct {
	id      uint64
	records []log.Record
}

func startJournal(b *Broker, tp topicPartition, report func(ids []uint64, ok bool)) *journal {
	j := &journal{b: b, tp: tp, report: report, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go j.run()
	return j
}

// enqueue hands over an append; id comes back through report.
func (j *journal) enqueue(id uint64, records []log.Record) {
	j.mu.Lock()
	j.queue = append(j.queue, journalEntry{id, records})
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
			ids, records := j.take()
			if len(ids) == 0 {
				break
			}
			j.report(ids, j.write(records))
		}
		j.mu.Lock()
		stopped := j.stopped
		j.mu.Unlock()
		if stopped {
			return
		}
	}
}

// take removes the appends of the next batch from the queue.
func (j *journal) take() (ids []uint64, records []log.Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	size := 0
	for len(j.queue) > 0 {
		e := j.queue[0]
		for i := range e.records {
			size += len(e.records[i].Key) + len(e.records[i].Value)
		}
		if len(ids) > 0 && size > maxJournalBatchBytes {
			break
		}
		ids = append(ids, e.id)
		records = append(records, e.records...)
		j.queue = j.queue[1:]
	}
	return ids, records
}

// write makes one batch durable.
func (j *journal) write(records []log.Record) bool {
	if j.failed {
		return false
	}
	t, err := j.b.appendRecords(j.tp, records, log.BatchOptions{})
	if err == nil {
		err = t.wait(j.b.ctx)
	}
	if err != nil {
		j.failed = true
		j.b.opts.Logger.Error("coordinator journal failed", "topic", j.tp.topic, "error", err)
	}
	return err == nil
}
