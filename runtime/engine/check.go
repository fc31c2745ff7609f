package engine

import (
	"context"
	"net"
	"strings"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/runtime/build"
	"github.com/millrace/millrace/runtime/wasm"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
	"github.com/millrace/millrace/state/broker"
)

// Existing is a stored statement that is the same as a given one.
type Existing struct{ Name string }

// Existing finds the stored statement with this very text; nil when there is none.
func (e *Engine) Existing(text string) *Existing {
	e.ddl.Lock()
	defer e.ddl.Unlock()
	for _, st := range e.store.data.Statements {
		if strings.TrimSpace(st.SQL) == strings.TrimSpace(text) {
			return &Existing{Name: st.Name}
		}
	}
	return nil
}

// CheckScript parses, binds and plans the statements of a script against a catalog of its own, without running anything. It returns the
// problems, placed in the whole text.
func CheckScript(text string) []error {
	script, errs := parser.ParseAll(text)
	if len(errs) > 0 {
		return errs // what else is wrong may follow from these
	}
	cat := catalog.New()
	for _, r := range systemTables() {
		cat.Add(r, false)
	}
	env := planner.Env{Catalog: cat, Connectors: connectorInfo{}, Variables: map[string]string{}}
	var problems []error
	for _, p := range script {
		if err := checkStatement(p.Stmt, env); err != nil {
			problems = append(problems, diag.InScript(err, p.Offset, text))
		}
	}
	return problems
}

func checkStatement(stmt ast.Statement, env planner.Env) error {
	switch x := stmt.(type) {
	case *ast.CreateRelation:
		return bindInto(stmt, env)
	case *ast.CreateFunction:
		return checkFunction(x, env)
	case *ast.CreateView:
		if err := bindInto(stmt, env); err != nil || !x.Materialized {
			return err
		}
	case *ast.CreateSink:
		if err := bindInto(stmt, env); err != nil || x.Query == nil {
			return err
		}
	case *ast.Insert, *ast.StatementSet, *ast.CreateJob:
	case *ast.QueryStmt:
		env.AdHoc = true
	case *ast.Explain:
		if x.Statement == nil {
			return nil
		}
		return checkStatement(x.Statement, env)
	case *ast.Set:
		return checkSet(x)
	default:
		return nil
	}
	plan, err := planner.Plan(stmt, env)
	if err != nil {
		return err
	}
	return build.Validate(plan, offline)
}

// checkSet checks the names and constants of SET a = 1, b = 2.
func checkSet(x *ast.Set) error {
	for _, one := range append([]*ast.Set{x}, x.More...) {
		if strings.HasPrefix(one.Name, "@") {
			continue
		}
		v := findVariable(one.Name)
		if v == nil {
			return unknownVariable(one.Name, one.At())
		}
		if one.Reset {
			continue
		}
		value, err := literalText(one.Value)
		if err != nil {
			return err
		}
		if _, err := v.read(value, one.Value.At()); err != nil {
			return err
		}
	}
	return nil
}

// offline stands for an engine whose broker is never dialled.
var offline = &connectors.Env{BrokerAddr: broker.InternalAddr, DialBroker: func(context.Context) (net.Conn, error) { return nil, net.ErrClosed }}

func bindInto(stmt ast.Statement, env planner.Env) error {
	rel, err := planner.BindRelation(stmt, env)
	if err != nil {
		return err
	}
	if !env.Catalog.Add(rel, false) {
		return diag.New(diag.DuplicateName, stmt.At(), "'%s' is created twice", rel.Name)
	}
	return nil
}

// checkFunction checks a function and makes it known. A module that is not on this machine is taken to be right.
func checkFunction(x *ast.CreateFunction, env planner.Env) error {
	if env.Catalog.Function(x.Name.Text) != nil && !x.OrReplace {
		return diag.New(diag.DuplicateName, x.At(), "function '%s' is created twice", x.Name.Text)
	}
	f, err := planner.BindFunction(x, env)
	if err != nil {
		return err
	}
	if f.Language == "wasm" {
		data, err := readModule(x)
		if d, ok := diag.As(err); ok && d.Code == diag.FileAccess {
			f.Func = wasm.Declared(signatureOf(f), f.Signature())
		} else if err != nil {
			return err
		} else {
			m, err := compileFunction(context.Background(), wasm.NewHost(), f, x, data)
			if err != nil {
				return err
			}
			defer m.Close()
		}
	}
	env.Catalog.AddFunction(f)
	return nil
}
