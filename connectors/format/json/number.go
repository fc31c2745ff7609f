package json

import (
	"github.com/millrace/millrace/sql/types"
)

// maxFastDigits is how many digits fit an int64 without a check.
const maxFastDigits = 18

// plain reads -?digits[.digits] of up to 18 digits in one pass. ok is false for everything else, valid or not: exponents, more digits,
// leading zeros, no number; the caller then takes the slow path. frac counts the digits behind the point.
func plain(src []byte, i int) (end int, neg bool, v int64, frac int, ok bool) {
	if i < len(src) && src[i] == '-' {
		neg = true
		i++
	}
	start := i
	for i < len(src) {
		c := src[i] - '0'
		if c > 9 {
			break
		}
		v = v*10 + int64(c)
		i++
	}
	n := i - start
	if n == 0 || n > maxFastDigits || n > 1 && src[start] == '0' {
		return 0, false, 0, 0, false
	}
	if i < len(src) && src[i] == '.' {
		i++
		dot := i
		for i < len(src) {
			c := src[i] - '0'
			if c > 9 {
				break
			}
			v = v*10 + int64(c)
			i++
		}
		if frac = i - dot; frac == 0 || n+frac > maxFastDigits {
			return 0, false, 0, 0, false
		}
	}
	return i, neg, v, frac, i >= len(src) || src[i]|0x20 != 'e'
}

func (d *decoder) integer(n *node, i int) int {
	src, j, neg := d.src, i, false
	if j < len(src) && src[j] == '-' {
		neg = true
		j++
	}
	start, v := j, int64(0)
	for j < len(src) {
		c := src[j] - '0'
		if c > 9 {
			break
		}
		v = v*10 + int64(c)
		j++
	}
	count := j - start
	if count == 0 || count > maxFastDigits || count > 1 && src[start] == '0' || j < len(src) && (src[j] == '.' || src[j]|0x20 == 'e') {
		return d.scalar(n, i)
	}
	if neg {
		v = -v
	}
	if v < n.lo || v > n.hi {
		return d.scalar(n, i)
	}
	n.vec.AppendI64(v)
	return j
}

// maxExactMantissa is the largest digit count whose integers float64 holds exactly; with a power of ten up to 10^22 one division is
// then rounded right.
const maxExactMantissa = 1 << 53

var floatPow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

func (d *decoder) float(n *node, i int) int {
	end, neg, v, frac, ok := plain(d.src, i)
	// FLOAT goes the slow way: rounding twice would be wrong.
	if !ok || v > maxExactMantissa || n.typ.Kind == types.Float32 {
		return d.scalar(n, i)
	}
	f := float64(v) / floatPow10[frac]
	if neg {
		f = -f
	}
	n.vec.AppendF64(f)
	return end
}

var intPow10 = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

func (d *decoder) decimal(n *node, i int) int {
	end, neg, v, frac, ok := plain(d.src, i)
	shift := n.typ.Scale - frac
	if !ok || shift < 0 || shift > maxFastDigits || v >= intPow10[maxFastDigits-shift] {
		return d.scalar(n, i)
	}
	v *= intPow10[shift]
	if n.typ.Precision < maxFastDigits && v >= intPow10[n.typ.Precision] {
		return d.scalar(n, i)
	}
	if neg {
		v = -v
	}
	n.vec.AppendI128(types.I128(v))
	return end
}
