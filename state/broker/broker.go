package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/state/broker/session"
	"github.com/millrace/millrace/state/log"
)

// Broker is one node speaking the Kafka protocol. All methods are safe for concurrent use.
//
// Lock order: adminMu → mu → the locks of state/log. connMu and timerMu are leaves.
type Broker struct {
	opts      Options
	lock      *os.File // held exclusively for the life of the broker
	committer *log.Committer
	pids      *producerIDs
	ctx       context.Context // ends when the broker closes
	cancel    context.CancelFunc
	tasks     sync.WaitGroup // listeners and background loops
	inFlight  byteBudget
	count     counters
	started   time.Time
	// diskFullAt is when an append found no room for the last time, in nanoseconds since 1970; 0: the disk has room.
	diskFullAt atomic.Int64
	// budgetWarned is when it was last said that requests wait for room, in nanoseconds since 1970.
	budgetWarned atomic.Int64
	sessions     *session.Cache // of fetches

	// adminMu serialises changes to the set of topics: file and memory change together.
	adminMu sync.Mutex
	store   *topicStore // guarded by adminMu

	mu     sync.RWMutex
	topics map[string]*topic  // guarded by mu
	byID   map[topicID]*topic // guarded by mu
	closed bool               // guarded by mu

	metadata *metadataLog
	security *security
	quotas   *quotaStore

	listeners []*listener // empty without a socket; set before Open returns
	connMu    sync.Mutex
	conns     map[*conn]struct{} // guarded by connMu
	connsFrom map[string]int     // guarded by connMu; connections by the client's address
	connWG    sync.WaitGroup

	running int // services started; set before Open returns
	services
}

// Open opens the data directory, recovers every log, and starts to serve.
func Open(opts Options) (*Broker, error) {
	opts = opts.withDefaults()
	if opts.DataDir == "" {
		return nil, errors.New("opening broker: Options.DataDir is empty")
	}
	if err := os.MkdirAll(opts.DataDir, 0o755); err != nil {
		return nil, fmt.Errorf("opening broker: %w", err)
	}
	lock, err := lockDir(opts.DataDir)
	if err != nil {
		return nil, fmt.Errorf("opening broker: %w", err)
	}
	b := &Broker{
		opts: opts, lock: lock, committer: log.NewCommitter(0),
		started:  opts.Now(),
		sessions: session.NewCache(opts.FetchSessions),
		topics:   map[string]*topic{}, byID: map[topicID]*topic{}, conns: map[*conn]struct{}{}, connsFrom: map[string]int{},
	}
	b.inFlight.init(opts.MaxInFlightBytes)
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if err := b.start(); err != nil {
		b.Close(context.Background())
		return nil, fmt.Errorf("opening broker: %w", err)
	}
	return b, nil
}

// start brings the parts up in order: metadata, logs, services, then the door.
func (b *Broker) start() error {
	var err error
	if b.store, err = openTopicStore(b.opts.DataDir); err != nil {
		return err
	}
	if b.pids, err = openProducerIDs(filepath.Join(b.opts.DataDir, producerIDFile)); err != nil {
		return err
	}
	if b.metadata, err = openMetadataLog(b.opts.DataDir, b.committer); err != nil {
		return err
	}
	if b.quotas, err = openQuotas(b.metadata); err != nil {
		return err
	}
	if err := b.openSecurity(); err != nil {
		return err
	}
	if err := b.openTopics(); err != nil {
		return err
	}
	for _, s := range serviceTable {
		if err := s.start(b); err != nil {
			return fmt.Errorf("starting %s: %w", s.name, err)
		}
		b.running++
	}
	// Two loops, since a large compaction takes its time and retention must not wait: it may be what frees the disk.
	b.tasks.Go(func() { b.every(b.opts.RetentionInterval, b.retain) })
	b.tasks.Go(func() { b.every(b.opts.RetentionInterval, b.compact) })
	return b.listen()
}

