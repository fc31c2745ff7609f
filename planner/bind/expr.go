package bind

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// clause is where an expression stands: what it sees and which kinds of function it may call.
type clause struct {
	name  string // for messages: WHERE, GROUP BY ..
	scope *scope
	// alias resolves names that the scope does not know, or that it shall not be asked for first; nil: none.
	alias      func(name string) expr.Expr
	aliasFirst bool
	aggs       *aggregates  // collects aggregate calls; nil: they are not allowed here
	ranks      *rankings    // collects window function calls; nil: they are not allowed here
	windows    *groupWindow // resolves TUMBLE_START and the like; nil: not allowed here
	subqueries *subqueries  // collects subqueries; nil: not allowed here
	lambda     *lambda      // the innermost lambda around; nil: none
	params     *params      // those of the function whose body this is; nil: it is none
	grouping   *grouping    // collects GROUPING calls; nil: not allowed here
	match      *matcher     // MEASURES and DEFINE of MATCH_RECOGNIZE, whose columns and calls mean rows of a match; nil: elsewhere
}

// expr binds an expression.
func (b *Binder) expr(e ast.Expr, c *clause) (expr.Expr, error) {
	if err := b.enter(e); err != nil {
		return nil, err
	}
	defer b.leave()
	switch x := e.(type) {
	case *ast.Literal:
		return b.literal(x)
	case *ast.Column:
		return b.column(x, c)
	case *ast.Unary:
		return b.unary(x, c)
	case *ast.Binary:
		return b.binary(x, c)
	case *ast.IsNull:
		return b.call(pickName(x.Not, "is_not_null", "is_null"), b.at(x), c, x.X)
	case *ast.IsTruth:
		name := pickName(x.Not, "is_not_", "is_") + pickName(x.True, "true", "false")
		return b.call(name, b.at(x), c, x.X)
	case *ast.Between:
		return b.negated(x.Not, b.at(x), func() (expr.Expr, error) { return b.call("between", b.at(x), c, x.X, x.Lo, x.Hi) })
	case *ast.In:
		return b.in(x, c)
	case *ast.Like:
		return b.negated(x.Not, b.at(x), func() (expr.Expr, error) { return b.like(x, c) })
	case *ast.Case:
		return b.caseWhen(x, c)
	case *ast.Cast:
		return b.cast(x, c)
	case *ast.Call:
		return b.function(x, c)
	case *ast.Subscript:
		return b.call("[]", b.at(x), c, x.X, x.Index)
	case *ast.ArrayLit:
		return b.call("array", b.at(x), c, x.Elems...)
	case *ast.MapLit:
		args := make([]ast.Expr, 0, 2*len(x.Keys))
		for i, k := range x.Keys {
			args = append(args, k, x.Values[i])
		}
		return b.call("map", b.at(x), c, args...)
	case *ast.Row:
		return b.row(x, c)
	case *ast.Field:
		e, err := b.expr(x.X, c)
		if err != nil {
			return nil, err
		}
		return fieldOf(e, x.Name, b.at)
	case *ast.Lambda:
		return nil, diag.New(diag.MisplacedFunction, b.at(x), "a lambda may only be an argument of a function that takes one").
			WithHint("such as TRANSFORM(a, x -> x + 1) or FILTER(a, x -> x > 0)")
	case *ast.Interval:
		return b.interval(x, c)
	case *ast.Subquery:
		return b.scalarSubquery(x, c)
	case *ast.Quantified:
		return b.quantified(x, c)
	case *ast.Variable:
		return b.variable(x)
	case *ast.Star:
		return nil, diag.New(diag.SyntaxError, b.at(x), "* may only stand alone in a select list or in COUNT(*)")
	case *ast.Param:
		if b.env.Describe {
			return expr.NewNull(), nil
		}
		return nil, diag.New(diag.BadParameter, b.at(x), "parameter %d has no value", x.Index+1).WithHint("PREPARE s FROM '..', then EXECUTE s USING ..; over HTTP \"params\"")
	}
	return nil, notSupported(b.at(e), "this expression")
}

