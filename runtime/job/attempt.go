package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/build"
	"github.com/millrace/millrace/runtime/checkpoint"
	"github.com/millrace/millrace/runtime/exchange"
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/sql/vector"
	"github.com/millrace/millrace/state/keyed"
)

// patient is implemented by sources and sinks that outlast troubles; Health says which one they have.
type patient interface{ Health() error }

// attempt is one run of the job's tasks from the last commit on. Its loop, in the job's goroutine, owns the coordinator and the store.
type attempt struct {
	job    *Job
	ctx    context.Context
	cancel context.CancelFunc
	store  *checkpoint.Store // nil: nothing is kept
	last   *checkpoint.Commit
	graph  *build.Graph
	coord  *checkpoint.Coordinator
	group  sync.WaitGroup

	acks     chan task.Ack
	failures chan error
	full     chan struct{}
	couriers map[string]*courier
	reports  chan delivery

	began     time.Time // of the epoch being collected
	beganIn   int64     // rows in when it began
	covered   int64     // rows in of the last completed epoch
	stopping  bool
	throttled bool
	finished  bool        // the commit that ends the job has been made
	openEnds  int         // root tasks that have not ended
	abandoned atomic.Bool // stopped before it ran
	wanted    bool        // a stage is full: begin the next epoch as soon as may be
	saves     []*save     // to serve at the next commit
}

// attemptOnce runs the job until it ends, fails or is stopped.
func (j *Job) attemptOnce() (err error) {
	a := &attempt{job: j, failures: make(chan error, 1), full: make(chan struct{}, 1), couriers: map[string]*courier{}}
	a.ctx, a.cancel = context.WithCancel(j.ctx)
	defer func() {
		if err = a.close(err); a.abandoned.Load() {
			err = errStopped
		}
	}()
	running := make(chan struct{})
	defer a.stopWhileStarting(running)()
	recovered, err := a.open()
	if err != nil {
		return err
	}
	if err := a.build(); err != nil {
		return err
	}
	j.open(a.graph)
	defer j.open(nil)
	if err := a.startCouriers(recovered); err != nil {
		return err
	}
	if a.last != nil && a.last.Done {
		return a.drain()
	}
	if err := a.launch(); err != nil {
		return err
	}
	close(running)
	j.mu.Lock()
	j.attempt = a
	j.mu.Unlock()
	j.set(Running, nil)
	return a.loop()
}

// stopWhileStarting lets Stop end an attempt that waits for servers: nothing has been read yet, so there is nothing to save. The function
// that it returns ends the watch.
func (a *attempt) stopWhileStarting(running <-chan struct{}) func() {
	ended := make(chan struct{})
	go func() {
		select {
		case <-a.job.stop:
			select {
			case <-running: // the loop has seen it, or will
			default:
				a.abandoned.Store(true)
				a.cancel()
			}
		case <-running:
		case <-ended:
		}
	}()
	return func() { close(ended) }
}

// open tells the status which graph is being opened; nil: none.
func (j *Job) open(g *build.Graph) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.opening = g
}

// unwell is why a source or sink of g cannot go on; nil when all are well.
func unwell(g *build.Graph) error {
	for _, s := range g.Sources {
		if p, ok := s.Source.(patient); ok && p.Health() != nil {
			return fmt.Errorf("source %s: %w", s.Relation, p.Health())
		}
	}
	for _, s := range g.Sinks {
		if p, ok := s.Sink.(patient); ok && p.Health() != nil {
			return fmt.Errorf("sink %s: %w", s.Relation, p.Health())
		}
	}
	return nil
}

// trouble is what the attempt waits for; nil when all is well.
func (a *attempt) trouble() error {
	for _, c := range a.couriers {
		if err := c.trouble.Load(); err != nil {
			return fmt.Errorf("sink %s: %w", c.sink.Relation, *err)
		}
	}
	return unwell(a.graph)
}

func (a *attempt) open() ([]*checkpoint.Commit, error) {
	if a.job.opt.Dir == "" {
		return nil, nil
	}
	store, r, err := checkpoint.Open(a.job.opt.Dir, a.job.opt.Durable, keyed.Options{CacheBytes: a.job.opt.CacheBytes})
	if err != nil {
		return nil, err
	}
	a.store, a.last = store, r.Last
	return r.Undelivered, nil
}

func (a *attempt) build() (err error) {
	o := &a.job.opt
	a.graph, err = build.Build(a.ctx, a.job.plan, build.Options{
		JobID: o.ID, JobName: o.Name, Parallelism: o.Parallelism, Env: o.Env, Zone: o.Zone, Clock: o.Clock,
		State: a.keyed(), Last: a.last, Full: a.stageFull,
		Views: o.Hooks.Views, View: o.Hooks.View, System: o.Hooks.System, Result: o.Hooks.Result,
		Rejected: func(stage, relation string, r connectors.Rejected) { o.Hooks.Rejected(o.Name, stage, relation, r) },
		Late:     func(stage string, b *vector.Batch, rows []int32) func() { return o.Hooks.Late(o.Name, stage, b, rows) },
	})
	if err != nil {
		return err
	}
	var ids []int
	for _, t := range a.graph.Tasks {
		if !t.Static {
			ids = append(ids, t.ID)
		}
		if t.Root {
			a.openEnds++
		}
	}
	a.coord = checkpoint.NewCoordinator(ids, a.last)
	a.acks = make(chan task.Ack, 4*len(a.graph.Tasks)+4)
	return nil
}

