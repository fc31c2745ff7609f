package expr

import (
	"bytes"
	"time"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// NewNull makes an untyped NULL.
func NewNull() *Const { return &Const{Value: nullOf(types.Type{}), Pos: -1} }

// NewTypedNull makes a NULL of a type.
func NewTypedNull(t types.Type) *Const { return &Const{Value: nullOf(t), Pos: -1} }

func nullOf(t types.Type) *vector.Vector {
	v := vector.New(t, 1)
	v.AppendNull()
	return v
}

// NewInt makes a BIGINT constant.
func NewInt(x int64) *Const {
	v := vector.New(types.Of(types.Int64), 1)
	v.AppendI64(x)
	return &Const{Value: v, Pos: -1}
}

// NewBool makes a BOOLEAN constant.
func NewBool(x bool) *Const {
	v := vector.New(types.Of(types.Bool), 1)
	v.AppendBool(x)
	return &Const{Value: v, Pos: -1}
}

// NewString makes a VARCHAR constant.
func NewString(s string) *Const {
	v := vector.New(types.Of(types.String), 1)
	v.AppendString(s)
	return &Const{Value: v, Pos: -1}
}

// NewBytes makes a VARBINARY constant.
func NewBytes(s []byte) *Const {
	v := vector.New(types.Of(types.Bytes), 1)
	v.AppendBytes(s)
	return &Const{Value: v, Pos: -1}
}

// NewNumber reads a number as SQL writes it: digits are BIGINT, BIGINT UNSIGNED or DECIMAL, whichever holds them; a point makes a
// DECIMAL, an exponent a DOUBLE.
func NewNumber(text string, pos int) (Expr, error) {
	s := []byte(text)
	if bytes.ContainsAny(s, "eE") {
		return NewLiteral(types.Of(types.Float64), text, pos)
	}
	digits, scale := 0, 0
	for i, c := range s {
		if c == '.' {
			scale = len(s) - i - 1
		} else if c >= '1' && c <= '9' || c == '0' && (digits > 0 || scale > 0) {
			digits++
		}
	}
	if scale > types.MaxDecimalScale || digits > types.MaxDecimalPrecision {
		return nil, diag.New(diag.BadLiteral, pos, "number of %d digits is beyond DECIMAL(65,30)", digits).WithHint("write it with an exponent for a DOUBLE")
	}
	if bytes.IndexByte(s, '.') >= 0 {
		return NewLiteral(types.DecimalOf(max(digits, scale, 1), scale), text, pos)
	}
	if digits > types.NarrowPrecision {
		return NewLiteral(types.DecimalOf(digits, 0), text, pos)
	}
	v, ok := types.ParseDecimal(s, 0)
	switch {
	case !ok:
		return nil, diag.New(diag.BadLiteral, pos, "malformed number %q", text)
	case v.Hi == int64(v.Lo)>>63:
		return &Const{Value: NewInt(int64(v.Lo)).Value, Pos: pos}, nil
	case v.Hi == 0:
		return NewLiteral(types.Of(types.Uint64), text, pos)
	}
	return NewLiteral(types.DecimalOf(digits, 0), text, pos)
}

// NewLiteral reads text as a value of type t, as DATE '2026-01-02' does; text that is no such value is an error here and now.
func NewLiteral(t types.Type, text string, pos int) (Expr, error) {
	return NewLiteralIn(nil, t, text, pos)
}

// NewLiteralIn is NewLiteral for a statement of a time zone, nil being UTC.
func NewLiteralIn(zone *time.Location, t types.Type, text string, pos int) (Expr, error) {
	s := NewString(text)
	s.Pos, s.Zone = pos, zone
	if t.Kind == types.String {
		return s, nil
	}
	e, err := NewCast(s, t, false, pos)
	if err != nil {
		return nil, err
	}
	if c, ok := e.(*Const); !ok || c.Value.IsNull(0) { // text that is no date casts to NULL
		return nil, diag.New(diag.BadLiteral, pos, "%q is no %s", text, t)
	}
	return e, nil
}

// NewInterval makes INTERVAL x unit; it is a constant when x is.
func NewInterval(x Expr, unit string, pos int) (Expr, error) {
	if !types.IsIntervalUnit(unit) {
		return nil, diag.New(diag.UnknownType, pos, "unknown interval unit %s", unit).WithHint("units are MICROSECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR")
	}
	e, err := NewCall("make_interval", pos, NewString(unit), x)
	if err != nil {
		return nil, err
	}
	_, isConst := x.(*Const)
	if _, folded := e.(*Const); isConst && !folded {
		return nil, diag.New(diag.BadLiteral, pos, "malformed or too large interval quantity %s for %s", Print(x), unit)
	}
	return e, nil
}

// text renders a constant for messages and plans.
func (e *Const) text() []byte { return function.AppendText(nil, e.Value, 0) }
