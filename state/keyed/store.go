package keyed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options are the settings of a store; the zero value works.
type Options struct {
	CacheBytes    int64 // block cache, bytes; default 32 MiB
	MemTableBytes int64 // one memtable, bytes; up to maxMemTables exist at once; default 16 MiB
	ChunkBytes    int   // largest Pebble batch; a larger epoch is applied in several; default 64 MiB
	OpenFiles     int   // open table files; default 500

	fs vfs.FS // tests put a faulty or crashing one here
}

const (
	// maxMemTables bounds memory: beyond it Apply waits for the flush.
	maxMemTables = 4
	// closeGrace is how long Close waits for calls that a failed disk may block for ever.
	closeGrace = 500 * time.Millisecond
)

func (o Options) withDefaults() Options {
	if o.CacheBytes <= 0 {
		o.CacheBytes = 32 << 20
	}
	if o.MemTableBytes <= 0 {
		o.MemTableBytes = 16 << 20
	}
	if o.ChunkBytes <= 0 {
		o.ChunkBytes = 64 << 20
	}
	if o.OpenFiles <= 0 {
		o.OpenFiles = 500
	}
	if o.fs == nil {
		o.fs = vfs.Default
	}
	return o
}

// Errors of a store.
var (
	// ErrTorn says that a crash left the first part of an epoch in the store. Applying that epoch again heals it; until then reads are refused.
	ErrTorn = errors.New("state holds part of an epoch; apply it again")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("state store is closed")
)

// Store is the checkpoint store of one job. Apply, Flush and Snapshot are serialised by the store; Get and Scan may run at any time and
// see the epochs applied so far. Close must come last.
type Store struct {
	opts  Options
	db    *pebble.DB
	fault *fault

	unflushed bool       // guarded by writing: something was written since the last flush
	writing   sync.Mutex // serialises Apply, Flush, Snapshot, DropOperator, Close; taken before mu

	mu      sync.Mutex
	epoch   uint64 // guarded by mu; durable ≤ epoch ≤ started
	started uint64 // guarded by mu
	durable uint64 // guarded by mu
	closed  bool   // guarded by mu
}

// Open opens the store in dir, making it when there is none.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{opts: o.withDefaults(), fault: newFault()}
	if err := s.opts.fs.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making state directory: %w", err)
	}
	err := s.fault.do(func() (err error) {
		o := s.pebbleOptions()
		defer o.Cache.Unref() // an open DB holds its own reference
		s.db, err = pebble.Open(dir, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening state in %s: %w", dir, err)
	}
	if err := s.loadEpochs(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading state epoch in %s: %w", dir, err), s.Close())
	}
	return s, nil
}

func (s *Store) pebbleOptions() *pebble.Options {
	fault := s.fault
	return &pebble.Options{
		Cache:                       pebble.NewCache(s.opts.CacheBytes),
		FS:                          s.opts.fs,
		DisableWAL:                  true,
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                uint64(s.opts.MemTableBytes),
		MemTableStopWritesThreshold: maxMemTables,
		MaxOpenFiles:                s.opts.OpenFiles,
		Logger:                      logger{fault},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) {
				if !errors.Is(err, pebble.ErrCancelledCompaction) {
					fault.set(err)
				}
			},
			DataCorruption: func(info pebble.DataCorruptionInfo) { fault.set(info.Details) },
		},
	}
}

func (s *Store) loadEpochs() (err error) {
	if s.epoch, err = s.getNumber(epochKey); err != nil {
		return err
	}
	s.durable = s.epoch
	s.started, err = s.getNumber(startedKey)
	s.started = max(s.started, s.epoch)
	return err
}

func (s *Store) getNumber(key []byte) (uint64, error) {
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	if len(value) != 8 {
		return 0, fmt.Errorf("epoch entry of %d bytes, want 8", len(value))
	}
	return binary.BigEndian.Uint64(value), nil
}

// Epoch returns the last epoch that was applied whole.
func (s *Store) Epoch() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// DurableEpoch returns the last epoch that a crash cannot take away.
func (s *Store) DurableEpoch() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable
}

