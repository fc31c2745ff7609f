package engine

import (
	"context"
	"os"
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
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

func (s *Session) createRelation(x *ast.CreateRelation, text string) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	if done, err := s.e.nameTaken(x.Name, x.IfNotExists, x.OrReplace); done != nil || err != nil {
		return done, err
	}
	rel, err := s.bindRelation(x, text)
	if err != nil {
		return nil, err
	}
	s.e.catalog.Add(rel, x.OrReplace)
	if err := s.e.store.put(storedStatement{Name: rel.Name, SQL: text}); err != nil {
		return nil, err
	}
	return message("created %s %s", strings.ToLower(x.Kind), rel.Name), nil
}

func (s *Session) bindRelation(x ast.Statement, text string) (*catalog.Relation, error) {
	rel, err := planner.BindRelation(x, s.env(false))
	if err != nil {
		return nil, err
	}
	rel.SQL = text
	return rel, nil
}

// nameTaken decides what a CREATE does when the name exists: a result (IF NOT EXISTS), an error, or neither.
func (e *Engine) nameTaken(name ast.Name, ifNotExists, orReplace bool) (*Result, error) {
	old := e.catalog.Get(name.Text)
	switch {
	case old == nil && len(e.catalog.List()) >= maxRelations:
		return nil, diag.New(diag.NotSupported, name.At(), "the catalog is full: %d relations", maxRelations)
	case old == nil:
		return nil, nil
	case ifNotExists:
		return message("%s %s exists already", old.Kind, old.Name), nil
	case orReplace && (old.Kind == catalog.Source || old.Kind == catalog.Table || old.Kind == catalog.View):
		if users := e.dependents(old.Name); len(users) > 0 {
			return nil, diag.New(diag.DependentObjects, name.At(), "%s '%s' is read by %s", old.Kind, old.Name, strings.Join(users, ", ")).
				WithHint("drop those first")
		}
		return nil, nil
	}
	return nil, diag.New(diag.DuplicateName, name.At(), "%s '%s' exists already", old.Kind, old.Name).
		WithHint("DROP it first, or write IF NOT EXISTS")
}

func (s *Session) createSink(x *ast.CreateSink, text string) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	if done, err := s.e.nameTaken(x.Name, x.IfNotExists, false); done != nil || err != nil {
		return done, err
	}
	rel, err := s.bindRelation(x, text)
	if err != nil {
		return nil, err
	}
	if x.Query == nil {
		s.e.catalog.Add(rel, false)
		return message("created sink %s", rel.Name), s.e.store.put(storedStatement{Name: rel.Name, SQL: text})
	}
	return s.createWithJob(x, rel, text, "created sink %s; its job runs")
}

func (s *Session) createView(x *ast.CreateView, text string) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	if done, err := s.e.nameTaken(x.Name, x.IfNotExists, x.OrReplace && !x.Materialized); done != nil || err != nil {
		return done, err
	}
	rel, err := s.bindRelation(x, text)
	if err != nil {
		return nil, err
	}
	if !x.Materialized {
		s.e.catalog.Add(rel, x.OrReplace)
		return message("created view %s", rel.Name), s.e.store.put(storedStatement{Name: rel.Name, SQL: text})
	}
	return s.createWithJob(x, rel, text, "created materialized view %s; its job runs")
}

// createWithJob adds a relation and starts the job that fills it; when the job cannot be planned nothing is left behind.
func (s *Session) createWithJob(x ast.Statement, rel *catalog.Relation, text, done string) (*Result, error) {
	s.e.catalog.Add(rel, false)
	plan, err := planner.Plan(x, s.env(false))
	if err != nil {
		s.e.catalog.Drop(rel.Name)
		return nil, err
	}
	j, err := s.startJob(rel.Name, text, plan)
	if err != nil {
		s.e.catalog.Drop(rel.Name)
		return nil, err
	}
	r := message(done, rel.Name)
	r.Job, r.Notices = j.Name(), plan.Warnings
	return r, nil
}

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
	j, err := s.startJob(s.e.freeJobName(name), text, plan)
	if err != nil {
		return nil, err
	}
	r := message("job %s runs", j.Name())
	r.Job, r.Notices = j.Name(), plan.Warnings
	return r, nil
}

