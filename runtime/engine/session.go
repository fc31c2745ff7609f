package engine

import (
	"context"
	"maps"
	"strings"
	"sync"

	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// Session is one client's view of the engine: its variables. Statements of one session run one after the other.
type Session struct {
	e    *Engine
	mu   sync.Mutex
	vars map[string]string
	user map[string]*ast.Literal // @variables, lower case; guarded by mu

	prepared map[string]*Prepared // by lower-case name; guarded by mu
}

// NewSession makes a session with the engine's default variables.
func (e *Engine) NewSession() *Session {
	s := &Session{e: e, vars: map[string]string{}}
	for _, v := range variables {
		s.vars[v.name] = v.value
	}
	for k, v := range e.opt.Variables {
		s.vars[findVariable(k).name] = v
	}
	return s
}

// Variables returns a copy of the session's variables.
func (s *Session) Variables() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.vars)
}

// Exec runs one statement. Errors a user can cause are *diag.Error with Source set. The result must be closed.
func (s *Session) Exec(ctx context.Context, text string) (*Result, error) {
	stmt, err := parser.Parse(text)
	if err != nil {
		return nil, diag.WithSource(err, text)
	}
	return s.ExecParsed(ctx, stmt, text)
}

// ExecParsed runs a parsed statement whose source text is text.
func (s *Session) ExecParsed(ctx context.Context, stmt ast.Statement, text string) (*Result, error) {
	r, err := s.dispatch(ctx, stmt, text)
	if err != nil {
		return nil, diag.WithSource(err, text)
	}
	return r, nil
}

func (s *Session) dispatch(ctx context.Context, stmt ast.Statement, text string) (*Result, error) {
	switch x := stmt.(type) {
	case *ast.QueryStmt:
		return s.query(ctx, x, text)
	case *ast.CreateRelation:
		return s.createRelation(x, text)
	case *ast.CreateSink:
		return s.createSink(x, text)
	case *ast.CreateView:
		return s.createView(ctx, x, text)
	case *ast.Insert:
		return s.insert(x, text)
	case *ast.StatementSet:
		return s.insert(x, text)
	case *ast.Explain:
		return s.explain(x)
	case *ast.Show:
		return s.show(x)
	case *ast.Describe:
		return s.describe(x)
	case *ast.Drop:
		return s.drop(ctx, x)
	case *ast.Set:
		return s.set(ctx, x)
	case *ast.JobControl:
		return s.jobControl(ctx, x)
	case *ast.CreateFunction:
		return s.createFunction(ctx, x, text)
	case *ast.CreateJob:
		return s.createJob(x, text)
	case *ast.CreateSavepoint:
		return s.createSavepoint(ctx, x)
	case *ast.Alter:
		return s.alter(ctx, x, text)
	case *ast.Prepare:
		return s.prepare(x)
	case *ast.Execute:
		return s.execute(ctx, x)
	case *ast.Deallocate:
		return s.deallocate(x)
	case *ast.Kill:
		return s.kill(ctx, x)
	case *ast.Use:
		return message("database is always 'millrace'"), nil
	}
	return nil, diag.New(diag.NotSupported, stmt.At(), "this statement is not supported")
}

// env is what statements of this session are planned against.
func (s *Session) env(adHoc bool) planner.Env {
	return planner.Env{Catalog: s.e.catalog, Connectors: connectorInfo{}, Variables: s.Variables(), User: s.userVariable, AdHoc: adHoc}
}

// plan explains a statement. An endless query that could only run with EMIT CHANGES is explained as if it had it.
func (s *Session) plan(stmt ast.Statement, format string) (string, error) {
	q, isQuery := stmt.(*ast.QueryStmt)
	text, err := planner.Explain(stmt, s.env(isQuery), format)
	if e, ok := diag.As(err); !ok || !isQuery || e.Code != diag.UnboundedQuery || q.Query.Emit != ast.EmitDefault {
		return text, err
	}
	live := *q.Query
	live.Emit = ast.EmitChanges
	return planner.Explain(&ast.QueryStmt{Pos: q.Pos, Query: &live}, s.env(true), format)
}

func (s *Session) explain(x *ast.Explain) (*Result, error) {
	if x.Statement == nil || x.Live {
		return nil, diag.New(diag.NotSupported, x.At(), "EXPLAIN of a running job is not supported")
	}
	format := x.Format
	if format == "" {
		format = "text"
	}
	text, err := s.plan(x.Statement, format)
	if err != nil {
		return nil, err
	}
	rows := newRows("plan")
	for line := range strings.Lines(text) {
		rows.add(strings.TrimRight(line, "\n"))
	}
	return rows.result(), nil
}

// set is SET a = 1, b = 2: all or, at the first that is wrong, those before it.
func (s *Session) set(ctx context.Context, x *ast.Set) (*Result, error) {
	r, err := s.setOne(ctx, x)
	for _, more := range x.More {
		if err != nil {
			return nil, err
		}
		var next *Result
		if next, err = s.setOne(ctx, more); err == nil {
			r.Message += ", " + next.Message
		}
	}
	return r, err
}

func (s *Session) setOne(ctx context.Context, x *ast.Set) (*Result, error) {
	if strings.HasPrefix(x.Name, "@") {
		return s.setUser(ctx, x)
	}
	v := findVariable(x.Name)
	if v == nil {
		return nil, unknownVariable(x.Name, x.At())
	}
	value := v.value
	if !x.Reset {
		var err error
		if value, err = literalText(x.Value); err != nil {
			return nil, err
		}
		if value, err = v.read(value, x.Value.At()); err != nil {
			return nil, err
		}
	} else if own, ok := s.e.opt.Variables[v.name]; ok {
		value = own
	}
	s.mu.Lock()
	s.vars[v.name] = value
	s.mu.Unlock()
	return message("%s = %s", v.name, value), nil
}

// setUser is SET @x = value.
func (s *Session) setUser(ctx context.Context, x *ast.Set) (*Result, error) {
	value := &ast.Literal{Kind: ast.LitNull}
	if !x.Reset {
		var err error
		if value, err = s.constant(ctx, x.Value); err != nil {
			return nil, err
		}
	}
	if err := s.SetUserVariable(x.Name, value); err != nil {
		return nil, err
	}
	return message("%s = %s", x.Name, value.AppendSQL(nil)), nil
}

// literalText gives the text of the value of SET: a literal or a bare word.
func literalText(x ast.Expr) (string, error) {
	switch v := x.(type) {
	case *ast.Literal:
		return v.Text, nil
	case *ast.Column:
		return v.Parts[len(v.Parts)-1].Text, nil
	case *ast.Unary:
		if inner, err := literalText(v.X); err == nil && v.Op == "-" {
			return "-" + inner, nil
		}
	}
	return "", diag.New(diag.BadOption, x.At(), "the value must be a constant")
}
