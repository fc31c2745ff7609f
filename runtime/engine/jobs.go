package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/build"
	"github.com/millrace/millrace/runtime/job"
	"github.com/millrace/millrace/runtime/view"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// uses is what a job needs to exist, lower case.
type uses struct{ relations, functions []string }

// insert starts the job of INSERT INTO .. SELECT, or of a statement set.
func (s *Session) insert(x ast.Statement, text string) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	plan, err := planner.Plan(x, s.env(false))
	if err != nil {
		return nil, err
	}
	name := "statement_set"
	if ins, ok := x.(*ast.Insert); ok {
		name = "insert_into_" + strings.ToLower(ins.Target.Text)
	}
	return s.runJob(s.e.freeJobName(name), text, plan, s.Variables())
}

func (e *Engine) freeJobName(base string) string {
	name := base
	for i := 2; e.Job(name) != nil || e.store.find(name) != nil; i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	return name
}

// createJob is CREATE JOB: an insert or a statement set under a name and with options of its own.
func (s *Session) createJob(x *ast.CreateJob, text string) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	if s.e.Job(x.Name.Text) != nil || s.e.store.find(x.Name.Text) != nil {
		if x.IfNotExists {
			return message("job %s exists already", x.Name.Text), nil
		}
		return nil, diag.New(diag.DuplicateName, x.Name.At(), "'%s' exists already", x.Name.Text).WithHint("DROP it first, or write IF NOT EXISTS")
	}
	vars, savepoint, err := s.jobVariables(x.Options)
	if err != nil {
		return nil, err
	}
	env := s.env(false)
	env.Variables = vars
	plan, err := planner.Plan(x, env)
	if err != nil {
		return nil, err
	}
	if savepoint.Text != "" {
		return s.runFromSavepoint(x.Name.Text, text, plan, vars, savepoint)
	}
	return s.runJob(x.Name.Text, text, plan, vars)
}

// jobVariables lays the options of CREATE JOB over the session's variables.
func (s *Session) jobVariables(options []ast.Option) (vars map[string]string, savepoint ast.Name, err error) {
	vars = s.Variables()
	seen := map[string]bool{}
	for _, o := range options {
		key := strings.ToLower(o.Key)
		if seen[key] {
			return nil, savepoint, diag.New(diag.BadOption, o.At(), "option '%s' is given twice", key)
		}
		seen[key] = true
		if key == "savepoint" {
			savepoint = ast.Name{Pos: o.ValuePos, Text: o.Value}
			continue
		}
		if vars[key], err = jobOption(o); err != nil {
			return nil, savepoint, err
		}
	}
	return vars, savepoint, nil
}

// jobOption checks an option of a job, which is a variable that jobs keep.
func jobOption(o ast.Option) (string, error) {
	v := findVariable(o.Key)
	if v == nil || !v.job {
		var names []string
		for _, v := range variables {
			if v.job {
				names = append(names, v.name)
			}
		}
		err := diag.New(diag.BadOption, o.At(), "unknown option '%s' of a job", o.Key)
		if near := diag.Suggest(o.Key, names); near != "" {
			return "", err.WithHint("did you mean '%s'?", near)
		}
		return "", err.WithHint("options of jobs: %s", strings.Join(names, ", "))
	}
	return v.read(o.Value, int(o.ValuePos))
}

// runJob makes a job durable and starts it. Caller holds ddl.
func (s *Session) runJob(name, text string, plan *physical.Plan, vars map[string]string) (*Result, error) {
	j, err := s.startJob(name, text, plan, vars)
	if err != nil {
		return nil, err
	}
	r := message("job %s runs", j.Name())
	r.Job, r.Notices = j.Name(), plan.Warnings
	return r, nil
}

func (s *Session) startJob(name, text string, plan *physical.Plan, vars map[string]string) (*job.Job, error) {
	if err := build.Validate(plan, s.e.env); err != nil {
		return nil, err
	}
	st := s.e.newJob(name, text, vars)
	if err := s.e.store.put(st); err != nil {
		return nil, err
	}
	return s.e.launch(st, plan), nil
}

func (e *Engine) newJob(name, text string, vars map[string]string) storedStatement {
	return storedStatement{Name: name, SQL: text, Variables: vars, Job: &storedJob{Name: name, ID: e.store.nextJob(name),
		FirstEpoch: uint64(e.opt.Clock().UnixMilli())}}
}

