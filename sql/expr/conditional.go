package expr

import (
	"strings"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// lazy are the functions that must not evaluate all their arguments for every row; they become Case and Logic nodes.
var lazy map[string]func(name string, pos int, args []Expr) (Expr, error)

func init() {
	lazy = map[string]func(string, int, []Expr) (Expr, error){
		"and": newLogic, "or": newLogic, "&&": newLogic, "if": newIf, "ifnull": newCoalesce, "nvl": newCoalesce, "coalesce": newCoalesce,
		"nullif": newNullIf, "case": newCaseCall, "iff": newIf, "nvl2": newNvl2, "decode": newDecode, "nullifzero": newZero, "zeroifnull": newZero,
	}
}

// condition makes e BOOLEAN: numbers are true when they are not 0, as in MySQL.
func condition(e Expr) (Expr, error) {
	t := e.Type()
	switch {
	case t.Kind == types.Bool:
		return e, nil
	case t.Kind == types.Null, t.Kind.IsNumeric():
		return NewCast(e, types.Of(types.Bool), false, e.At())
	}
	return nil, diag.New(diag.TypeMismatch, e.At(), "a condition must be BOOLEAN, not %s", t).WithHint("compare it: %s = ...", Print(e))
}

func newLogic(name string, pos int, args []Expr) (Expr, error) {
	if len(args) < 2 {
		return nil, diag.New(diag.WrongArguments, pos, "%s takes two operands", name)
	}
	l := &Logic{Or: name == "or", Pos: pos}
	for _, a := range args {
		c, err := condition(a)
		if err != nil {
			return nil, err
		}
		if k, ok := c.(*Const); ok && !k.Value.IsNull(0) {
			if k.Value.Bool(0) != l.Or {
				continue // the neutral element
			}
			if len(l.Args) == 0 {
				return c, nil // decides before anything else is evaluated
			}
		}
		if inner, ok := c.(*Logic); ok && inner.Or == l.Or {
			l.Args = append(l.Args, inner.Args...)
			continue
		}
		l.Args = append(l.Args, c)
	}
	switch len(l.Args) {
	case 0:
		return &Const{Value: NewBool(!l.Or).Value, Pos: pos}, nil
	case 1:
		return l.Args[0], nil
	}
	return l, nil
}

func newIf(_ string, pos int, args []Expr) (Expr, error) {
	if len(args) != 3 {
		return nil, diag.New(diag.WrongArguments, pos, "if takes 3 arguments, got %d", len(args))
	}
	return NewCase(args[:1], args[1:2], args[2], pos)
}

// newCoalesce makes CASE WHEN a IS NOT NULL THEN a WHEN b .. ELSE last END.
func newCoalesce(name string, pos int, args []Expr) (Expr, error) {
	if len(args) == 0 || name != "coalesce" && len(args) != 2 {
		return nil, diag.New(diag.WrongArguments, pos, "%s takes other arguments, got %d", name, len(args))
	}
	last := len(args) - 1
	var conds []Expr
	for _, a := range args[:last] {
		c, err := NewCall("is_not_null", a.At(), a)
		if err != nil {
			return nil, err
		}
		conds = append(conds, c)
	}
	return NewCase(conds, args[:last], args[last], pos)
}

func newNullIf(_ string, pos int, args []Expr) (Expr, error) {
	if len(args) != 2 {
		return nil, diag.New(diag.WrongArguments, pos, "nullif takes 2 arguments, got %d", len(args))
	}
	eq, err := NewCall("=", pos, args[0], args[1])
	if err != nil {
		return nil, err
	}
	return NewCase([]Expr{eq}, []Expr{NewTypedNull(args[0].Type())}, args[0], pos)
}

// newNvl2 makes CASE WHEN a IS NOT NULL THEN b ELSE c END.
func newNvl2(_ string, pos int, args []Expr) (Expr, error) {
	if len(args) != 3 {
		return nil, diag.New(diag.WrongArguments, pos, "nvl2 takes 3 arguments, got %d", len(args))
	}
	given, err := NewCall("is_not_null", pos, args[0])
	if err != nil {
		return nil, err
	}
	return NewCase([]Expr{given}, args[1:2], args[2], pos)
}

// newDecode makes CASE WHEN x <=> a THEN r .. ELSE e END of x, a, r, .. [e].
func newDecode(_ string, pos int, args []Expr) (Expr, error) {
	if len(args) < 3 {
		return nil, diag.New(diag.WrongArguments, pos, "decode takes a value, then values and results, got %d arguments", len(args))
	}
	var conds, results []Expr
	x, rest := args[0], args[1:]
	for ; len(rest) >= 2; rest = rest[2:] {
		same, err := NewCall("<=>", pos, x, rest[0])
		if err != nil {
			return nil, err
		}
		conds, results = append(conds, same), append(results, rest[1])
	}
	var els Expr
	if len(rest) == 1 {
		els = rest[0]
	}
	return NewCase(conds, results, els, pos)
}

// newZero makes NULLIF(x, 0) and COALESCE(x, 0).
func newZero(name string, pos int, args []Expr) (Expr, error) {
	if len(args) != 1 {
		return nil, diag.New(diag.WrongArguments, pos, "%s takes 1 argument, got %d", name, len(args))
	}
	zero := NewInt(0)
	if name == "nullifzero" {
		return newNullIf("nullif", pos, []Expr{args[0], zero})
	}
	return newCoalesce("coalesce", pos, []Expr{args[0], zero})
}

// newCaseCall takes cond, result, cond, result, .. [else].
func newCaseCall(_ string, pos int, args []Expr) (Expr, error) {
	var conds, results []Expr
	for ; len(args) >= 2; args = args[2:] {
		conds, results = append(conds, args[0]), append(results, args[1])
	}
	var els Expr
	if len(args) == 1 {
		els = args[0]
	}
	return NewCase(conds, results, els, pos)
}

// NewCase makes CASE WHEN cond THEN result .. ELSE els END; els may be nil. All results get their common type.
func NewCase(conds, results []Expr, els Expr, pos int) (Expr, error) {
	typ, err := commonResult(results, els)
	if err != nil {
		return nil, err
	}
	c := &Case{Typ: typ, Pos: pos}
	for i := range conds {
		cond, err := condition(conds[i])
		if err != nil {
			return nil, err
		}
		result, err := toExactly(results[i], typ)
		if err != nil {
			return nil, err
		}
		if k, ok := cond.(*Const); ok {
			if k.Value.IsNull(0) || !k.Value.Bool(0) {
				continue // never taken
			}
			els = result // always taken: nothing behind it counts
			break
		}
		c.Conds, c.Results = append(c.Conds, cond), append(c.Results, result)
	}
	if els != nil {
		if c.Else, err = toExactly(els, typ); err != nil {
			return nil, err
		}
	}
	if len(c.Conds) > 0 {
		return c, nil
	}
	if c.Else == nil {
		return &Const{Value: nullOf(typ), Pos: pos}, nil
	}
	return c.Else, nil
}

func commonResult(results []Expr, els Expr) (types.Type, error) {
	all := results
	if els != nil {
		all = append(append([]Expr{}, results...), els)
	}
	var typ types.Type
	for _, r := range all {
		t, ok := types.CommonType(typ, r.Type())
		if !ok {
			return typ, diag.New(diag.TypeMismatch, r.At(), "results are of type %s and %s, which have nothing in common", typ, r.Type()).WithHint("CAST one of them")
		}
		typ = t
	}
	return typ, nil
}

// toExactly gives e the very type t: the arms of a Case are copied into one vector.
func toExactly(e Expr, t types.Type) (Expr, error) {
	if samePhysical(e.Type(), t) {
		return e, nil
	}
	return NewCast(e, t, false, e.At())
}

// IsLazy tells whether name is a conditional that is evaluated only as far as it must be; it is in no table of functions.
func IsLazy(name string) bool { return lazy[strings.ToLower(name)] != nil }
