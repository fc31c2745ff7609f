package function

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// calendarFuncs is the part of the time table that works on days and months.
func calendarFuncs() []*Func {
	return []*Func{
		def("to_seconds(t)", "Seconds since the year 0.", wallInt(tInt, func(w int64) (int64, bool) { return types.FloorDiv(w, types.Second) - types.MinDay*86400, true }), "to_seconds('2009-11-29')", "63426672000", "to_seconds('2009-11-29 13:43:32')", "63426721412").reading(types.Timestamp),
		def("period_add(period, n)", "A period YYYYMM (or YYMM) n months on, as YYYYMM; NULL for a month outside 1..12.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			m, ok := periodMonths(a[0].I64[i])
			m += min(max(a[1].I64[i], -1<<40), 1<<40)
			return m/12*100 + m%12 + 1, ok && m >= 0
		}), tInt, tInt), "period_add(202601, 14)", "202703", "period_add(202613, 1)", "NULL"),
		def("period_diff(a, b)", "The months from period b to period a, both YYYYMM or YYMM.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			m1, ok1 := periodMonths(a[0].I64[i])
			m2, ok2 := periodMonths(a[1].I64[i])
			return m1 - m2, ok1 && ok2
		}), tInt, tInt), "period_diff(202602, 202503)", "11"),
		def("timestamp(t) | timestamp(t, span)", "A date or text as DATETIME, moved on by a TIME.", bindTimestamp, "timestamp('2003-12-31')", "2003-12-31 00:00:00", "timestamp('2003-12-31 12:00:00', '12:00:00')", "2004-01-01 00:00:00", "timestamp('x')", "NULL").reading(types.Timestamp),
		def("to_date(s) | to_date(s, format)", "The day that a text or instant holds, the text by MySQL's % codes or as YYYY-MM-DD; NULL when it holds none.", bindToDate, "to_date('02.01.2026', '%d.%m.%Y')", "2026-01-02", "to_date('2026-01-02')", "2026-01-02"),
		def("make_datetime(year, month, day, hour, minute, second)", "The DATETIME of its parts; NULL when there is none.", fixed(tDatetime, rowInt(makeDatetime), tInt, tInt, tInt, tInt, tInt, types.DecimalOf(20, types.MaxTimePrecision)), "make_datetime(2026, 1, 2, 10, 20, 30.5)", "2026-01-02 10:20:30.500", "make_datetime(2026, 2, 30, 0, 0, 0)", "NULL").alias("make_timestamp"),
		def("make_date(year, month, day)", "The DATE of its parts; NULL when there is none.", fixed(tDate, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return dayOf(a[0].I64[i], a[1].I64[i], a[2].I64[i])
		}), tInt, tInt, tInt), "make_date(2024, 2, 29)", "2024-02-29", "make_date(2026, 2, 29)", "NULL").alias("date_from_parts"),
		def("add_months(t, n)", "The day n months after t; the last day of a month when t's day is not in it.", bindAddMonths, "add_months('2026-01-31', 1)", "2026-02-28", "add_months('2026-01-31', NULL)", "NULL").reading(types.Timestamp),
		def("months_between(a, b)", "The months from b to a: whole ones when the days are equal or both the last of their month, else with a fraction of 31 days.", bindTwoWalls(tFloat, func(a, b int64, out *vector.Vector, i int) { out.F64[i] = monthsFraction(a, b) }), "months_between('2026-03-31', '2026-02-28')", "1", "round(months_between('2026-03-15 12:00:00', '2026-02-01'), 4)", "1.4677").reading(types.Timestamp),
		def("age(a, b)", "The INTERVAL from b to a in whole months and the rest.", bindTwoWalls(tInterval, func(a, b int64, out *vector.Vector, i int) { out.I128[i] = ageOf(a, b) }), "age('2026-03-01', '2026-01-01')", "2 MONTH", "age('2026-01-02', '2026-01-01')", "1 DAY").reading(types.Timestamp),
		def("business_days(a, b)", "How many days from Monday to Friday lie in a..b without b; negative when b lies before a.", bindTwoWalls(tInt, func(a, b int64, out *vector.Vector, i int) { out.I64[i] = workdays(b) - workdays(a) }), "business_days('2026-01-02', '2026-01-09')", "5").reading(types.Timestamp),
		def("next_day(t, day)", "The first day after t with that name, such as 'Monday' or 'mon'.", bindNextDay, "next_day('2026-01-02', 'Monday')", "2026-01-05", "next_day('2026-01-02', NULL)", "NULL").readingFrom(types.Timestamp, 0),
		def("days_in_month(t)", "How many days t's month has.", wallInt(tInt, func(w int64) (int64, bool) { y, m, _ := civil(w); return types.DaysInMonth(y, m), true }), "days_in_month('2024-02-10')", "29").reading(types.Timestamp),
		def("is_leap_year(t)", "Whether t's year has a 29th of February.", wallInt(tBool, func(w int64) (int64, bool) { y, _, _ := civil(w); return boolInt(types.IsLeap(y)), true }), "is_leap_year('2024-02-10')", "1").reading(types.Timestamp),
		def("is_weekend(t)", "Whether t is a Saturday or Sunday.", wallInt(tBool, func(w int64) (int64, bool) {
			d := weekday(types.FloorDiv(w, types.Day))
			return boolInt(d == 0 || d == 6), true
		}), "is_weekend('2026-01-03')", "1").reading(types.Timestamp),
		def("isodow(t)", "The day of the week, Monday 1 to Sunday 7.", wallInt(tInt, func(w int64) (int64, bool) { return isoDay(w), true }), "isodow('2026-01-04')", "7").reading(types.Timestamp),
		def("isoyear(t)", "The year that t's ISO week belongs to.", wallInt(tInt, func(w int64) (int64, bool) { _, y := weekOf(types.FloorDiv(w, types.Day), 3); return y, true }), "isoyear('2027-01-01')", "2026").reading(types.Timestamp),
		def("date_ceil(unit, t)", "The beginning of the first unit that does not begin before t.", bindCeil, "date_ceil('hour', '2026-01-02 10:20:30')", "2026-01-02 11:00:00", "date_ceil('month', DATE '2026-01-01')", "2026-01-01").readingFrom(types.Timestamp, 1),
	}
}

