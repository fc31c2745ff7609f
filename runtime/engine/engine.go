package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/job"
	"github.com/millrace/millrace/runtime/view"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/state/broker"
)

// Engine is an open engine. It is safe for concurrent use.
//
// Lock order: ddl → mu. Jobs are never called with mu held.
type Engine struct {
	opt        Options
	dir        string
	temp       bool
	lock       *os.File
	catalog    *catalog.Catalog
	store      *statementStore
	env        *connectors.Env
	registered registered
	functions  *functions
	errors     *ring
	late       *ring

	ddl sync.Mutex // one statement at a time changes the catalog

	mu      sync.Mutex
	jobs    map[string]*job.Job    // by lower-case name; guarded by mu
	views   map[string]*view.Table // guarded by mu
	uses    map[string]uses        // by job name; guarded by mu
	queries map[*job.Job]process   // running ad hoc queries; guarded by mu
	queried int64                  // queries so far; guarded by mu
	broker  *broker.Broker         // guarded by mu; started at first use unless it listens
	closed  bool
}

// Open opens the engine in its data directory and restarts what ran there.
func Open(opt Options) (*Engine, error) {
	e := &Engine{opt: opt.withDefaults(), dir: opt.DataDir, catalog: catalog.New(), jobs: map[string]*job.Job{},
		views: map[string]*view.Table{}, uses: map[string]uses{}, functions: newFunctions(), queries: map[*job.Job]process{}}
	if err := CheckVariables(opt.Variables); err != nil {
		return nil, err
	}
	if err := e.openDir(); err != nil {
		return nil, err
	}
	if err := e.openSystem(); err != nil {
		e.release()
		return nil, err
	}
	for _, r := range systemTables() {
		e.catalog.Add(r, false)
	}
	e.env = &connectors.Env{DialBroker: e.dialBroker, BrokerAddr: broker.InternalAddr, Stdout: e.opt.Stdout, Logger: e.opt.Logger}
	if e.opt.KafkaListen != "" {
		if _, err := e.Broker(); err != nil {
			e.release()
			return nil, err
		}
	}
	if err := e.restore(); err != nil {
		e.Close(context.Background())
		return nil, err
	}
	return e, nil
}

