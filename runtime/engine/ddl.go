package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
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
	if rel.Kind == catalog.MaterializedView {
		rel.Zone = s.Variables()["time_zone"]
	}
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

func (s *Session) createView(ctx context.Context, x *ast.CreateView, text string) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	if old := s.e.catalog.Get(x.Name.Text); old != nil && x.OrReplace {
		switch {
		case old.Kind != viewKind(x):
			return nil, diag.New(diag.WrongObjectKind, x.Name.At(), "'%s' is a %s", old.Name, old.Kind).
				WithHint("DROP %s %s first", strings.ToUpper(old.Kind.String()), old.Name)
		case sameStatement(old.SQL, text):
			return message("%s %s is the same already", old.Kind, old.Name), nil
		}
		return s.replaceView(ctx, old, x, text, x.Name)
	}
	if done, err := s.e.nameTaken(x.Name, x.IfNotExists, false); done != nil || err != nil {
		return done, err
	}
	rel, err := s.bindRelation(x, text)
	if err != nil {
		return nil, err
	}
	if !x.Materialized {
		s.e.catalog.Add(rel, false)
		return message("created view %s", rel.Name), s.e.store.put(storedStatement{Name: rel.Name, SQL: text})
	}
	return s.createWithJob(x, rel, text, "created materialized view %s; its job runs")
}

func viewKind(x *ast.CreateView) catalog.Kind {
	if x.Materialized {
		return catalog.MaterializedView
	}
	return catalog.View
}

// createWithJob adds a relation and starts the job that fills it; when the job cannot be planned nothing is left behind.
func (s *Session) createWithJob(x ast.Statement, rel *catalog.Relation, text, done string) (*Result, error) {
	s.e.catalog.Add(rel, false)
	plan, err := planner.Plan(x, s.env(false))
	if err != nil {
		s.e.catalog.Drop(rel.Name)
		return nil, err
	}
	j, err := s.startJob(rel.Name, text, plan, s.Variables())
	if err != nil {
		s.e.catalog.Drop(rel.Name)
		return nil, err
	}
	r := message(done, rel.Name)
	r.Job, r.Notices = j.Name(), plan.Warnings
	return r, nil
}

// dependents lists what reads or writes a relation: jobs, and views over it.
func (e *Engine) dependents(name string) []string {
	key := strings.ToLower(name)
	var out []string
	e.mu.Lock()
	for j, u := range e.uses {
		if j != key && slices.Contains(u.relations, key) {
			out = append(out, "job "+j)
		}
	}
	e.mu.Unlock()
	for _, r := range e.catalog.List() {
		if strings.ToLower(r.Name) != key && slices.Contains(r.Reads, key) {
			out = append(out, r.Kind.String()+" "+r.Name)
		}
	}
	slices.Sort(out)
	return out
}
