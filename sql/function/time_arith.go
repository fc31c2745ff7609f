package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// bindDateAdd binds DATE_ADD, DATE_SUB and the forms that take days.
func bindDateAdd(minus bool) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 2); err != nil {
			return Bound{}, err
		}
		t, err := temporalArg(args[0], 1)
		if err != nil {
			return Bound{}, err
		}
		if args[1].Type.Kind.IsInteger() {
			return strict(t, kernelMove(t.Kind, 0, types.Unit{Micros: types.Day}, minus), t, tInt), nil
		}
		if args[1].Type.Kind != types.Interval && args[1].Type.Kind != types.Null {
			return Bound{}, fmt.Errorf("argument 2 must be an INTERVAL or days, not %s", args[1].Type)
		}
		return bindAddInterval(args[0], args[1], minus)
	}
}

// kernelMove moves argument `at` on, or back, by as many units as argument 1 says.
func kernelMove(kind types.Kind, at int, u types.Unit, minus bool) Kernel {
	return func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			count := a[1].I64[i]
			if minus {
				count = -count
			}
			iv, ok := u.Times(count)
			x, in := moveInstant(ctx, a[at].I64[i], kind, iv)
			out.I64[i] = x
			if !ok || !in {
				out.SetNull(i)
			}
		}
	}
}

// unitAndTime reads n arguments, of which the first names a unit and the one at `at` is a date, time or instant.
func unitAndTime(args []Arg, n, at int) (u types.Unit, t types.Type, err error) {
	if err := arity(args, n); err != nil {
		return u, t, err
	}
	name, err := unitArg(args[0], 1)
	if err != nil {
		return u, t, err
	}
	u, ok := types.LookupUnit(name)
	if !ok {
		return u, t, fmt.Errorf("unknown unit %s", name)
	}
	t, err = temporalArg(args[at], at+1)
	return u, t, err
}

func bindTimestampAdd(args []Arg) (Bound, error) {
	u, t, err := unitAndTime(args, 3, 2)
	if err != nil {
		return Bound{}, err
	}
	if t.Kind == types.Date && u.Micros%types.Day != 0 {
		t = tDatetime
	}
	return strict(t, kernelMove(t.Kind, 2, u, false), tText, tInt, t), nil
}

func bindTimestampDiff(args []Arg) (Bound, error) {
	u, a, err := unitAndTime(args, 3, 1)
	if err != nil {
		return Bound{}, err
	}
	b, err := temporalArg(args[2], 3)
	if err != nil {
		return Bound{}, err
	}
	t, ok := types.CommonType(a, b)
	if !ok {
		return Bound{}, fmt.Errorf("%s and %s have no difference", a, b)
	}
	kernel := func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			from, to := wallOf(ctx, args[1], i), wallOf(ctx, args[2], i)
			if u.Months > 0 {
				out.I64[i] = monthsBetween(from, to) / u.Months
				continue
			}
			if t.Kind == types.Timestamp && u.Micros%types.Day != 0 { // time that passed does not depend on the zone, days do
				from, to = args[1].I64[i], args[2].I64[i]
			}
			out.I64[i] = (to - from) / u.Micros
		}
	}
	return Bound{Ret: tInt, ArgTypes: []types.Type{tText, t, t}, Strict: true, Kernel: kernel}, nil
}

// monthsBetween counts whole months; a month is whole when its day and clock are reached again.
func monthsBetween(from, to int64) int64 {
	if to < from {
		return -monthsBetween(to, from)
	}
	y1, m1, d1 := civil(from)
	y2, m2, d2 := civil(to)
	months := (y2-y1)*12 + m2 - m1
	if d2 < d1 || d2 == d1 && clockOf(to) < clockOf(from) {
		months--
	}
	return months
}

func bindDateDiff(args []Arg) (Bound, error) {
	want, err := match(args, 2, []types.Type{tDate, tDate})
	return Bound{Ret: tInt, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		return a[0].I64[i] - a[1].I64[i], true
	})}, err
}

