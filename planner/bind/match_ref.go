package bind

import (
	"slices"
	"strconv"
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// matcher binds the expressions of MEASURES and DEFINE. What they read of the match becomes a logical.MatchRef; the bound expression
// is over these.
type matcher struct {
	b        *Binder
	scope    *scope // the input's columns, without table names
	tables   []string
	symbols  []string
	subsets  map[string][]int
	refs     []logical.MatchRef
	allRows  bool
	defining bool
	final    bool        // values are over the whole match
	inside   *navigation // the argument of FIRST, SUM .. that is being bound; nil: none
}

// navigation is the argument of a function over rows of a match. All its columns must be of one variable.
type navigation struct {
	what     string // for messages
	variable string // as written, "" for any row
	seen     bool
}

func (m *matcher) clause(name string) *clause { return &clause{name: name, scope: m.scope, match: m} }

// symbol is the number of a pattern variable, -1 if there is none of that name.
func (m *matcher) symbol(name string) int {
	return slices.IndexFunc(m.symbols, func(s string) bool { return strings.EqualFold(s, name) })
}

// set gives the symbols that a variable or subset stands for.
func (m *matcher) set(name string) ([]int, bool) {
	if i := m.symbol(name); i >= 0 {
		return []int{i}, true
	}
	s, ok := m.subsets[lower(name)]
	return s, ok
}

// variables lists variables and subsets.
func (m *matcher) variables() []string {
	out := slices.Clone(m.symbols)
	for s := range m.subsets {
		out = append(out, s)
	}
	return sorted(out)
}

func (m *matcher) unknownSymbol(name ast.Name, known []string) error {
	err := diag.New(diag.UnknownSymbol, m.b.at(name), "unknown pattern variable '%s'", name.Text)
	if slices.ContainsFunc(m.tables, func(t string) bool { return strings.EqualFold(t, name.Text) }) {
		return err.WithHint("within MATCH_RECOGNIZE columns are qualified with variables of PATTERN, or not at all")
	}
	return hintNearest(err, name.Text, known, "variables")
}

// column binds `A.price`, the price of the last row that is an A, and `price`, that of the last row.
func (m *matcher) column(x *ast.Column) (expr.Expr, error) {
	variable, parts := ast.Name{}, x.Parts
	_, isVariable := m.set(parts[0].Text)
	_, found := m.scope.find("", parts[0].Text)
	switch {
	case len(parts) > 1 && isVariable:
		variable, parts = parts[0], parts[1:]
	case len(parts) > 1 && found == 0:
		return nil, m.unknownSymbol(parts[0], m.variables())
	case found == 0 && isVariable:
		return nil, diag.New(diag.UnknownColumn, m.b.at(x), "'%s' is a pattern variable, not a column", parts[0].Text).WithHint("write %s.column", parts[0].Text)
	}
	e, err := m.scope.resolve(parts, m.b.at)
	if err != nil {
		return nil, err
	}
	if m.inside == nil {
		set, _ := m.set(variable.Text)
		return m.add(logical.MatchRef{Symbols: set, Expr: e, Final: m.final, Name: navigationText("LAST", qualified(variable.Text, expr.Print(e)), -1)}, e.Type(), x), nil
	}
	if m.inside.seen && !strings.EqualFold(m.inside.variable, variable.Text) {
		return nil, diag.New(diag.WrongArguments, m.b.at(x), "%s is over rows of one variable, not of %s and %s", m.inside.what, rowsOf(m.inside.variable), rowsOf(variable.Text)).
			WithHint("split it into several calls, or make a SUBSET of the variables")
	}
	m.inside.variable, m.inside.seen = variable.Text, true
	return e, nil
}

func rowsOf(variable string) string {
	if variable == "" {
		return "all rows"
	}
	return variable
}

func qualified(variable, text string) string {
	if variable != "" {
		return variable + "." + text
	}
	return text
}

// navigationText is FN(text), or FN(text, n) when n is not below zero.
func navigationText(fn, text string, n int) string {
	if n >= 0 {
		text += ", " + strconv.Itoa(n)
	}
	return strings.ToUpper(fn) + "(" + text + ")"
}

// add records a value of the match and returns the column that stands for it.
func (m *matcher) add(r logical.MatchRef, t types.Type, at ast.Node) expr.Expr {
	r.Type = t
	m.refs = append(m.refs, r)
	return &expr.Col{Index: len(m.refs) - 1, Name: r.Name, Typ: t, Pos: m.b.at(at)}
}

// call binds the calls that have a meaning of their own here; ok is false for scalar functions.
func (m *matcher) call(x *ast.Call, c *clause) (e expr.Expr, ok bool, err error) {
	at := m.b.at(x)
	aggregate := x.Star || function.LookupAgg(x.Name) != nil
	switch x.Name {
	case "first", "last", "prev", "next", "classifier", "match_number", "final", "running":
	default:
		if x.Over != nil || function.IsWindowFunction(x.Name) {
			return nil, true, diag.New(diag.MisplacedFunction, at, "window function %s may not stand in %s", strings.ToUpper(x.Name), c.name).
				WithHint("PREV(A.x) and NEXT(A.x) read neighbouring rows")
		}
		if !aggregate {
			return nil, false, nil
		}
	}
	if m.inside != nil {
		return nil, true, diag.New(diag.MisplacedFunction, at, "%s may not stand within %s", strings.ToUpper(x.Name), m.inside.what)
	}
	if x.Distinct && !aggregate || x.Filter != nil || len(x.OrderBy) > 0 || x.Over != nil {
		return nil, true, notSupported(at, "FILTER, ORDER BY or OVER in %s", c.name)
	}
	switch x.Name {
	case "first", "last", "prev", "next":
		e, err = m.navigate(x, c)
	case "classifier":
		e, err = m.classifier(x)
	case "match_number":
		if len(x.Args) > 0 {
			return nil, true, diag.New(diag.WrongArguments, at, "MATCH_NUMBER() takes no argument")
		}
		e = m.add(logical.MatchRef{Kind: logical.MatchNumber, Name: "MATCH_NUMBER()"}, types.Of(types.Int64), x)
	case "final", "running":
		e, err = m.scoped(x, c)
	default:
		e, err = m.aggregate(x, c)
	}
	return e, true, err
}

// scoped binds FINAL f(..) and RUNNING f(..).
func (m *matcher) scoped(x *ast.Call, c *clause) (expr.Expr, error) {
	if m.defining && x.Name == "final" {
		return nil, diag.New(diag.MisplacedFunction, m.b.at(x), "FINAL may not stand in DEFINE: the match is not over there")
	}
	saved := m.final
	m.final = x.Name == "final"
	e, err := m.b.expr(x.Args[0], c)
	m.final = saved
	return e, err
}

// navigate binds FIRST(x [, n]), LAST(x [, n]), PREV(x [, n]), NEXT(x [, n]) and PREV(FIRST(..), n).
func (m *matcher) navigate(x *ast.Call, c *clause) (expr.Expr, error) {
	name := strings.ToUpper(x.Name)
	r := logical.MatchRef{Final: m.final}
	n, err := m.offset(x, name)
	if err != nil {
		return nil, err
	}
	arg, wrap := x.Args[0], func(text string) string { return text }
	switch x.Name {
	case "first":
		r.First = true
		r.Offset = max(n, 0)
	case "last":
		r.Offset = max(n, 0)
	case "prev", "next":
		if r.Step = n; n < 0 {
			r.Step = 1
		}
		if x.Name == "prev" {
			r.Step = -r.Step
		}
		if inner, ok := arg.(*ast.Call); ok && (inner.Name == "first" || inner.Name == "last") {
			k, err := m.offset(inner, strings.ToUpper(inner.Name))
			if err != nil {
				return nil, err
			}
			r.First, r.Offset, arg = inner.Name == "first", max(k, 0), inner.Args[0]
			wrap = func(text string) string { return navigationText(inner.Name, text, k) }
		}
	}
	list, nav, err := m.arguments([]ast.Expr{arg}, strings.ToUpper(x.Name), c)
	if err != nil {
		return nil, err
	}
	if !nav.seen {
		return nil, diag.New(diag.WrongArguments, m.b.at(x), "%s reads a column of a row: this names none", strings.ToUpper(x.Name)).WithHint("write %s(A.x)", strings.ToUpper(x.Name))
	}
	r.Expr = list[0]
	r.Symbols, _ = m.set(nav.variable)
	r.Name = navigationText(x.Name, wrap(qualified(nav.variable, expr.Print(r.Expr))), n)
	return m.add(r, r.Expr.Type(), x), nil
}

// offset reads the second argument of a navigation, -1 if there is none.
func (m *matcher) offset(x *ast.Call, name string) (int, error) {
	if len(x.Args) == 0 || len(x.Args) > 2 {
		return 0, diag.New(diag.WrongArguments, m.b.at(x), "%s takes a value and a number of rows, got %d arguments", name, len(x.Args)).WithHint("write %s(A.x) or %s(A.x, 2)", name, name)
	}
	if len(x.Args) == 1 {
		return -1, nil
	}
	lit, ok := x.Args[1].(*ast.Literal)
	if ok && lit.Kind == ast.LitInt {
		if n, err := strconv.Atoi(lit.Text); err == nil {
			return n, nil
		}
	}
	return 0, diag.New(diag.WrongArguments, m.b.at(x.Args[1]), "%s wants a constant number of rows", name).WithHint("write %s(A.x, 2)", name)
}

// arguments binds the arguments of a function over rows of the match.
func (m *matcher) arguments(args []ast.Expr, what string, c *clause) ([]expr.Expr, *navigation, error) {
	nav := &navigation{what: what}
	m.inside = nav
	list, err := m.b.exprs(args, c)
	m.inside = nil
	return list, nav, err
}

// classifier binds CLASSIFIER() and CLASSIFIER(A).
func (m *matcher) classifier(x *ast.Call) (expr.Expr, error) {
	r := logical.MatchRef{Kind: logical.MatchClassifier, Final: m.final, Name: "CLASSIFIER()"}
	if len(x.Args) > 0 {
		col, ok := x.Args[0].(*ast.Column)
		if !ok || len(x.Args) > 1 || len(col.Parts) > 1 {
			return nil, diag.New(diag.WrongArguments, m.b.at(x), "CLASSIFIER takes a pattern variable, or nothing")
		}
		if r.Symbols, ok = m.set(col.Parts[0].Text); !ok {
			return nil, m.unknownSymbol(col.Parts[0], m.variables())
		}
		r.Name = "CLASSIFIER(" + col.Parts[0].Text + ")"
	}
	return m.add(r, types.Of(types.String), x), nil
}

// aggregate binds SUM(A.x), COUNT(*), COUNT(A.*) over the rows matched so far, or with FINAL over all.
func (m *matcher) aggregate(x *ast.Call, c *clause) (expr.Expr, error) {
	r := logical.MatchRef{Kind: logical.MatchAggregate, Final: m.final}
	args, variable := x.Args, ""
	if len(args) == 1 {
		if star, ok := args[0].(*ast.Star); ok {
			if r.Symbols, ok = m.set(star.Table); !ok {
				return nil, m.unknownSymbol(ast.Name{Pos: star.Pos, Text: star.Table}, m.variables())
			}
			args, variable = nil, star.Table
		}
	}
	list, nav, err := m.arguments(args, strings.ToUpper(x.Name), c)
	if err != nil {
		return nil, err
	}
	if x.Separator != "" {
		list = append(list, expr.NewString(x.Separator))
	}
	if nav.seen {
		variable = nav.variable
		r.Symbols, _ = m.set(variable)
	}
	agg := function.LookupAgg(x.Name)
	if agg == nil {
		return nil, diag.New(diag.WrongArguments, m.b.at(x), "%s(*) is no aggregate function", x.Name).WithHint("only COUNT takes *")
	}
	if r.Agg.Bound, err = agg.Bind(describeArgs(list)); err != nil {
		return nil, callError(agg.Name, agg.Signatures, m.b.at(x), err)
	}
	if r.Agg.Args, err = castArgs(list, r.Agg.Bound.ArgTypes); err != nil {
		return nil, err
	}
	if x.Distinct && len(list) > 0 {
		r.Agg.Bound = function.NewDistinct(r.Agg.Bound)
	}
	text := "*"
	if len(list) > 0 {
		text = expr.Print(list[0])
	}
	if x.Distinct {
		text = "DISTINCT " + text
	}
	r.Name = navigationText(x.Name, qualified(variable, text), -1)
	return m.add(r, r.Agg.Bound.Ret, x), nil
}