// openDir makes sure that the data directory can be written and that nobody else has it.
func (e *Engine) openDir() error {
	if e.dir == "" {
		dir, err := os.MkdirTemp("", "millrace-")
		if err != nil {
			return diag.New(diag.StorageUnusable, -1, "cannot make a temporary folder: %v", err).Wrap(err)
		}
		e.dir, e.temp = dir, true
	}
	if err := os.MkdirAll(e.dir, 0o755); err != nil {
		return unusable(e.dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(e.dir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return unusable(e.dir, err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return diag.New(diag.StorageUnusable, -1, "the data directory %s is in use by another millrace", e.dir).Wrap(err).
			WithHint("stop the other process, or give this one its own --data-dir")
	}
	e.lock = lock
	if e.store, err = openStatements(filepath.Join(e.dir, "catalog.json"), !e.temp); err != nil {
		lock.Close()
		return err
	}
	return nil
}

// openSystem opens the system tables; a temporary engine keeps them in memory.
func (e *Engine) openSystem() error {
	e.errors, e.late = newRing(errorColumns, maxErrorRows), newRing(lateColumns, maxErrorRows)
	if e.temp {
		return nil
	}
	if err := openJournal(filepath.Join(e.dir, "errors.jsonl"), e.errors, e.opt.Logger); err != nil {
		return err
	}
	return openJournal(filepath.Join(e.dir, "late.jsonl"), e.late, e.opt.Logger)
}

func unusable(dir string, err error) error {
	return diag.New(diag.StorageUnusable, -1, "cannot write the data directory %s: %v", dir, diag.PathCause(err)).Wrap(err).
		WithHint("give a folder that this user may write with --data-dir")
}

// Temporary tells whether everything is gone after Close.
func (e *Engine) Temporary() bool { return e.temp }

// Dir returns the data directory.
func (e *Engine) Dir() string { return e.dir }

// Catalog returns the catalog, for completion and listings.
func (e *Engine) Catalog() *catalog.Catalog { return e.catalog }

// Broker returns the embedded broker, starting it at first use.
func (e *Engine) Broker() (*broker.Broker, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, net.ErrClosed
	}
	if e.broker != nil {
		return e.broker, nil
	}
	b, err := broker.Open(e.brokerOptions())
	if err != nil {
		if errors.Is(err, broker.ErrInvalidOptions) {
			return nil, diag.New(diag.BadConfiguration, -1, "%v", err).Wrap(err).WithHint("see the section [broker] of the configuration")
		}
		if strings.Contains(err.Error(), "listen") {
			return nil, diag.New(diag.BadConfiguration, -1, "cannot listen on %s for Kafka clients: %v", e.opt.KafkaListen, err).Wrap(err).
				WithHint("another program has the port; choose one with --kafka-listen")
		}
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	e.broker = b
	return b, nil
}

// RunningBroker returns the embedded broker if it runs, else nil.
func (e *Engine) RunningBroker() *broker.Broker {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.broker
}

// brokerOptions are those given, with what the engine decides.
func (e *Engine) brokerOptions() broker.Options {
	o := broker.Options{AutoCreateTopics: true}
	if e.opt.Broker != nil {
		o = *e.opt.Broker
	}
	o.DataDir, o.Listen, o.AdvertisedAddr, o.Logger = filepath.Join(e.dir, "broker"), e.opt.KafkaListen, e.opt.Advertised, e.opt.Logger
	if d := e.topicDefaults(); d != nil && o.DefaultConfig == nil {
		o.DefaultConfig = d
	}
	return o
}

// topicDefaults: a temporary engine need not survive the machine.
func (e *Engine) topicDefaults() map[string]string {
	if e.temp {
		return map[string]string{"flush.policy": "async"}
	}
	return nil
}

func (e *Engine) dialBroker(ctx context.Context) (net.Conn, error) {
	b, err := e.Broker()
	if err != nil {
		return nil, err
	}
	return b.Dial(ctx)
}

// KafkaAddr returns the address of the Kafka port, "" when there is none.
func (e *Engine) KafkaAddr() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broker == nil || e.broker.Addr() == nil {
		return ""
	}
	return e.broker.Addr().String()
}

// Job finds a job by name; nil when there is none.
func (e *Engine) Job(name string) *job.Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.jobs[strings.ToLower(name)]
}

// Jobs returns all jobs by name.
func (e *Engine) Jobs() []*job.Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*job.Job
	for _, j := range e.jobs {
		out = append(out, j)
	}
	slices.SortFunc(out, func(a, b *job.Job) int { return strings.Compare(a.Name(), b.Name()) })
	return out
}

// Queries returns the running ad hoc queries.
func (e *Engine) Queries() []*job.Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Keys(e.queries))
}

// View returns the table of a materialised view; nil when there is none.
func (e *Engine) View(name string) *view.Table {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.views[strings.ToLower(name)]
}

// Close stops all jobs behind a last checkpoint, then the broker. What ctx does not leave time for is killed, which loses nothing.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	var running []*job.Job
	for q := range e.queries {
		running = append(running, q)
	}
	for _, j := range e.jobs {
		running = append(running, j)
	}
	e.mu.Unlock()
	var group sync.WaitGroup
	for _, j := range running {
		group.Go(func() { j.Stop(ctx) })
	}
	group.Wait()
	e.mu.Lock()
	e.closed = true
	b := e.broker
	e.mu.Unlock()
	var err error
	if b != nil {
		err = b.Close(ctx)
	}
	e.release()
	return err
}

func (e *Engine) release() {
	for _, r := range []*ring{e.errors, e.late} {
		if r != nil {
			r.close()
		}
	}
	e.functions.close()
	e.lock.Close()
	if e.temp {
		os.RemoveAll(e.dir)
	}
}
