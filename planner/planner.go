package planner

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/planner/bind"
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/lower"
	"github.com/millrace/millrace/planner/optimizer"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

type (
	// Env is what a statement is planned against.
	Env = bind.Env
	// Connectors is what the planner must know of connectors; the engine implements it.
	Connectors = bind.Connectors
)

// Plan plans a query, CREATE SINK .. AS, INSERT INTO, CREATE MATERIALIZED VIEW or a statement set. For CREATE statements the relation
// need not be in the catalog; when it is there already, made from the same tree, the plan's root refers to that very entry.
func Plan(stmt ast.Statement, env Env) (*physical.Plan, error) {
	p := newPlanning(env)
	if err := p.statement(stmt); err != nil {
		return nil, err
	}
	return &p.plan, nil
}

// BindRelation makes the catalog entry of CREATE SOURCE, TABLE, SINK, VIEW or MATERIALIZED VIEW; the caller adds it to the catalog and
// sets its SQL text.
func BindRelation(stmt ast.Statement, env Env) (*catalog.Relation, error) {
	env.AdHoc = false
	b := bind.New(&env)
	var rel *catalog.Relation
	var err error
	switch s := stmt.(type) {
	case *ast.CreateRelation:
		rel, err = b.Relation(s)
	case *ast.CreateSink:
		rel, _, err = b.Sink(s)
	case *ast.CreateView:
		var n logical.Node
		if rel, n, err = b.View(s); err == nil && s.Materialized {
			rel.PrimaryKey = bestKey(props.New(false).Of(optimizer.Optimize(n, nil)).Keys)
		}
	default:
		err = diag.New(diag.Internal, stmt.At(), "statement makes no relation")
	}
	if err != nil {
		return nil, err
	}
	rel.Functions, rel.Reads = b.Functions(true), b.Relations(true)
	return rel, nil
}

// BindFunction makes the catalog entry of CREATE FUNCTION. The caller compiles the module of a WebAssembly function, adds the entry to the
// catalog and sets its SQL text.
func BindFunction(stmt *ast.CreateFunction, env Env) (*catalog.Function, error) {
	return bind.New(&env).Function(stmt)
}

// planning is the planning of one statement.
type planning struct {
	env     Env
	plan    physical.Plan
	logical []logical.Node // optimised, by root
	explain bool           // keep what EXPLAIN shows besides
	fired   []string       // of EXPLAIN: rules that changed a plan, in order
	ids     *physical.Identities
}

func newPlanning(env Env) *planning { return &planning{env: env, ids: physical.NewIdentities()} }

func (p *planning) statement(stmt ast.Statement) error {
	switch s := stmt.(type) {
	case *ast.QueryStmt:
		return p.query(s.Query)
	case *ast.CreateSink:
		return p.createSink(s)
	case *ast.CreateView:
		return p.createView(s)
	case *ast.Insert:
		return p.insert(s)
	case *ast.StatementSet:
		for _, i := range s.Inserts {
			if err := p.insert(i); err != nil {
				return err
			}
		}
		return nil
	case *ast.CreateJob:
		return p.statement(s.Statement)
	case *ast.Explain:
		return p.statement(s.Statement)
	}
	return diag.New(diag.NotSupported, stmt.At(), "this statement has no plan").WithHint("EXPLAIN takes SELECT, INSERT, CREATE SINK .. AS and CREATE MATERIALIZED VIEW")
}

// optimize runs the rules and keeps what EXPLAIN shows.
func (p *planning) optimize(n logical.Node) logical.Node {
	var fired func(string)
	if p.explain { // telling which rules changed a plan means printing it after each
		fired = func(rule string) {
			if !slices.Contains(p.fired, rule) {
				p.fired = append(p.fired, rule)
			}
		}
	}
	n = optimizer.Optimize(n, fired)
	p.logical = append(p.logical, n)
	return n
}

func (p *planning) done(root physical.Node, warnings ...[]string) {
	p.plan.Roots = append(p.plan.Roots, root)
	p.warn(warnings...)
}

// took keeps what a binder has noted besides the plan.
func (p *planning) took(b *bind.Binder) {
	p.warn(b.Warnings)
	p.plan.Functions = union(p.plan.Functions, b.Functions(false))
	p.plan.Relations = union(p.plan.Relations, b.Relations(false))
}

