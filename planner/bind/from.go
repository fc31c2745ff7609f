package bind

import (
	"strings"
	"time"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// from binds a table expression.
func (b *Binder) from(t ast.TableExpr) (logical.Node, *scope, error) {
	if err := b.enter(t); err != nil {
		return nil, nil, err
	}
	defer b.leave()
	switch x := t.(type) {
	case *ast.Table:
		if x.AsOf != nil {
			return nil, nil, notSupported(b.at(x), "FOR SYSTEM_TIME AS OF outside the right side of a JOIN")
		}
		return b.table(x)
	case *ast.DerivedTable:
		return b.derived(x)
	case *ast.Join:
		return b.join(x)
	case *ast.JSONTable:
		return b.expandAlone(x)
	case *ast.TableFunc:
		if _, ok := windowFuncs[x.Name]; ok {
			return b.windowTable(x)
		}
		return b.expandAlone(x)
	case *ast.MatchRecognize:
		return b.matchRecognize(x)
	}
	return nil, nil, notSupported(b.at(t), "this in FROM")
}

func (b *Binder) unknownTableFunc(x *ast.TableFunc) error {
	names := []string{"UNNEST", "JSON_TABLE", "GENERATE_SERIES"}
	for n := range windowFuncs {
		names = append(names, strings.ToUpper(n))
	}
	err := diag.New(diag.UnknownFunction, b.at(x), "unknown table function %s", strings.ToUpper(x.Name))
	if near := diag.Suggest(x.Name, names); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err.WithHint("in FROM stand TUMBLE, HOP, CUMULATE, SESSION, UNNEST, JSON_TABLE and functions that give an ARRAY")
}

func (b *Binder) derived(x *ast.DerivedTable) (logical.Node, *scope, error) {
	n, err := b.query(x.Query)
	if err != nil {
		return nil, nil, err
	}
	sc := fieldsToScope(x.Alias.Text, n)
	return n, sc, b.renameScope(sc, x.Columns, x)
}

func (b *Binder) renameScope(sc *scope, names []ast.Name, at ast.Node) error {
	if len(names) == 0 {
		return nil
	}
	if len(names) != len(sc.cols) {
		return diag.New(diag.WrongArguments, b.at(names[0]), "%d column names for %d columns", len(names), len(sc.cols))
	}
	for i, n := range names {
		sc.cols[i].name = n.Text
	}
	return nil
}

// table binds a name in FROM: a common table expression, else a relation.
func (b *Binder) table(x *ast.Table) (logical.Node, *scope, error) {
	name, alias := x.Name.Text, x.Name.Text
	if x.Alias.Text != "" {
		alias = x.Alias.Text
	}
	if x.Schema.Text == "" {
		for i := len(b.ctes) - 1; i >= 0; i-- {
			if strings.EqualFold(b.ctes[i].def.Name.Text, name) {
				if rec := b.ctes[i].rec; rec != nil {
					return b.recursiveRef(rec, alias, x)
				}
				return b.expandCTE(b.ctes[i], alias)
			}
		}
	}
	rel, err := b.relation(x)
	if err != nil {
		return nil, nil, err
	}
	n, err := b.read(rel, x)
	if err != nil {
		return nil, nil, err
	}
	return n, fieldsToScope(alias, n), nil
}

func (b *Binder) relation(x *ast.Table) (*catalog.Relation, error) {
	if x.Schema.Text != "" {
		if rel := b.env.Catalog.Get(x.Schema.Text + "." + x.Name.Text); rel != nil {
			b.note(&b.reads, rel.Name)
			return rel, nil
		}
	}
	if rel := b.env.Catalog.Get(x.Name.Text); rel != nil {
		b.note(&b.reads, rel.Name)
		return rel, nil
	}
	return nil, b.unknownRelation(x.Name)
}

func (b *Binder) unknownRelation(name ast.Name) error {
	names := b.env.Catalog.Names()
	for _, c := range b.ctes {
		names = append(names, c.def.Name.Text)
	}
	err := diag.New(diag.UnknownTable, b.at(name), "unknown table '%s'", name.Text)
	if near := diag.Suggest(name.Text, names); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	return err.WithHint("SHOW TABLES lists what there is; CREATE SOURCE makes a new one")
}

// expandCTE binds a common table expression anew at each use; it sees what was in scope where it was written.
func (b *Binder) expandCTE(c cte, alias string) (logical.Node, *scope, error) {
	outer, frames := b.ctes, b.frames
	b.ctes, b.frames = outer[:c.seen:c.seen], frames[:c.around:c.around]
	var n logical.Node
	var err error
	if c.self && mentions(c.def.Query, c.def.Name.Text) {
		n, err = b.recursive(c)
	} else {
		n, err = b.query(c.def.Query)
	}
	b.ctes, b.frames = outer, frames
	if err != nil {
		return nil, nil, err
	}
	sc := fieldsToScope(alias, n)
	return n, sc, b.renameScope(sc, c.def.Columns, c.def.Name)
}

// read reads a relation: a scan, or a view's query in place.
func (b *Binder) read(rel *catalog.Relation, at ast.Node) (logical.Node, error) {
	switch rel.Kind {
	case catalog.Sink:
		return nil, diag.New(diag.WrongObjectKind, b.at(at), "'%s' is a sink: it can be written, not read", rel.Name).
			WithHint("read the query that feeds it, or make it a MATERIALIZED VIEW")
	case catalog.SystemTable:
		return logical.NewSystemScan(rel), nil
	case catalog.MaterializedView:
		if !b.inline {
			return logical.NewViewScan(rel, b.follow), nil
		}
		if err := b.sameZone(rel, at); err != nil {
			return nil, err
		}
		return b.expandView(rel, at)
	case catalog.View:
		return b.expandView(rel, at)
	}
	return b.scan(rel, at, false)
}

// sameZone refuses to compute a materialised view again in another time zone than its own: it would have other rows.
func (b *Binder) sameZone(rel *catalog.Relation, at ast.Node) error {
	own, err := function.ParseZone(rel.Zone)
	if err != nil {
		return diag.New(diag.DependentObjects, b.at(at), "the time zone of view '%s': %s", rel.Name, err.Error())
	}
	here := time.UTC
	if b.zone != nil {
		here = b.zone
	}
	if own.String() == here.String() {
		return nil
	}
	return notSupported(b.at(at), "computing on from materialized view '%s' of time zone %s in time zone %s", rel.Name, own, here).
		WithHint("SET time_zone = '%s' before", own)
}

func (b *Binder) expandView(rel *catalog.Relation, at ast.Node) (out logical.Node, err error) {
	if rel.Query == nil {
		return nil, diag.New(diag.Internal, b.at(at), "view %s has no query", rel.Name)
	}
	err = b.within(rel.Name, at, func() error {
		ctes, emit, frames := b.ctes, b.emit, b.frames
		b.ctes, b.emit, b.frames = nil, ast.EmitDefault, nil
		n, err := b.query(rel.Query)
		b.ctes, b.emit, b.frames = ctes, emit, frames
		if err != nil {
			return err
		}
		if len(n.Columns()) != len(rel.Columns) {
			return diag.New(diag.DependentObjects, -1, "the query now gives %d columns instead of %d", len(n.Columns()), len(rel.Columns)).
				WithHint("create the view again: a table that it reads has changed")
		}
		out = b.rename(n, rel.Fields())
		return nil
	})
	return out, err
}

// rename gives n's columns the names of fields.
func (b *Binder) rename(n logical.Node, fields []types.Field) logical.Node {
	p := logical.NewPick(n, allColumns(n))
	for i, f := range fields {
		p.Names[i] = f.Name
	}
	if p.IsIdentity() {
		return n
	}
	return logical.NewProject(n, p.Exprs, p.Names)
}

func allColumns(n logical.Node) []int {
	out := make([]int, len(n.Columns()))
	for i := range out {
		out[i] = i
	}
	return out
}

// scan reads a source or table: its physical and metadata columns, then the computed ones, then the watermark. An upsert changelog is
// normalised, except for versions: there the changes themselves are wanted.
func (b *Binder) scan(rel *catalog.Relation, at ast.Node, versions bool) (n logical.Node, err error) {
	s := logical.Scan{Relation: rel, Changes: b.env.sourceChanges(rel), Bounded: b.env.bounded(rel)}
	where := make([]int, len(rel.Columns))
	for i, c := range rel.Columns {
		if c.Computed == nil {
			where[i] = len(s.Cols)
			s.Cols, s.Types = append(s.Cols, i), append(s.Types, c.Type)
		}
	}
	if s.Changes == physical.Upsert && len(rel.PrimaryKey) == 0 {
		return nil, diag.New(diag.NoKey, b.at(at), "'%s' brings an upsert changelog but has no PRIMARY KEY", rel.Name).
			WithHint("declare PRIMARY KEY (..) NOT ENFORCED in its columns")
	}
	n = logical.NewScan(s)
	err = b.within(rel.Name, at, func() error {
		if n, err = b.computed(rel, n, where); err != nil {
			return err
		}
		n, err = b.watermark(rel, n)
		return err
	})
	if err == nil && s.Changes == physical.Upsert && !versions {
		n = logical.NewNormalize(n, rel.PrimaryKey)
	}
	return n, err
}

// computed puts all columns of the relation into their declared order, computing those that are.
func (b *Binder) computed(rel *catalog.Relation, scan logical.Node, where []int) (logical.Node, error) {
	if len(scan.Columns()) == len(rel.Columns) {
		return scan, nil
	}
	sc := fieldsToScope(rel.Name, scan)
	exprs, names := make([]expr.Expr, len(rel.Columns)), make([]string, len(rel.Columns))
	for i, col := range rel.Columns {
		names[i] = col.Name
		if col.Computed == nil {
			exprs[i] = logical.ColOf(scan, where[i])
			continue
		}
		e, err := b.expr(col.Computed, &clause{name: "a computed column", scope: sc, alias: named(names[:i], exprs)})
		if err != nil {
			return nil, err
		}
		if exprs[i], err = expr.NewAssign(e, col.Type, -1); err != nil {
			return nil, err
		}
	}
	return logical.NewProject(scan, exprs, names), nil
}

// named resolves names to the expressions beside them.
func named(names []string, exprs []expr.Expr) func(string) expr.Expr {
	return func(name string) expr.Expr {
		for i, n := range names {
			if strings.EqualFold(n, name) {
				return exprs[i]
			}
		}
		return nil
	}
}

func (b *Binder) watermark(rel *catalog.Relation, n logical.Node) (logical.Node, error) {
	if rel.Watermark == nil {
		return n, nil
	}
	e, err := b.expr(rel.Watermark.Expr, &clause{name: "WATERMARK", scope: fieldsToScope(rel.Name, n)})
	if err != nil {
		return nil, err
	}
	w := logical.Watermark{TimeCol: rel.Watermark.Column, Expr: e, MaxFuture: maxFutureDefault, Relation: rel.Name}
	if text := rel.Options["max_future"]; text != "" {
		if w.MaxFuture, err = time.ParseDuration(text); err != nil {
			return nil, diag.New(diag.BadOption, -1, "option 'max_future': '%s' is no duration", text).WithHint("such as 10m or 1h").Wrap(err)
		}
	}
	if p, ok := ErrorPolicy(rel); ok {
		w.Policy = &p
	}
	return logical.NewWatermark(n, w), nil
}

var policies = map[string]physical.ErrorPolicy{"dead_letter": physical.DeadLetter, "fail": physical.Fail, "skip": physical.Skip}

// PolicyNamed is the error policy of a name; DeadLetter when there is none of that name.
func PolicyNamed(name string) physical.ErrorPolicy { return policies[lower(name)] }

// ErrorPolicy reads a relation's option error_policy; false when it is not set.
func ErrorPolicy(rel *catalog.Relation) (physical.ErrorPolicy, bool) {
	p, ok := policies[lower(rel.Options["error_policy"])]
	return p, ok
}
