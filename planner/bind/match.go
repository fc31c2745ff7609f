package bind

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
)

// maxPermuted bounds the parts of a PERMUTE, which stands for all their orders.
const maxPermuted = 6

// matchRecognize binds a row pattern.
func (b *Binder) matchRecognize(x *ast.MatchRecognize) (logical.Node, *scope, error) {
	in, sc, err := b.from(x.Input)
	if err != nil {
		return nil, nil, err
	}
	if b.props.Of(in).Changelog != physical.AppendOnly {
		return nil, nil, diag.New(diag.NotSupported, b.at(x), "MATCH_RECOGNIZE over rows that change is not supported").
			WithHint("it reads streams and tables that only get new rows")
	}
	node := logical.MatchRecognize{AllRows: x.AllRows, Pos: b.at(x)}
	if node.PartitionBy, err = b.matchPartition(x, sc); err != nil {
		return nil, nil, err
	}
	if node.Order, err = b.matchOrder(x, in, sc); err != nil {
		return nil, nil, err
	}
	m := newMatcher(b, sc, x)
	if node.Pattern, err = m.pattern(&x.Pattern); err != nil {
		return nil, nil, err
	}
	if err := m.declare(x, &node); err != nil {
		return nil, nil, err
	}
	if node.Define, err = m.define(x.Define); err != nil {
		return nil, nil, err
	}
	if err := m.measures(x, &node); err != nil {
		return nil, nil, err
	}
	node.Symbols, node.Refs = m.symbols, m.refs
	out := logical.NewMatchRecognize(in, node)
	outScope := fieldsToScope(x.Alias.Text, out)
	return out, outScope, b.renameScope(outScope, x.Columns, x)
}

func (b *Binder) matchPartition(x *ast.MatchRecognize, sc *scope) ([]int, error) {
	var out []int
	for _, p := range x.PartitionBy {
		e, err := b.expr(p, &clause{name: "PARTITION BY", scope: sc})
		if err != nil {
			return nil, err
		}
		c, ok := e.(*expr.Col)
		if !ok {
			return nil, notSupported(b.at(p), "an expression in PARTITION BY of MATCH_RECOGNIZE").WithHint("compute it in a subquery and name the column")
		}
		out = append(out, c.Index)
	}
	return out, nil
}

// matchOrder binds ORDER BY. The rows of a stream come by event time, which must be the first key.
func (b *Binder) matchOrder(x *ast.MatchRecognize, in logical.Node, sc *scope) ([]physical.SortKey, error) {
	info := b.props.Of(in)
	if len(x.OrderBy) == 0 {
		return nil, diag.New(diag.NoEventTime, b.at(x), "MATCH_RECOGNIZE needs ORDER BY: a pattern is a sequence of rows").WithHint("ORDER BY the event time")
	}
	var out []physical.SortKey
	for i, o := range x.OrderBy {
		e, err := b.expr(o.Expr, &clause{name: "ORDER BY", scope: sc})
		if err != nil {
			return nil, err
		}
		c, ok := e.(*expr.Col)
		if !ok {
			return nil, notSupported(b.at(o.Expr), "an expression in ORDER BY of MATCH_RECOGNIZE").WithHint("compute it in a subquery and name the column")
		}
		if i == 0 && !info.Bounded {
			if !slices.Contains(info.EventTime, c.Index) {
				return nil, diag.New(diag.NoEventTime, c.Pos, "a pattern over a stream is ordered by its event time, and '%s' carries none", c.Name).
					WithHint("declare WATERMARK FOR %s AS .. in the source, or order by the column that has one", c.Name)
			}
			if o.Desc {
				return nil, diag.New(diag.NoEventTime, c.Pos, "a pattern over a stream is ordered by ascending event time").WithHint("leave DESC out and turn the pattern around")
			}
		}
		out = append(out, physical.SortKey{Col: c.Index, Desc: o.Desc})
	}
	return out, nil
}

// newMatcher makes a matcher for the columns of sc, whose table names count for nothing within MATCH_RECOGNIZE.
func newMatcher(b *Binder, sc *scope, x *ast.MatchRecognize) *matcher {
	m := &matcher{b: b, scope: &scope{}, subsets: map[string][]int{}, tables: sc.tables(), allRows: x.AllRows}
	for _, c := range sc.cols {
		if !c.hidden {
			c.table = ""
			m.scope.cols = append(m.scope.cols, c)
		}
	}
	return m
}

