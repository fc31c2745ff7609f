package engine

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/runtime/build"
	"github.com/millrace/millrace/runtime/job"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/parser"
)

func (s *Session) alter(ctx context.Context, x *ast.Alter, text string) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	if x.Kind == "JOB" {
		return s.alterJob(ctx, x)
	}
	rel := s.e.catalog.Get(x.Name.Text)
	switch {
	case rel == nil:
		return nil, s.e.unknownRelation(x.Name)
	case !slices.Contains(dropKinds[x.Kind], rel.Kind):
		return nil, diag.New(diag.WrongObjectKind, x.Name.At(), "'%s' is a %s", rel.Name, rel.Kind).
			WithHint("ALTER %s %s ..", strings.ToUpper(rel.Kind.String()), rel.Name)
	}
	switch x.Action {
	case "AS":
		return s.alterQuery(ctx, rel, x)
	case "RENAME":
		return s.renameRelation(rel, x)
	}
	return s.alterRelation(rel, x, text)
}

// sameZone tells whether variables name the same time zone.
func sameZone(a, b map[string]string) bool {
	x, err := function.ParseZone(a["time_zone"])
	y, err2 := function.ParseZone(b["time_zone"])
	return err == nil && err2 == nil && x.String() == y.String()
}

// alterJob is ALTER JOB: RESCALE, SET, RESET, RENAME. The job stops behind a checkpoint and goes on from it; state moves with its key groups.
func (s *Session) alterJob(ctx context.Context, x *ast.Alter) (*Result, error) {
	j, st, err := s.e.jobNamed(x.Name)
	if err != nil {
		return nil, err
	}
	changes, err := s.jobChanges(x)
	if err != nil {
		return nil, err
	}
	if x.Action == "RENAME" {
		return s.renameJob(ctx, j, st, x)
	}
	next := *st
	next.Variables = map[string]string{}
	for k, v := range st.Variables {
		next.Variables[k] = v
	}
	for k, v := range changes {
		next.Variables[k] = v
	}
	if !sameZone(st.Variables, next.Variables) {
		return nil, diag.New(diag.NotSupported, x.At(), "another time zone gives the job another result: it cannot keep its state").
			WithHint("stop the job and create a new one")
	}
	before, err := s.e.planStored(*st)
	if err != nil {
		return nil, err
	}
	after, err := s.e.planStored(next)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(operatorsOf(before), operatorsOf(after)) {
		return nil, diag.New(diag.NotSupported, x.At(), "the change gives the job another result: it cannot keep its state").
			WithHint("stop the job and create a new one")
	}
	if err := s.e.restart(ctx, j, st, func() { st.Variables = next.Variables }); err != nil {
		return nil, err
	}
	if x.Action == "RESCALE" {
		return message("job %s has up to %s tasks a fragment", j.Name(), next.Variables["parallelism"]), nil
	}
	return message("altered job %s", j.Name()), nil
}

// jobChanges gives the new values of a job's variables.
func (s *Session) jobChanges(x *ast.Alter) (map[string]string, error) {
	out := map[string]string{}
	switch x.Action {
	case "RESCALE":
		text, err := literalText(x.Value)
		if err != nil {
			return nil, err
		}
		out["parallelism"], err = findVariable("parallelism").read(text, x.Value.At())
		return out, err
	case "SET":
		for _, o := range x.Options {
			value, err := jobOption(o)
			if err != nil {
				return nil, err
			}
			out[strings.ToLower(o.Key)] = value
		}
	case "RESET":
		defaults := s.e.NewSession().Variables()
		for _, k := range x.Keys {
			key := strings.ToLower(k.Text)
			if _, err := jobOption(ast.Option{Pos: k.Pos, Key: key, Value: defaults[key], ValuePos: k.Pos}); err != nil {
				return nil, err
			}
			out[key] = defaults[key]
		}
	}
	return out, nil
}

