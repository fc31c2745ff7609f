package expr

import (
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// comparisons compare all their arguments with the first, so that literals take its type.
var comparisons = map[string]bool{"=": true, "<>": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "<=>": true,
	"in": true, "between": true}

// coerceComparison brings the operands of a comparison to one type. Text literals are read once as values of the other side's type;
// text columns against numbers or instants are refused, because guessing there hides broken data.
func coerceComparison(name string, pos int, args []Expr) ([]Expr, error) {
	if len(args) < 2 {
		return nil, diag.New(diag.WrongArguments, pos, "%s compares two values or more", name)
	}
	args, err := listedAsNumbers(args)
	if err != nil {
		return nil, err
	}
	if args, err = jsonAsText(args); err != nil {
		return nil, err
	}
	target := comparisonTarget(args)
	for i, a := range args {
		if isTextConst(a) && !isTextual(target.Kind) && target.Kind != types.Null {
			lit, err := readLiteralAs(a.(*Const), target)
			if err != nil {
				return nil, diag.New(diag.TypeMismatch, a.At(), "cannot compare %s with %s: the text is no %s", target, Print(a), target)
			}
			args[i] = lit
		}
	}
	typ := comparedType(args[0], target)
	for _, a := range args[1:] {
		t, ok := types.CommonType(typ, comparedType(a, target))
		if !ok || mixesText(typ, a.Type()) {
			return nil, diag.New(diag.TypeMismatch, pos, "cannot compare %s with %s", typ, a.Type()).WithHint("write CAST(%s AS %s)", Print(textual(args)), nonText(typ, a.Type()))
		}
		typ = t
	}
	for i, a := range args {
		var err error
		if args[i], err = coerce(a, typ); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// readLiteralAs reads a text literal for comparison with values of type t. Numbers keep all their digits and a DATE may be compared
// with a clock reading: the common type is found afterwards.
func readLiteralAs(c *Const, t types.Type) (Expr, error) {
	text := string(c.text())
	switch {
	case t.Kind.IsNumeric():
		return readTextLiteral(c, types.Float64)
	case t.Kind == types.Date && len(text) > len("2026-01-02"):
		return NewLiteralIn(c.Zone, types.Of(types.Datetime), text, c.Pos)
	}
	return NewLiteralIn(c.Zone, t, text, c.Pos)
}

// comparisonTarget is the common type of what is not a text literal; NULL when all are.
func comparisonTarget(args []Expr) types.Type {
	var target types.Type
	for _, a := range args {
		if !isTextConst(a) {
			if t, ok := types.CommonType(target, a.Type()); ok {
				target = t
			}
		}
	}
	return target
}

// comparedType is the type of an operand; integer constants among DECIMALs count the digits they have, so that they do not widen
// the comparison.
func comparedType(e Expr, target types.Type) types.Type {
	if c, ok := e.(*Const); ok && target.Kind == types.Decimal && e.Type().Kind == types.Int64 {
		return function.DecimalOf(function.Arg{Type: e.Type(), Const: c.Value})
	}
	return e.Type()
}

func isTextConst(e Expr) bool {
	c, ok := e.(*Const)
	return ok && c.Value.Type.Kind == types.String && !c.Value.IsNull(0)
}

func isChars(k types.Kind) bool { return k == types.String || k == types.Bytes || k == types.JSON }

// isTextual tells whether values compare with text as texts, which ENUM and SET do.
func isTextual(k types.Kind) bool { return isChars(k) || k.IsListed() }

// mixesText tells whether one side is text and the other is not.
func mixesText(a, b types.Type) bool {
	return a.Kind != types.Null && b.Kind != types.Null && isTextual(a.Kind) != isTextual(b.Kind)
}

// listedAsNumbers copies arguments; ENUM and SET among numbers become their places and bits, as in MySQL.
func listedAsNumbers(args []Expr) ([]Expr, error) {
	args = append([]Expr{}, args...)
	numbers := false
	for _, a := range args {
		k := a.Type().Kind
		numbers = numbers || k.IsNumeric() || k == types.Bool || k == types.Year
	}
	for i, a := range args {
		if !numbers || !a.Type().Kind.IsListed() {
			continue
		}
		as := types.Of(types.Int64)
		if a.Type().Kind == types.Set {
			as = types.Of(types.Uint64)
		}
		number, err := NewCast(a, as, false, a.At())
		if err != nil {
			return nil, err
		}
		args[i] = number
	}
	return args, nil
}

// jsonAsText copies arguments; documents that are compared with a text become the text that they hold, so that doc -> '$.name' = 'Ann'
// is true as in MySQL, where the text becomes a JSON string instead.
func jsonAsText(args []Expr) ([]Expr, error) {
	args = append([]Expr{}, args...)
	text := false
	for _, a := range args {
		text = text || a.Type().Kind == types.String
	}
	for i, a := range args {
		if !text || a.Type().Kind != types.JSON {
			continue
		}
		plain, err := NewCall("json_unquote", a.At(), a)
		if err != nil {
			return nil, err
		}
		args[i] = plain
	}
	return args, nil
}

func textual(args []Expr) Expr {
	for _, a := range args {
		if isChars(a.Type().Kind) {
			return a
		}
	}
	return args[0]
}

func nonText(a, b types.Type) types.Type {
	if isChars(a.Kind) {
		return b
	}
	return a
}

// coerceLiterals reads text literals as numbers in arithmetic and as instants in time functions, where the function says so.
func coerceLiterals(fn *function.Func, args []Expr) ([]Expr, error) {
	if fn.TextLiterals == types.Null {
		return args, nil
	}
	args = append([]Expr{}, args...)
	kind := fn.TextLiterals
	for _, a := range args {
		if a.Type().Kind.IsTemporal() || a.Type().Kind == types.Interval {
			kind = types.Timestamp // '2026-01-02' + INTERVAL 1 DAY
		}
	}
	for i, a := range args {
		if !isTextConst(a) || i < fn.TextFrom {
			continue
		}
		e, err := readTextLiteral(a.(*Const), kind)
		if err != nil {
			return nil, err
		}
		args[i] = e
	}
	return args, nil
}

func readTextLiteral(c *Const, kind types.Kind) (Expr, error) {
	text := string(c.text())
	if kind == types.Timestamp {
		if e, err := NewLiteralIn(c.Zone, temporalOfText(text), text, c.Pos); err == nil {
			return e, nil
		}
		return c, nil // no time: the function gives NULL for it
	}
	e, err := NewNumber(text, c.Pos)
	if err != nil {
		return NewLiteral(types.Of(types.Float64), text, c.Pos)
	}
	return e, nil
}

// temporalOfText tells a bare date from a clock reading.
func temporalOfText(text string) types.Type {
	if _, ok := types.ParseTime([]byte(text)); ok {
		return types.Of(types.Time)
	}
	if len(text) == len("2026-01-02") {
		return types.Of(types.Date)
	}
	return types.Of(types.Datetime)
}