func (a *attempt) keyed() *keyed.Store {
	if a.store == nil {
		return nil
	}
	return a.store.Keyed
}

// launch starts the goroutines of tasks and split readers.
func (a *attempt) launch() error {
	for _, t := range a.graph.Tasks {
		t.OnAck = func(ack task.Ack) {
			select {
			case a.acks <- ack:
			case <-a.ctx.Done():
			}
		}
		if t.Static {
			t.OnAck = func(task.Ack) {}
		}
		a.group.Go(func() {
			if err := t.Run(); err != nil && !errors.Is(err, exchange.ErrClosed) {
				a.fail(err)
			}
		})
	}
	for _, s := range a.graph.Sources {
		if err := a.startSplits(s, s.Initial); err != nil {
			return err
		}
		if s.Bounded {
			continue
		}
		a.group.Go(func() { a.discover(s) })
	}
	return nil
}

func (a *attempt) startSplits(s *build.Source, splits []build.SplitStart) error {
	healthy := func() bool {
		p, ok := s.Source.(patient)
		return !ok || p.Health() == nil
	}
	for _, sp := range splits {
		r, err := s.Source.Open(a.ctx, connectors.Split{ID: sp.Split}, sp.Position)
		if err != nil {
			return err
		}
		a.group.Go(func() {
			if err := task.ReadSplit(a.ctx, r, s.Fields, sp.Channel, healthy); err != nil {
				a.fail(err)
			}
		})
	}
	return nil
}

// discover looks for new splits at intervals and adds them to the source's tasks.
func (a *attempt) discover(s *build.Source) {
	tick := time.NewTicker(discoveryInterval)
	defer tick.Stop()
	for {
		select {
		case <-a.ctx.Done():
			return
		case <-tick.C:
		}
		splits, err := s.Source.Splits(a.ctx)
		if err != nil {
			a.job.opt.Env.Logger.Warn("looking for new splits failed", "job", a.job.opt.Name, "source", s.Relation, "err", err)
			continue
		}
		for _, sp := range splits {
			if s.Known[sp.ID] {
				continue
			}
			s.Known[sp.ID] = true
			t := s.Tasks[len(s.Known)%len(s.Tasks)]
			t.Task.Control(task.NewSplit{Leaf: t.Leaf, Split: sp.ID, Start: func(c *exchange.Channel) {
				if err := a.startSplits(s, []build.SplitStart{{Split: sp.ID, Channel: c}}); err != nil {
					a.fail(err)
				}
			}})
		}
	}
}

// fail ends the attempt with the first error that is told.
func (a *attempt) fail(err error) {
	select {
	case a.failures <- err:
	default:
	}
}

func (a *attempt) stageFull() {
	select {
	case a.full <- struct{}{}:
	default:
	}
}

// loop is the life of the attempt.
func (a *attempt) loop() error {
	tick := time.NewTicker(a.job.opt.Interval)
	defer tick.Stop()
	stop := a.job.stop
	var patience <-chan time.Time // ends waiting for sinks when the job stops
	for {
		var err error
		select {
		case <-patience:
			return errStopped
		case err = <-a.failures:
		case <-a.ctx.Done():
			err = errStopped
		case ack := <-a.acks:
			err = a.acknowledge(ack)
		case <-tick.C:
			err = a.begin()
		case <-a.full:
			a.wanted = true
			a.throttle(true)
		case d := <-a.reports:
			err = a.delivered(d)
		case s := <-a.job.saves:
			a.saves, a.wanted = append(a.saves, s), true
		case <-stop:
			stop, a.stopping, a.wanted = nil, true, true
		}
		if err == nil && a.wanted {
			err = a.begin()
		}
		if err != nil {
			return err
		}
		if a.finished && a.stopping && patience == nil {
			patience = time.After(a.deliveryWait())
		}
		if a.finished && a.pending() == 0 {
			if a.stopping && !a.coord.AllFinal() {
				return errStopped
			}
			return nil
		}
	}
}

// deliveryWait is how long to wait for sinks when the job stops: not at all for what does not go on anyway.
func (a *attempt) deliveryWait() time.Duration {
	if a.trouble() != nil {
		return 0
	}
	return stopDeliveryWait
}

