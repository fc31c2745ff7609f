package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/build"
	"github.com/millrace/millrace/runtime/view"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// Defaults and limits.
const (
	DefaultInterval    = time.Second
	DefaultParallelism = 2
	restartDelayMin    = 200 * time.Millisecond
	restartDelayMax    = 30 * time.Second
	discoveryInterval  = 5 * time.Second
	// topicGrace is how long a job that has just begun waits for a topic that does not exist: another job that begins now may be about to
	// create it.
	topicGrace = 5 * time.Second
	// stopDeliveryWait is how long a stopping job waits for sinks that are slow. What they have not taken is delivered at the next start.
	stopDeliveryWait = 5 * time.Second
)

// State is where a job is in its life.
type State string

// The states of a job.
//
//	STARTING ──> RUNNING ──> FINISHED            all inputs ended, everything delivered
//	   ^            │ ├────> STOPPED             asked to, after a last checkpoint
//	   │            │ └────> FAILED              an error that a restart cannot cure
//	   └─ RESTARTING┘        any other error
const (
	Starting   State = "STARTING"
	Running    State = "RUNNING"
	Degraded   State = "DEGRADED" // running, but a source or a sink waits for something outside; Err says for what
	Restarting State = "RESTARTING"
	Finished   State = "FINISHED"
	Stopped    State = "STOPPED"
	Failed     State = "FAILED"
)

// Options say how a job runs.
type Options struct {
	Name string
	// ID is unique among all engines and jobs ever: it names transactions and markers at sinks.
	ID          string
	Dir         string // of commits and state; empty: nothing is kept (live queries)
	Durable     bool   // commits survive the machine, not only the process
	Interval    time.Duration
	Parallelism int
	Restart     bool // restart after errors that may pass
	FirstEpoch  uint64
	Zone        *time.Location
	Clock       func() time.Time
	Env         *connectors.Env
	Hooks       Hooks
	CacheBytes  int64
}

// Hooks connect a job with the engine.
type Hooks struct {
	Views func(name string) *view.Table // existing tables to scan
	// View gives the table that a ViewWrite fills.
	View func(w *physical.ViewWrite) *view.Table
	// System gives the rows of an engine table.
	System func(name string, b *vector.Batch) error
	// Rejected keeps a bad record or row for the table errors.
	Rejected func(job, stage, relation string, r connectors.Rejected)
	// Late takes late rows and gives what adds them to the table late; that runs when their epoch is committed.
	Late func(job, stage string, b *vector.Batch, rows []int32) (publish func())
	// Result takes the rows of a query; it blocks while the client is slow.
	Result func(b *vector.Batch) error
}

