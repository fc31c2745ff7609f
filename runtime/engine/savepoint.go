package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/build"
	"github.com/millrace/millrace/runtime/checkpoint"
	"github.com/millrace/millrace/runtime/job"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/state/keyed"
)

// Limits of savepoints.
const (
	maxSavepoints = 1000
	// savepointTimeout is how long CREATE SAVEPOINT waits for the job's next commit.
	savepointTimeout = 30 * time.Second
)

// storedSavepoint is the entry of a savepoint; its files are in savepoints/Dir.
type storedSavepoint struct {
	Name      string   `json:"name"`
	Dir       string   `json:"dir"`
	Job       string   `json:"job"`
	JobID     string   `json:"job_id"`
	Epoch     uint64   `json:"epoch"`
	At        int64    `json:"at"` // microseconds
	Bytes     int64    `json:"bytes"`
	SQL       string   `json:"sql"`
	Operators []uint64 `json:"operators"` // whose state it holds
}

func (e *Engine) savepointDir(s *storedSavepoint) string {
	return filepath.Join(e.dir, "savepoints", s.Dir)
}

func (e *Engine) findSavepoint(name string) *storedSavepoint {
	i := slices.IndexFunc(e.store.data.Savepoints, func(s storedSavepoint) bool { return strings.EqualFold(s.Name, name) })
	if i < 0 {
		return nil
	}
	return &e.store.data.Savepoints[i]
}

func (e *Engine) unknownSavepoint(name ast.Name) error {
	var names []string
	for _, s := range e.store.data.Savepoints {
		names = append(names, s.Name)
	}
	err := diag.New(diag.UnknownSavepoint, name.At(), "unknown savepoint '%s'", name.Text)
	if near := diag.Suggest(name.Text, names); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	return err.WithHint("SHOW SAVEPOINTS lists them")
}

// savepointFree tells why a savepoint of this name cannot be made; nil when it can.
func (e *Engine) savepointFree(name ast.Name) error {
	switch {
	case e.findSavepoint(name.Text) != nil:
		return diag.New(diag.DuplicateName, name.At(), "savepoint '%s' exists already", name.Text).WithHint("DROP SAVEPOINT %s, or choose another name", name.Text)
	case len(e.store.data.Savepoints) >= maxSavepoints:
		return diag.New(diag.NotSupported, name.At(), "there are %d savepoints: no more are possible", maxSavepoints).WithHint("DROP SAVEPOINT some")
	}
	return nil
}

func (s *Session) createSavepoint(ctx context.Context, x *ast.CreateSavepoint) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	j, st, err := s.e.jobNamed(x.Job)
	if err != nil {
		return nil, err
	}
	if err := s.e.savepointFree(x.Name); err != nil {
		return nil, err
	}
	sp, err := s.e.save(ctx, j, st, x.Name)
	if err != nil {
		return nil, err
	}
	return message("savepoint %s holds job %s as of epoch %d", sp.Name, j.Name(), sp.Epoch), nil
}

// save makes a savepoint of a job. Caller holds ddl.
func (e *Engine) save(ctx context.Context, j *job.Job, st *storedStatement, name ast.Name) (*storedSavepoint, error) {
	plan, err := e.planStored(*st)
	if err != nil {
		return nil, err
	}
	e.store.data.Sequence++
	sp := storedSavepoint{Name: name.Text, Dir: fmt.Sprintf("%d-%s", e.store.data.Sequence, st.Job.ID), Job: j.Name(), JobID: j.ID(),
		At: e.opt.Clock().UnixMicro(), SQL: st.SQL, Operators: operatorsOf(plan)}
	ctx, cancel := context.WithTimeout(ctx, savepointTimeout)
	defer cancel()
	if sp.Epoch, err = j.Savepoint(ctx, e.savepointDir(&sp)); err != nil {
		return nil, notSaved(j, name, err)
	}
	sp.Bytes = folderBytes(e.savepointDir(&sp))
	e.store.data.Savepoints = append(e.store.data.Savepoints, sp)
	return &sp, e.store.save()
}

func notSaved(j *job.Job, name ast.Name, err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, job.ErrNotSaved) {
		e := diag.New(diag.TimedOut, name.At(), "job %s has not committed in time", j.Name()).Wrap(err)
		if cause := j.Status().Err; cause != nil {
			return e.WithHint("%s", cause)
		}
		return e.WithHint("SHOW JOBS says what it waits for")
	}
	return diag.New(diag.StorageUnusable, name.At(), "the savepoint cannot be written: %v", err).Wrap(err)
}

