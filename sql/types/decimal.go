package types

import (
	"math/big"
)

// Pow10 holds 10^0 .. 10^38.
var Pow10 = func() (p [NarrowPrecision + 1]Int128) {
	v := big.NewInt(1)
	for i := range p {
		p[i], _ = FromBig(v)
		v = new(big.Int).Mul(v, big.NewInt(10))
	}
	return p
}()

// Rescale moves an unscaled decimal from one scale to another, rounding half away from zero as MySQL does; ok is false on overflow.
func Rescale(v Int128, from, to int) (Int128, bool) {
	switch {
	case from == to:
		return v, true
	case to > from:
		return v.Mul(Pow10[to-from])
	}
	return DivRound(v, Pow10[from-to])
}

// DivRound divides, rounding half away from zero; ok is false when b is zero.
func DivRound(a, b Int128) (Int128, bool) {
	if b.IsZero() {
		return Int128{}, false
	}
	if a.fits64() && b.fits64() && int64(a.Lo) != -1<<63 {
		x, y := int64(a.Lo), int64(b.Lo)
		q, r := x/y, x%y
		if abs64(r) >= abs64(y)-abs64(r) {
			if (x < 0) == (y < 0) {
				q++
			} else {
				q--
			}
		}
		return I128(q), true
	}
	q, r, _ := a.DivRem(b)
	rest, divisor := r.Abs(), b.Abs()
	if gap, _ := divisor.Sub(rest); rest.Cmp(gap) >= 0 {
		step := I128(1)
		if a.IsNeg() != b.IsNeg() {
			step = I128(-1)
		}
		return q.Add(step)
	}
	return q, true
}

func abs64(v int64) uint64 {
	if v < 0 {
		return uint64(-v)
	}
	return uint64(v)
}

// FitsPrecision tells whether |v| < 10^precision.
func FitsPrecision(v Int128, precision int) bool {
	return v.Abs().Cmp(Pow10[min(precision, NarrowPrecision)]) < 0 && !v.Abs().IsNeg()
}

// AppendDecimal appends the decimal text of an unscaled value: 12345 with scale 2 gives 123.45.
func AppendDecimal(dst []byte, v Int128, scale int) []byte {
	if v.IsNeg() {
		dst = append(dst, '-')
	}
	var buf [48]byte
	digits := appendDigits(buf[:], v.Abs(), scale+1)
	dst = append(dst, digits[:len(digits)-scale]...)
	if scale > 0 {
		dst = append(dst, '.')
		dst = append(dst, digits[len(digits)-scale:]...)
	}
	return dst
}

// appendDigits writes v >= 0 right-aligned into buf, with at least the given number of digits, and returns the written part.
func appendDigits(buf []byte, v Int128, atLeast int) []byte {
	i := len(buf)
	for v.Hi != 0 || v.Lo != 0 || len(buf)-i < atLeast {
		const chunk = 1_000_000_000_000_000_000 // 18 digits
		part := v.Lo
		if v.Hi != 0 || v.Lo >= chunk {
			var rem Int128
			v, rem = divMagnitudes(v, U128(chunk))
			part = rem.Lo
			for range 18 {
				i--
				buf[i] = byte('0' + part%10)
				part /= 10
			}
			continue
		}
		v = Int128{}
		for part != 0 || len(buf)-i < atLeast {
			i--
			buf[i] = byte('0' + part%10)
			part /= 10
		}
	}
	return buf[i:]
}

func appendUint(dst []byte, v uint64) []byte {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			return append(dst, b[i:]...)
		}
	}
}

// ParseDecimal reads `[+-]digits[.digits][e[+-]digits]` into an unscaled value of the given scale, rounding half away from zero.
// ok is false when the text is malformed or the value does not fit 38 digits.
func ParseDecimal(s []byte, scale int) (v Int128, ok bool) {
	var room [64]byte
	digits, shift, neg, ok := scanDecimal(s, room[:0], scale)
	if !ok {
		return v, false
	}
	return scaleDigits(digits, shift, neg)
}

// scanDecimal appends the digits of a number, without leading zeros, to room; the number is digits * 10^(shift-scale).
func scanDecimal(s, room []byte, scale int) (digits []byte, shift int, neg, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	digits = room
	frac, seenDot, seenDigit := 0, false, false
scan:
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			seenDigit = true
			if len(digits) > 0 || c != '0' {
				digits = append(digits, c)
			}
			if seenDot {
				frac++
			}
		case c == '.' && !seenDot:
			seenDot = true
		default:
			break scan
		}
	}
	if !seenDigit {
		return digits, 0, neg, false
	}
	exp, ok := parseExponent(s[i:])
	return digits, scale - frac + exp, neg, ok
}

// parseExponent reads an optional exponent that must end the text; |exponent| is at most 10,000.
func parseExponent(s []byte) (int, bool) {
	if len(s) == 0 {
		return 0, true
	}
	if s[0] != 'e' && s[0] != 'E' || len(s) < 2 {
		return 0, false
	}
	s, neg := s[1:], false
	if s[0] == '-' || s[0] == '+' {
		neg = s[0] == '-'
		s = s[1:]
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int(c-'0'), 10_000)
	}
	if neg {
		n = -n
	}
	return n, len(s) > 0
}

// cutDigits drops the digits that a negative shift puts behind the point; round tells whether the first of them is 5 or more.
func cutDigits(digits []byte, shift int) (left []byte, up int, round bool) {
	if shift >= 0 {
		return digits, shift, false
	}
	cut := len(digits) + shift
	if cut < 0 {
		return nil, 0, false
	}
	return digits[:cut], 0, digits[cut] >= '5'
}

// scaleDigits returns digits * 10^shift as an integer, rounded half away from zero.
func scaleDigits(digits []byte, shift int, neg bool) (v Int128, ok bool) {
	digits, shift, round := cutDigits(digits, shift)
	if len(digits) > 0 && len(digits)+shift > NarrowPrecision {
		return v, false
	}
	for _, c := range digits {
		v, _ = v.Mul(I128(10))
		v, _ = v.Add(I128(int64(c - '0')))
	}
	if len(digits) > 0 {
		v, _ = v.Mul(Pow10[shift])
	}
	if round {
		v, _ = v.Add(I128(1))
	}
	if neg {
		v = v.Neg()
	}
	return v, FitsPrecision(v, NarrowPrecision)
}
