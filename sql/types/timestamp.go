package types

// Microseconds in the usual units.
const (
	Microsecond int64 = 1
	Millisecond       = 1000 * Microsecond
	Second            = 1000 * Millisecond
	Minute            = 60 * Second
	Hour              = 60 * Minute
	Day               = 24 * Hour
)

// The instants that DATE, DATETIME and TIMESTAMP hold: 0000-01-01 to 9999-12-31 23:59:59.999999.
const (
	MinDay    int64 = -719528
	MaxDay    int64 = 2932896
	MinMicros       = MinDay * Day
	MaxMicros       = (MaxDay+1)*Day - 1

	// MaxTime is 838:59:59, the longest TIME in both directions.
	MaxTime = 838*Hour + 59*Minute + 59*Second
)

// FloorDiv divides, rounding to minus infinity; b > 0.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// DaysFromCivil gives the days since 1970-01-01 of a date of the proleptic Gregorian calendar.
func DaysFromCivil(year, month, day int64) int64 {
	// Years begin in March, so that the leap day is the last of its year.
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + FloorDiv(year, 4) - FloorDiv(year, 100) + FloorDiv(year, 400) + (153*(month-3)+2)/5 + day - 719469
}

// CivilFromDays is the inverse of DaysFromCivil.
func CivilFromDays(days int64) (year, month, day int64) {
	z := days + 719468
	era := FloorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day, month, year = doy-(153*mp+2)/5+1, mp+3, yoe+era*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// IsLeap tells whether a year has a 29th of February.
func IsLeap(year int64) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

var monthDays = [13]int64{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// DaysInMonth returns 28..31; month is 1..12.
func DaysInMonth(year, month int64) int64 {
	if month == 2 && IsLeap(year) {
		return 29
	}
	return monthDays[month]
}

// twoDigits reads s[i:i+2]; the result is negative when they are no digits.
func twoDigits(s []byte, i int) int64 {
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int64(a)*10 + int64(b)
}

// ParseDate reads YYYY-MM-DD into days since 1970-01-01; a day that the calendar lacks is refused.
func ParseDate(s []byte) (days int64, ok bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	century, rest, month, day := twoDigits(s, 0), twoDigits(s, 2), twoDigits(s, 5), twoDigits(s, 8)
	if century < 0 || rest < 0 || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	year := century*100 + rest
	if day > 28 && day > DaysInMonth(year, month) {
		return 0, false
	}
	return DaysFromCivil(year, month, day), true
}

// ParseTimestamp reads `YYYY-MM-DD[ T]hh:mm[:ss[.fraction]][Z|+hh:mm]` or a bare date; without a zone the text is UTC. Fraction digits
// beyond the sixth are cut.
func ParseTimestamp(s []byte) (micros int64, ok bool) {
	micros, _, ok = ParseZoned(s)
	return micros, ok
}

// ParseZoned is ParseTimestamp that also tells whether the text named its zone.
func ParseZoned(s []byte) (micros int64, zoned, ok bool) {
	if len(s) < 10 {
		return 0, false, false
	}
	days, ok := ParseDate(s[:10])
	if !ok || len(s) == 10 {
		return days * Day, false, ok
	}
	if s[10] != ' ' && s[10] != 'T' && s[10] != 't' {
		return 0, false, false
	}
	clock, n, ok := parseClock(s[11:])
	if !ok {
		return 0, false, false
	}
	offset, zoned, ok := parseOffset(s[11+n:])
	return days*Day + clock - offset, zoned, ok
}

// parseClock reads hh:mm[:ss[.f{1,9}]], hours 0..23, and returns how many bytes it took.
func parseClock(s []byte) (micros int64, n int, ok bool) {
	if len(s) < 5 || s[2] != ':' {
		return 0, 0, false
	}
	h, m := twoDigits(s, 0), twoDigits(s, 3)
	if h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, 0, false
	}
	micros = h*Hour + m*Minute
	if len(s) < 6 || s[5] != ':' {
		return micros, 5, true
	}
	if len(s) < 8 {
		return 0, 0, false
	}
	sec := twoDigits(s, 6)
	if sec < 0 || sec > 59 {
		return 0, 0, false
	}
	frac, n, ok := parseFraction(s[8:])
	return micros + sec*Second + frac, 8 + n, ok
}

// parseFraction reads an optional `.digits` as microseconds.
func parseFraction(s []byte) (micros int64, n int, ok bool) {
	if len(s) == 0 || s[0] != '.' {
		return 0, 0, true
	}
	unit := int64(100_000)
	for n = 1; n < len(s) && s[n]-'0' <= 9; n++ {
		micros += int64(s[n]-'0') * unit
		unit /= 10
	}
	return micros, n, n > 1 && n <= 10
}

// parseOffset reads what may follow a clock: nothing, Z, ` UTC`, +hh, +hhmm or +hh:mm.
func parseOffset(s []byte) (micros int64, zoned, ok bool) {
	switch string(s) {
	case "":
		return 0, false, true
	case "Z", "z", " UTC":
		return 0, true, true
	}
	if s[0] == ' ' {
		s = s[1:]
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false, false
	}
	h, m := twoDigits(s, 1), int64(0)
	switch {
	case len(s) == 6 && s[3] == ':':
		m = twoDigits(s, 4)
	case len(s) == 5:
		m = twoDigits(s, 3)
	case len(s) != 3:
		return 0, false, false
	}
	if h < 0 || h > 14 || m < 0 || m > 59 {
		return 0, false, false
	}
	micros = h*Hour + m*Minute
	if s[0] == '-' {
		micros = -micros
	}
	return micros, true, true
}

// ParseTime reads `[-][days ]h..hhh:mm[:ss[.fraction]]` into microseconds; hours go to 838 as in MySQL, days to 34.
func ParseTime(s []byte) (micros int64, ok bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	days := int64(0)
	if n := digitRun(s); n > 0 && n <= 2 && len(s) > n && s[n] == ' ' {
		for _, c := range s[:n] {
			days = days*10 + int64(c-'0')
		}
		s = s[n+1:]
	}
	hours, i := int64(0), 0
	for ; i < len(s) && i < 3 && s[i]-'0' <= 9; i++ {
		hours = hours*10 + int64(s[i]-'0')
	}
	if i == 0 || hours > 838 || len(s) < i+2 || s[i] != ':' {
		return 0, false
	}
	var clock [18]byte // "00" and then what follows the hours, each part in two digits
	text, ok := paddedClock(append(clock[:0], '0', '0'), s[i:])
	if !ok {
		return 0, false
	}
	micros, n, ok := parseClock(text)
	micros += hours*Hour + days*Day
	ok = ok && micros < 839*Hour
	if neg {
		micros = -micros
	}
	return micros, ok && n == len(text)
}

// paddedClock appends s, which begins with a colon, to dst: parts of one digit behind a colon get a zero before them, as MySQL reads
// '1:2:3'. ok is false when dst has no room.
func paddedClock(dst, s []byte) (padded []byte, ok bool) {
	for i, c := range s {
		if len(dst) == cap(dst) {
			return dst, false
		}
		dst = append(dst, c)
		if c == ':' && i+1 < len(s) && (i+2 == len(s) || s[i+2]-'0' > 9) {
			if len(dst) == cap(dst) {
				return dst, false
			}
			dst = append(dst, '0')
		}
	}
	return dst, true
}

func appendTwo(dst []byte, v int64) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }

