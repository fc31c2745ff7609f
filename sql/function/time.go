package function

import (
	"fmt"
	"strings"
	"time"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// timeFuncs is the table of date and time functions. Text where a time is wanted is read as one; text that is none gives NULL.
func timeFuncs() []*Func {
	all := []*Func{
		def("now()", "The instant at which the current epoch began: the same for all rows of an epoch, and again after a replay.", bindNow(func(ctx *Ctx) int64 { return ctx.Now }, tStamp)).alias("current_timestamp", "localtimestamp", "localtime", "sysdate").stable(),
		def("curdate()", "The day of now() in the session's time zone.", bindNow(func(ctx *Ctx) int64 { return types.FloorDiv(ctx.toWall(ctx.Now), types.Day) }, tDate)).alias("current_date").stable(),
		def("curtime()", "The clock of now() in the session's time zone.", bindNow(func(ctx *Ctx) int64 { return clockOf(ctx.toWall(ctx.Now)) }, tTime)).alias("current_time").stable(),
		part("year", "2026", func(w int64) int64 { y, _, _ := civil(w); return y }),
		part("month", "1", func(w int64) int64 { _, m, _ := civil(w); return m }),
		part("day", "2", func(w int64) int64 { _, _, d := civil(w); return d }).alias("dayofmonth"),
		part("quarter", "1", func(w int64) int64 { _, m, _ := civil(w); return (m + 2) / 3 }),
		part("hour", "10", func(w int64) int64 { return clockOf(w) / types.Hour }),
		part("minute", "20", func(w int64) int64 { return clockOf(w) / types.Minute % 60 }),
		part("second", "30", func(w int64) int64 { return clockOf(w) / types.Second % 60 }),
		part("microsecond", "250000", func(w int64) int64 { return clockOf(w) % types.Second }),
		part("dayofweek", "6", func(w int64) int64 { return weekday(types.FloorDiv(w, types.Day)) + 1 }),
		part("weekday", "4", func(w int64) int64 { return (weekday(types.FloorDiv(w, types.Day)) + 6) % 7 }),
		part("dayofyear", "2", dayOfYear),
		part("weekofyear", "1", func(w int64) int64 { n, _ := weekOf(types.FloorDiv(w, types.Day), 3); return n }),
		part("to_days", "739983", func(w int64) int64 { return types.FloorDiv(w, types.Day) - types.MinDay }),
		def("week(t) | week(t, mode)", "The week of the year, by MySQL's modes 0..7 (0: weeks begin on Sunday, 0..53).", bindWeek(false), "week('2026-01-02')", "0", "week('2026-01-02', 3)", "1").reading(types.Timestamp),
		def("yearweek(t) | yearweek(t, mode)", "Year and week as YYYYWW.", bindWeek(true), "yearweek('2026-01-02', 3)", "202601").reading(types.Timestamp),
		def("dayname(t)", "The name of the day.", wallText(func(dst []byte, w int64) []byte {
			return append(dst, dayNames[weekday(types.FloorDiv(w, types.Day))]...)
		}), "dayname('2026-01-02')", "Friday").reading(types.Timestamp),
		def("monthname(t)", "The name of the month.", wallText(func(dst []byte, w int64) []byte { _, m, _ := civil(w); return append(dst, monthNames[m]...) }), "monthname('2026-01-02')", "January").reading(types.Timestamp),
		def("last_day(t)", "The last day of t's month.", wallInt(tDate, lastDay), "last_day('2026-02-10')", "2026-02-28").reading(types.Timestamp),
		def("date(t)", "The day of a time.", wallInt(tDate, func(w int64) (int64, bool) { return types.FloorDiv(w, types.Day), true }), "date('2026-01-02 10:00:00')", "2026-01-02").reading(types.Timestamp),
		def("time(t)", "The clock of a time.", bindClock, "time('2026-01-02 10:00:00')", "10:00:00", "time(TIME '-01:00:00')", "-01:00:00").reading(types.Timestamp),
		def("extract(unit, t)", "A part of a time: EXTRACT(HOUR FROM t). Units are MICROSECOND to YEAR, WEEK, QUARTER, MySQL's composite ones such as DAY_SECOND, DOW (Sunday 0), ISODOW, DOY, ISOYEAR, DECADE, CENTURY, and EPOCH for seconds.", bindExtract, "extract('hour', '2026-01-02 10:20:30')", "10", "extract('day_second', '2026-01-02 10:20:30')", "2102030").alias("date_part").readingFrom(types.Timestamp, 1),
		def("date_add(t, INTERVAL n unit)", "t moved on.", bindDateAdd(false), "date_add('2026-01-31', INTERVAL 1 MONTH)", "2026-02-28").reading(types.Timestamp),
		def("date_sub(t, INTERVAL n unit)", "t moved back.", bindDateAdd(true), "date_sub('2026-01-02 00:00:00', INTERVAL 1 SECOND)", "2026-01-01 23:59:59").reading(types.Timestamp),
		def("adddate(t, days | INTERVAL)", "t moved on by days or an INTERVAL.", bindDateAdd(false), "adddate('2026-01-02', 5)", "2026-01-07").reading(types.Timestamp),
		def("subdate(t, days | INTERVAL)", "t moved back by days or an INTERVAL.", bindDateAdd(true), "subdate('2026-01-02', 5)", "2025-12-28").reading(types.Timestamp),
		def("timestampadd(unit, n, t)", "t moved on by n units.", bindTimestampAdd, "timestampadd('hour', 3, '2026-01-02 10:00:00')", "2026-01-02 13:00:00").alias("dateadd").readingFrom(types.Timestamp, 1),
		def("timestampdiff(unit, a, b)", "How many whole units lie between a and b.", bindTimestampDiff, "timestampdiff('minute', '2026-01-02 10:00:00', '2026-01-02 10:05:30')", "5", "timestampdiff('month', '2026-01-31', '2026-02-28')", "0").alias("date_diff").readingFrom(types.Timestamp, 1),
		def("datediff(a, b)", "The days from b to a.", bindDateDiff, "datediff('2026-01-10', '2026-01-02')", "8").reading(types.Timestamp),
		def("date_trunc(unit, t)", "The beginning of t's unit.", bindTrunc, "date_trunc('hour', '2026-01-02 10:20:30')", "2026-01-02 10:00:00", "date_trunc('month', DATE '2026-01-20')", "2026-01-01").readingFrom(types.Timestamp, 1),
		def("time_bucket(INTERVAL, t) | time_bucket(INTERVAL, t, origin)", "The beginning of the bucket that t lies in; buckets have the size of a constant INTERVAL of months or of less, and are counted from origin, a constant (1970-01-01 unless given).", bindBucket, "time_bucket(INTERVAL 15 MINUTE, '2026-01-02 10:20:30')", "2026-01-02 10:15:00",
			"time_bucket(INTERVAL 7 DAY, '2026-01-09', '2026-01-01')", "2026-01-08 00:00:00", "time_bucket(INTERVAL 3 MONTH, '2026-05-20 10:00:00')", "2026-04-01 00:00:00").alias("date_bin").reading(types.Timestamp),
		def("unix_timestamp() | unix_timestamp(t)", "Seconds since 1970-01-01 UTC.", bindUnix, "unix_timestamp(TIMESTAMP '1970-01-01 00:01:00')", "60").reading(types.Timestamp).stable(),
		def("from_unixtime(seconds) | from_unixtime(seconds, format)", "The instant of that many seconds since 1970-01-01 UTC.", bindFromUnix, "from_unixtime(60)", "1970-01-01 00:01:00", "from_unixtime(60, '%H:%i')", "00:01"),
		def("to_timestamp(ms) | to_timestamp(text) | to_timestamp(text, format)", "The instant of milliseconds since 1970-01-01 UTC, or of a text, by str_to_date's codes if there is a format.", bindToTimestamp, "to_timestamp(1500)", "1970-01-01 00:00:01.500", "to_timestamp('2026-01-02T10:00:00Z')", "2026-01-02 10:00:00"),
		def("to_epoch_ms(t)", "Milliseconds since 1970-01-01 UTC.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return types.FloorDiv(a[0].I64[i], types.Millisecond), true
		}), tStamp), "to_epoch_ms(TIMESTAMP '1970-01-01 00:00:01.5')", "1500").alias("unix_millis").reading(types.Timestamp),
		def("from_days(n)", "The inverse of to_days.", fixed(tDate, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return dayInRange(a[0].I64[i] + types.MinDay) }), tInt), "from_days(739983)", "2026-01-02"),
		def("makedate(year, day)", "The day-th day of a year.", fixed(tDate, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			y, d := a[0].I64[i], a[1].I64[i]
			if y < 0 || y > 9999 || d < 1 || d > 4_000_000 {
				return 0, false
			}
			return dayInRange(types.DaysFromCivil(y, 1, 1) + d - 1)
		}), tInt, tInt), "makedate(2026, 32)", "2026-02-01"),
		def("time_to_sec(t)", "The seconds of a clock reading.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return a[0].I64[i] / types.Second, true }), tTime), "time_to_sec('00:01:30')", "90"),
		def("sec_to_time(n)", "A clock reading of so many seconds, cut to 838:59:59.", fixed(tTime, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			micros, ok := a[0].I128[i].Int64()
			if !ok {
				micros = maxTime
				if a[0].I128[i].IsNeg() {
					micros = -maxTime
				}
			}
			return cutTime(micros), true
		}), types.DecimalOf(26, types.MaxTimePrecision)), "sec_to_time(2378.5)", "00:39:38.500", "sec_to_time(90)", "00:01:30"),
		def("date_format(t, format)", "t as text by MySQL's % codes.", bindDateFormat, "date_format('2026-01-02 10:20:30', '%Y/%m/%d %H:%i:%s')", "2026/01/02 10:20:30", "date_format('2026-01-02', '%W %D %M')", "Friday 2nd January"),
		def("str_to_date(s, format)", "The time that a text holds by MySQL's % codes; a DATE for a constant format without clock codes, a TIME for one with these only, else a DATETIME. NULL when it does not match.", bindStrToDate, "str_to_date('02.01.2026', '%d.%m.%Y')", "2026-01-02", "str_to_date('10:20 2/1/26', '%H:%i %d/%c/%y')", "2026-01-02 10:20:00", "str_to_date('10:20', '%H:%i')", "10:20:00"),
		def("convert_tz(t, from, to)", "A wall clock of one time zone in another.", bindConvertTZ, "convert_tz('2026-01-02 10:00:00', '+00:00', '+02:00')", "2026-01-02 12:00:00"),
		def("make_interval(unit, n)", "INTERVAL n unit as a function.", bindMakeInterval, "make_interval('hour', 36)", "36 HOUR"),
	}
	all = append(append(append(all, clockFuncs()...), calendarFuncs()...), epochFuncs()...)
	return family("time", append(all, charFuncs()...)...)
}

