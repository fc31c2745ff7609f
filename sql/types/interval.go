package types

import (
	"math/bits"
	"strings"
)

// Unit is a simple unit of time: so many months and microseconds.
type Unit struct {
	Months int64
	Micros int64
}

var units = map[string]Unit{
	"MICROSECOND": {Micros: Microsecond}, "MILLISECOND": {Micros: Millisecond}, "SECOND": {Micros: Second}, "MINUTE": {Micros: Minute},
	"HOUR": {Micros: Hour}, "DAY": {Micros: Day}, "WEEK": {Micros: 7 * Day}, "MONTH": {Months: 1}, "QUARTER": {Months: 3},
	"YEAR": {Months: 12},
}

// compositeUnits lists, from large to small, the parts of MySQL's composite units. The text's last number belongs to the last part.
var compositeUnits = map[string][]string{
	"SECOND_MICROSECOND": {"SECOND", "MICROSECOND"},
	"MINUTE_MICROSECOND": {"MINUTE", "SECOND", "MICROSECOND"},
	"MINUTE_SECOND":      {"MINUTE", "SECOND"},
	"HOUR_MICROSECOND":   {"HOUR", "MINUTE", "SECOND", "MICROSECOND"},
	"HOUR_SECOND":        {"HOUR", "MINUTE", "SECOND"},
	"HOUR_MINUTE":        {"HOUR", "MINUTE"},
	"DAY_MICROSECOND":    {"DAY", "HOUR", "MINUTE", "SECOND", "MICROSECOND"},
	"DAY_SECOND":         {"DAY", "HOUR", "MINUTE", "SECOND"},
	"DAY_MINUTE":         {"DAY", "HOUR", "MINUTE"},
	"DAY_HOUR":           {"DAY", "HOUR"},
	"YEAR_MONTH":         {"YEAR", "MONTH"},
}

// LookupUnit finds a simple unit by its name, singular or plural, in any case.
func LookupUnit(name string) (Unit, bool) {
	u, ok := units[strings.TrimSuffix(strings.ToUpper(name), "S")]
	return u, ok
}

// IsIntervalUnit tells whether name is a simple or composite unit.
func IsIntervalUnit(name string) bool {
	_, ok := LookupUnit(name)
	_, composite := compositeUnits[strings.ToUpper(name)]
	return ok || composite
}

// IntervalOf makes an INTERVAL value.
func IntervalOf(months, micros int64) Int128 { return Int128{Hi: months, Lo: uint64(micros)} }

// IntervalParts takes an INTERVAL value apart.
func IntervalParts(v Int128) (months, micros int64) { return v.Hi, int64(v.Lo) }

// Times gives n of the unit; ok is false on overflow.
func (u Unit) Times(n int64) (Int128, bool) {
	months, ok := mul64(u.Months, n)
	micros, ok2 := mul64(u.Micros, n)
	return IntervalOf(months, micros), ok && ok2
}

func mul64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(abs64(a), abs64(b))
	if hi != 0 || lo > 1<<63-1 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

// ParseInterval reads the quantity of an interval: a number for simple units (SECOND takes a fraction), numbers separated by any
// punctuation for composite ones, `'1 10:30' DAY_MINUTE`.
func ParseInterval(text []byte, unit string) (Int128, bool) {
	if u, ok := LookupUnit(unit); ok {
		return parseSimple(text, u)
	}
	parts, ok := compositeUnits[strings.ToUpper(unit)]
	if !ok {
		return Int128{}, false
	}
	neg, numbers, digits, ok := splitNumbers(text)
	if !ok || len(numbers) > len(parts) {
		return Int128{}, false
	}
	if strings.HasSuffix(strings.ToUpper(unit), "MICROSECOND") { // .5 is half a second
		for ; digits < MaxTimePrecision; digits++ {
			numbers[len(numbers)-1] *= 10
		}
	}
	var months, micros int64
	parts = parts[len(parts)-len(numbers):]
	for i, n := range numbers {
		part, ok := units[parts[i]].Times(n)
		if !ok {
			return Int128{}, false
		}
		months += part.Hi
		micros += int64(part.Lo)
	}
	if neg {
		months, micros = -months, -micros
	}
	return IntervalOf(months, micros), true
}