func (s *Session) renameJob(ctx context.Context, j *job.Job, st *storedStatement, x *ast.Alter) (*Result, error) {
	if rel := s.e.catalog.Get(st.Name); rel != nil && (rel.Kind == catalog.MaterializedView || rel.Query != nil) {
		return nil, diag.New(diag.WrongObjectKind, x.Name.At(), "job '%s' belongs to the %s of that name", j.Name(), rel.Kind)
	}
	if s.e.Job(x.NewName.Text) != nil || s.e.store.find(x.NewName.Text) != nil {
		return nil, diag.New(diag.DuplicateName, x.NewName.At(), "'%s' exists already", x.NewName.Text)
	}
	old := strings.ToLower(st.Name)
	running := !ended(j)
	if running {
		j.Stop(ctx)
	}
	s.e.mu.Lock()
	delete(s.e.jobs, old)
	delete(s.e.uses, old)
	s.e.mu.Unlock()
	st.Name, st.Job.Name = strings.ToLower(x.NewName.Text), x.NewName.Text
	if err := s.e.store.save(); err != nil {
		return nil, err
	}
	done := message("renamed job %s to %s", old, x.NewName.Text)
	if running {
		return done, s.e.relaunch(*st)
	}
	return done, s.e.restart(ctx, job.Rest(s.e.optionsOf(*st), nil), st, func() {})
}

// identityOptions say where a relation's rows are: with another value, the positions that jobs keep would mean something else.
var identityOptions = []string{"connector", "topic", "topics", "path", "url", "index", "brokers"}

// alterRelation changes the statement that made a relation, and makes the relation anew from it.
func (s *Session) alterRelation(rel *catalog.Relation, x *ast.Alter, text string) (*Result, error) {
	st := s.e.store.find(rel.Name)
	if st == nil {
		return nil, diag.New(diag.WrongObjectKind, x.Name.At(), "%s '%s' cannot be altered", rel.Kind, rel.Name)
	}
	if err := s.alterable(rel, x); err != nil {
		return nil, err
	}
	next, changed, err := s.rebind(st, x, text)
	if err != nil {
		return nil, err
	}
	before := s.e.operatorsBy(rel.Name)
	s.e.catalog.Add(next, true)
	for name, operators := range s.e.operatorsBy(rel.Name) {
		if !slices.Equal(operators, before[name]) {
			s.e.catalog.Add(rel, true)
			return nil, diag.New(diag.DependentObjects, x.At(), "job %s could not keep its state: the change gives it another result", name).
				WithHint("drop the job first, or make another %s", rel.Kind)
		}
	}
	if st.Job != nil {
		if err := s.sameJob(st, changed, x); err != nil {
			s.e.catalog.Add(rel, true)
			return nil, err
		}
	}
	st.SQL = changed
	return message("altered %s %s", rel.Kind, rel.Name), s.e.store.save()
}

// editParsed gives a stored statement after an ALTER, parsed and as text.
func editParsed(st *storedStatement, x *ast.Alter, alter string) (ast.Statement, string, error) {
	changed, err := editStatement(st.SQL, x, alter)
	if err != nil {
		return nil, "", err
	}
	stmt, err := parser.Parse(changed)
	if err != nil {
		return nil, "", moveError(err, x)
	}
	return stmt, changed, nil
}

// rebind gives the relation that a stored statement makes after an ALTER, and the statement's text.
func (s *Session) rebind(st *storedStatement, x *ast.Alter, alter string) (*catalog.Relation, string, error) {
	stmt, changed, err := editParsed(st, x, alter)
	if err != nil {
		return nil, "", err
	}
	rel, err := s.bindRelation(stmt, changed)
	if err != nil {
		return nil, "", moveError(err, x)
	}
	return rel, changed, nil
}

// operatorsBy gives, for each job that uses a relation, the operators that keep its state, as the catalog is now; none for one that cannot be planned.
func (e *Engine) operatorsBy(relation string) map[string][]uint64 {
	var names []string
	e.mu.Lock()
	for name, u := range e.uses {
		if slices.Contains(u.relations, strings.ToLower(relation)) && name != strings.ToLower(relation) {
			names = append(names, name)
		}
	}
	e.mu.Unlock()
	out := map[string][]uint64{}
	for _, name := range names {
		out[name] = nil
		if st := e.store.find(name); st != nil {
			if plan, err := e.planStored(*st); err == nil {
				out[name] = operatorsOf(plan)
			}
		}
	}
	return out
}