// pattern binds a pattern, collecting its variables.
func (m *matcher) pattern(p *ast.Pattern) (logical.MatchPattern, error) {
	out := logical.MatchPattern{Op: p.Op, Min: p.Min, Max: p.Max, Reluctant: p.Reluctant}
	if err := m.b.enter(p); err != nil {
		return out, err
	}
	defer m.b.leave()
	switch {
	case p.Op == "SYMBOL":
		if out.Symbol = m.symbol(p.Symbol.Text); out.Symbol < 0 {
			out.Symbol = len(m.symbols)
			m.symbols = append(m.symbols, p.Symbol.Text)
		}
	case p.Op == "PERMUTE" && len(p.Parts) > maxPermuted:
		return out, diag.New(diag.NotSupported, m.b.at(p), "PERMUTE of %d parts, more than %d, is not supported", len(p.Parts), maxPermuted)
	}
	for i := range p.Parts {
		part, err := m.pattern(&p.Parts[i])
		if err != nil {
			return out, err
		}
		out.Parts = append(out.Parts, part)
	}
	return out, nil
}

// declare binds SUBSET, AFTER MATCH SKIP and WITHIN.
func (m *matcher) declare(x *ast.MatchRecognize, node *logical.MatchRecognize) error {
	for _, s := range x.Subsets {
		name := lower(s.Name.Text)
		if m.symbol(name) >= 0 || m.subsets[name] != nil {
			return diag.New(diag.DuplicateName, m.b.at(s.Name), "there is a pattern variable '%s' already", s.Name.Text)
		}
		var set []int
		for _, part := range s.Symbols {
			i := m.symbol(part.Text)
			if i < 0 {
				return m.unknownSymbol(part, m.symbols)
			}
			set = append(set, i)
		}
		m.subsets[name] = set
	}
	node.Skip.Kind = x.After.Kind
	if x.After.Symbol.Text != "" {
		set, ok := m.set(x.After.Symbol.Text)
		if !ok {
			return m.unknownSymbol(x.After.Symbol, m.variables())
		}
		node.Skip.Symbols = set
	}
	if x.Within == nil {
		return nil
	}
	e, err := m.b.expr(x.Within, &clause{name: "WITHIN", scope: &scope{}})
	if err != nil {
		return err
	}
	node.Within, err = intervalMicros(e, false)
	return err
}

// define binds DEFINE: a condition for each symbol, nil where there is none.
func (m *matcher) define(list []ast.PatternDefine) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(m.symbols))
	m.defining = true
	for _, d := range list {
		i := m.symbol(d.Symbol.Text)
		if i < 0 {
			return nil, m.unknownSymbol(d.Symbol, m.symbols)
		}
		if out[i] != nil {
			return nil, diag.New(diag.DuplicateName, m.b.at(d.Symbol), "'%s' is defined twice", d.Symbol.Text)
		}
		e, err := m.b.condition(d.Cond, m.clause("DEFINE"))
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	m.defining = false
	return out, nil
}

func (m *matcher) measures(x *ast.MatchRecognize, node *logical.MatchRecognize) error {
	for i, item := range x.Measures {
		for _, prev := range x.Measures[:i] {
			if strings.EqualFold(prev.Alias.Text, item.Alias.Text) {
				return diag.New(diag.DuplicateName, m.b.at(item.Alias), "a second measure '%s'", item.Alias.Text)
			}
		}
		m.final = !x.AllRows
		e, err := m.b.expr(item.Expr, m.clause("MEASURES"))
		if err != nil {
			return err
		}
		node.Measures, node.Names = append(node.Measures, e), append(node.Names, item.Alias.Text)
	}
	if len(node.Measures)+len(node.PartitionBy) == 0 && !x.AllRows {
		return diag.New(diag.WrongArguments, m.b.at(x), "this MATCH_RECOGNIZE gives no column").WithHint("add MEASURES LAST(%s.x) AS x, or ALL ROWS PER MATCH", m.symbols[0])
	}
	return nil
}