func pickName(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

func (b *Binder) negated(not bool, at int, fn func() (expr.Expr, error)) (expr.Expr, error) {
	e, err := fn()
	if err != nil || !not {
		return e, err
	}
	return expr.NewCall("not", at, e)
}

// call binds the arguments and then the function.
func (b *Binder) call(name string, at int, c *clause, args ...ast.Expr) (expr.Expr, error) {
	bound, err := b.exprs(args, c)
	if err != nil {
		return nil, err
	}
	hexNumbers(name, args, bound)
	return expr.NewCall(name, at, bound...)
}

func (b *Binder) exprs(list []ast.Expr, c *clause) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = b.expr(e, c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// arguments binds what stands between the parentheses of a function, where lambdas may stand.
func (b *Binder) arguments(list []ast.Expr, c *clause) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if l, ok := e.(*ast.Lambda); ok {
			out[i], err = b.unbound(l, c)
		} else {
			out[i], err = b.expr(e, c)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *Binder) literal(x *ast.Literal) (expr.Expr, error) {
	at := b.at(x)
	place := func(k *expr.Const) (expr.Expr, error) {
		return &expr.Const{Value: k.Value, Pos: at, Zone: b.zone}, nil
	}
	switch x.Kind {
	case ast.LitNull:
		return place(expr.NewNull())
	case ast.LitBool:
		return place(expr.NewBool(strings.EqualFold(x.Text, "true") || x.Text == "1"))
	case ast.LitInt, ast.LitDecimal, ast.LitFloat:
		return b.written(expr.NewNumber(x.Text, at))
	case ast.LitBytes:
		return place(expr.NewBytes([]byte(x.Text)))
	case ast.LitDate:
		return expr.NewLiteralIn(b.zone, types.Of(types.Date), x.Text, at)
	case ast.LitTime:
		return expr.NewLiteralIn(b.zone, types.Of(types.Time), x.Text, at)
	case ast.LitTimestamp:
		return expr.NewLiteralIn(b.zone, types.Of(types.Timestamp), x.Text, at)
	}
	return place(expr.NewString(x.Text))
}

// written marks a constant with the zone of the statement.
func (b *Binder) written(e expr.Expr, err error) (expr.Expr, error) {
	if k, ok := e.(*expr.Const); ok && err == nil && b.zone != nil {
		return &expr.Const{Value: k.Value, Pos: k.Pos, Zone: b.zone}, nil
	}
	return e, err
}

func (b *Binder) column(x *ast.Column, c *clause) (expr.Expr, error) {
	if e, ok, err := c.lambda.resolve(x.Parts, b.at); ok {
		return e, err
	}
	if c.params != nil {
		return c.params.resolve(x.Parts, b.at)
	}
	if c.match != nil {
		return c.match.column(x)
	}
	if c.alias != nil && len(x.Parts) == 1 && c.aliasFirst {
		if e := c.alias(x.Parts[0].Text); e != nil {
			return e, nil
		}
	}
	e, err := c.scope.resolve(x.Parts, b.at)
	if err != nil && c.alias != nil && len(x.Parts) == 1 {
		if d, ok := diag.As(err); ok && d.Code == diag.UnknownColumn {
			if e := c.alias(x.Parts[0].Text); e != nil {
				return e, nil
			}
		}
	}
	if namesNothing(err, x.Parts) {
		if e, failed := b.outerColumn(x.Parts); e != nil || failed != nil {
			return e, failed
		}
	}
	return e, err
}

func (b *Binder) unary(x *ast.Unary, c *clause) (expr.Expr, error) {
	if lit, ok := x.X.(*ast.Literal); ok && x.Op == "-" && (lit.Kind == ast.LitInt || lit.Kind == ast.LitDecimal || lit.Kind == ast.LitFloat) {
		return b.written(expr.NewNumber("-"+lit.Text, b.at(x)))
	}
	switch strings.ToUpper(x.Op) {
	case "+":
		return b.expr(x.X, c)
	case "-":
		return b.call("negate", b.at(x), c, x.X)
	case "NOT", "!":
		return b.call("not", b.at(x), c, x.X)
	}
	return b.call(x.Op, b.at(x), c, x.X)
}

func (b *Binder) binary(x *ast.Binary, c *clause) (expr.Expr, error) {
	at := b.at(x.OpPos)
	switch x.Op {
	case "->":
		return b.call("json_extract", at, c, x.X, x.Y)
	case "->>":
		e, err := b.call("json_extract", at, c, x.X, x.Y)
		if err != nil {
			return nil, err
		}
		return expr.NewCall("json_unquote", at, e)
	case "=", "<=>", "<>", "!=", "<", "<=", ">", ">=":
		if left, right, ok, err := b.rowPair(x.X, x.Y, c); ok || err != nil {
			if err != nil {
				return nil, err
			}
			return compareRows(x.Op, at, left, right)
		}
	}
	return b.call(lower(x.Op), at, c, x.X, x.Y)
}

func (b *Binder) in(x *ast.In, c *clause) (expr.Expr, error) {
	if x.Query != nil {
		return b.inSubquery(x, c)
	}
	return b.negated(x.Not, b.at(x), func() (expr.Expr, error) {
		if e, ok, err := b.inRows(x, c); ok || err != nil {
			return e, err
		}
		return b.call("in", b.at(x), c, append([]ast.Expr{x.X}, x.List...)...)
	})
}

func (b *Binder) like(x *ast.Like, c *clause) (expr.Expr, error) {
	args, err := b.exprs([]ast.Expr{x.X, x.Pattern}, c)
	if err != nil {
		return nil, err
	}
	name := lower(x.Op)
	if name == "rlike" {
		name = "regexp"
	}
	if x.Escape != 0 && x.Escape != '\\' && name != "regexp" {
		args = append(args, expr.NewString(string(x.Escape)))
	}
	return expr.NewCall(name, b.at(x), args...)
}

func (b *Binder) caseWhen(x *ast.Case, c *clause) (expr.Expr, error) {
	var operand, els expr.Expr
	var err error
	if x.Operand != nil {
		if operand, err = b.expr(x.Operand, c); err != nil {
			return nil, err
		}
	}
	var conds, results []expr.Expr
	for _, w := range x.Whens {
		cond, err := b.expr(w.Cond, c)
		if err != nil {
			return nil, err
		}
		if operand != nil {
			if cond, err = expr.NewCall("=", b.at(w.Cond), operand, cond); err != nil {
				return nil, err
			}
		}
		result, err := b.expr(w.Result, c)
		if err != nil {
			return nil, err
		}
		conds, results = append(conds, cond), append(results, result)
	}
	if x.Else != nil {
		if els, err = b.expr(x.Else, c); err != nil {
			return nil, err
		}
	}
	return expr.NewCase(conds, results, els, b.at(x))
}

func (b *Binder) cast(x *ast.Cast, c *clause) (expr.Expr, error) {
	e, err := b.expr(x.X, c)
	if err != nil {
		return nil, err
	}
	t, err := b.typeOf(&x.Type)
	if err != nil {
		return nil, err
	}
	if t.Kind.IsNumeric() {
		e = hexNumber(x.X, e)
	}
	if t.Kind == types.String {
		t.Fixed = false // CAST(x AS CHAR(n)) is a VARCHAR(n), as in MySQL
	}
	return expr.NewCast(e, t, x.Try, b.at(x))
}

func (b *Binder) interval(x *ast.Interval, c *clause) (expr.Expr, error) {
	q, err := b.expr(x.X, c)
	if err != nil {
		return nil, err
	}
	return expr.NewInterval(q, x.Unit, b.at(x))
}

func (b *Binder) variable(x *ast.Variable) (expr.Expr, error) {
	if !x.System && b.env.User != nil {
		return b.userVariable(x)
	}
	v, ok := b.env.Variables[lower(x.Name)]
	if !ok {
		return nil, diag.New(diag.UnknownVariable, b.at(x), "unknown variable '%s'", x.Name).WithHint("SHOW VARIABLES lists them")
	}
	return b.written(expr.NewString(v), nil)
}

// userVariable binds @x to its value now; NULL when it was never set, as in MySQL. Statements that are kept cannot use one.
func (b *Binder) userVariable(x *ast.Variable) (expr.Expr, error) {
	if !b.env.AdHoc {
		return nil, diag.New(diag.NotSupported, b.at(x), "a variable of the session in a statement that is kept is not supported").
			WithHint("write its value, or prepare the statement with a ? and EXECUTE it USING @%s", strings.TrimPrefix(x.Name, "@"))
	}
	value := b.env.User(x.Name)
	if value == nil {
		return expr.NewNull(), nil
	}
	here := *value
	here.Pos = x.Pos
	return b.literal(&here)
}

// function tells apart scalar functions, aggregates, window functions and the window columns of GROUP BY TUMBLE(..).
func (b *Binder) function(x *ast.Call, c *clause) (expr.Expr, error) {
	if c.match != nil {
		if e, ok, err := c.match.call(x, c); ok || err != nil {
			return e, err
		}
	}
	if x.Over != nil {
		return b.overCall(x, c)
	}
	if function.IsWindowFunction(x.Name) && function.LookupAgg(x.Name) == nil {
		return nil, diag.New(diag.MisplacedFunction, b.at(x), "%s needs an OVER clause", strings.ToUpper(x.Name)).
			WithHint("%s() OVER (PARTITION BY .. ORDER BY ..)", strings.ToUpper(x.Name))
	}
	if x.Name == "grouping" || x.Name == "grouping_id" {
		return b.groupingCall(x, c)
	}
	if col, ok := groupWindowColumn(x.Name); ok {
		return b.groupWindowCall(x, c, col)
	}
	if f, ok := windowFuncs[x.Name]; ok && function.Lookup(x.Name) == nil {
		return nil, diag.New(diag.MisplacedFunction, b.at(x), "%s may only stand in FROM and GROUP BY", strings.ToUpper(x.Name)).
			WithHint("FROM %s; its bounds are the columns window_start and window_end", f.usage)
	}
	if x.Star || function.LookupAgg(x.Name) != nil && (function.Lookup(x.Name) == nil || c.aggs != nil) {
		return b.aggregateCall(x, c)
	}
	if x.Distinct || x.Filter != nil || len(x.OrderBy) > 0 {
		return nil, diag.New(diag.MisplacedFunction, b.at(x), "%s is no aggregate function: it takes no DISTINCT, ORDER BY or FILTER", x.Name)
	}
	if f := b.userFunction(x.Name); f != nil {
		return b.userCall(f, x, c)
	}
	args, err := b.arguments(x.Args, c)
	if err != nil {
		return nil, err
	}
	e, err := expr.NewCall(x.Name, b.at(x), args...)
	return e, b.nearUserFunction(err, x)
}