// optionsOf are the options of a stored job.
func (e *Engine) optionsOf(st storedStatement) job.Options {
	opt := e.jobOptions(st.Job.Name, st.Job.ID, st.Variables)
	opt.Dir = e.jobDir(st.Job.ID)
	opt.FirstEpoch = st.Job.FirstEpoch
	return opt
}

func (e *Engine) jobDir(id string) string { return filepath.Join(e.dir, "jobs", id) }

// launch starts a job whose statement is stored.
func (e *Engine) launch(st storedStatement, plan *physical.Plan) *job.Job {
	for _, r := range plan.Roots { // make the tables before the job fills them, so that readers find them at once
		if w, ok := r.(*physical.ViewWrite); ok {
			e.viewTable(w)
		}
	}
	j := job.Start(plan, e.optionsOf(st))
	e.register(j, plan)
	return j
}

// register makes a job known; plan is nil when there is none.
func (e *Engine) register(j *job.Job, plan *physical.Plan) {
	key := strings.ToLower(j.Name())
	e.mu.Lock()
	defer e.mu.Unlock()
	e.jobs[key] = j
	if plan != nil {
		e.uses[key] = uses{relations: relationsOf(plan), functions: plan.Functions}
	}
}

// viewTable gives the table of a view, empty, for its job to fill anew.
func (e *Engine) viewTable(w *physical.ViewWrite) *view.Table {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := strings.ToLower(w.View.Name)
	if t := e.views[key]; t != nil {
		return t
	}
	t := view.NewTable(w.View, w.Key)
	e.views[key] = t
	return t
}

// relationsOf lists the relations that a plan reads or writes, and the views that its statement names.
func relationsOf(plan *physical.Plan) []string {
	out := slices.Clone(plan.Relations)
	eachNode(plan, func(n physical.Node) {
		name := ""
		switch x := n.(type) {
		case *physical.SourceScan:
			name = x.Relation.Name
		case *physical.ViewScan:
			name = x.View.Name
		case *physical.SinkWrite:
			name = x.Relation.Name
		}
		if name = strings.ToLower(name); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	})
	return out
}

// eachNode calls fn for the nodes of a plan, parents first.
func eachNode(plan *physical.Plan, fn func(physical.Node)) {
	var walk func(n physical.Node)
	walk = func(n physical.Node) {
		fn(n)
		for _, in := range n.Inputs() {
			walk(in)
		}
	}
	for _, r := range plan.Roots {
		walk(r)
	}
}

// changelogSalt spreads the kinds of changelogs over identities.
const changelogSalt = 0x9e3779b97f4a7c15

// operatorsOf lists the identities of a plan's operators, by which state is kept, and what changes they make, which decides how: two plans with
// the same list can take over each other's state.
func operatorsOf(plan *physical.Plan) []uint64 {
	var out []uint64
	eachNode(plan, func(n physical.Node) { out = append(out, n.ID()^uint64(n.Properties().Changelog)*changelogSalt) })
	slices.Sort(out)
	return slices.Compact(out)
}

func (e *Engine) unknownJob(name ast.Name) error {
	var names []string
	for _, j := range e.Jobs() {
		names = append(names, j.Name())
	}
	err := diag.New(diag.UnknownTable, name.At(), "unknown job '%s'", name.Text)
	if near := diag.Suggest(name.Text, names); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	return err.WithHint("SHOW JOBS lists them")
}

// jobNamed finds a job and its statement. Caller holds ddl.
func (e *Engine) jobNamed(name ast.Name) (*job.Job, *storedStatement, error) {
	j, st := e.Job(name.Text), e.store.find(name.Text)
	if j == nil || st == nil || st.Job == nil {
		return nil, nil, e.unknownJob(name)
	}
	return j, st, nil
}

// jobControl is STOP, PAUSE and RESUME JOB. A stopped job keeps its state and goes on from there.
func (s *Session) jobControl(ctx context.Context, x *ast.JobControl) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	if x.Verb == "DROP" {
		return s.e.dropJob(ctx, x.Name, false)
	}
	j, st, err := s.e.jobNamed(x.Name)
	if err != nil {
		return nil, err
	}
	if x.Verb == "RESUME" {
		return s.e.resume(j, st, x.Savepoint)
	}
	if x.Savepoint.Text != "" {
		if err := s.e.savepointFree(x.Savepoint); err != nil {
			return nil, err
		}
	}
	j.Stop(ctx)
	st.Job.Stopped = true
	if err := s.e.store.save(); err != nil {
		return nil, err
	}
	if x.Savepoint.Text != "" {
		if _, err := s.e.save(ctx, j, st, x.Savepoint); err != nil {
			return nil, err
		}
		return message("job %s is stopped; savepoint %s holds its state", j.Name(), x.Savepoint.Text), nil
	}
	return message("job %s is stopped; RESUME JOB %s goes on where it stopped", j.Name(), j.Name()), nil
}

