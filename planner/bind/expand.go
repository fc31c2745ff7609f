package bind

import (
	"strconv"
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// expands tells whether t makes rows of values: UNNEST, JSON_TABLE, or another function that is no window. It sees the columns to its left, with or
// without LATERAL.
func expands(t ast.TableExpr) bool {
	switch f := t.(type) {
	case *ast.JSONTable:
		return true
	case *ast.TableFunc:
		_, window := windowFuncs[f.Name]
		return !window
	}
	return false
}

// expandAlone binds an expansion that has nothing to its left: it expands one row without columns.
func (b *Binder) expandAlone(t ast.TableExpr) (logical.Node, *scope, error) {
	one := logical.NewValues([]types.Field{{Name: "true", Type: types.Of(types.Bool)}}, [][]expr.Expr{{expr.NewBool(true)}})
	return b.expand(t, one, &scope{}, nil, false)
}

// expandJoin binds `left [CROSS|LEFT] JOIN UNNEST(..)`.
func (b *Binder) expandJoin(x *ast.Join, left logical.Node, ls *scope) (logical.Node, *scope, error) {
	outer := x.Kind == ast.JoinLeft
	if !outer && x.Kind != ast.JoinInner && x.Kind != ast.JoinCross {
		return nil, nil, notSupported(b.at(x.Right), "a RIGHT or FULL join with a function of the left side's columns").WithHint("use CROSS JOIN or LEFT JOIN .. ON TRUE")
	}
	if len(x.Using) > 0 || x.Natural {
		return nil, nil, diag.New(diag.SyntaxError, b.at(x.Right), "the rows of a function are joined ON TRUE, not USING columns")
	}
	n, sc, err := b.expand(x.Right, left, ls, allColumns(left), outer)
	if err != nil || x.On == nil {
		return n, sc, err
	}
	cond, err := b.condition(x.On, &clause{name: "ON", scope: sc})
	if err != nil {
		return nil, nil, err
	}
	if k, ok := cond.(*expr.Const); ok && !k.Value.IsNull(0) && k.Value.Bool(0) {
		return n, sc, nil
	}
	if !outer {
		return logical.NewFilter(n, cond), sc, nil
	}
	filtered, err := b.filterElements(n.(*logical.Expand), cond, b.at(x.On))
	return filtered, sc, err
}

// onLevel is the level of the lambda that filterElements makes: none around a lambda that a user writes.
const onLevel = -1

// filterElements is `LEFT JOIN UNNEST(a) ON cond`: an expansion of those elements for which the condition is TRUE.
func (b *Binder) filterElements(n *logical.Expand, cond expr.Expr, at int) (logical.Node, error) {
	if len(n.Args) != 1 || n.Ordinality() >= 0 || n.Args[0].Type().Kind != types.Array {
		return nil, notSupported(at, "LEFT JOIN ON a condition with WITH ORDINALITY, a MAP or several ARRAYs").
			WithHint("take the elements that matter in the first place: UNNEST(FILTER(a, x -> ..))")
	}
	elem := *n.Args[0].Type().Elem
	body := logical.Transform(cond, func(e expr.Expr) (expr.Expr, bool) {
		c, ok := e.(*expr.Col)
		if !ok || c.Index < len(n.Keep) {
			return e, ok
		}
		v := &expr.Var{Level: onLevel, Name: "element", Typ: elem, Pos: c.Pos}
		if part := n.Made[c.Index-len(n.Keep)].Part; part >= 0 {
			return &expr.Field{X: v, Index: part, Pos: c.Pos}, true
		}
		return v, true
	})
	list, err := expr.NewCall("filter", at, n.Args[0], &expr.Lambda{Level: onLevel, Names: []string{"element"}, Params: []types.Type{elem}, Body: body, Pos: at})
	if err != nil {
		return nil, err
	}
	next := *n
	next.Args = []expr.Expr{list}
	return next.With(n.Inputs()[0]), nil
}

// expansion is what stands in FROM and expands.
type expansion struct {
	ast.Node
	args       []expr.Expr // ARRAYs and MAPs
	name       string      // of the function
	alias      string
	columns    []ast.Name
	ordinality bool
}

func (b *Binder) expansion(t ast.TableExpr, ls *scope) (x expansion, err error) {
	switch f := t.(type) {
	case *ast.JSONTable:
		var e expr.Expr
		e, err = b.jsonTable(f, ls)
		x = expansion{Node: f, args: []expr.Expr{e}, name: "json_table", alias: f.Alias.Text}
	case *ast.TableFunc:
		x = expansion{Node: f, name: f.Name, alias: f.Alias.Text, columns: f.Columns, ordinality: f.Ordinality}
		x.args, err = b.expandArgs(f, ls)
	}
	return x, err
}

// expand binds an expansion over in, whose columns keep are passed on. ls is what its arguments see.
func (b *Binder) expand(t ast.TableExpr, in logical.Node, ls *scope, keep []int, outer bool) (logical.Node, *scope, error) {
	f, err := b.expansion(t, ls)
	if err != nil {
		return nil, nil, err
	}
	x := logical.Expand{Keep: keep, Outer: outer}
	for _, a := range f.args {
		if !expr.Deterministic(a) && b.props.Of(in).Changelog != physical.AppendOnly {
			return nil, nil, notSupported(a.At(), "a function that is not deterministic, over rows that may be taken back,")
		}
		addMade(&x, a, f.defaultName(a))
	}
	if f.ordinality {
		x.Made = append(x.Made, physical.ExpandColumn{Arg: physical.Ordinality, Part: -1, Type: types.Of(types.Int64)})
		x.Names = append(x.Names, "ordinality")
	}
	if len(f.columns) == 0 && f.alias != "" && len(x.Names) == 1 && f.args[0].Type().Elem.Kind != types.Struct {
		x.Names[0] = f.alias // FROM UNNEST(tags) AS tag
	}
	table := f.alias
	if table == "" {
		table = f.name
	}
	own := &scope{}
	for i, name := range x.Names {
		own.cols = append(own.cols, scopeColumn{table: table, name: name, typ: x.Made[i].Type, index: len(keep) + i})
	}
	if err := b.renameScope(own, f.columns, f); err != nil {
		return nil, nil, err
	}
	for i := range own.cols {
		x.Names[i] = own.cols[i].name
	}
	return logical.NewExpand(in, x), ls.join(own, 0), nil
}

// expandArgs binds what is expanded, as ARRAYs and MAPs: the arguments of UNNEST, or the result of another function.
func (b *Binder) expandArgs(f *ast.TableFunc, ls *scope) ([]expr.Expr, error) {
	if f.Name != "unnest" && function.Lookup(f.Name) == nil {
		return nil, b.unknownTableFunc(f)
	}
	list := make([]ast.Expr, len(f.Args))
	for i, a := range f.Args {
		if a.Expr == nil || a.Name != "" {
			return nil, diag.New(diag.WrongArguments, b.at(a), "%s takes values only: no TABLE, DESCRIPTOR or names", strings.ToUpper(f.Name))
		}
		list[i] = a.Expr
	}
	c := &clause{name: "FROM", scope: ls}
	if f.Name != "unnest" {
		e, err := b.function(&ast.Call{Pos: f.Pos, Name: f.Name, Args: list}, c)
		if err != nil {
			return nil, err
		}
		if e.Type().Class() != types.ClassList {
			return nil, diag.New(diag.TypeMismatch, b.at(f), "%s gives a %s: only functions that give an ARRAY or a MAP may stand in FROM",
				strings.ToUpper(f.Name), e.Type())
		}
		return []expr.Expr{e}, nil
	}
	if len(list) == 0 {
		return nil, diag.New(diag.WrongArguments, b.at(f), "UNNEST needs an ARRAY or a MAP").WithHint("FROM t, UNNEST(t.tags) AS u (tag)")
	}
	args, err := b.exprs(list, c)
	for i := 0; i < len(args) && err == nil; i++ {
		args[i], err = elementsOf(args[i])
	}
	return args, err
}

// elementsOf checks an argument of UNNEST; JSON is read as the ARRAY of its elements.
func elementsOf(e expr.Expr) (expr.Expr, error) {
	t := e.Type()
	switch {
	case t.Class() == types.ClassList:
		return e, nil
	case t.Kind == types.JSON:
		return expr.NewCall("json_elements", e.At(), e)
	case t.Kind == types.Null:
		return expr.NewCast(e, types.ArrayOf(t), false, e.At())
	}
	err := diag.New(diag.TypeMismatch, e.At(), "UNNEST needs an ARRAY, a MAP or JSON, not %s", t)
	if t.Kind == types.String {
		return nil, err.WithHint("if it is the text of a JSON array, write UNNEST(CAST(.. AS JSON))")
	}
	return nil, err
}

// defaultName names the column of plain elements.
func (f *expansion) defaultName(e expr.Expr) string {
	if f.name == "unnest" || e.Type().Kind == types.Map {
		return "value"
	}
	return f.name
}

// addMade adds an argument and the columns of its elements: the fields of STRUCTs, key and value of a MAP, else the element.
func addMade(x *logical.Expand, e expr.Expr, name string) {
	arg := len(x.Args)
	x.Args = append(x.Args, e)
	add := func(part int, t types.Type, name string) {
		for n := 2; taken(x.Names, name); n++ {
			name = strings.TrimRight(name, "0123456789") + strconv.Itoa(n)
		}
		x.Made, x.Names = append(x.Made, physical.ExpandColumn{Arg: arg, Part: part, Type: t}), append(x.Names, name)
	}
	t := e.Type()
	switch {
	case t.Kind == types.Map:
		add(0, *t.Key, "key")
		add(1, *t.Elem, "value")
	case t.Elem.Kind == types.Struct:
		for i, f := range t.Elem.Fields {
			add(i, f.Type, f.Name)
		}
	default:
		add(-1, *t.Elem, name)
	}
}

func taken(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
