package expr

import (
	"strings"
	"time"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// NewCall resolves a function or operator by name: it inserts the implicit casts, turns lazy functions into Case and Logic, and folds
// deterministic calls on constants. Errors are *diag.Error at pos or at the argument at fault.
func NewCall(name string, pos int, args ...Expr) (Expr, error) {
	name = strings.ToLower(name)
	if build := lazy[name]; build != nil {
		return build(name, pos, args)
	}
	fn := function.Lookup(name)
	if fn == nil {
		return nil, unknownFunction(name, pos)
	}
	return NewCallOf(fn, name, pos, args...)
}

// NewCallOf is NewCall for a function at hand, called by name.
func NewCallOf(fn *function.Func, name string, pos int, args ...Expr) (Expr, error) {
	args, err := resolveLambdas(fn, args)
	if err != nil {
		return nil, err
	}
	if comparisons[name] {
		if args, err = coerceComparison(name, pos, args); err != nil {
			return nil, err
		}
	}
	args, err = coerceLiterals(fn, args)
	if err != nil {
		return nil, err
	}
	bound, err := fn.Bind(describe(args))
	if err != nil {
		return nil, argumentError(fn, name, pos, err)
	}
	given := args
	args, err = castArgs(name, pos, args, bound.ArgTypes)
	if err != nil {
		return nil, err
	}
	call := fold(&Call{Name: fn.Name, Fn: fn, Bound: bound, Args: args, Pos: pos})
	if movesDays(name, given) {
		return NewCast(call, types.Of(types.Date), false, pos)
	}
	return call, nil
}

// NewResolved makes a call of a function that is in no registry; the arguments have the types that it wants.
func NewResolved(name string, bound function.Bound, pos int, args ...Expr) Expr {
	return fold(&Call{Name: name, Bound: bound, Args: args, Pos: pos})
}

// movesDays tells whether a call moves a DATE by a computed number of whole days or months, which leaves it a DATE. Which unit
// an INTERVAL has is seen here only: its type does not tell.
func movesDays(name string, args []Expr) bool {
	switch name {
	case "+", "-", "date_add", "date_sub", "adddate", "subdate":
	default:
		return false
	}
	if len(args) != 2 {
		return false
	}
	at, iv := args[0], args[1]
	made, ok := iv.(*Call)
	if at.Type().Kind != types.Date || !ok || made.Name != "make_interval" {
		return false
	}
	unit, ok := made.Args[0].(*Const)
	if !ok || unit.Value.IsNull(0) {
		return false
	}
	switch strings.ToUpper(string(unit.text())) {
	case "DAY", "WEEK", "MONTH", "QUARTER", "YEAR":
		return true
	}
	return false
}

// describe gives the binder of a function its view of the arguments.
func describe(args []Expr) []function.Arg {
	out := make([]function.Arg, len(args))
	for i, a := range args {
		out[i].Type = a.Type()
		switch x := a.(type) {
		case *Const:
			out[i].Const = x.Value
		case *Lambda:
			out[i].Lambda, out[i].Params = true, len(x.Params)
		case *Unbound:
			out[i].Lambda, out[i].Params = true, len(x.Names)
		}
	}
	return out
}

func castArgs(name string, pos int, args []Expr, want []types.Type) ([]Expr, error) {
	if len(want) != len(args) {
		return nil, diag.New(diag.Internal, pos, "function %s binds %d of %d arguments", name, len(want), len(args))
	}
	out := make([]Expr, len(args))
	for i, a := range args {
		var err error
		if out[i], err = coerce(a, want[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// coerce casts when the types differ in more than what the physical form ignores.
func coerce(e Expr, want types.Type) (Expr, error) {
	if samePhysical(e.Type(), want) {
		return e, nil
	}
	if l, ok := e.(*Lambda); ok {
		body, err := NewCast(l.Body, want, false, l.Body.At())
		if err != nil {
			return nil, err
		}
		moved := *l
		moved.Body = body
		return &moved, nil
	}
	return NewCast(e, want, false, e.At())
}

// samePhysical tells whether a value of type a is a value of type b as it stands: integers widen for free because all of them are
// 64 bits in memory, and precision of text and instants only matters on the way in.
func samePhysical(a, b types.Type) bool {
	switch {
	case a.Kind.IsListed() || b.Kind.IsListed():
		return a.Equal(b)
	case a.Kind == b.Kind && b.Class() == types.ClassI64, a.Kind.IsFloat() && b.Kind == types.Float64:
		return true
	case a.Kind == types.String && b.Kind == types.String, a.Kind == types.JSON && b.Kind == types.String:
		return true
	case a.Kind == types.Decimal && b.Kind == types.Decimal && a.Scale == b.Scale && a.Class() == b.Class():
		return a.Precision <= b.Precision
	case isInteger(a.Kind) && isInteger(b.Kind):
		return widens(a.Kind, b.Kind)
	}
	return a.Equal(b)
}

func isInteger(k types.Kind) bool { return k == types.Bool || k.IsInteger() }

// widens tells whether every value of integer kind a is one of kind b. BOOLEAN counts as the narrowest integer.
func widens(a, b types.Kind) bool {
	if a.IsUnsigned() == b.IsUnsigned() {
		return a <= b
	}
	return b == types.Int64 && a != types.Uint64 || a == types.Bool
}

// NewCast converts e to type t; try makes values that do not convert NULL instead of row errors.
func NewCast(e Expr, t types.Type, try bool, pos int) (Expr, error) {
	kernel, err := function.Cast(e.Type(), t, try)
	if err != nil && !passes(e, t) {
		return nil, diag.New(diag.TypeMismatch, pos, "%s", err.Error())
	}
	if try {
		return newCast("try_cast", e, t, pos, kernel), nil
	}
	return newCast("cast", e, t, pos, kernel), nil
}

// passes tells whether e needs no kernel to become a t.
func passes(e Expr, t types.Type) bool {
	c, ok := e.(*Const)
	return e.Type().Equal(t) || ok && c.Value.IsNull(0)
}

// NewAssign converts e for storing it in a column of type t: as NewCast, but text that is too long is a row error.
func NewAssign(e Expr, t types.Type, pos int) (Expr, error) {
	kernel, err := function.Assign(e.Type(), t)
	if err != nil && !passes(e, t) {
		return nil, diag.New(diag.TypeMismatch, pos, "%s", err.Error())
	}
	return newCast("cast", e, t, pos, kernel), nil
}

func newCast(name string, e Expr, t types.Type, pos int, kernel function.Kernel) Expr {
	if e.Type().Equal(t) {
		return e
	}
	if c, ok := e.(*Const); ok && c.Value.IsNull(0) {
		return &Const{Value: nullOf(t), Pos: c.Pos, Zone: c.Zone}
	}
	bound := function.Bound{Ret: t, ArgTypes: []types.Type{e.Type()}, Strict: true, Kernel: kernel}
	call := &Call{Name: name, Bound: bound, Args: []Expr{e}, Pos: pos}
	if e.Type().Kind == types.Time && t.Kind.IsTemporal() && t.Kind != types.Time {
		return call // a TIME is of the day on which it is converted
	}
	return fold(call)
}

// NewField reads a field of a STRUCT by name.
func NewField(x Expr, name string, pos int) (Expr, error) {
	t := x.Type()
	if t.Kind != types.Struct {
		return nil, diag.New(diag.TypeMismatch, pos, "%s is no STRUCT: it has no field %s", t, name)
	}
	i := t.FieldIndex(name)
	if i < 0 {
		return nil, diag.New(diag.UnknownColumn, pos, "STRUCT has no field %s", name).WithHint("it is a %s", t)
	}
	return &Field{X: x, Index: i, Pos: pos}, nil
}

// fold evaluates a deterministic call on constants now. When that fails the call stays: the error belongs to the rows, and there may
// be none.
func fold(c *Call) Expr {
	if c.Fn != nil && !c.Fn.Deterministic {
		return c
	}
	for _, a := range c.Args {
		if l, ok := a.(*Lambda); ok && l.closed() && Deterministic(l) && !readsClock(l) {
			continue
		}
		if _, ok := a.(*Const); !ok {
			return c
		}
	}
	return foldConstant(c, c.Pos)
}

// readsClock tells whether a function of e is constant within an epoch only.
func readsClock(e Expr) bool {
	found := false
	Walk(e, func(x Expr) bool {
		c, ok := x.(*Call)
		found = found || ok && c.Fn != nil && c.Fn.Stable
		return !found
	})
	return found
}

func foldConstant(e Expr, pos int) Expr {
	ctx := function.Ctx{Zone: zoneOf(e)}
	one := &vector.Batch{N: 1}
	out := Compile([]Expr{e}).Eval(&ctx, one)[0]
	if len(ctx.Errs) > 0 {
		return e
	}
	value := vector.New(e.Type(), 1)
	value.AppendFrom(out, 0)
	return &Const{Value: value, Pos: pos, Zone: ctx.Zone}
}

// zoneOf is the zone that the constants of e were written in.
func zoneOf(e Expr) (zone *time.Location) {
	Walk(e, func(x Expr) bool {
		if c, ok := x.(*Const); ok && zone == nil {
			zone = c.Zone
		}
		return zone == nil
	})
	return zone
}

func unknownFunction(name string, pos int) error {
	err := diag.New(diag.UnknownFunction, pos, "unknown function %s", name)
	if reason := function.Refused(name); reason != "" {
		return err.WithHint("%s", reason)
	}
	if best := nearest(name); best != "" {
		err = err.WithHint("did you mean %s?", best)
	}
	return err
}

func argumentError(fn *function.Func, name string, pos int, err error) error {
	if d, ok := diag.As(err); ok {
		if d.Offset < 0 {
			d.Offset = pos
		}
		return d
	}
	e := diag.New(diag.WrongArguments, pos, "%s: %s", name, err.Error())
	if fn != nil && len(fn.Signatures) > 0 {
		e = e.WithHint("usage: %s", strings.Join(fn.Signatures, " or "))
	}
	return e
}