func (o Options) withDefaults() Options {
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	if o.Parallelism <= 0 {
		o.Parallelism = DefaultParallelism
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Env == nil {
		o.Env = &connectors.Env{}
	}
	if o.Env.Logger == nil {
		o.Env.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Job is a running (or ended) statement.
type Job struct {
	opt  Options
	plan *physical.Plan

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	stop   chan struct{} // closed: stop after a checkpoint
	saves  chan *save    // wanted savepoints
	once   sync.Once

	mu       sync.Mutex
	state    State
	err      error
	attempt  *attempt     // the current one; nil between attempts and until it runs
	opening  *build.Graph // of an attempt that does not run yet; nil: there is none
	past     totals       // of the last attempt
	restarts int
	commits  int64
	lastTook time.Duration // from trigger to commit of the last epoch
	epoch    uint64
	started  time.Time
	born     time.Time // as started, by the machine's clock
	settled  int64     // rows in that the last completed epoch covers, -1: its output is still on the way
}

// Start begins running plan. The job runs until it ends by itself, Stop, or Kill.
func Start(plan *physical.Plan, opt Options) *Job {
	j := &Job{opt: opt.withDefaults(), plan: plan, done: make(chan struct{}), stop: make(chan struct{}), saves: make(chan *save), state: Starting}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	j.started, j.born = j.opt.Clock(), time.Now()
	go j.run()
	return j
}

// run makes attempts until the job has ended.
func (j *Job) run() {
	defer close(j.done)
	defer j.cancel()
	delay := restartDelayMin
	for {
		began := time.Now()
		err := j.attemptOnce()
		switch {
		case err == nil:
			j.set(Finished, nil)
			return
		case errors.Is(err, errStopped) || j.ctx.Err() != nil:
			j.set(Stopped, nil)
			return
		case j.awaitsTopic(err):
			if j.pause(restartDelayMin) {
				continue
			}
			j.set(Stopped, nil)
			return
		case !j.opt.Restart || permanent(err):
			j.set(Failed, err)
			return
		}
		if time.Since(began) > restartDelayMax {
			delay = restartDelayMin
		}
		j.mu.Lock()
		j.restarts++
		j.mu.Unlock()
		j.set(Restarting, err)
		j.opt.Env.Logger.Warn("job restarts", "job", j.opt.Name, "in", delay, "because", err)
		if !j.pause(delay) {
			j.set(Stopped, nil)
			return
		}
		delay = min(2*delay, restartDelayMax)
	}
}

// pause waits; false: the job is to end.
func (j *Job) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-j.stop:
	case <-j.ctx.Done():
	}
	return false
}

// permanent tells whether a restart cannot cure the error: the statement or the data are wrong, or storage is gone.
func permanent(err error) bool {
	e, ok := diag.As(err)
	if !ok {
		return false
	}
	switch e.Code {
	case diag.SourceUnavailable, diag.SinkUnavailable, diag.Internal, diag.CannotConnect, diag.UnknownTopic:
		return false
	}
	return true
}

// awaitsTopic tells whether err is a topic that another job may be about to create.
func (j *Job) awaitsTopic(err error) bool {
	e, ok := diag.As(err)
	return ok && e.Code == diag.UnknownTopic && j.opt.Dir != "" && time.Since(j.born) < topicGrace
}

// errStopped ends an attempt that was asked to stop.
var errStopped = errors.New("stopped")

func (j *Job) set(s State, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state = s
	if err != nil || s == Running {
		j.err = err
	}
}

// Name returns the job's name.
func (j *Job) Name() string { return j.opt.Name }

// ID returns the job's unique identity.
func (j *Job) ID() string { return j.opt.ID }

// Done is closed when the job has ended.
func (j *Job) Done() <-chan struct{} { return j.done }

// Err returns why the job failed, or why it restarts; nil when all is well.
func (j *Job) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// Wait blocks until the job has ended, or ctx is done; it returns the job's error.
func (j *Job) Wait(ctx context.Context) error {
	select {
	case <-j.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if j.Status().State == Failed {
		return j.Err()
	}
	return nil
}

// Stop ends the job behind a last checkpoint and waits for it; when ctx is done first, the job is killed (which loses nothing: it
// goes on from its last checkpoint).
func (j *Job) Stop(ctx context.Context) {
	j.once.Do(func() { close(j.stop) })
	select {
	case <-j.done:
	case <-ctx.Done():
		j.Kill()
	}
}

// Kill ends the job at once, as a crash would, and waits until its goroutines are gone.
func (j *Job) Kill() {
	j.cancel()
	<-j.done
}

// Status is a job's public face.
type Status struct {
	Name, ID   string
	State      State
	Err        error
	Restarts   int
	Epoch      uint64
	Commits    int64
	LastCommit time.Duration
	Started    time.Time
	RowsIn     int64
	RowsOut    int64
	Late       int64
	Errors     int64
	Lag        int64 // records, -1 unknown
	Watermark  int64 // the lowest of the job's sources, microseconds; operator.MinTime: none yet
	Idle       bool  // every split has been read to its current end, and what came of it is committed and delivered
	Nodes      []NodeStatus
}

// NodeStatus are the statistics of one operator, summed over its tasks.
type NodeStatus struct {
	Name            string
	RowsIn, RowsOut int64
	Late, Errors    int64
	Watermark       int64
}

// Status returns the job's state and statistics.
func (j *Job) Status() Status {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := Status{Name: j.opt.Name, ID: j.opt.ID, State: j.state, Err: j.err, Restarts: j.restarts, Epoch: j.epoch,
		Commits: j.commits, LastCommit: j.lastTook, Started: j.started}
	if j.attempt != nil {
		t := j.attempt.summary()
		s.add(t)
		trouble := j.attempt.trouble()
		s.Idle = j.state == Running && trouble == nil && !t.busy && t.in == j.settled
		if trouble != nil && j.state == Running {
			s.State, s.Err = Degraded, trouble
		}
		return s
	}
	s.add(j.past)
	if j.opening != nil && s.Err == nil {
		s.Err = unwell(j.opening)
	}
	return s
}

func (j *Job) String() string { return fmt.Sprintf("job %s (%s)", j.opt.Name, j.opt.ID) }
