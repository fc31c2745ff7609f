package bind

import (
	"maps"
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// MaxParams bounds the parameters of a function.
const MaxParams = 64

// Function makes the catalog entry of CREATE FUNCTION. The body of a SQL function is bound to parameters of the declared types, so that what
// is wrong with it is said now and at its place; a WebAssembly function is left without its Func, which the caller compiles.
func (b *Binder) Function(s *ast.CreateFunction) (*catalog.Function, error) {
	f := &catalog.Function{Name: s.Name.Text, Language: s.Language, Deterministic: s.Deterministic, Body: s.Body, Options: map[string]string{}}
	if kind := builtin(f.Name); kind != "" {
		return nil, diag.New(diag.DuplicateName, b.at(s.Name), "%s is a built-in %s", f.Name, kind).WithHint("choose another name")
	}
	if len(s.Params) > MaxParams {
		return nil, diag.New(diag.TooDeep, b.at(s.Params[MaxParams].Name), "more than %d parameters", MaxParams)
	}
	for i := range s.Params {
		p := &s.Params[i]
		if slices.ContainsFunc(f.Params, func(q types.Field) bool { return strings.EqualFold(q.Name, p.Name.Text) }) {
			return nil, diag.New(diag.DuplicateName, b.at(p.Name), "parameter '%s' is declared twice", p.Name.Text)
		}
		t, err := b.typeOf(&p.Type)
		if err != nil {
			return nil, err
		}
		f.Params = append(f.Params, types.Field{Name: p.Name.Text, Type: t})
	}
	var err error
	if f.Returns, err = b.typeOf(&s.Returns); err != nil {
		return nil, err
	}
	for _, o := range s.Options {
		f.Options[lower(o.Key)] = o.Value
	}
	if s.Body == nil {
		return f, nil
	}
	if len(s.Options) > 0 {
		return nil, diag.New(diag.BadOption, b.at(s.Options[0]), "a SQL function has no options").WithHint("options belong to LANGUAGE wasm")
	}
	return f, b.functionBody(f, s)
}

// builtin says what kind of function of ours has a name; "" when none has.
func builtin(name string) string {
	_, table := windowFuncs[lower(name)]
	_, column := groupWindowColumn(lower(name))
	switch {
	case function.Lookup(name) != nil, expr.IsLazy(name):
		return "function"
	case function.LookupAgg(name) != nil:
		return "aggregate function"
	case function.IsWindowFunction(name):
		return "window function"
	case table, column, lower(name) == "unnest":
		return "table function"
	}
	return ""
}

// functionBody binds the body of a new function.
func (b *Binder) functionBody(f *catalog.Function, s *ast.CreateFunction) error {
	ps := &params{args: map[string]expr.Expr{}, used: map[string]int{}}
	for i, p := range f.Params {
		ps.args[lower(p.Name)] = &expr.Col{Index: i, Name: p.Name, Typ: p.Type, Pos: -1}
	}
	b.creating = lower(f.Name)
	e, err := b.expr(s.Body, &clause{name: "the body of a function", scope: &scope{}, params: ps})
	b.creating = ""
	if err != nil {
		return err
	}
	if !types.ImplicitCast(e.Type(), f.Returns) {
		return diag.New(diag.TypeMismatch, b.at(s.Body), "the function returns %s, its body is %s", f.Returns, e.Type()).
			WithHint("CAST(.. AS %s), or RETURNS %s", f.Returns, e.Type())
	}
	f.Uses = b.Functions(true)
	return nil
}

// Functions lists the functions of the user's that have been called so far, with direct only by the statement's own text.
func (b *Binder) Functions(direct bool) []string { return noted(b.calls, direct) }

// Relations lists the relations that have been named so far, with direct only by the statement's own text.
func (b *Binder) Relations(direct bool) []string { return noted(b.reads, direct) }

func noted(names map[string]bool, direct bool) []string {
	var out []string
	for name, own := range names {
		if own || !direct {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// note remembers that the text being bound names something.
func (b *Binder) note(names *map[string]bool, name string) {
	if *names == nil {
		*names = map[string]bool{}
	}
	(*names)[lower(name)] = (*names)[lower(name)] || !b.foreign()
}

// params are the arguments of a function by lower-case parameter name, while its body is bound, and how often it has used them.
type params struct {
	args map[string]expr.Expr
	used map[string]int
}

// resolve finds a parameter, or a field of one.
func (p *params) resolve(parts []ast.Name, at func(ast.Node) int) (expr.Expr, error) {
	e := p.args[lower(parts[0].Text)]
	if e == nil {
		err := diag.New(diag.UnknownColumn, at(parts[0]), "the function has no parameter '%s'", parts[0].Text)
		return nil, hintNearest(err, parts[0].Text, slices.Sorted(maps.Keys(p.args)), "parameters")
	}
	p.used[lower(parts[0].Text)]++
	for _, field := range parts[1:] {
		var err error
		if e, err = fieldOf(e, field, at); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// userFunction finds a function of the user's.
func (b *Binder) userFunction(name string) *catalog.Function {
	if b.env.Catalog == nil {
		return nil
	}
	return b.env.Catalog.Function(name)
}

// nearUserFunction adds to the error of an unknown function the function of the user's that was meant.
func (b *Binder) nearUserFunction(err error, x *ast.Call) error {
	d, ok := diag.As(err)
	if !ok || d.Code != diag.UnknownFunction || d.Offset != b.at(x) {
		return err
	}
	if b.creating == lower(x.Name) {
		return diag.New(diag.BadFunction, b.at(x), "function %s calls itself", x.Name).WithHint("a function is put in the place of its call: it cannot recur")
	}
	if b.env.Catalog == nil {
		return err
	}
	var names []string
	for _, f := range b.env.Catalog.Functions() {
		names = append(names, f.Name)
	}
	if near := diag.Suggest(x.Name, names); near != "" {
		return d.WithHint("did you mean %s?", near)
	}
	return err
}

// userCall binds a call of a function of the user's. That of a SQL function becomes its body with the arguments, cast to the parameters'
// types, in the parameters' places.
func (b *Binder) userCall(f *catalog.Function, x *ast.Call, c *clause) (expr.Expr, error) {
	at := b.at(x)
	switch {
	case b.creating == lower(f.Name):
		return nil, diag.New(diag.BadFunction, at, "function %s calls itself", f.Name).WithHint("a function is put in the place of its call: it cannot recur")
	case x.Star || x.Distinct || x.Filter != nil || len(x.OrderBy) > 0:
		return nil, diag.New(diag.MisplacedFunction, at, "%s is no aggregate function: it takes no *, DISTINCT, ORDER BY or FILTER", f.Name)
	}
	b.note(&b.calls, f.Name)
	args, err := b.exprs(x.Args, c)
	if err != nil {
		return nil, err
	}
	if f.Func != nil {
		return expr.NewCallOf(f.Func, f.Name, at, args...)
	}
	if len(args) != len(f.Params) {
		return nil, diag.New(diag.WrongArguments, at, "%s takes %d argument(s), got %d", f.Name, len(f.Params), len(args)).WithHint("usage: %s", f.Signature())
	}
	ps := &params{args: map[string]expr.Expr{}, used: map[string]int{}}
	for i, p := range f.Params {
		if !types.ImplicitCast(args[i].Type(), p.Type) {
			return nil, diag.New(diag.WrongArguments, b.at(x.Args[i]), "%s: argument %d must be %s, not %s", f.Name, i+1, p.Type, args[i].Type()).
				WithHint("usage: %s", f.Signature())
		}
		if ps.args[lower(p.Name)], err = castTo(args[i], p.Type, b.at(x.Args[i])); err != nil {
			return nil, err
		}
	}
	var e expr.Expr
	err = b.within("function "+f.Name, x, func() error {
		body, err := b.expr(f.Body, &clause{name: "the body of a function", scope: &scope{}, params: ps})
		if err == nil {
			e, err = castTo(body, f.Returns, -1)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, p := range f.Params {
		if ps.used[lower(p.Name)] > 1 && !expr.Deterministic(args[i]) {
			return nil, diag.New(diag.WrongArguments, b.at(x.Args[i]), "%s uses its parameter %s more than once: the argument must have the same value each time", f.Name, p.Name).
				WithHint("compute it first: SELECT %s(x) FROM (SELECT .. AS x FROM ..) AS t", f.Name)
		}
	}
	return e, nil
}

// Condition binds a condition over the columns of a result, as in SHOW .. WHERE.
func (b *Binder) Condition(e ast.Expr, fields []types.Field) (expr.Expr, error) {
	sc := &scope{}
	for i, f := range fields {
		sc.cols = append(sc.cols, scopeColumn{name: f.Name, typ: f.Type, index: i})
	}
	x, err := b.expr(e, &clause{name: "SHOW .. WHERE", scope: sc})
	if err != nil {
		return nil, err
	}
	return castTo(x, types.Of(types.Bool), b.at(e))
}