func (e *Engine) freeJobName(base string) string {
	name := base
	for i := 2; e.Job(name) != nil || e.store.find(name) != nil; i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	return name
}

// startJob makes a job durable and starts it. Caller holds ddl.
func (s *Session) startJob(name, text string, plan *physical.Plan) (*job.Job, error) {
	if err := build.Validate(plan, s.e.env); err != nil {
		return nil, err
	}
	vars := s.Variables()
	st := storedStatement{Name: name, SQL: text, Variables: vars, Job: &storedJob{Name: name, ID: s.e.store.nextJob(name),
		FirstEpoch: uint64(s.e.opt.Clock().UnixMilli())}}
	if err := s.e.store.put(st); err != nil {
		return nil, err
	}
	return s.e.launch(st, plan), nil
}

// launch starts a job whose statement is stored.
func (e *Engine) launch(st storedStatement, plan *physical.Plan) *job.Job {
	opt := e.jobOptions(st.Job.Name, st.Job.ID, st.Variables)
	opt.Dir = filepath.Join(e.dir, "jobs", st.Job.ID)
	opt.FirstEpoch = st.Job.FirstEpoch
	for _, r := range plan.Roots { // make the tables before the job fills them, so that readers find them at once
		if w, ok := r.(*physical.ViewWrite); ok {
			e.viewTable(w)
		}
	}
	j := job.Start(plan, opt)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.jobs[strings.ToLower(st.Job.Name)] = j
	e.reads[strings.ToLower(st.Job.Name)] = relationsOf(plan)
	return j
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

// relationsOf lists the relations that a plan reads or writes.
func relationsOf(plan *physical.Plan) []string {
	var out []string
	var walk func(n physical.Node)
	walk = func(n physical.Node) {
		switch x := n.(type) {
		case *physical.SourceScan:
			out = append(out, strings.ToLower(x.Relation.Name))
		case *physical.ViewScan:
			out = append(out, strings.ToLower(x.View.Name))
		case *physical.SinkWrite:
			out = append(out, strings.ToLower(x.Relation.Name))
		}
		for _, in := range n.Inputs() {
			walk(in)
		}
	}
	for _, r := range plan.Roots {
		walk(r)
	}
	return out
}

// dependents lists what reads or writes a relation: jobs, and views over it.
func (e *Engine) dependents(name string) []string {
	key := strings.ToLower(name)
	var out []string
	e.mu.Lock()
	for j, rels := range e.reads {
		if j != key && slices.Contains(rels, key) {
			out = append(out, "job "+j)
		}
	}
	e.mu.Unlock()
	for _, r := range e.catalog.List() {
		if r.Query != nil && strings.ToLower(r.Name) != key && slices.Contains(tablesOf(r.Query), key) {
			out = append(out, r.Kind.String()+" "+r.Name)
		}
	}
	slices.Sort(out)
	return out
}

// dropKinds maps the words of DROP to kinds.
var dropKinds = map[string][]catalog.Kind{
	"SOURCE": {catalog.Source}, "TABLE": {catalog.Table, catalog.Source}, "SINK": {catalog.Sink},
	"VIEW": {catalog.View}, "MATERIALIZED VIEW": {catalog.MaterializedView},
}

func (s *Session) drop(ctx context.Context, x *ast.Drop) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	if x.Kind == "JOB" {
		return s.e.dropJob(ctx, x.Name, x.IfExists)
	}
	rel := s.e.catalog.Get(x.Name.Text)
	if rel == nil {
		if x.IfExists {
			return message("%s does not exist", x.Name.Text), nil
		}
		return nil, s.e.unknownRelation(x.Name)
	}
	if !slices.Contains(dropKinds[x.Kind], rel.Kind) {
		return nil, diag.New(diag.WrongObjectKind, x.Name.At(), "'%s' is a %s", rel.Name, rel.Kind).
			WithHint("DROP %s %s", strings.ToUpper(rel.Kind.String()), rel.Name)
	}
	if users := s.e.dependents(rel.Name); len(users) > 0 {
		return nil, diag.New(diag.DependentObjects, x.Name.At(), "%s '%s' is used by %s", rel.Kind, rel.Name, strings.Join(users, ", ")).
			WithHint("drop those first")
	}
	s.e.endJob(ctx, rel.Name)
	s.e.catalog.Drop(rel.Name)
	s.e.mu.Lock()
	delete(s.e.views, strings.ToLower(rel.Name))
	s.e.mu.Unlock()
	return message("dropped %s %s", rel.Kind, rel.Name), s.e.store.remove(rel.Name)
}

