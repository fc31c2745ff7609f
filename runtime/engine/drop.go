package engine

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
)

// dropKinds maps the words of DROP to kinds.
var dropKinds = map[string][]catalog.Kind{
	"SOURCE": {catalog.Source}, "TABLE": {catalog.Table, catalog.Source}, "SINK": {catalog.Sink},
	"VIEW": {catalog.View}, "MATERIALIZED VIEW": {catalog.MaterializedView},
}

func (s *Session) drop(ctx context.Context, x *ast.Drop) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	switch x.Kind {
	case "JOB":
		return s.e.dropJob(ctx, x.Name, x.IfExists)
	case "FUNCTION":
		return s.dropFunction(x)
	case "SAVEPOINT":
		return s.e.dropSavepoint(x)
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
	delete(e.uses, key)
	e.mu.Unlock()
	if err := os.RemoveAll(e.jobDir(j.ID())); err != nil {
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