// isoDay is 1 for Monday to 7 for Sunday.
func isoDay(w int64) int64 { return (weekday(types.FloorDiv(w, types.Day))+6)%7 + 1 }

// periodMonths reads YYYYMM or YYMM, 70..99 being of the last century, as months since the year 0.
func periodMonths(p int64) (int64, bool) {
	if p <= 0 || p > 999999 || p%100 < 1 || p%100 > 12 {
		return 0, false
	}
	year := p / 100
	switch {
	case year < 70:
		year += 2000
	case year < 100:
		year += 1900
	}
	return year*12 + p%100 - 1, true
}

func bindTimestamp(args []Arg) (Bound, error) {
	if len(args) < 1 || len(args) > 2 {
		return Bound{}, arityError(1, 2, len(args))
	}
	if _, err := temporalArg(args[0], 1); err != nil {
		return Bound{}, err
	}
	if len(args) == 1 {
		return strict(tDatetime, copyKernel, tDatetime), nil
	}
	if err := spanArg(args[1], 2); err != nil {
		return Bound{}, err
	}
	return strict(tDatetime, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		r := a[0].I64[i] + a[1].I64[i]
		return r, r >= types.MinMicros && r <= types.MaxMicros
	}), tDatetime, tTime), nil
}

func bindToDate(args []Arg) (Bound, error) {
	if len(args) == 1 {
		want, err := match(args, 1, []types.Type{tDate})
		return Bound{Ret: tDate, ArgTypes: want, Strict: true, Kernel: copyKernel}, err
	}
	want, err := match(args, 2, []types.Type{tText, tText})
	return Bound{Ret: tDate, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		wall, ok := parseFormatted(a[0].Bytes(i), a[1].Bytes(i))
		return types.FloorDiv(wall, types.Day), ok
	})}, err
}

// dayOf gives a day of the calendar; ok is false when there is none.
func dayOf(y, m, d int64) (int64, bool) {
	if y < 0 || y > 9999 || m < 1 || m > 12 || d < 1 || d > types.DaysInMonth(y, m) {
		return 0, false
	}
	return types.DaysFromCivil(y, m, d), true
}

func makeDatetime(a []*vector.Vector, i int) (int64, bool) {
	day, ok := dayOf(a[0].I64[i], a[1].I64[i], a[2].I64[i])
	h, m := a[3].I64[i], a[4].I64[i]
	s, fits := a[5].I128[i].Int64()
	if !ok || !fits || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s >= types.Minute {
		return 0, false
	}
	return day*types.Day + h*types.Hour + m*types.Minute + s, true
}