func bindTrunc(args []Arg) (Bound, error) {
	u, t, err := unitAndTime(args, 2, 1)
	if err != nil {
		return Bound{}, err
	}
	kernel := func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			wall := wallOf(ctx, a[1], i)
			w := truncWall(wall, u)
			switch t.Kind {
			case types.Date:
				w = types.FloorDiv(w, types.Day)
			case types.Timestamp:
				w = instantOf(ctx, a[1].I64[i], wall, w, u.Micros)
			}
			out.I64[i] = w
		}
	}
	return Bound{Ret: t, ArgTypes: []types.Type{tText, t}, Strict: true, Kernel: kernel}, nil
}

// instantOf is the instant of a wall clock that x, whose wall clock is given, was cut to. Within a day it is as far from x as the clocks
// are apart, so that an hour that the zone repeats is cut within itself.
func instantOf(ctx *Ctx, x, wall, cut, size int64) int64 {
	if size%types.Day != 0 {
		return x + cut - wall
	}
	return ctx.fromWall(cut)
}

// truncWall cuts a wall clock to a unit; weeks begin on Monday.
func truncWall(w int64, u types.Unit) int64 {
	switch {
	case u.Months > 0:
		y, m, _ := civil(w)
		m = (m-1)/u.Months*u.Months + 1
		return types.DaysFromCivil(y, m, 1) * types.Day
	case u.Micros == 7*types.Day:
		days := types.FloorDiv(w, types.Day)
		return (days - (weekday(days)+6)%7) * types.Day
	}
	return types.FloorDiv(w, u.Micros) * u.Micros
}

// bindBucket binds TIME_BUCKET. TIMESTAMPs and wall clocks are cut alike, from an origin that is one of both.
func bindBucket(args []Arg) (Bound, error) {
	if len(args) < 2 || len(args) > 3 {
		return Bound{}, arityError(2, 3, len(args))
	}
	var months, size int64
	if c := args[0].Const; c != nil && c.Type.Kind == types.Interval && !c.IsNull(0) {
		months, size = types.IntervalParts(c.I128[0])
	}
	if months < 0 || size < 0 || (months == 0) == (size == 0) {
		return Bound{}, fmt.Errorf("argument 1 must be a constant INTERVAL above zero, of months or of less")
	}
	t, err := temporalArg(args[1], 2)
	if err != nil {
		return Bound{}, err
	}
	if t.Kind == types.Date {
		t = tDatetime
	}
	want := []types.Type{tInterval, t, t}[:len(args)]
	origin, instant := int64(0), false
	if len(args) == 3 {
		c := args[2].Const
		if c == nil || c.IsNull(0) || !c.Type.Kind.IsTemporal() || c.Type.Kind == types.Time {
			return Bound{}, fmt.Errorf("argument 3 must be a constant date or instant")
		}
		origin, instant = c.I64[0], c.Type.Kind == types.Timestamp
		if c.Type.Kind == types.Date {
			origin *= types.Day
		}
	}
	if months > 0 {
		return Bound{Ret: t, ArgTypes: want, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			for i := range n {
				w := monthBucket(wallOf(ctx, a[1], i), originWall(ctx, origin, instant), months)
				if t.Kind == types.Timestamp {
					w = ctx.fromWall(w)
				}
				out.I64[i] = w
			}
		}}, nil
	}
	return Bound{Ret: t, ArgTypes: want, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		first := originWall(ctx, origin, instant)
		for i := range n {
			x := min(max(a[1].I64[i], types.MinMicros), types.MaxMicros)
			if t.Kind != types.Timestamp {
				out.I64[i] = types.FloorDiv(x-first, size)*size + first
				continue
			}
			w := ctx.toWall(x)
			out.I64[i] = instantOf(ctx, x, w, types.FloorDiv(w-first, size)*size+first, size)
		}
	}}, nil
}

