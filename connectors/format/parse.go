package format

import (
	"encoding/base64"
	"math"
	"strconv"
	"unsafe"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Times reads instants. It remembers the minute of the last one, since neighbouring records mostly share it: that text is compared,
// not parsed.
type Times struct {
	EpochUnit int64 // microseconds per unit of a bare number; 0: milliseconds

	prefix [16]byte // YYYY-MM-DDThh:mm of the last instant
	minute int64    // its microseconds
}

// EpochUnitOf maps the option epoch_unit to microseconds.
func EpochUnitOf(option string) int64 {
	switch option {
	case "s":
		return types.Second
	case "us":
		return types.Microsecond
	}
	return types.Millisecond
}

// Timestamp reads ISO or SQL text: with zone or Z, or without (UTC).
func (t *Times) Timestamp(s []byte) (int64, bool) {
	if len(s) >= 19 && s[16] == ':' {
		if [16]byte(s) == t.prefix {
			if clock, ok := secondsUTC(s[17:]); ok {
				return t.minute + clock, true
			}
		} else if minute, ok := types.ParseTimestamp(s[:16]); ok {
			t.prefix, t.minute = [16]byte(s), minute
		}
	}
	v, ok := types.ParseTimestamp(s)
	return v, ok && inRange(v)
}

// secondsUTC reads ss[.fraction][Z]; anything else is left to the full parser.
func secondsUTC(s []byte) (int64, bool) {
	a, b := s[0]-'0', s[1]-'0'
	if a > 5 || b > 9 {
		return 0, false
	}
	micros := (int64(a)*10 + int64(b)) * types.Second
	s = s[2:]
	if len(s) > 0 && s[0] == '.' {
		unit, n := int64(100_000), 1
		for ; n < len(s) && s[n]-'0' <= 9; n++ {
			micros += int64(s[n]-'0') * unit
			unit /= 10
		}
		if n == 1 || n > 10 {
			return 0, false
		}
		s = s[n:]
	}
	return micros, len(s) == 0 || len(s) == 1 && s[0] == 'Z'
}

func inRange(micros int64) bool { return micros >= types.MinMicros && micros <= types.MaxMicros }

// Epoch turns the text of a number of units since the epoch into microseconds; fractions below a microsecond are rounded.
func (t *Times) Epoch(number []byte) (int64, bool) {
	unit := t.EpochUnit
	if unit == 0 {
		unit = types.Millisecond
	}
	if len(number) <= 18 {
		if n, ok := plainInt(number); ok {
			hi := n * unit
			return hi, hi/unit == n && inRange(hi)
		}
	}
	scale := 0
	for u := unit; u > 1; u /= 10 {
		scale++
	}
	v, ok := types.ParseDecimal(number, scale)
	if !ok {
		return 0, false
	}
	micros, ok := v.Int64()
	return micros, ok && inRange(micros)
}

// plainInt reads up to 18 digits with an optional minus.
func plainInt(s []byte) (int64, bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range s {
		if c -= '0'; c > 9 {
			return 0, false
		} else {
			n = n*10 + int64(c)
		}
	}
	if neg {
		n = -n
	}
	return n, true
}

// CutPrecision rounds microseconds down to the fraction digits of a type.
func CutPrecision(micros int64, t types.Type) int64 {
	if t.Precision >= types.MaxTimePrecision {
		return micros
	}
	return types.CutFraction(micros, t.Precision)
}

// IntRange gives the smallest and the largest value of a signed or unsigned integer kind as int64; the largest of BIGINT UNSIGNED
// does not fit and is given as MaxInt64.
func IntRange(k types.Kind) (lo, hi int64) {
	switch k {
	case types.Int8:
		return math.MinInt8, math.MaxInt8
	case types.Int16:
		return math.MinInt16, math.MaxInt16
	case types.Int32:
		return math.MinInt32, math.MaxInt32
	case types.Uint8:
		return 0, math.MaxUint8
	case types.Uint16:
		return 0, math.MaxUint16
	case types.Uint32:
		return 0, math.MaxUint32
	case types.Uint64:
		return 0, math.MaxInt64
	}
	return math.MinInt64, math.MaxInt64
}

// ParseInteger reads the text of a number whose value is integral (12, 1.0, 5e3) and in the kind's range.
func ParseInteger(s []byte, k types.Kind) (int64, bool) {
	neg, mag, ok := parseIntegral(s)
	if !ok {
		return 0, false
	}
	if k == types.Uint64 {
		return int64(mag), !neg || mag == 0
	}
	limit := uint64(math.MaxInt64)
	if neg {
		limit++
	}
	if mag > limit {
		return 0, false
	}
	v := int64(mag)
	if neg {
		v = -v
	}
	lo, hi := IntRange(k)
	return v, v >= lo && v <= hi
}

// parseIntegral reads [+-]digits[.digits][e[+-]digits] with an integral value of at most 64 bits. Zeros are held back until a
// further digit needs them, so that 1.000 has one digit.
func parseIntegral(s []byte) (neg bool, mag uint64, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	zeros, frac, seen, dot := 0, 0, false, false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !dot {
			dot = true
			continue
		}
		if c -= '0'; c > 9 {
			break
		}
		seen = true
		if dot {
			frac++
		}
		if zeros++; c == 0 {
			continue
		}
		if mag, ok = timesPow10(mag, zeros); !ok || mag > math.MaxUint64-uint64(c) {
			return neg, 0, false
		}
		mag, zeros = mag+uint64(c), 0
	}
	exp, ok := exponent(s[i:])
	if !ok || !seen {
		return neg, 0, false
	}
	if mag == 0 {
		return neg, 0, true
	}
	shift := exp - frac + zeros
	if shift < 0 {
		return neg, 0, false
	}
	mag, ok = timesPow10(mag, shift)
	return neg, mag, ok
}