// readable says whether reads make sense.
func (s *Store) readable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.started > s.epoch {
		return fmt.Errorf("epoch %d: %w", s.started, ErrTorn)
	}
	return nil
}

// Get appends the value of an entry to dst; found is false when there is none.
func (s *Store) Get(dst []byte, op uint64, table byte, group uint16, key []byte) (value []byte, found bool, err error) {
	if err := s.readable(); err != nil {
		return dst, false, err
	}
	v, closer, err := s.db.Get(AppendKey(nil, op, table, group, key))
	if errors.Is(err, pebble.ErrNotFound) {
		return dst, false, nil
	}
	if err != nil {
		return dst, false, fmt.Errorf("reading state: %w", err)
	}
	dst = append(dst, v...)
	return dst, true, closer.Close()
}

// Scan calls fn for the entries of one table of an operator in the key groups [groupFrom, groupTo), ordered by group, then key. The
// slices are valid during the call. It sees one point in time.
func (s *Store) Scan(op uint64, table byte, groupFrom, groupTo uint16, fn func(group uint16, key, value []byte) error) error {
	if err := s.readable(); err != nil {
		return err
	}
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: AppendKey(nil, op, table, groupFrom, nil),
		UpperBound: appendEnd(nil, op, table, uint32(groupTo)),
	})
	if err != nil {
		return fmt.Errorf("scanning state: %w", err)
	}
	err = scan(it, fn)
	if cerr := it.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("scanning state: %w", cerr)
	}
	return err
}

func scan(it *pebble.Iterator, fn func(group uint16, key, value []byte) error) error {
	for ok := it.First(); ok; ok = it.Next() {
		_, _, group, key, ok := splitKey(it.Key())
		if !ok {
			return fmt.Errorf("scanning state: key of %d bytes", len(it.Key()))
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("scanning state: %w", err)
		}
		if err := fn(group, key, value); err != nil {
			return err
		}
	}
	return it.Error()
}

// DropOperator removes all state of an operator. It is durable with the next Flush.
func (s *Store) DropOperator(op uint64) error {
	if op == metaOp {
		return errors.New("dropping operator 0: the id is reserved")
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.readable(); err != nil {
		return err
	}
	s.unflushed = true
	return s.fault.do(func() error {
		return s.db.DeleteRange(AppendKey(nil, op, 0, 0, nil), appendOpEnd(nil, op), pebble.NoSync)
	})
}

// Metrics is what a store reports of itself.
type Metrics struct {
	Epoch, DurableEpoch uint64
	DiskBytes           uint64
	MemTableBytes       uint64
	CacheBytes          int64
	CacheHits           int64
	CacheMisses         int64
	Flushes             int64
	Compactions         int64
	CompactionDebt      uint64 // bytes that compactions still have to rewrite
}

// Metrics returns the store's figures.
func (s *Store) Metrics() Metrics {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := Metrics{Epoch: s.epoch, DurableEpoch: s.durable}
	if s.closed {
		return m
	}
	p := s.db.Metrics()
	m.DiskBytes = p.DiskSpaceUsage()
	m.MemTableBytes = p.MemTable.Size
	m.CacheBytes, m.CacheHits, m.CacheMisses = p.BlockCache.Size, p.BlockCache.Hits, p.BlockCache.Misses
	m.Flushes, m.Compactions, m.CompactionDebt = p.Flush.Count, p.Compact.Count, p.Compact.EstimatedDebt
	return m
}

// Close ends the store without making applied epochs durable (Flush does). Closing twice is harmless. After a disk fault it gives up
// on calls that are stuck in the disk, and the directory stays locked until the process ends.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	done := make(chan error, 1)
	go func() {
		s.fault.wg.Wait()
		err := errors.New("storage engine gave up")
		defer func() { done <- err }()
		err = s.db.Close()
	}()
	if s.fault.get() == nil {
		return <-done
	}
	select {
	case <-done:
		return nil // the fault has been reported already
	case <-time.After(closeGrace):
		return fmt.Errorf("closing state: %w", s.fault.get())
	}
}