var (
	dayNames   = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	monthNames = [...]string{"", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
)

func civil(wall int64) (y, m, d int64) { return types.CivilFromDays(types.FloorDiv(wall, types.Day)) }

// clockOf is the time of the day of a wall clock.
func clockOf(wall int64) int64 { return wall - types.FloorDiv(wall, types.Day)*types.Day }

// weekday is 0 for Sunday.
func weekday(days int64) int64 { return days + 4 - types.FloorDiv(days+4, 7)*7 }

func dayOfYear(wall int64) int64 {
	days := types.FloorDiv(wall, types.Day)
	y, _, _ := types.CivilFromDays(days)
	return days - types.DaysFromCivil(y, 1, 1) + 1
}

func lastDay(wall int64) (int64, bool) {
	y, m, _ := civil(wall)
	return types.DaysFromCivil(y, m, types.DaysInMonth(y, m)), true
}

func dayInRange(days int64) (int64, bool) { return days, days >= types.MinDay && days <= types.MaxDay }

// wallOf reads a temporal value as a wall clock in the session's zone.
func wallOf(ctx *Ctx, v *vector.Vector, i int) int64 {
	switch v.Type.Kind {
	case types.Date:
		return min(max(v.I64[i], types.MinDay), types.MaxDay) * types.Day // NULL slots hold anything
	case types.Timestamp:
		return ctx.toWall(v.I64[i])
	case types.Time:
		return max(v.I64[i], -v.I64[i]) // the parts of a TIME have no sign
	}
	return v.I64[i]
}

// temporalArg gives the type in which an argument is taken: what it is, or DATETIME for text.
func temporalArg(a Arg, n int) (types.Type, error) {
	switch k := a.Type.Kind; {
	case k.IsTemporal():
		return a.Type, nil
	case k == types.String, k == types.Null:
		return tDatetime, nil
	}
	return types.Type{}, fmt.Errorf("argument %d must be a date or time, not %s", n, a.Type)
}

func bindNow(value func(*Ctx) int64, ret types.Type) binder {
	kernel := func(ctx *Ctx, _ []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		x := value(ctx)
		for i := range n {
			out.I64[i] = x
		}
	}
	return func(args []Arg) (Bound, error) {
		if len(args) > 1 { // the number of fractional digits is accepted and means nothing: TIMESTAMPs keep six
			return Bound{}, arityError(0, 1, len(args))
		}
		want := make([]types.Type, len(args))
		for i := range want {
			want[i] = tInt
		}
		return Bound{Ret: ret, ArgTypes: want, Kernel: kernel}, nil
	}
}

// part defines a function that gives an integer part of a time.
func part(name, example string, f func(wall int64) int64) *Func {
	wall := wallInt(tInt, func(w int64) (int64, bool) { return f(w), true })
	bind := func(args []Arg) (Bound, error) {
		if len(args) == 1 && args[0].Type.Kind == types.Time && name == "hour" { // may be a day and more
			return strict(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
				return max(a[0].I64[i], -a[0].I64[i]) / types.Hour, true
			}), args[0].Type), nil
		}
		return wall(args)
	}
	return def(name+"(t)", "The "+name+" of a time.", bind, name+"('2026-01-02 10:20:30.25')", example).reading(types.Timestamp)
}

