package job

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/millrace/millrace/runtime/checkpoint"
	"github.com/millrace/millrace/state/keyed"
)

// ErrNotSaved says that the job ended, or began anew, before the savepoint was made.
var ErrNotSaved = errors.New("the job does not run")

// save is a wanted savepoint; done has room for its one answer. Taken is set by who comes first: the attempt that makes it, or the caller that
// does not want it any more.
type save struct {
	dir   string
	done  chan saved
	taken atomic.Bool
}

type saved struct {
	epoch uint64
	err   error
}

// Savepoint writes the job's state into dir, which must not exist: that of the next commit when the job runs, else of its last. It returns the
// epoch. A job that restarts gives ErrNotSaved.
func (j *Job) Savepoint(ctx context.Context, dir string) (uint64, error) {
	s := &save{dir: dir, done: make(chan saved, 1)}
	select {
	case <-j.done:
		return checkpoint.SaveStopped(j.opt.Dir, dir, j.opt.Durable, keyed.Options{CacheBytes: j.opt.CacheBytes})
	case j.saves <- s:
	case <-ctx.Done():
		return 0, ErrNotSaved
	}
	select {
	case r := <-s.done:
		return r.epoch, r.err
	case <-ctx.Done():
	}
	if s.taken.CompareAndSwap(false, true) {
		return 0, ctx.Err()
	}
	r := <-s.done
	return r.epoch, r.err
}

// serveSaves makes the wanted savepoints of the last commit.
func (a *attempt) serveSaves() {
	for _, s := range a.saves {
		r := saved{err: ErrNotSaved}
		if !s.taken.CompareAndSwap(false, true) {
			continue
		}
		if a.store != nil && a.last != nil {
			r = saved{a.last.Epoch, a.store.Savepoint(s.dir, a.last)}
		}
		s.done <- r
	}
	a.saves = nil
}

// refuseSaves answers those that want a savepoint of an attempt that ends.
func (a *attempt) refuseSaves() {
	for _, s := range a.saves {
		if s.taken.CompareAndSwap(false, true) {
			s.done <- saved{err: ErrNotSaved}
		}
	}
	a.saves = nil
}

// Rest makes a job that does not run, for a statement that is kept: stopped, or failed with err.
func Rest(opt Options, err error) *Job {
	j := &Job{opt: opt.withDefaults(), done: make(chan struct{}), stop: make(chan struct{}), saves: make(chan *save), state: Stopped, err: err}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	j.started = j.opt.Clock()
	if err != nil {
		j.state = Failed
	}
	j.cancel()
	close(j.done)
	return j
}
