package types

import (
	"errors"
	"math"
	"math/big"
	"math/bits"
)

// ErrOverflow says that a result needs more than 128 bits or 38 digits.
var ErrOverflow = errors.New("numeric value out of range")

// Int128 is a two's complement 128-bit integer: value = Hi*2^64 + Lo. An INTERVAL keeps months in Hi and microseconds in Lo.
type Int128 struct {
	Hi int64
	Lo uint64
}

// I128 widens an int64.
func I128(v int64) Int128 { return Int128{Hi: v >> 63, Lo: uint64(v)} }

// U128 widens a uint64.
func U128(v uint64) Int128 { return Int128{Lo: v} }

// IsNeg tells whether a < 0.
func (a Int128) IsNeg() bool { return a.Hi < 0 }

// IsZero tells whether a == 0.
func (a Int128) IsZero() bool { return a.Hi == 0 && a.Lo == 0 }

// Neg returns -a, wrapping at the minimum.
func (a Int128) Neg() Int128 {
	lo, carry := bits.Add64(^a.Lo, 1, 0)
	return Int128{Hi: int64(uint64(^a.Hi) + carry), Lo: lo}
}

// Abs returns |a|.
func (a Int128) Abs() Int128 {
	if a.IsNeg() {
		return a.Neg()
	}
	return a
}

// Add returns a+b; ok is false on overflow.
func (a Int128) Add(b Int128) (r Int128, ok bool) {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), carry)
	r = Int128{Hi: int64(hi), Lo: lo}
	return r, (a.Hi < 0) != (b.Hi < 0) || (r.Hi < 0) == (a.Hi < 0)
}

// Sub returns a-b; ok is false on overflow.
func (a Int128) Sub(b Int128) (r Int128, ok bool) {
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(uint64(a.Hi), uint64(b.Hi), borrow)
	r = Int128{Hi: int64(hi), Lo: lo}
	return r, (a.Hi < 0) == (b.Hi < 0) || (r.Hi < 0) == (a.Hi < 0)
}

// Mul returns a*b; ok is false on overflow.
func (a Int128) Mul(b Int128) (Int128, bool) {
	if a.fits64() && b.fits64() {
		hi, lo := bits.Mul64(uint64(a.Lo), uint64(b.Lo))
		x, y := int64(a.Lo), int64(b.Lo)
		if x < 0 {
			hi -= uint64(y)
		}
		if y < 0 {
			hi -= uint64(x)
		}
		return Int128{Hi: int64(hi), Lo: lo}, true
	}
	x, y := a.Abs(), b.Abs()
	if x.Hi < 0 || y.Hi < 0 || x.Hi != 0 && y.Hi != 0 {
		return Int128{}, false
	}
	if x.Hi == 0 {
		x, y = y, x
	}
	over, cross := bits.Mul64(uint64(x.Hi), y.Lo)
	hi, lo := bits.Mul64(x.Lo, y.Lo)
	hi, carry := bits.Add64(hi, cross, 0)
	if over != 0 || carry != 0 || hi >= 1<<63 {
		return Int128{}, false
	}
	r := Int128{Hi: int64(hi), Lo: lo}
	if a.IsNeg() != b.IsNeg() {
		r = r.Neg()
	}
	return r, true
}

// DivRem divides, truncating towards zero; the remainder has the sign of a. ok is false when b is zero.
func (a Int128) DivRem(b Int128) (q, r Int128, ok bool) {
	if b.IsZero() {
		return q, r, false
	}
	q, r = divMagnitudes(a.Abs(), b.Abs())
	if a.IsNeg() != b.IsNeg() {
		q = q.Neg()
	}
	if a.IsNeg() {
		r = r.Neg()
	}
	return q, r, true
}

// divMagnitudes divides as unsigned numbers.
func divMagnitudes(x, y Int128) (q, r Int128) {
	if y.Hi == 0 {
		hi := uint64(x.Hi) / y.Lo
		lo, rem := bits.Div64(uint64(x.Hi)%y.Lo, x.Lo, y.Lo)
		return Int128{Hi: int64(hi), Lo: lo}, U128(rem)
	}
	// The quotient fits 64 bits. Estimate it from the divisor's upper 64 bits; the estimate is at most one too small.
	shift := uint(bits.LeadingZeros64(uint64(y.Hi)))
	top := uint64(y.Hi)<<shift | y.Lo>>(64-shift)
	estimate, _ := bits.Div64(uint64(x.Hi)>>1, uint64(x.Hi)<<63|x.Lo>>1, top)
	estimate >>= 63 - shift
	if estimate != 0 {
		estimate--
	}
	hi, lo := bits.Mul64(estimate, y.Lo)
	hi += estimate * uint64(y.Hi)
	remLo, borrow := bits.Sub64(x.Lo, lo, 0)
	remHi, _ := bits.Sub64(uint64(x.Hi), hi, borrow)
	if remHi > uint64(y.Hi) || remHi == uint64(y.Hi) && remLo >= y.Lo {
		estimate++
		remLo, borrow = bits.Sub64(remLo, y.Lo, 0)
		remHi, _ = bits.Sub64(remHi, uint64(y.Hi), borrow)
	}
	return U128(estimate), Int128{Hi: int64(remHi), Lo: remLo}
}

func (a Int128) fits64() bool { return a.Hi == int64(a.Lo)>>63 }

// Cmp compares: -1, 0, 1.
func (a Int128) Cmp(b Int128) int {
	switch {
	case a.Hi < b.Hi:
		return -1
	case a.Hi > b.Hi:
		return 1
	case a.Lo < b.Lo:
		return -1
	case a.Lo > b.Lo:
		return 1
	}
	return 0
}

// Int64 narrows; ok is false when the value does not fit.
func (a Int128) Int64() (int64, bool) { return int64(a.Lo), a.fits64() }

// Float64 converts, rounding.
func (a Int128) Float64() float64 {
	if a.fits64() {
		return float64(int64(a.Lo))
	}
	return float64(a.Hi)*math.Exp2(64) + float64(a.Lo)
}

// Big converts to a big.Int.
func (a Int128) Big() *big.Int {
	r := new(big.Int).Lsh(big.NewInt(a.Hi), 64)
	return r.Add(r, new(big.Int).SetUint64(a.Lo))
}

// FromBig narrows a big.Int; ok is false when it needs more than 128 bits.
func FromBig(v *big.Int) (Int128, bool) {
	if v.BitLen() > 127 {
		return Int128{}, false
	}
	abs := new(big.Int).Abs(v)
	lo := new(big.Int).And(abs, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	r := Int128{Hi: int64(new(big.Int).Rsh(abs, 64).Uint64()), Lo: lo}
	if v.Sign() < 0 {
		r = r.Neg()
	}
	return r, true
}
