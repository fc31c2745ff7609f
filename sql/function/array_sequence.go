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
		s := sequence{from: a[0].I64[i], to: a[1].I64[i], step: 1}
		if len(a) == 3 {
			s.step = a[2].I64[i]
		} else if s.from > s.to {
			s.step = -1
		}
		s.append(ctx, i, out)
	}
}

// sequence is from, from+step, .. as far as `to`; empty when the step leads away from it.
type sequence struct{ from, to, step int64 }

func (s sequence) append(ctx *Ctx, i int, out *vector.Vector) {
	if s.step == 0 {
		ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "the step of a sequence is 0"))
	} else if s.from == s.to || (s.from < s.to) == (s.step > 0) {
		distance, stride := uint64(s.to)-uint64(s.from), uint64(s.step)
		if s.step < 0 {
			distance, stride = -distance, -stride
		}
		count := distance / stride
		if count >= maxMadeElements {
			ctx.Fail(i, errLongSequence)
			count = 0
		}
		for k := range count + 1 {
			out.Child[0].AppendI64(s.from + int64(k)*s.step)
		}
	}
	out.EndList()
}

var errLongSequence = diag.New(diag.InvalidArgument, -1, "a sequence of more than %d elements", maxMadeElements)

// kernelTimeSequence adds the step's months or microseconds as often as it goes: months from the first element, so that a sequence
// that begins on the 31st keeps to the ends of months.
func kernelTimeSequence(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	kind := a[0].Type.Kind
	unit := int64(1)
	if kind == types.Date {
		unit = types.Day
	}
	for i := range n {
		s := sequence{from: a[0].I64[i], to: a[1].I64[i]}
		months, micros := int64(0), int64(types.Day)
		if len(a) == 3 {
			months, micros = a[2].I128[i].Hi, int64(a[2].I128[i].Lo)
		} else if s.from > s.to {
			micros = -micros
		}
		switch {
		case months == 0 && micros%unit == 0:
			s.step = micros / unit
			s.append(ctx, i, out)
		case months != 0 && micros == 0:
			s.step = months
			s.appendMonths(ctx, i, kind, out)
		default:
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "the step of a sequence is whole days or months, or a time; not both"))
			out.EndList()
		}
	}
}

func (s sequence) appendMonths(ctx *Ctx, i int, kind types.Kind, out *vector.Vector) {
	for k := int64(0); ; k++ {
		x, ok := moveInstant(ctx, s.from, kind, types.IntervalOf(k*s.step, 0))
		if !ok || s.step > 0 && x > s.to || s.step < 0 && x < s.to {
			break
		}
		if k >= maxMadeElements {
			ctx.Fail(i, errLongSequence)
			break
		}
		out.Child[0].AppendI64(x)
	}
	out.EndList()
}