func parseSimple(text []byte, u Unit) (Int128, bool) {
	scaled, ok := ParseDecimal([]byte(strings.TrimSpace(string(text))), MaxTimePrecision)
	if !ok {
		return Int128{}, false
	}
	if u.Months > 0 { // months have no fractions: round to whole units
		n, _ := Rescale(scaled, MaxTimePrecision, 0)
		whole, ok := n.Int64()
		if !ok {
			return Int128{}, false
		}
		return u.Times(whole)
	}
	product, ok := scaled.Mul(I128(u.Micros))
	if !ok {
		return Int128{}, false
	}
	product, _ = DivRound(product, I128(1_000_000))
	micros, ok := product.Int64()
	return IntervalOf(0, micros), ok
}

// splitNumbers finds the digit runs of a composite quantity, and how many digits the last one has.
func splitNumbers(text []byte) (neg bool, numbers []int64, digits int, ok bool) {
	s := strings.TrimSpace(string(text))
	neg = strings.HasPrefix(s, "-")
	inNumber := false
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			inNumber = false
			continue
		}
		if !inNumber {
			numbers, digits = append(numbers, 0), 0
			inNumber = true
		}
		last := &numbers[len(numbers)-1]
		if *last > 1<<52 {
			return neg, nil, 0, false
		}
		digits++
		*last = *last*10 + int64(c-'0')
	}
	return neg, numbers, digits, len(numbers) > 0
}

// AddMonths moves a day by months; a day that the month lacks becomes its last. ok is false outside years 0..9999.
func AddMonths(days, months int64) (int64, bool) {
	if months == 0 {
		return days, true
	}
	if months > 12*10_000 || months < -12*10_000 {
		return 0, false
	}
	y, m, d := CivilFromDays(days)
	total := y*12 + m - 1 + months
	y, m = FloorDiv(total, 12), total-FloorDiv(total, 12)*12+1
	if y < 0 || y > 9999 {
		return 0, false
	}
	return DaysFromCivil(y, m, min(d, DaysInMonth(y, m))), true
}

// AddInterval moves a wall clock by an interval, months first; ok is false outside years 0..9999.
func AddInterval(micros int64, iv Int128) (int64, bool) {
	if iv.Hi != 0 {
		days := FloorDiv(micros, Day)
		moved, ok := AddMonths(days, iv.Hi)
		if !ok {
			return 0, false
		}
		micros += (moved - days) * Day
	}
	r := micros + int64(iv.Lo)
	if (r > micros) != (int64(iv.Lo) > 0) && iv.Lo != 0 {
		return 0, false
	}
	return r, r >= MinMicros && r <= MaxMicros
}

// NegInterval returns -iv; ok is false on overflow.
func NegInterval(iv Int128) (Int128, bool) {
	const lowest = -1 << 63
	return IntervalOf(-iv.Hi, -int64(iv.Lo)), iv.Hi != lowest && int64(iv.Lo) != lowest
}

// AppendInterval appends the shortest SQL form in one unit when there is one, `10 SECOND`, else months and seconds.
func AppendInterval(dst []byte, iv Int128) []byte {
	months, micros := IntervalParts(iv)
	switch {
	case months != 0 && micros != 0:
		dst = append(appendInt(dst, months), " MONTH "...)
		return append(AppendDecimal(dst, I128(micros), 6), " SECOND"...)
	case months != 0 && months%12 == 0:
		return append(appendInt(dst, months/12), " YEAR"...)
	case months != 0:
		return append(appendInt(dst, months), " MONTH"...)
	}
	for _, name := range [...]string{"DAY", "HOUR", "MINUTE", "SECOND"} {
		if unit := units[name].Micros; micros%unit == 0 && (micros != 0 || name == "SECOND") {
			return append(append(appendInt(dst, micros/unit), ' '), name...)
		}
	}
	return append(AppendDecimal(dst, I128(micros), 6), " SECOND"...)
}

func appendInt(dst []byte, v int64) []byte {
	if v < 0 {
		dst = append(dst, '-')
	}
	return appendUint(dst, abs64(v))
}
