package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// bindSequence binds SEQUENCE(from, to [, step]) of integers, or of dates and times with an INTERVAL as step.
func bindSequence(args []Arg) (Bound, error) {
	if len(args) != 2 && len(args) != 3 {
		return Bound{}, arityError(2, 3, len(args))
	}
	t, _, err := commonArgs(args[:2])
	if err != nil {
		return Bound{}, fmt.Errorf("from %s to %s is no sequence", args[0].Type, args[1].Type)
	}
	switch {
	case t.Kind == types.Null || t.Kind == types.Bool || t.Kind.IsInteger():
		want := []types.Type{tInt, tInt, tInt}[:len(args)]
		if len(args) == 3 && !accepts(tInt, args[2].Type) {
			return Bound{}, fmt.Errorf("the step must be a number, not %s", args[2].Type)
		}
		return strict(types.ArrayOf(tInt), kernelSequence, want...), nil
	case t.Kind == types.Date || t.Kind == types.Datetime || t.Kind == types.Timestamp:
		if len(args) == 2 && t.Kind != types.Date {
			return Bound{}, fmt.Errorf("a sequence of %s needs an INTERVAL as its step", t)
		}
		if len(args) == 3 && args[2].Type.Kind != types.Interval {
			return Bound{}, fmt.Errorf("the step must be an INTERVAL, not %s", args[2].Type)
		}
		return strict(types.ArrayOf(t), kernelTimeSequence, []types.Type{t, t, tInterval}[:len(args)]...), nil
	}
	return Bound{}, fmt.Errorf("a sequence is of integers, dates or times, not of %s", t)
}

func kernelSequence(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		from, to := a[0].I64[i], a[1].I64[i]
		step := int64(1)
		if len(a) == 3 {
			step = a[2].I64[i]
		} else if from > to {
			step = -1
		}
		appendSequence(ctx, i, from, to, step, out)
	}
}

// appendSequence appends from, from+step, .. as far as `to`; nothing when the step leads away from it.
func appendSequence(ctx *Ctx, i int, from, to, step int64, out *vector.Vector) {
	if step == 0 {
		ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "the step of a sequence is 0"))
	}
	if step != 0 && (from <= to) == (step > 0) || from == to && step != 0 {
		distance, stride := uint64(to)-uint64(from), uint64(step)
		if step < 0 {
			distance, stride = uint64(from)-uint64(to), -stride
		}
		count := distance / stride
		if count >= maxMadeElements {
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "a sequence of more than %d elements", maxMadeElements))
			count = 0
		}
		list := out.Child[0]
		for k := range count + 1 {
			list.AppendI64(from + int64(k)*step)
		}
	}
	out.EndList()
}

// kernelTimeSequence adds the step's months and microseconds as often as it goes: months from the first element, so that a sequence
// that begins on the 31st keeps to the ends of months.
func kernelTimeSequence(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	kind := a[0].Type.Kind
	unit := int64(1)
	if kind == types.Date {
		unit = types.Day
	}
	for i := range n {
		from, to := a[0].I64[i], a[1].I64[i]
		months, micros := int64(0), int64(types.Day)
		if len(a) == 3 {
			months, micros = a[2].I128[i].Hi, int64(a[2].I128[i].Lo)
		} else if from > to {
			micros = -micros
		}
		switch {
		case months == 0 && micros%unit == 0:
			appendSequence(ctx, i, from, to, micros/unit, out)
		case months != 0 && micros == 0:
			appendMonths(ctx, i, from, to, months, kind, out)
		default:
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "the step of a sequence is whole days or months, or a time; not both"))
			out.EndList()
		}
	}
}

func appendMonths(ctx *Ctx, i int, from, to, months int64, kind types.Kind, out *vector.Vector) {
	list := out.Child[0]
	for k := int64(0); ; k++ {
		x, ok := moveInstant(ctx, from, kind, types.IntervalOf(k*months, 0))
		if !ok || months > 0 && x > to || months < 0 && x < to {
			break
		}
		if k >= maxMadeElements {
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "a sequence of more than %d elements", maxMadeElements))
			break
		}
		list.AppendI64(x)
	}
	out.EndList()
}