// acknowledge takes a task's part of an epoch.
func (a *attempt) acknowledge(ack task.Ack) error {
	if err := a.commit(a.coord.Ack(ack)); err != nil || a.finished {
		return err
	}
	if ack.Final && a.graph.Tasks[ack.Task].Root {
		a.openEnds--
	}
	switch {
	case a.coord.AllFinal():
		a.wanted = !a.coord.Busy()
	case a.openEnds == 0:
		return a.commit(a.coord.Conclude(a.nextEpoch()))
	}
	return nil
}

// begin starts the next epoch, unless one is under way or deliveries are too far behind.
func (a *attempt) begin() error {
	if a.coord.Busy() || a.finished || a.pending() >= maxPendingEpochs && !a.stopping {
		return nil
	}
	a.wanted = false
	a.began = time.Now()
	a.beganIn = a.summary().in
	epoch := a.nextEpoch()
	clock := a.job.opt.Clock().UnixMicro()
	if c := a.coord.Begin(epoch); c != nil {
		return a.commit(c)
	}
	for _, t := range a.graph.Tasks {
		if t.HasSource() && !t.Static {
			t.Control(task.Barrier{Epoch: epoch, Clock: clock})
		}
	}
	return nil
}

func (a *attempt) nextEpoch() uint64 {
	if a.last != nil {
		return a.last.Epoch + 1
	}
	return max(a.job.opt.FirstEpoch, 1)
}

// commit makes a complete epoch durable, then visible, then delivers it.
func (a *attempt) commit(c *checkpoint.Commit) error {
	if c == nil {
		return nil
	}
	a.covered = a.beganIn
	defer a.settle()
	c.Delivered = a.deliveredUpTo()
	if a.last != nil && c.Empty() && !c.Done && sameSplits(a.last, c) && maps.Equal(a.last.Delivered, c.Delivered) {
		a.last.Epoch = max(a.last.Epoch, c.Epoch) // nothing happened: the number is used up, nothing is written
		a.finished = a.stopping
		a.serveSaves()
		return nil
	}
	if a.store != nil {
		if err := a.store.Commit(a.ctx, c); err != nil {
			return err
		}
	}
	for _, publish := range c.Publish {
		publish()
	}
	a.last = &checkpoint.Commit{Epoch: c.Epoch, Splits: c.Splits, Watermarks: c.Watermarks, Delivered: c.Delivered, Done: c.Done}
	for _, s := range c.Stages {
		a.couriers[s.Sink].send(c.Epoch, s)
	}
	for _, s := range a.graph.Sources {
		s.Committed(c.Splits)
	}
	a.finished = c.Done || a.stopping
	a.note(c)
	a.serveSaves()
	if a.store != nil && a.store.NeedsTrim() {
		return a.store.Trim(a.safeEpoch())
	}
	return nil
}

func (a *attempt) note(c *checkpoint.Commit) {
	a.job.mu.Lock()
	defer a.job.mu.Unlock()
	a.job.epoch = c.Epoch
	a.job.commits++
	a.job.lastTook = time.Since(a.began)
}

// settle tells the status up to which input everything is committed and delivered.
func (a *attempt) settle() {
	settled := a.covered
	if a.pending() > 0 {
		settled = -1
	}
	a.job.mu.Lock()
	a.job.settled = settled
	a.job.mu.Unlock()
}

func sameSplits(a, b *checkpoint.Commit) bool {
	if len(a.Splits) != len(b.Splits) {
		return false
	}
	for i, s := range a.Splits {
		t := b.Splits[i]
		if s.Source != t.Source || s.Split != t.Split || string(s.Position) != string(t.Position) || s.Ended != t.Ended {
			return false
		}
	}
	return maps.Equal(a.Watermarks, b.Watermarks)
}

// throttle stops or resumes the sources.
func (a *attempt) throttle(on bool) {
	if a.throttled == on {
		return
	}
	a.throttled = on
	for _, t := range a.graph.Tasks {
		if t.HasSource() {
			t.Control(task.Throttle(on))
		}
	}
}

// close ends the attempt's goroutines and gives everything back.
func (a *attempt) close(err error) error {
	a.cancel()
	a.refuseSaves()
	if a.graph != nil {
		for _, t := range a.graph.Tasks {
			t.Stop()
		}
	}
	a.group.Wait()
	for _, c := range a.couriers {
		c.close()
	}
	if a.graph != nil {
		ended := err == nil || errors.Is(err, errStopped)
		a.graph.Close(ended && !a.job.opt.Durable)
	}
	a.job.mu.Lock()
	a.job.attempt = nil
	if a.graph != nil {
		a.job.past = a.summary()
	}
	a.job.mu.Unlock()
	if a.store != nil {
		if e := a.store.Close(); err == nil && e != nil {
			err = fmt.Errorf("closing the job's state: %w", e)
		}
	}
	return err
}

// summary reads the counters of all tasks.
func (a *attempt) summary() totals {
	t := totals{watermark: operator.MaxTime, nodes: map[string]int{}}
	for _, k := range a.graph.Tasks {
		t.task(k)
	}
	for _, c := range a.couriers {
		t.errors += c.rejected.Load()
	}
	return t
}