// sameJob makes sure that the altered statement of a job keeps the job's state.
func (s *Session) sameJob(st *storedStatement, changed string, x *ast.Alter) error {
	next := *st
	next.SQL = changed
	before, err := s.e.planStored(*st)
	if err != nil {
		return err
	}
	after, err := s.e.planStored(next)
	if err == nil {
		err = build.Validate(after, s.e.env)
	}
	if err != nil {
		return moveError(err, x)
	}
	if !slices.Equal(operatorsOf(before), operatorsOf(after)) {
		return diag.New(diag.NotSupported, x.At(), "the change gives the job another result: it cannot keep its state").WithHint("drop it and create it anew")
	}
	s.e.register(job.Rest(s.e.optionsOf(next), nil), after)
	return nil
}

// alterable tells who is in the way of a change: everyone who reads the relation, when its columns change; jobs that run, when an option does.
func (s *Session) alterable(rel *catalog.Relation, x *ast.Alter) error {
	users := s.e.dependents(rel.Name)
	switch x.Action {
	case "SET", "RESET":
		if s.e.identityChanges(rel, x) {
			break
		}
		users = slices.DeleteFunc(users, func(u string) bool {
			name, isJob := strings.CutPrefix(u, "job ")
			j := s.e.Job(name)
			return !isJob || j == nil || ended(j)
		})
		if j := s.e.Job(rel.Name); j != nil && !ended(j) {
			users = append(users, "job "+j.Name())
		}
		if len(users) == 0 {
			return nil
		}
		return diag.New(diag.DependentObjects, x.Name.At(), "%s '%s' is in use by %s", rel.Kind, rel.Name, strings.Join(users, ", ")).
			WithHint("STOP JOB first; RESUME JOB goes on with the new options")
	}
	if s.e.Job(rel.Name) != nil && x.Action != "SET" && x.Action != "RESET" {
		users = append(users, "job "+rel.Name)
	}
	if len(users) == 0 {
		return nil
	}
	return diag.New(diag.DependentObjects, x.Name.At(), "%s '%s' is used by %s", rel.Kind, rel.Name, strings.Join(users, ", ")).WithHint("drop those first")
}

// identityChanges tells whether an option changes that says where a relation's rows are.
func (e *Engine) identityChanges(rel *catalog.Relation, x *ast.Alter) bool {
	for _, o := range x.Options {
		if key := strings.ToLower(o.Key); slices.Contains(identityOptions, key) && rel.Options[key] != o.Value {
			return true
		}
	}
	return slices.ContainsFunc(x.Keys, func(k ast.Name) bool { return slices.Contains(identityOptions, strings.ToLower(k.Text)) })
}

// moveError puts an error of the changed statement at the action that made it wrong.
func moveError(err error, x *ast.Alter) error {
	d, ok := diag.As(err)
	if !ok {
		return err
	}
	moved := *d
	moved.Offset, moved.End, moved.Source = x.At(), 0, ""
	switch {
	case x.Column != nil:
		moved.Offset = x.Column.At()
	case len(x.Options) > 0:
		moved.Offset = x.Options[0].At()
	case len(x.Keys) > 0:
		moved.Offset = x.Keys[0].At()
	case x.NewName.Text != "":
		moved.Offset = x.NewName.At()
	case x.Watermark != nil:
		moved.Offset = x.Watermark.At()
	}
	return &moved
}

