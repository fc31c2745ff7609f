package types

import "strconv"

// maxWidePower is the largest power of ten that 256 bits hold with a sign.
const maxWidePower = 76

// widePow10 holds 10^0 .. 10^76.
var widePow10 = func() (p [maxWidePower + 1]Int256) {
	p[0] = I256(1)
	for i := range p[1:] {
		p[i+1], _ = p[i].Mul(I256(10))
	}
	return p
}()

// WideRescale is Rescale for 256 bits.
func WideRescale(v Int256, from, to int) (Int256, bool) {
	switch {
	case from == to:
		return v, true
	case to > from:
		return v.Mul(widePow10[min(to-from, maxWidePower)])
	}
	return WideDivRound(v, widePow10[min(from-to, maxWidePower)])
}

// WideDivRound divides, rounding half away from zero; ok is false when b is zero.
func WideDivRound(a, b Int256) (Int256, bool) {
	if b.IsZero() {
		return Int256{}, false
	}
	return roundWide(magnitude(a.Abs()), b.Abs(), a.IsNeg() != b.IsNeg())
}

// roundWide divides magnitudes, rounding half up, and gives the quotient its sign; ok is false when it needs more than 256 bits.
func roundWide(x uint512, y Int256, neg bool) (Int256, bool) {
	q, r := divWide(x, y)
	v, ok := q.signed(false)
	if gap, _ := y.Sub(r); r.Cmp(gap) >= 0 {
		v, _ = v.Add(I256(1))
	}
	if neg {
		v = v.Neg()
	}
	return v, ok
}

// WideMulDrop gives a*b / 10^drop, rounded; the product may need 512 bits.
func WideMulDrop(a, b Int256, drop int) (Int256, bool) {
	x, neg := mulMagnitudes(a.Abs(), b.Abs()), a.IsNeg() != b.IsNeg()
	if drop == 0 {
		return x.signed(neg)
	}
	return roundWide(x, widePow10[drop], neg)
}

// WideDivShift gives a*10^shift / b, rounded; ok is false when b is zero or the quotient too large.
func WideDivShift(a, b Int256, shift int) (Int256, bool) {
	if b.IsZero() || shift > maxWidePower {
		return Int256{}, false
	}
	return roundWide(mulMagnitudes(a.Abs(), widePow10[shift]), b.Abs(), a.IsNeg() != b.IsNeg())
}

// easyPrecision is how many digits 192 bits may need at most: they fit without a comparison.
const easyPrecision = 58

// WideFits tells whether |v| < 10^precision.
func WideFits(v Int256, precision int) bool {
	if precision >= easyPrecision && v[3] == uint64(int64(v[2])>>63) {
		return true
	}
	abs := v.Abs()
	return !abs.IsNeg() && abs.Cmp(widePow10[min(precision, MaxDecimalPrecision)]) < 0
}

// AppendWide is AppendDecimal for 256 bits.
func AppendWide(dst []byte, v Int256, scale int) []byte {
	if small, ok := v.Narrow(); ok {
		return AppendDecimal(dst, small, scale)
	}
	if v.IsNeg() {
		dst = append(dst, '-')
	}
	var buf [80]byte
	digits := wideDigits(buf[:], v.Abs(), scale+1)
	dst = append(dst, digits[:len(digits)-scale]...)
	if scale > 0 {
		dst = append(dst, '.')
		dst = append(dst, digits[len(digits)-scale:]...)
	}
	return dst
}

// wideDigits writes v >= 0 right-aligned into buf, with at least the given number of digits, and returns the written part.
func wideDigits(buf []byte, v Int256, atLeast int) []byte {
	const chunk = 1_000_000_000_000_000_000 // 18 digits
	end := len(buf)
	for v[1]|v[2]|v[3] != 0 || v[0] >= chunk {
		q, r := divWide(magnitude(v), Int256{chunk})
		v = Int256(q[:4])
		part := r[0]
		for range 18 {
			end--
			buf[end] = byte('0' + part%10)
			part /= 10
		}
	}
	for part := v[0]; part != 0 || len(buf)-end < atLeast; part /= 10 {
		end--
		buf[end] = byte('0' + part%10)
	}
	return buf[end:]
}

// ParseWide is ParseDecimal for up to 65 digits.
func ParseWide(s []byte, scale int) (v Int256, ok bool) {
	var room [96]byte
	digits, shift, neg, ok := scanDecimal(s, room[:0], scale)
	if !ok {
		return v, false
	}
	digits, shift, round := cutDigits(digits, shift)
	if len(digits) > 0 && len(digits)+shift > MaxDecimalPrecision {
		return v, false
	}
	for i := 0; i < len(digits); i += 18 {
		part, n := uint64(0), min(18, len(digits)-i)
		for _, c := range digits[i : i+n] {
			part = part*10 + uint64(c-'0')
		}
		v, _ = v.Mul(widePow10[n])
		v, _ = v.Add(Int256{part})
	}
	if len(digits) > 0 {
		v, _ = v.Mul(widePow10[shift])
	}
	if round {
		v, _ = v.Add(I256(1))
	}
	if neg {
		v = v.Neg()
	}
	return v, WideFits(v, MaxDecimalPrecision)
}

// WideFloat gives the nearest DOUBLE of an unscaled value.
func WideFloat(v Int256, scale int) float64 {
	var room [96]byte
	f, _ := strconv.ParseFloat(string(AppendWide(room[:0], v, scale)), 64)
	return f
}