// bindClock binds TIME(t); a TIME stays as it is.
func bindClock(args []Arg) (Bound, error) {
	if len(args) == 1 && args[0].Type.Kind == types.Time {
		return strict(args[0].Type, copyKernel, args[0].Type), nil
	}
	return wallInt(tTime, func(w int64) (int64, bool) { return clockOf(w), true })(args)
}

// wallInt binds a function of one wall clock that gives an integer class; ok false is NULL.
func wallInt(ret types.Type, f func(wall int64) (int64, bool)) binder {
	kernel := func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			x, ok := f(wallOf(ctx, a[0], i))
			out.I64[i] = x
			if !ok {
				out.SetNull(i)
			}
		}
	}
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 1); err != nil {
			return Bound{}, err
		}
		t, err := temporalArg(args[0], 1)
		return Bound{Ret: ret, ArgTypes: []types.Type{t}, Strict: true, Kernel: kernel}, err
	}
}

func wallText(f func(dst []byte, wall int64) []byte) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 1); err != nil {
			return Bound{}, err
		}
		t, err := temporalArg(args[0], 1)
		return Bound{Ret: tText, ArgTypes: []types.Type{t}, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			for i := range n {
				out.Data = f(out.Data, wallOf(ctx, a[0], i))
				out.EndBytes()
			}
		}}, err
	}
}