// originWall is the wall clock from which buckets are counted.
func originWall(ctx *Ctx, origin int64, instant bool) int64 {
	if instant {
		return ctx.toWall(origin)
	}
	return origin
}

// monthBucket cuts a wall clock to buckets of months that begin on the first of origin's month.
func monthBucket(w, origin, months int64) int64 {
	y, m, _ := civil(w)
	oy, om, _ := civil(origin)
	base := oy*12 + om - 1
	total := types.FloorDiv(y*12+m-1-base, months)*months + base
	year := types.FloorDiv(total, 12)
	return types.DaysFromCivil(year, total-year*12+1, 1) * types.Day
}

func bindUnix(args []Arg) (Bound, error) {
	if len(args) == 0 {
		return bindNow(func(ctx *Ctx) int64 { return types.FloorDiv(ctx.Now, types.Second) }, tInt)(args)
	}
	want, err := match(args, 1, []types.Type{tStamp})
	return Bound{Ret: tInt, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		return types.FloorDiv(a[0].I64[i], types.Second), true
	})}, err
}

func bindFromUnix(args []Arg) (Bound, error) {
	exact := types.DecimalOf(20, types.MaxTimePrecision)
	want, err := match(args, 1, []types.Type{exact, tText})
	if err != nil {
		return Bound{}, err
	}
	instant := func(a *vector.Vector, i int) (int64, bool) {
		x, ok := a.I128[i].Int64()
		return x, ok && x >= types.MinMicros && x <= types.MaxMicros
	}
	if len(args) == 1 {
		return Bound{Ret: tStamp, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) { return instant(a[0], i) })}, nil
	}
	kernel := func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			x, ok := instant(a[0], i)
			if !ok {
				out.AppendNull()
				continue
			}
			out.Data = appendFormatted(out.Data, ctx.toWall(x), a[1].Bytes(i))
			out.EndBytes()
		}
	}
	return Bound{Ret: tText, ArgTypes: want, Strict: true, Kernel: kernel}, nil
}

func bindToTimestamp(args []Arg) (Bound, error) {
	if len(args) == 2 {
		want, err := match(args, 2, []types.Type{tText, tText})
		if err == nil {
			err = refuseLetters(args[1])
		}
		return Bound{Ret: tStamp, ArgTypes: want, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			for i := range n {
				wall, ok := parseFormatted(a[0].Bytes(i), a[1].Bytes(i))
				out.I64[i] = ctx.fromWall(wall)
				if !ok {
					out.SetNull(i)
				}
			}
		}}, err
	}
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	if isNumber(args[0].Type) {
		return strict(tStamp, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			ms := a[0].I64[i]
			if ms < types.MinMicros/types.Millisecond || ms > types.MaxMicros/types.Millisecond {
				return 0, false
			}
			return ms * types.Millisecond, true
		}), tInt), nil
	}
	want, err := match(args, 1, []types.Type{tStamp})
	return Bound{Ret: tStamp, ArgTypes: want, Strict: true, Kernel: copyKernel}, err
}

func bindMakeInterval(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	unit, ok := constText(args[0])
	if !ok || !types.IsIntervalUnit(unit) {
		return Bound{}, fmt.Errorf("argument 1 must name a unit, such as 'hour'")
	}
	u, simple := types.LookupUnit(unit)
	if simple && args[1].Type.Kind.IsInteger() {
		return strict(tInterval, func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			for i := range n {
				iv, ok := u.Times(a[1].I64[i])
				out.I128[i] = iv
				if !ok {
					overflow(ctx, i, "INTERVAL %d %s", a[1].I64[i], unit)
				}
			}
		}, tText, tInt), nil
	}
	return strict(tInterval, func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			iv, ok := types.ParseInterval(a[1].Bytes(i), unit)
			out.I128[i] = iv
			if !ok {
				out.SetNull(i)
			}
		}
	}, tText, tText), nil
}
