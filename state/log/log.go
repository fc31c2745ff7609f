package log

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// Log is one replica of one partition.
//
// Lock order: compactMu → swapMu → appendMu → syncMu → mu → segment.indexMu. mu is held briefly and never across disk work, so readers do not wait
// for writers.
//
// Invariant: start ≤ hw ≤ next and durable ≤ next; under FlushAck also hw ≤ durable.
type Log struct {
	dir          string
	clock        func() time.Time
	committer    *Committer
	ownCommitter bool

	// compactMu lets one compaction run at a time; Close and Delete wait for it after setting stopping.
	compactMu sync.Mutex
	stopping  atomic.Bool
	// swapMu is held while segments are replaced or dropped, in memory and on disk.
	swapMu    sync.Mutex
	compacted compactedState          // guarded by swapMu
	steps     func(step string) error // tests end a compaction at a step as a crash would; nil otherwise

	// appendMu serialises writers and guards the state only they touch.
	appendMu  sync.Mutex
	producers map[int64]*producer

	// syncMu lets one fdatasync round run at a time.
	syncMu sync.Mutex

	mu         sync.RWMutex
	opts       Options    // guarded by mu
	segments   []*segment // guarded by mu; ascending base, never empty while open; the last one is active
	start      int64      // guarded by mu; first offset readers may ask for
	next       int64      // guarded by mu; offset of the next record (log end offset)
	durable    int64      // guarded by mu; everything below is on the disk
	hw         int64      // guarded by mu; everything below is visible
	unsynced   []*segment // guarded by mu; closed segments not yet fsynced, each holding a reference
	pending    []snapshotFile
	flushTimer *time.Timer // guarded by mu; runs while an append waits for FlushInterval
	dirDirty   bool        // guarded by mu; a file was created since the last directory fsync
	epochs     []epochEntry
	txns       txnState
	failed     error // guarded by mu; sticky
	closed     bool
	wake       chan struct{} // guarded by mu; closed at the next advance, nil while nobody waits
	watchers   map[*Watcher]struct{}
	queued     bool // guarded by Committer.mu
	syncAgain  bool // guarded by Committer.mu
}

// snapshotFile is an encoded checkpoint waiting until the data it describes are on the disk.
type snapshotFile struct {
	offset int64
	data   []byte
}

// Watermarks are the offsets of a log at one instant.
type Watermarks struct {
	Start         int64 // first offset still kept
	Stable        int64 // last stable offset: below it every transaction is decided
	HighWatermark int64 // below it everything is visible to readers
	End           int64 // offset of the next record
	LeaderEpoch   int32 // epoch of the last batch, -1 if there is none
}

// Open opens or creates the log in dir and recovers it.
func Open(dir string, opts Options) (*Log, error) {
	l := &Log{
		dir: dir, opts: opts.withDefaults(), committer: opts.Committer,
		producers: map[int64]*producer{}, watchers: map[*Watcher]struct{}{},
	}
	l.clock = l.opts.Now
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("creating log folder: %w", err)
	}
	if err := l.recover(); err != nil {
		l.dropSegments()
		return nil, fmt.Errorf("recovering log: %w", err)
	}
	if l.committer == nil {
		l.committer, l.ownCommitter = NewCommitter(1), true
	}
	return l, nil
}

// Dir is the folder of the log.
func (l *Log) Dir() string { return l.dir }

// SetOptions changes limits, retention and flush policy of a running log. The committer and the clock stay.
func (l *Log) SetOptions(opts Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	opts.Committer, opts.Now = l.opts.Committer, l.opts.Now
	l.opts = opts.withDefaults()
	if l.opts.Flush == FlushAsync {
		l.advance(l.next)
	}
}

// Options returns the options in force.
func (l *Log) Options() Options {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.opts
}

// Watermarks returns all offsets of the log at one instant.
func (l *Log) Watermarks() Watermarks {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return Watermarks{Start: l.start, Stable: l.stable(), HighWatermark: l.hw, End: l.next, LeaderEpoch: l.lastEpoch()}
}

// StartOffset is the first offset still kept.
func (l *Log) StartOffset() int64 { return l.Watermarks().Start }

// EndOffset is the offset the next record will get.
func (l *Log) EndOffset() int64 { return l.Watermarks().End }

// HighWatermark is the first offset readers may not see yet.
func (l *Log) HighWatermark() int64 { return l.Watermarks().HighWatermark }

// LastStableOffset is the first offset a read-committed reader may not see yet.
func (l *Log) LastStableOffset() int64 { return l.Watermarks().Stable }

// Size is the number of bytes in segment files.
func (l *Log) Size() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var n int64
	for _, s := range l.segments {
		n += s.size
	}
	return n
}

// Segments is the number of segment files.
func (l *Log) Segments() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.segments)
}

// Err is the error that stopped the log, or nil.
func (l *Log) Err() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.failed
}

// Close makes everything durable, writes a checkpoint and releases the files. Reads in progress finish. A second Close is a no-op.
func (l *Log) Close() error {
	l.stopping.Store(true)
	l.compactMu.Lock()
	defer l.compactMu.Unlock()
	l.appendMu.Lock()
	defer l.appendMu.Unlock()
	err := l.Sync()
	if errors.Is(err, ErrClosed) {
		return nil
	}
	if err == nil {
		err = l.checkpoint()
	}
	l.shut(ErrClosed)
	return err
}

// Delete closes the log without syncing and removes its folder.
func (l *Log) Delete() error {
	l.stopping.Store(true)
	l.compactMu.Lock()
	defer l.compactMu.Unlock()
	l.appendMu.Lock()
	defer l.appendMu.Unlock()
	l.shut(ErrClosed)
	l.syncMu.Lock() // a sync in progress may be writing a checkpoint into the folder; later ones see the log closed
	defer l.syncMu.Unlock()
	if err := os.RemoveAll(l.dir); err != nil {
		return fmt.Errorf("removing log folder: %w", err)
	}
	return nil
}

// shut marks the log closed, wakes every waiter and lets the files go.
func (l *Log) shut(reason error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.closed = true
	if l.flushTimer != nil {
		l.flushTimer.Stop()
	}
	if l.failed == nil {
		l.failed = reason
	}
	l.notify()
	l.mu.Unlock()
	l.dropSegments()
	if l.ownCommitter {
		l.committer.Close()
	}
}

func (l *Log) dropSegments() {
	l.mu.Lock()
	segs := append(l.segments, l.unsynced...)
	l.segments, l.unsynced = nil, nil
	l.mu.Unlock()
	for _, s := range segs {
		s.release()
	}
}

// fail stops the log for good: after a failed fsync the kernel may have dropped the dirty pages, so a retry would lie.
func (l *Log) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %w", ErrFailed, err)
		l.notify()
	}
	return l.failed
}

// active is the segment being written. Caller holds mu.
func (l *Log) active() *segment { return l.segments[len(l.segments)-1] }

// find returns the position in segments of the one holding offset. Caller holds mu and has checked offset ≥ start.
func (l *Log) find(offset int64) int {
	return max(0, sort.Search(len(l.segments), func(i int) bool { return l.segments[i].base > offset })-1)
}

// advance raises the high watermark and wakes waiters. Caller holds mu.
func (l *Log) advance(hw int64) {
	if hw <= l.hw {
		return
	}
	l.hw = hw
	l.txns.settle(hw)
	l.notify()
}

func (l *Log) nowMs() int64 { return l.clock().UnixMilli() }
