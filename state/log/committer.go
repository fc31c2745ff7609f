package log

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// defaultSyncs is how many fdatasync calls run side by side; a disk queues them well, and one slow file must not hold the rest.
const defaultSyncs = 8

// Committer makes logs durable. All appends to one log that arrive while its previous fdatasync runs share the next one, so
// under load one disk flush releases many acknowledgements together (group commit). Use one committer per disk.
type Committer struct {
	mu      sync.Mutex
	ready   sync.Cond
	dirty   []*Log // guarded by mu; each log at most once
	closed  bool
	workers sync.WaitGroup
}

// NewCommitter starts a committer with that many parallel syncs; 0 takes the default of 8.
func NewCommitter(syncs int) *Committer {
	if syncs <= 0 {
		syncs = defaultSyncs
	}
	c := &Committer{}
	c.ready.L = &c.mu
	c.workers.Add(syncs)
	for range syncs {
		go c.run()
	}
	return c
}

// Close stops the committer after the syncs in progress. Close the logs first.
func (c *Committer) Close() {
	c.mu.Lock()
	c.closed = true
	c.ready.Broadcast()
	c.mu.Unlock()
	c.workers.Wait()
}

// mark asks for a sync of l that starts after now.
func (c *Committer) mark(l *Log) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.queued {
		l.syncAgain = true
		return
	}
	l.queued = true
	c.dirty = append(c.dirty, l)
	c.ready.Signal()
}

func (c *Committer) run() {
	defer c.workers.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for len(c.dirty) == 0 && !c.closed {
			c.ready.Wait()
		}
		if c.closed {
			return
		}
		l := c.dirty[0]
		c.dirty = c.dirty[1:]
		l.syncAgain = false // an append marked before the sync starts is covered by it
		c.mu.Unlock()
		_ = l.Sync() // a failure is kept by the log and told to every waiter
		c.mu.Lock()
		if l.syncAgain {
			c.dirty = append(c.dirty, l)
			c.ready.Signal()
		} else {
			l.queued = false
		}
	}
}

// flushDue reports whether the log asks for a sync after an append. Under FlushAsync it makes the append visible at once, and sees to it
// that it is synced in time if Options ask for that.
func (l *Log) flushDue() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opts.Flush == FlushAck {
		return true
	}
	l.advance(l.next)
	if n := l.opts.FlushRecords; n > 0 && l.next-l.durable >= n {
		return true
	}
	if d := l.opts.FlushInterval; d > 0 && l.flushTimer == nil && !l.closed {
		l.flushTimer = time.AfterFunc(d, l.flushLate)
	}
	return len(l.unsynced) > 0
}

// flushLate runs FlushInterval after the first append since the last time.
func (l *Log) flushLate() {
	l.mu.Lock()
	l.flushTimer = nil
	stopped := l.closed || l.failed != nil
	l.mu.Unlock()
	if !stopped {
		l.committer.mark(l)
	}
}

// Sync makes every batch appended so far durable and raises the high watermark to it.
func (l *Log) Sync() error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	l.mu.Lock()
	if l.closed || l.failed != nil {
		defer l.mu.Unlock()
		return l.failed
	}
	if l.durable == l.next && len(l.unsynced) == 0 && !l.dirDirty {
		l.mu.Unlock()
		return nil
	}
	target, dirDirty, pending := l.next, l.dirDirty, l.pending
	active, closed := l.active(), l.unsynced
	active.acquire()
	l.unsynced, l.pending, l.dirDirty = nil, nil, false
	l.mu.Unlock()

	err := l.syncFiles(append(closed, active), dirDirty)
	for _, s := range closed {
		s.release()
	}
	active.release()
	if err != nil {
		return l.fail(err)
	}
	for _, p := range pending {
		l.writeSnapshot(p)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.durable = max(l.durable, target)
	l.advance(target)
	return nil
}

func (l *Log) syncFiles(segs []*segment, dirDirty bool) error {
	for _, s := range segs {
		if err := datasync(s.file); err != nil {
			return fmt.Errorf("syncing segment %d: %w", s.base, err)
		}
	}
	if dirDirty {
		return syncDir(l.dir)
	}
	return nil
}

// syncDir makes file creations, renames and removals in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening folder to sync: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing folder: %w", err)
	}
	return nil
}

// writeFileSync replaces path so that a crash leaves the old or the new content, never a mixture.
func writeFileSync(dir, path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("creating %s: %w", tmp, err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", tmp, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	return syncDir(dir)
}