// weekOf gives week and year of a day by MySQL's mode bits: 1 weeks begin on Monday, 2 weeks count from 1 and belong to the year
// that has most of them, 4 week 1 is the first that begins in the year.
func weekOf(days, mode int64) (week, year int64) {
	monday, range1 := mode&1 != 0, mode&2 != 0
	// MySQL flips the third bit for weeks that begin on Sunday: modes 0, 2, 5 and 7 count from the first week that begins in the year.
	firstDay := (mode&4 != 0) == monday
	year, _, _ = types.CivilFromDays(days)
	start := weekOneStart(year, monday, firstDay)
	if days < start {
		if !range1 {
			return 0, year
		}
		year--
		start = weekOneStart(year, monday, firstDay)
	} else if range1 && days >= weekOneStart(year+1, monday, firstDay) {
		return 1, year + 1
	}
	return (days-start)/7 + 1, year
}

// weekOneStart is the first day of week 1 of a year.
func weekOneStart(year int64, monday, firstDay bool) int64 {
	jan1 := types.DaysFromCivil(year, 1, 1)
	offset := weekday(jan1) // days since the week began
	if monday {
		offset = (offset + 6) % 7
	}
	if firstDay {
		return jan1 + (7-offset)%7
	}
	if offset <= 3 { // at least four days of the week lie in the year
		return jan1 - offset
	}
	return jan1 - offset + 7
}