// Close stops accepting, lets requests in progress finish until ctx ends, and closes every log. A second Close is a no-op.
func (b *Broker) Close(ctx context.Context) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	b.mu.Unlock()
	for _, l := range b.listeners {
		l.net.Close()
	}
	for i := b.running - 1; i >= 0; i-- {
		if serviceTable[i].stop != nil {
			serviceTable[i].stop(b, ctx)
		}
	}
	b.cancel()
	b.closeConns(ctx)
	b.tasks.Wait()
	var errs []error
	b.mu.Lock()
	for _, t := range b.topics {
		errs = append(errs, t.close())
	}
	b.mu.Unlock()
	if b.metadata != nil {
		errs = append(errs, b.metadata.close())
	}
	b.committer.Close()
	errs = append(errs, b.lock.Close())
	return errors.Join(errs...)
}

// Addr is the address of the first listener, nil without a socket.
func (b *Broker) Addr() net.Addr {
	if len(b.listeners) == 0 {
		return nil
	}
	return b.listeners[0].net.Addr()
}

// ListenerAddr is the address a listener listens on, nil if there is none of that name.
func (b *Broker) ListenerAddr(name string) net.Addr {
	for _, l := range b.listeners {
		if l.opts.Name == name {
			return l.net.Addr()
		}
	}
	return nil
}

// ClusterID is the id made at the first start of the data directory.
func (b *Broker) ClusterID() string { return b.store.state.ClusterID }

// diskCalm is how long no append must have failed for want of room until the disk is said to have room again: at the edge small
// batches still fit where large ones do not.
const diskCalm = time.Second

// noteDisk says once that the disk is full, and once that it has room again.
func (b *Broker) noteDisk(err error) {
	if errors.Is(err, log.ErrDiskFull) {
		if b.diskFullAt.Swap(time.Now().UnixNano()) == 0 {
			b.opts.Logger.Error("the disk is full: appends are refused until there is room, reads go on", "folder", b.opts.DataDir, "error", err)
		}
		return
	}
	at := b.diskFullAt.Load()
	if at != 0 && err == nil && time.Now().UnixNano()-at > int64(diskCalm) && b.diskFullAt.CompareAndSwap(at, 0) {
		b.opts.Logger.Info("the disk has room again", "folder", b.opts.DataDir)
	}
}

// every calls fn for every partition from time to time, until the broker closes.
func (b *Broker) every(interval time.Duration, fn func(p *partition)) {
	b.everyTick(interval, func() {
		for _, p := range b.allPartitions() {
			if b.ctx.Err() != nil {
				return
			}
			fn(p)
		}
	})
}

// retain applies retention to one log.
func (b *Broker) retain(p *partition) {
	if n, err := p.log.ApplyRetention(b.opts.Now()); err != nil {
		b.opts.Logger.Error("retention failed", "topic", p.topic.name, "partition", p.index, "error", err)
	} else if n > 0 {
		b.opts.Logger.Info("retention dropped segments", "topic", p.topic.name, "partition", p.index, "segments", n)
	}
}

// compact compacts one log if its topic asks for it. The coordinators' journals are left alone: they write snapshots of themselves.
func (b *Broker) compact(p *partition) {
	if p.topic.internal {
		return
	}
	st, err := p.log.Compact(b.ctx, b.opts.Now())
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, log.ErrClosed): // closing, or the topic was deleted
	case err != nil:
		b.opts.Logger.Error("compaction failed", "topic", p.topic.name, "partition", p.index, "error", err)
	case st.Rewritten > 0:
		b.opts.Logger.Info("compacted", "topic", p.topic.name, "partition", p.index, "segments", st.Rewritten,
			"records_dropped", st.Dropped, "bytes_before", st.BytesBefore, "bytes_after", st.BytesAfter)
	}
}

func (b *Broker) allPartitions() []*partition {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []*partition
	for _, t := range b.topics {
		out = append(out, t.partitions...)
	}
	return out
}