// renameRelation gives a relation that nothing uses another name.
func (s *Session) renameRelation(rel *catalog.Relation, x *ast.Alter) (*Result, error) {
	if s.e.Job(rel.Name) != nil {
		return nil, diag.New(diag.NotSupported, x.Name.At(), "renaming a %s with a job is not supported", rel.Kind).
			WithHint("CREATE VIEW %s AS SELECT * FROM %s gives it a second name", x.NewName.Text, rel.Name)
	}
	if s.e.catalog.Get(x.NewName.Text) != nil || s.e.store.find(x.NewName.Text) != nil {
		return nil, diag.New(diag.DuplicateName, x.NewName.At(), "'%s' exists already", x.NewName.Text)
	}
	st := s.e.store.find(rel.Name)
	if st == nil {
		return nil, diag.New(diag.WrongObjectKind, x.Name.At(), "%s '%s' cannot be renamed", rel.Kind, rel.Name)
	}
	if err := s.alterable(rel, x); err != nil {
		return nil, err
	}
	next, changed, err := s.rebind(st, x, "")
	if err != nil {
		return nil, err
	}
	s.e.catalog.Drop(rel.Name)
	s.e.catalog.Add(next, false)
	st.Name, st.SQL = strings.ToLower(next.Name), changed
	return message("renamed %s %s to %s", rel.Kind, rel.Name, next.Name), s.e.store.save()
}

// alterQuery is ALTER [MATERIALIZED] VIEW v AS query.
func (s *Session) alterQuery(ctx context.Context, rel *catalog.Relation, x *ast.Alter) (*Result, error) {
	st := s.e.store.find(rel.Name)
	if st == nil || rel.Kind == catalog.Sink {
		return nil, diag.New(diag.NotSupported, x.Name.At(), "another query for a sink is not supported").
			WithHint("what it has written stays written: DROP SINK and CREATE SINK, with another target")
	}
	stmt, changed, err := editParsed(st, x, "")
	if err != nil {
		return nil, err
	}
	view, ok := stmt.(*ast.CreateView)
	if !ok {
		return nil, diag.New(diag.Internal, x.At(), "the statement of view '%s' makes no view", rel.Name)
	}
	r, err := s.replaceView(ctx, rel, view, changed, x.Name)
	if d, ok := diag.As(err); ok && d.Offset >= view.Query.At() { // the query stands in this statement, too
		moved := *d
		moved.Offset, moved.End = d.Offset-view.Query.At()+x.Query.At(), 0
		return nil, &moved
	}
	return r, err
}

// replaceView puts another definition in the place of a view that nothing reads. A materialised one is computed anew, with new state; until its
// job has its first rows it is empty.
func (s *Session) replaceView(ctx context.Context, old *catalog.Relation, x *ast.CreateView, text string, at ast.Name) (*Result, error) {
	if users := s.e.dependents(old.Name); len(users) > 0 {
		return nil, diag.New(diag.DependentObjects, at.At(), "%s '%s' is read by %s", old.Kind, old.Name, strings.Join(users, ", ")).WithHint("drop those first")
	}
	rel, err := s.bindRelation(x, text)
	if err != nil {
		return nil, err
	}
	if slices.Contains(rel.Reads, strings.ToLower(old.Name)) {
		return nil, diag.New(diag.DependentObjects, at.At(), "view '%s' would read itself", old.Name)
	}
	if !x.Materialized {
		s.e.catalog.Add(rel, true)
		return message("replaced view %s", rel.Name), s.e.store.put(storedStatement{Name: rel.Name, SQL: text})
	}
	vars := s.Variables()
	if st := s.e.store.find(old.Name); st != nil && st.Job != nil {
		zone := vars["time_zone"] // the new text is read in the session's
		vars = maps.Clone(st.Variables)
		vars["time_zone"] = zone
	}
	plan, err := planner.Plan(x, s.env(false))
	if err == nil {
		err = build.Validate(plan, s.e.env)
	}
	if err != nil {
		return nil, err
	}
	s.e.endJob(ctx, old.Name)
	s.e.mu.Lock()
	delete(s.e.views, strings.ToLower(old.Name))
	s.e.mu.Unlock()
	s.e.catalog.Add(rel, true)
	if plan, err = planner.Plan(x, s.env(false)); err != nil { // now with the entry of the catalog
		return nil, err
	}
	j, err := s.startJob(rel.Name, text, plan, vars)
	if err != nil {
		return nil, err
	}
	r := message("replaced materialized view %s; it is computed anew", rel.Name)
	r.Job, r.Notices = j.Name(), plan.Warnings
	return r, nil
}