func bindWeek(withYear bool) binder {
	return func(args []Arg) (Bound, error) {
		if len(args) < 1 || len(args) > 2 {
			return Bound{}, arityError(1, 2, len(args))
		}
		t, err := temporalArg(args[0], 1)
		want := []types.Type{t, tInt}[:len(args)]
		return Bound{Ret: tInt, ArgTypes: want, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			for i := range n {
				mode := int64(0)
				if len(a) == 2 {
					mode = a[1].I64[i] & 7
				}
				if withYear {
					mode |= 2
				}
				week, year := weekOf(types.FloorDiv(wallOf(ctx, a[0], i), types.Day), mode)
				if withYear {
					week += year * 100
				}
				out.I64[i] = week
			}
		}}, err
	}
}

// unitArg reads the constant unit argument.
func unitArg(a Arg, n int) (string, error) {
	s, ok := constText(a)
	if !ok {
		return "", fmt.Errorf("argument %d must name a unit, such as 'hour'", n)
	}
	return strings.TrimSuffix(strings.ToUpper(s), "S"), nil
}

var parts = map[string]func(wall int64) int64{
	"YEAR":        func(w int64) int64 { y, _, _ := civil(w); return y },
	"QUARTER":     func(w int64) int64 { _, m, _ := civil(w); return (m + 2) / 3 },
	"MONTH":       func(w int64) int64 { _, m, _ := civil(w); return m },
	"WEEK":        func(w int64) int64 { n, _ := weekOf(types.FloorDiv(w, types.Day), 0); return n },
	"DAY":         func(w int64) int64 { _, _, d := civil(w); return d },
	"HOUR":        func(w int64) int64 { return clockOf(w) / types.Hour },
	"MINUTE":      func(w int64) int64 { return clockOf(w) / types.Minute % 60 },
	"SECOND":      func(w int64) int64 { return clockOf(w) / types.Second % 60 },
	"MILLISECOND": func(w int64) int64 { return clockOf(w) % types.Second / types.Millisecond },
	"MICROSECOND": func(w int64) int64 { return clockOf(w) % types.Second },
	"DOW":         func(w int64) int64 { return weekday(types.FloorDiv(w, types.Day)) },
	"DOY":         dayOfYear,
	"ISODOW":      isoDay,
	"ISOYEAR":     func(w int64) int64 { _, y := weekOf(types.FloorDiv(w, types.Day), 3); return y },
	"DECADE":      func(w int64) int64 { y, _, _ := civil(w); return y / 10 },
	"CENTURY":     func(w int64) int64 { y, _, _ := civil(w); return (y + 99) / 100 },
	"YEAR_MONTH":  func(w int64) int64 { y, m, _ := civil(w); return y*100 + m },
	"DAY_HOUR":    func(w int64) int64 { return dayDigits(w, types.Hour) },
	"DAY_MINUTE":  func(w int64) int64 { return dayDigits(w, types.Minute) },
	"DAY_SECOND":  func(w int64) int64 { return dayDigits(w, types.Second) },
	"HOUR_MINUTE": func(w int64) int64 { return clockDigits(clockOf(w), types.Minute) },
	"HOUR_SECOND": func(w int64) int64 { return clockDigits(clockOf(w), types.Second) },

	"MINUTE_SECOND":      func(w int64) int64 { return clockDigits(clockOf(w)%types.Hour, types.Second) },
	"DAY_MICROSECOND":    func(w int64) int64 { return dayDigits(w, types.Microsecond) },
	"HOUR_MICROSECOND":   func(w int64) int64 { return clockDigits(clockOf(w), types.Microsecond) },
	"MINUTE_MICROSECOND": func(w int64) int64 { return clockDigits(clockOf(w)%types.Hour, types.Microsecond) },
	"SECOND_MICROSECOND": func(w int64) int64 { return clockDigits(clockOf(w)%types.Minute, types.Microsecond) },
}