func bindAddMonths(args []Arg) (Bound, error) {
	want, err := match(args, 2, []types.Type{tDate, tInt})
	return Bound{Ret: tDate, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		day, _ := dayInRange(min(max(a[0].I64[i], types.MinDay), types.MaxDay))
		return types.AddMonths(day, a[1].I64[i])
	})}, err
}

// bindTwoWalls binds a function of two instants, taken as wall clocks.
func bindTwoWalls(ret types.Type, f func(a, b int64, out *vector.Vector, i int)) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 2); err != nil {
			return Bound{}, err
		}
		want := make([]types.Type, 2)
		for k, a := range args {
			t, err := temporalArg(a, k+1)
			if err != nil {
				return Bound{}, err
			}
			if t.Kind == types.Time {
				return Bound{}, fmt.Errorf("argument %d must be a date or instant, not a TIME", k+1)
			}
			want[k] = t
		}
		return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			for i := range n {
				f(wallOf(ctx, a[0], i), wallOf(ctx, a[1], i), out, i)
			}
		}}, nil
	}
}

func monthsFraction(a, b int64) float64 {
	y1, m1, d1 := civil(a)
	y2, m2, d2 := civil(b)
	months := float64((y1-y2)*12 + m1 - m2)
	if d1 == d2 || d1 == types.DaysInMonth(y1, m1) && d2 == types.DaysInMonth(y2, m2) {
		return months
	}
	return months + float64((d1-d2)*types.Day+clockOf(a)-clockOf(b))/float64(31*types.Day)
}

// ageOf counts whole months from b, then what is left.
func ageOf(a, b int64) types.Int128 {
	months := monthsBetween(b, a)
	day, ok := types.AddMonths(types.FloorDiv(b, types.Day), months)
	if !ok {
		return types.IntervalOf(0, a-b)
	}
	return types.IntervalOf(months, a-(day*types.Day+clockOf(b)))
}

// workdays counts the days from Monday to Friday between a fixed Monday and a wall clock's day.
func workdays(w int64) int64 {
	days := types.FloorDiv(w, types.Day) + 3 // 1969-12-29 was a Monday
	weeks := types.FloorDiv(days, 7)
	return weeks*5 + min(days-weeks*7, 5)
}

func bindNextDay(args []Arg) (Bound, error) {
	want, err := match(args, 2, []types.Type{tDate, tText})
	if err != nil {
		return Bound{}, err
	}
	if name, ok := constText(args[1]); ok && dayNumber([]byte(name)) < 0 {
		return Bound{}, fmt.Errorf("argument 2 must name a day, such as 'Monday', not %q", name)
	}
	return Bound{Ret: tDate, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		wanted := dayNumber(a[1].Bytes(i))
		if wanted < 0 {
			return 0, false
		}
		day := min(max(a[0].I64[i], types.MinDay), types.MaxDay)
		return dayInRange(day + (wanted-weekday(day)+6)%7 + 1)
	})}, nil
}

// dayNumber reads a day's name or its first letters, two or more; Sunday is 0; -1 for none.
func dayNumber(s []byte) int64 {
	if len(s) < 2 {
		return -1
	}
	for k, name := range dayNames {
		if len(s) <= len(name) && strings.EqualFold(string(s), name[:len(s)]) {
			return int64(k)
		}
	}
	return -1
}

// bindCeil is DATE_TRUNC of what lies just before t, and one unit more.
func bindCeil(args []Arg) (Bound, error) {
	u, t, err := unitAndTime(args, 2, 1)
	if err != nil {
		return Bound{}, err
	}
	step := types.IntervalOf(u.Months, u.Micros)
	return Bound{Ret: t, ArgTypes: []types.Type{tText, t}, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			w := min(max(wallOf(ctx, a[1], i), types.MinMicros), types.MaxMicros)
			start, fits := truncWall(w, u), true
			if start != w {
				start, fits = types.AddInterval(start, step)
			}
			switch t.Kind {
			case types.Date:
				start = types.FloorDiv(start+types.Day-1, types.Day)
			case types.Timestamp:
				start = instantOf(ctx, a[1].I64[i], w, start, u.Micros)
			}
			out.I64[i] = start
			if !fits {
				out.SetNull(i)
			}
		}
	}}, nil
}