func timesPow10(v uint64, n int) (uint64, bool) {
	if v == 0 {
		return 0, true
	}
	if n >= len(pow10) || v > math.MaxUint64/pow10[n] {
		return 0, false
	}
	return v * pow10[n], true
}

// maxExponent bounds what exponent counts to; beyond it every value is out of range anyway.
const maxExponent = 100_000

func exponent(s []byte) (int, bool) {
	if len(s) == 0 {
		return 0, true
	}
	if s[0] != 'e' && s[0] != 'E' || len(s) < 2 {
		return 0, false
	}
	s, neg := s[1:], false
	if s[0] == '-' || s[0] == '+' {
		neg, s = s[0] == '-', s[1:]
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int(c-'0'), maxExponent)
	}
	if neg {
		n = -n
	}
	return n, len(s) > 0
}

// ParseFloat reads a number; ok is false when it is none or too large for the kind.
func ParseFloat(s []byte, k types.Kind) (float64, bool) {
	bits := 64
	if k == types.Float32 {
		bits = 32
	}
	if len(s) == 0 {
		return 0, false
	}
	// ParseFloat keeps no reference to its argument.
	f, err := strconv.ParseFloat(unsafe.String(&s[0], len(s)), bits)
	return f, err == nil
}

// ParseDecimal reads a number into a DECIMAL type; digits beyond the scale are rounded, digits beyond the precision refused.
func ParseDecimal(s []byte, t types.Type) (types.Int128, bool) {
	v, ok := types.ParseDecimal(s, t.Scale)
	return v, ok && types.FitsPrecision(v, t.Precision)
}

// AppendText appends the value that text spells to a scalar column; false (and nothing appended) when it spells none.
func (t *Times) AppendText(v *vector.Vector, s []byte) bool {
	var x int64
	ok := false
	switch k := v.Type.Kind; k {
	case types.String, types.JSON:
		v.Data = append(v.Data, s...)
		return v.FitBytes()
	case types.Bytes:
		return appendBase64(v, s)
	case types.Float32, types.Float64:
		f, ok := ParseFloat(s, k)
		if ok {
			v.AppendF64(f)
		}
		return ok
	case types.Decimal:
		if v.Type.Class() == types.ClassI256 {
			d, ok := types.ParseWide(s, v.Type.Scale)
			if ok = ok && types.WideFits(d, v.Type.Precision); ok {
				v.AppendI256(d)
			}
			return ok
		}
		d, ok := ParseDecimal(s, v.Type)
		if ok {
			v.AppendI128(d)
		}
		return ok
	case types.Point:
		p, ok := types.ParsePoint(s)
		if ok {
			v.AppendI128(p)
		}
		return ok
	case types.Enum, types.Set:
		x, ok = v.Type.ParseListed(s)
	case types.Year:
		x, ok = types.ParseYear(s)
	case types.Bool:
		x, ok = parseBool(s)
	case types.Date:
		if x, ok = types.ParseDate(s); !ok {
			x, ok = t.Timestamp(s)
			x = types.FloorDiv(x, types.Day)
		}
	case types.Time:
		x, ok = types.ParseTime(s)
		x = CutPrecision(x, v.Type)
	case types.Datetime, types.Timestamp:
		if x, ok = t.Timestamp(s); !ok {
			x, ok = t.Epoch(s)
		}
		x = CutPrecision(x, v.Type)
	default:
		if !k.IsInteger() {
			return false
		}
		x, ok = ParseInteger(s, k)
	}
	if ok {
		v.AppendI64(x)
	}
	return ok
}

func parseBool(s []byte) (int64, bool) {
	switch string(s) {
	case "true", "TRUE", "True", "1", "t":
		return 1, true
	case "false", "FALSE", "False", "0", "f":
		return 0, true
	}
	return 0, false
}

func appendBase64(v *vector.Vector, s []byte) bool {
	data, err := base64.StdEncoding.AppendDecode(v.Data, s)
	if err != nil {
		return false
	}
	v.Data = data
	return v.FitBytes()
}
