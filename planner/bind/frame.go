package bind

import (
	"math"

	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// frame binds `ROWS|RANGE|GROUPS BETWEEN start AND end` (MySQL 8.0 manual, 14.20.3). At is the place of the window.
func (b *Binder) frame(f *ast.Frame, order []orderKey, at int) (physical.Frame, error) {
	out := physical.Frame{Unit: physical.FrameRange}
	switch {
	case f.Rows:
		out.Unit = physical.FrameRows
	case f.Groups:
		out.Unit = physical.FrameGroups
		if len(order) == 0 {
			return out, diag.New(diag.WrongArguments, at, "a frame of GROUPS needs ORDER BY")
		}
	}
	switch {
	case f.Start.Unbounded && f.Start.Following:
		return out, diag.New(diag.WrongArguments, at, "a frame cannot start at UNBOUNDED FOLLOWING")
	case f.End.Unbounded && !f.End.Following:
		return out, diag.New(diag.WrongArguments, at, "a frame cannot end at UNBOUNDED PRECEDING")
	case boundRank(&f.Start) > boundRank(&f.End):
		return out, diag.New(diag.WrongArguments, at, "the frame ends before it starts").WithHint("BETWEEN 2 PRECEDING AND CURRENT ROW: the earlier bound comes first")
	}
	var err error
	if out.Start, err = b.frameBound(&f.Start, out.Unit, order, at); err != nil {
		return out, err
	}
	out.End, err = b.frameBound(&f.End, out.Unit, order, at)
	if out.Unit == physical.FrameRange && out.Plain() && len(order) == 0 {
		out = physical.DefaultFrame(false) // without an order all rows tie
	}
	return out, err
}

// boundRank orders the kinds of bounds.
func boundRank(x *ast.FrameBound) int {
	switch {
	case x.Current:
		return 0
	case x.Following:
		return 1
	}
	return -1
}

func (b *Binder) frameBound(x *ast.FrameBound, unit physical.FrameUnit, order []orderKey, at int) (physical.FrameBound, error) {
	side := pickName(x.Following, " FOLLOWING", " PRECEDING")
	switch {
	case x.Current:
		return physical.FrameBound{Text: "CURRENT ROW"}, nil
	case x.Unbounded:
		return physical.FrameBound{Unbounded: true, Text: "UNBOUNDED" + side}, nil
	}
	e, err := b.expr(x.Offset, &clause{name: "a frame", scope: &scope{}})
	if err != nil {
		return physical.FrameBound{}, err
	}
	folded, ok := e.(*expr.Const)
	if !ok || folded.Value.IsNull(0) {
		return physical.FrameBound{}, diag.New(diag.WrongArguments, at, "a frame's bound must be a constant")
	}
	k := &expr.Const{Value: folded.Value, Pos: b.at(x.Offset), Zone: folded.Zone}
	if k.Pos == 0 { // some literals do not know their place
		k.Pos = at
	}
	out := physical.FrameBound{Text: expr.Print(k) + side}
	if unit == physical.FrameRange {
		err = b.rangeOffset(&out, k, order, at)
	} else if n, scale, whole := constNumber(k); !whole || scale > 0 || n.IsNeg() {
		err = diag.New(diag.WrongArguments, k.Pos, "a frame counts rows by an integer from 0, not %s", expr.Print(k)).
			WithHint("distances in the values of the order: RANGE instead of ROWS")
	} else {
		out.Offset = n
	}
	if err == nil && !x.Following {
		out.Offset, out.Months, out.Float = out.Offset.Neg(), -out.Months, -out.Float
	}
	return out, err
}

// constNumber reads an integer or DECIMAL constant.
func constNumber(k *expr.Const) (n types.Int128, scale int, ok bool) {
	switch t := k.Value.Type; {
	case t.Kind == types.Uint64:
		return types.U128(uint64(k.Value.I64[0])), 0, true
	case t.Kind.IsInteger():
		return types.I128(k.Value.I64[0]), 0, true
	case t.Class() == types.ClassI128 && t.Kind == types.Decimal:
		return k.Value.I128[0], t.Scale, true
	}
	return n, 0, false
}

// rangeOffset reads the distance of a frame of RANGE, in the unit of the one order column.
func (b *Binder) rangeOffset(out *physical.FrameBound, k *expr.Const, order []orderKey, at int) error {
	if len(order) != 1 {
		return diag.New(diag.WrongArguments, at, "RANGE with a distance needs exactly one ORDER BY column, got %d", len(order)).
			WithHint("ROWS counts rows, whatever the order is")
	}
	t := order[0].expr.Type()
	switch {
	case t.Kind.IsTemporal():
		return b.rangeInterval(out, k, t)
	case !t.Kind.IsNumeric():
		return diag.New(diag.TypeMismatch, at, "RANGE with a distance needs an ORDER BY column that is a number or a time, not %s", t)
	case t.Kind.IsFloat():
		return rangeFloat(out, k)
	}
	n, scale, ok := constNumber(k)
	if !ok && k.Value.Type.Kind.IsFloat() {
		n, scale, ok = types.I128(int64(math.Floor(k.Value.F64[0]))), 0, math.Abs(k.Value.F64[0]) < 1<<62
	}
	if !ok || n.IsNeg() {
		return diag.New(diag.WrongArguments, k.Pos, "expected a number from 0, not %s", expr.Print(k))
	}
	for ; scale > t.Scale; scale-- { // between two values of the order there is none: rounding down changes nothing
		n, _, _ = n.DivRem(types.I128(10))
	}
	if out.Offset, ok = types.Rescale(n, scale, t.Scale); !ok {
		return diag.New(diag.WrongArguments, k.Pos, "%s is out of range", expr.Print(k))
	}
	return nil
}

func rangeFloat(out *physical.FrameBound, k *expr.Const) error {
	e, err := castTo(k, types.Of(types.Float64), k.Pos)
	if err != nil {
		return err
	}
	f, ok := e.(*expr.Const)
	if !ok || f.Value.F64[0] < 0 || math.IsNaN(f.Value.F64[0]) {
		return diag.New(diag.WrongArguments, k.Pos, "expected a number from 0, not %s", expr.Print(k))
	}
	out.Float = f.Value.F64[0]
	return nil
}

func (b *Binder) rangeInterval(out *physical.FrameBound, k *expr.Const, t types.Type) error {
	if k.Value.Type.Kind != types.Interval {
		return diag.New(diag.TypeMismatch, k.Pos, "over %s the distance is an interval", t).WithHint("RANGE BETWEEN INTERVAL 10 SECOND PRECEDING AND CURRENT ROW")
	}
	months, micros := types.IntervalParts(k.Value.I128[0])
	if months < 0 || micros < 0 {
		return diag.New(diag.WrongArguments, k.Pos, "a frame's distance cannot be negative").WithHint("PRECEDING and FOLLOWING say on which side it lies")
	}
	if months != 0 && t.Kind == types.Time {
		return diag.New(diag.TypeMismatch, k.Pos, "a TIME has no months")
	}
	if t.Kind == types.Date {
		micros /= types.Day
	}
	out.Offset, out.Months = types.I128(micros), months
	return nil
}