// ended tells whether a job runs no more.
func ended(j *job.Job) bool {
	select {
	case <-j.Done():
		return true
	default:
		return false
	}
}

// resume is RESUME JOB [FROM SAVEPOINT].
func (e *Engine) resume(j *job.Job, st *storedStatement, savepoint ast.Name) (*Result, error) {
	if savepoint.Text != "" {
		if !ended(j) {
			return nil, diag.New(diag.WrongObjectKind, savepoint.At(), "job %s runs", j.Name()).WithHint("STOP JOB %s first", j.Name())
		}
		if err := e.rewind(st, savepoint); err != nil {
			return nil, err
		}
	}
	if ended(j) {
		if err := e.relaunch(*st); err != nil {
			return nil, err
		}
	}
	st.Job.Stopped = false
	if err := e.store.save(); err != nil {
		return nil, err
	}
	if savepoint.Text != "" {
		return message("job %s runs from savepoint %s", j.Name(), savepoint.Text), nil
	}
	return message("job %s runs", j.Name()), nil
}

// planStored plans a stored statement again, under the variables that are kept with it.
func (e *Engine) planStored(st storedStatement) (*physical.Plan, error) {
	s := e.NewSession()
	for k, v := range st.Variables {
		s.vars[k] = v
	}
	stmt, err := parser.Parse(st.SQL)
	if err != nil {
		return nil, err
	}
	plan, err := planner.Plan(stmt, s.env(false))
	if err != nil {
		return nil, diag.WithSource(err, st.SQL)
	}
	return plan, nil
}

// relaunch plans a stored statement again and starts its job from its last checkpoint.
func (e *Engine) relaunch(st storedStatement) error {
	plan, err := e.planStored(st)
	if err != nil {
		return err
	}
	e.mu.Lock()
	delete(e.views, st.Name) // the job reads its rows back
	e.mu.Unlock()
	e.launch(st, plan)
	return nil
}

// restore replays the stored statements and starts their jobs. A statement that no longer works is reported and kept: it must not stop
// the others.
func (e *Engine) restore() error {
	for _, st := range slices.Clone(e.store.data.Statements) {
		err := e.restoreOne(st)
		if err == nil {
			continue
		}
		e.opt.Logger.Error("a stored statement failed", "name", st.Name, "err", err)
		if st.Job != nil {
			e.register(job.Rest(e.optionsOf(st), err), nil)
		}
	}
	return nil
}

func (e *Engine) restoreOne(st storedStatement) error {
	stmt, err := parser.Parse(st.SQL)
	if err != nil {
		return err
	}
	s := e.NewSession()
	for k, v := range st.Variables {
		s.vars[k] = v
	}
	switch x := stmt.(type) {
	case *ast.CreateFunction:
		return e.restoreFunction(s, x, st)
	case *ast.CreateRelation, *ast.CreateSink, *ast.CreateView:
		rel, err := s.bindRelation(stmt, st.SQL)
		if err != nil {
			return err
		}
		e.catalog.Add(rel, true)
	}
	switch {
	case st.Job == nil:
		return nil
	case !st.Job.Stopped:
		return e.relaunch(st)
	}
	plan, err := e.planStored(st)
	if err != nil {
		return err
	}
	e.register(job.Rest(e.optionsOf(st), nil), plan)
	return nil
}

// restart stops a job behind a checkpoint, lets change do its work, and starts the job again as it then is stored. A job that did not run stays as it is.
func (e *Engine) restart(ctx context.Context, j *job.Job, st *storedStatement, change func()) error {
	was := ended(j)
	if !was {
		j.Stop(ctx)
	}
	change()
	if err := e.store.save(); err != nil {
		return err
	}
	if was && st.Job.Stopped {
		plan, err := e.planStored(*st)
		if err != nil {
			return err
		}
		e.register(job.Rest(e.optionsOf(*st), nil), plan)
		return nil
	}
	if err := e.relaunch(*st); err != nil {
		return errors.Join(fmt.Errorf("starting job %s again", st.Job.Name), err)
	}
	return nil
}