func folderBytes(dir string) int64 {
	var n int64
	_ = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error { // what is not there counts nothing
		if err == nil && !info.IsDir() {
			n += info.Size()
		}
		return nil
	})
	return n
}

func (e *Engine) dropSavepoint(x *ast.Drop) (*Result, error) {
	sp := e.findSavepoint(x.Name.Text)
	if sp == nil {
		if x.IfExists {
			return message("savepoint %s does not exist", x.Name.Text), nil
		}
		return nil, e.unknownSavepoint(x.Name)
	}
	dir, name := e.savepointDir(sp), sp.Name
	e.store.data.Savepoints = slices.DeleteFunc(e.store.data.Savepoints, func(s storedSavepoint) bool { return s.Name == name })
	if err := e.store.save(); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		e.opt.Logger.Warn("removing the files of a dropped savepoint failed", "savepoint", name, "err", err)
	}
	return message("dropped savepoint %s", name), nil
}

// fitting finds a savepoint for a plan: it must hold the state of the very operators of the plan.
func (e *Engine) fitting(name ast.Name, plan *physical.Plan) (*storedSavepoint, error) {
	sp := e.findSavepoint(name.Text)
	if sp == nil {
		return nil, e.unknownSavepoint(name)
	}
	if !slices.Equal(sp.Operators, operatorsOf(plan)) {
		return nil, diag.New(diag.WrongObjectKind, name.At(), "savepoint '%s' of job %s holds the state of another query", sp.Name, sp.Job).
			WithHint("it was made for: %s", sp.SQL)
	}
	return sp, nil
}

// rewind makes a stopped job go on from a savepoint. Caller holds ddl.
func (e *Engine) rewind(st *storedStatement, name ast.Name) error {
	plan, err := e.planStored(*st)
	if err != nil {
		return err
	}
	sp, err := e.fitting(name, plan)
	if err != nil {
		return err
	}
	return e.rewindTo(st, sp)
}

// rewindTo puts the job's folder back; FirstEpoch keeps epochs of a job that is new above those of others with the same sinks.
func (e *Engine) rewindTo(st *storedStatement, sp *storedSavepoint) error {
	err := checkpoint.Rewind(e.jobDir(st.Job.ID), e.savepointDir(sp), st.Job.FirstEpoch, !e.temp, keyed.Options{CacheBytes: e.opt.Memory})
	if err != nil {
		return diag.New(diag.StorageUnusable, -1, "going back to savepoint '%s' failed: %v", sp.Name, err).Wrap(err)
	}
	return nil
}

// runFromSavepoint starts a new job with the state of a savepoint, of whatever job that is.
func (s *Session) runFromSavepoint(name, text string, plan *physical.Plan, vars map[string]string, savepoint ast.Name) (*Result, error) {
	sp, err := s.e.fitting(savepoint, plan)
	if err != nil {
		return nil, err
	}
	if err := build.Validate(plan, s.e.env); err != nil {
		return nil, err
	}
	st := s.e.newJob(name, text, vars)
	if err := s.e.rewindTo(&st, sp); err != nil {
		return nil, err
	}
	if err := s.e.store.put(st); err != nil {
		return nil, err
	}
	j := s.e.launch(st, plan)
	r := message("job %s runs from savepoint %s", j.Name(), sp.Name)
	r.Job, r.Notices = j.Name(), plan.Warnings
	return r, nil
}

func showSavepoints(s *Session, like func(string) bool) *rows {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	r := newRows("name", "job", "epoch", "at", "bytes").integers("epoch", "bytes")
	for _, sp := range s.e.store.data.Savepoints {
		if like(sp.Name) {
			r.add(sp.Name, sp.Job, int64(sp.Epoch), instant(sp.At), sp.Bytes)
		}
	}
	return r
}

func instant(micros int64) string { return string(types.AppendTimestamp(nil, micros, 3, false)) }

func (s *Session) describeSavepoint(name ast.Name) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	sp := s.e.findSavepoint(name.Text)
	if sp == nil {
		return nil, s.e.unknownSavepoint(name)
	}
	_, splits, err := checkpoint.Positions(s.e.savepointDir(sp))
	if err != nil {
		return nil, err
	}
	r := newRows("property", "value")
	r.add("name", sp.Name)
	r.add("job", sp.Job)
	r.add("epoch", fmt.Sprint(sp.Epoch))
	r.add("at", instant(sp.At))
	r.add("bytes", fmt.Sprint(sp.Bytes))
	for _, x := range splits {
		position := string(x.Position)
		if x.Ended {
			position += " (ended)"
		}
		r.add("position of "+x.Split, position)
	}
	r.add("statement", sp.SQL)
	return r.result(), nil
}