func union(list, more []string) []string {
	for _, x := range more {
		if !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}

func (p *planning) warn(warnings ...[]string) {
	for _, list := range warnings {
		for _, w := range list {
			if !slices.Contains(p.plan.Warnings, w) {
				p.plan.Warnings = append(p.plan.Warnings, w)
			}
		}
	}
}

// policy is what becomes of rows with an error: an ad hoc query fails, a job follows the session's variable error_policy.
func (p *planning) policy() physical.ErrorPolicy {
	if p.env.AdHoc {
		return physical.Fail
	}
	return bind.PolicyNamed(p.env.Variables["error_policy"])
}

// query plans a query for the client: its final rows, or with EMIT CHANGES its changes.
func (p *planning) query(q *ast.Query) error {
	b := bind.New(&p.env)
	n, err := b.Query(q)
	if err != nil {
		return err
	}
	final := p.env.AdHoc && q.Emit == ast.EmitDefault
	l := lower.New(lower.Options{Policy: p.policy(), FinalOnly: final}, p.ids)
	in, err := l.Plan(p.optimize(n))
	if err != nil {
		return err
	}
	p.took(b)
	p.done(l.Result(in, final), l.Warnings)
	return nil
}

func (p *planning) createView(s *ast.CreateView) error {
	if !s.Materialized {
		return diag.New(diag.NotSupported, s.At(), "a VIEW runs nothing by itself").WithHint("CREATE MATERIALIZED VIEW keeps the result up to date")
	}
	p.env.AdHoc = false
	b := bind.New(&p.env)
	rel, n, err := b.View(s)
	if err != nil {
		return err
	}
	n = p.optimize(n)
	rel.PrimaryKey = bestKey(props.New(false).Of(n).Keys)
	rel = p.known(rel)
	l := lower.New(lower.Options{Policy: relationPolicy(rel, p.policy())}, p.ids)
	in, err := l.Plan(n)
	if err != nil {
		return err
	}
	p.took(b)
	p.done(l.View(in, rel), l.Warnings)
	return nil
}

func (p *planning) createSink(s *ast.CreateSink) error {
	if s.Query == nil {
		return diag.New(diag.NotSupported, s.At(), "sink '%s' has no query", s.Name.Text).WithHint("feed it with INSERT INTO %s SELECT ..", s.Name.Text)
	}
	p.env.AdHoc = false
	b := bind.New(&p.env)
	rel, n, err := b.Sink(s)
	if err != nil {
		return err
	}
	rel = p.known(rel)
	p.took(b)
	return p.sink(rel, n, s.Query.At())
}

func (p *planning) insert(s *ast.Insert) error {
	p.env.AdHoc = false
	b := bind.New(&p.env)
	rel, n, err := b.Insert(s)
	if err != nil {
		return err
	}
	p.took(b)
	return p.sink(rel, n, s.Target.At())
}

// known is the catalog's own entry for a relation just bound, when it is the same.
func (p *planning) known(rel *catalog.Relation) *catalog.Relation {
	known := p.env.Catalog.Get(rel.Name)
	if known == nil || known.Kind != rel.Kind || !slices.Equal(known.PrimaryKey, rel.PrimaryKey) {
		return rel
	}
	same := slices.EqualFunc(known.Columns, rel.Columns, func(a, b catalog.Column) bool { return a.Name == b.Name && a.Type.Equal(b.Type) })
	if !same {
		return rel
	}
	return known
}

func relationPolicy(rel *catalog.Relation, otherwise physical.ErrorPolicy) physical.ErrorPolicy {
	if policy, ok := bind.ErrorPolicy(rel); ok {
		return policy
	}
	return otherwise
}

// bestKey is the shortest key, the first of equals; nil when there is none. The empty key of a single row is no key to address it by.
func bestKey(keys [][]int) []int {
	var best []int
	for _, k := range keys {
		if len(k) > 0 && (best == nil || len(k) < len(best)) {
			best = k
		}
	}
	return best
}

// names lists columns of a relation for messages.
func names(rel *catalog.Relation, cols []int) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = rel.Columns[c].Name
	}
	return strings.Join(parts, ", ")
}

// Condition binds a condition over the columns of a result that is at hand.
func Condition(e ast.Expr, fields []types.Field, env Env) (expr.Expr, error) {
	return bind.New(&env).Condition(e, fields)
}
