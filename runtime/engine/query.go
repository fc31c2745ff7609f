package engine

import (
	"context"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/job"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// liveInterval is the epoch of live queries: how often their clock moves.
const liveInterval = 500 * time.Millisecond

// query runs an ad hoc query: a job that keeps nothing and gives its rows to the client.
func (s *Session) query(ctx context.Context, x *ast.QueryStmt, text string) (*Result, error) {
	plan, err := planner.Plan(x, s.env(true))
	if err != nil {
		return nil, err
	}
	root := plan.Roots[0].Inputs()[0].Properties()
	q := &running{e: s.e, rows: make(chan *vector.Batch, resultBatches), fields: root.Fields, zone: s.zone()}
	qctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	q.cancel = cancel
	opt := s.jobOptions("query", "")
	opt.Interval = liveInterval
	opt.Restart = false
	opt.Hooks.Result = func(b *vector.Batch) error { return q.push(qctx, b) }
	q.job = job.Start(plan, opt)
	s.e.mu.Lock()
	s.e.queried++
	s.e.queries[q.job] = process{id: s.e.queried, since: time.Now(), text: text, stop: q.kill}
	s.e.mu.Unlock()
	live := !root.Bounded
	r := &Result{Zone: q.zone, Fields: root.Fields, Live: live, Changes: live || root.Changelog != physical.AppendOnly, Notices: plan.Warnings,
		next: q.next, close: q.close}
	if len(root.Keys) > 0 {
		r.Key = root.Keys[0]
	}
	return r, nil
}

// running is a query whose rows a client takes.
type running struct {
	e      *Engine
	job    *job.Job
	cancel context.CancelFunc
	rows   chan *vector.Batch
	fields []types.Field
	zone   *time.Location // rows show its wall clocks; nil: UTC
	killed atomic.Bool
}

// push copies rows for the client and waits until it has room.
func (q *running) push(ctx context.Context, b *vector.Batch) error {
	out := vector.NewBatch(q.fields, b.Rows())
	out.AppendBatch(b)
	if q.zone != nil {
		clock := function.NewZoneClock(q.zone)
		for _, col := range out.Cols {
			clock.WallClocks(col)
		}
	}
	select {
	case q.rows <- out:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *running) next(ctx context.Context) (*vector.Batch, error) {
	select {
	case b := <-q.rows:
		return b, nil
	default:
	}
	select {
	case b := <-q.rows:
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-q.job.Done():
	}
	if q.killed.Load() {
		return nil, diag.New(diag.Cancelled, -1, "the query was killed")
	}
	select {
	case b := <-q.rows: // the last rows came before the end
		return b, nil
	default:
	}
	if err := q.job.Wait(context.Background()); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// kill ends the query for whoever reads it.
func (q *running) kill() {
	q.killed.Store(true)
	q.cancel()
	q.job.Kill()
}

func (q *running) close() {
	q.cancel()
	q.job.Kill()
	q.e.mu.Lock()
	delete(q.e.queries, q.job)
	q.e.mu.Unlock()
}

// jobOptions are the options of a job under the session's variables.
func (s *Session) jobOptions(name, id string) job.Options {
	return s.e.jobOptions(name, id, s.Variables())
}

// zone is the session's time zone, nil for UTC.
func (s *Session) zone() *time.Location {
	zone, err := function.ParseZone(s.Variables()["time_zone"])
	if err != nil || zone == time.UTC {
		return nil
	}
	return zone
}

func (e *Engine) jobOptions(name, id string, vars map[string]string) job.Options {
	interval, _ := time.ParseDuration(vars["checkpoint_interval"])
	parallelism, _ := strconv.Atoi(vars["parallelism"])
	zone, err := function.ParseZone(vars["time_zone"])
	if err != nil {
		zone = time.UTC
	}
	restart, _ := strconv.ParseBool(vars["restart"])
	return job.Options{Name: name, ID: id, Interval: interval, Parallelism: parallelism, Zone: zone, Clock: e.opt.Clock, Env: e.env,
		Restart: restart, Durable: !e.temp, CacheBytes: e.opt.Memory, Hooks: job.Hooks{Views: e.View, View: e.viewTable, System: e.tableRows,
			Rejected: e.rejected, Late: e.lateRows}}
}