// clockDigits writes a clock reading as MySQL's composite units do: hhmmss and six digits of fraction, cut at a unit.
func clockDigits(clock, unit int64) int64 {
	d := clock / types.Hour
	if unit < types.Hour {
		d = d*100 + clock/types.Minute%60
	}
	if unit < types.Minute {
		d = d*100 + clock/types.Second%60
	}
	if unit < types.Second {
		d = d*1_000_000 + clock%types.Second
	}
	return d
}

// dayDigits is clockDigits behind the day of the month.
func dayDigits(w, unit int64) int64 {
	_, _, day := civil(w)
	width := int64(100)
	switch unit {
	case types.Minute:
		width = 10_000
	case types.Second:
		width = 1_000_000
	case types.Microsecond:
		width = 1_000_000_000_000
	}
	return day*width + clockDigits(clockOf(w), unit)
}

func bindExtract(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	unit, err := unitArg(args[0], 1)
	if err != nil {
		return Bound{}, err
	}
	t, err := temporalArg(args[1], 2)
	if err != nil {
		return Bound{}, err
	}
	f := parts[unit]
	if unit == "EPOCH" {
		t, f = tStamp, func(w int64) int64 { return types.FloorDiv(w, types.Second) }
	}
	if f == nil {
		return Bound{}, fmt.Errorf("unknown unit %s", unit)
	}
	return Bound{Ret: tInt, ArgTypes: []types.Type{tText, t}, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			if unit == "EPOCH" {
				out.I64[i] = f(a[1].I64[i])
				continue
			}
			out.I64[i] = f(wallOf(ctx, a[1], i))
		}
	}}, nil
}

func bindConvertTZ(args []Arg) (Bound, error) {
	if err := arity(args, 3); err != nil {
		return Bound{}, err
	}
	var zones [2]*time.Location
	for k, a := range args[1:] {
		name, ok := constText(a)
		if !ok {
			return Bound{}, diag.New(diag.WrongArguments, -1, "convert_tz: argument %d must be a constant time zone", k+2)
		}
		zone, err := ParseZone(name)
		if err != nil {
			return Bound{}, err
		}
		zones[k] = zone
	}
	return Bound{Ret: tDatetime, ArgTypes: []types.Type{tDatetime, tText, tText}, Strict: true, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		from, to := NewZoneClock(zones[0]), NewZoneClock(zones[1])
		for i := range n {
			r := to.Wall(from.Instant(a[0].I64[i]))
			out.I64[i] = r
			if r < types.MinMicros || r > types.MaxMicros {
				out.SetNull(i)
			}
		}
	}}, nil
}