func (e *Engine) unknownRelation(name ast.Name) error {
	err := diag.New(diag.UnknownTable, name.At(), "unknown table '%s'", name.Text)
	if near := diag.Suggest(name.Text, e.catalog.Names()); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	return err.WithHint("SHOW TABLES lists what there is")
}

// endJob stops a job and removes what it kept. No job of that name: nothing happens.
func (e *Engine) endJob(ctx context.Context, name string) {
	j := e.Job(name)
	if j == nil {
		return
	}
	j.Stop(ctx)
	key := strings.ToLower(name)
	e.mu.Lock()
	delete(e.jobs, key)
	delete(e.reads, key)
	e.mu.Unlock()
	if err := os.RemoveAll(filepath.Join(e.dir, "jobs", j.ID())); err != nil {
		e.opt.Logger.Warn("removing the state of a dropped job failed", "job", name, "err", err)
	}
}

func (e *Engine) dropJob(ctx context.Context, name ast.Name, ifExists bool) (*Result, error) {
	if e.Job(name.Text) == nil {
		if ifExists {
			return message("job %s does not exist", name.Text), nil
		}
		return nil, e.unknownJob(name)
	}
	if rel := e.catalog.Get(name.Text); rel != nil {
		return nil, diag.New(diag.WrongObjectKind, name.At(), "job '%s' belongs to the %s of that name", name.Text, rel.Kind).
			WithHint("STOP JOB %s stops it; DROP %s %s removes both", rel.Name, strings.ToUpper(rel.Kind.String()), rel.Name)
	}
	e.endJob(ctx, name.Text)
	return message("dropped job %s", name.Text), e.store.remove(name.Text)
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

// jobControl is STOP, PAUSE and RESUME JOB. A stopped job keeps its state and goes on from there.
func (s *Session) jobControl(ctx context.Context, x *ast.JobControl) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	if x.Verb == "DROP" {
		return s.e.dropJob(ctx, x.Name, false)
	}
	j, st := s.e.Job(x.Name.Text), s.e.store.find(x.Name.Text)
	if j == nil || st == nil || st.Job == nil {
		return nil, s.e.unknownJob(x.Name)
	}
	stop := x.Verb != "RESUME"
	if stop {
		j.Stop(ctx)
	}
	st.Job.Stopped = stop
	if err := s.e.store.save(); err != nil {
		return nil, err
	}
	if stop {
		return message("job %s is stopped; RESUME JOB %s goes on where it stopped", j.Name(), j.Name()), nil
	}
	select {
	case <-j.Done():
		if err := s.e.relaunch(*st); err != nil {
			return nil, err
		}
	default:
	}
	return message("job %s runs", j.Name()), nil
}

// relaunch plans a stored statement again and starts its job from its last checkpoint.
func (e *Engine) relaunch(st storedStatement) error {
	s := e.NewSession()
	for k, v := range st.Variables {
		s.vars[k] = v
	}
	stmt, err := parser.Parse(st.SQL)
	if err != nil {
		return err
	}
	plan, err := planner.Plan(stmt, s.env(false))
	if err != nil {
		return diag.WithSource(err, st.SQL)
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
		if err := e.restoreOne(st); err != nil {
			e.opt.Logger.Error("a stored statement failed", "name", st.Name, "err", err)
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
	switch stmt.(type) {
	case *ast.CreateRelation, *ast.CreateSink, *ast.CreateView:
		rel, err := s.bindRelation(stmt, st.SQL)
		if err != nil {
			return err
		}
		e.catalog.Add(rel, true)
	}
	if st.Job == nil || st.Job.Stopped {
		return nil
	}
	return e.relaunch(st)
}