// AppendDate appends YYYY-MM-DD.
func AppendDate(dst []byte, days int64) []byte {
	y, m, d := CivilFromDays(days)
	if y < 0 || y > 9999 {
		dst = appendYear(dst, y)
	} else {
		dst = appendTwo(appendTwo(dst, y/100), y%100)
	}
	dst = appendTwo(append(dst, '-'), m)
	return appendTwo(append(dst, '-'), d)
}

// appendYear writes years that four digits do not hold; such values come only from arithmetic on unchecked input.
func appendYear(dst []byte, y int64) []byte {
	if y < 0 {
		dst = append(dst, '-')
		y = -y
	}
	return appendUint(dst, uint64(y))
}

// appendClock appends hh:mm:ss and `digits` digits of fraction; 0 <= micros.
func appendClock(dst []byte, micros int64, digits int) []byte {
	h := micros / Hour
	if h > 99 {
		dst = appendUint(dst, uint64(h))
	} else {
		dst = appendTwo(dst, h)
	}
	dst = appendTwo(append(dst, ':'), micros/Minute%60)
	dst = appendTwo(append(dst, ':'), micros/Second%60)
	if digits <= 0 {
		return dst
	}
	dst = append(dst, '.')
	frac, unit := micros%Second, int64(100_000)
	for range min(digits, MaxTimePrecision) {
		dst = append(dst, byte('0'+frac/unit%10))
		unit /= 10
	}
	return dst
}

// AppendTimestamp appends `YYYY-MM-DD hh:mm:ss[.digits]`, or `YYYY-MM-DDThh:mm:ss[.digits]Z` when iso is set.
func AppendTimestamp(dst []byte, micros int64, digits int, iso bool) []byte {
	days := FloorDiv(micros, Day)
	dst = AppendDate(dst, days)
	if iso {
		dst = append(dst, 'T')
	} else {
		dst = append(dst, ' ')
	}
	dst = appendClock(dst, micros-days*Day, digits)
	if iso {
		dst = append(dst, 'Z')
	}
	return dst
}

// AppendTime appends `[-]hh:mm:ss[.digits]`.
func AppendTime(dst []byte, micros int64, digits int) []byte {
	if micros < 0 {
		dst = append(dst, '-')
		micros = -micros
	}
	return appendClock(dst, micros, digits)
}

// fractionUnit is the microseconds of the last of `digits` fractional digits of a second.
func fractionUnit(digits int) int64 {
	unit := int64(1)
	for range MaxTimePrecision - digits {
		unit *= 10
	}
	return unit
}

// CutFraction rounds micros down to `digits` fractional digits of a second.
func CutFraction(micros int64, digits int) int64 {
	if digits >= MaxTimePrecision {
		return micros
	}
	unit := fractionUnit(digits)
	return FloorDiv(micros, unit) * unit
}

// RoundFraction rounds micros to `digits` fractional digits of a second, halves away from zero, as MySQL does.
func RoundFraction(micros int64, digits int) int64 {
	if digits >= MaxTimePrecision {
		return micros
	}
	unit := fractionUnit(digits)
	if micros < 0 {
		return -((-micros + unit/2) / unit * unit)
	}
	return (micros + unit/2) / unit * unit
}
