package types

import (
	"math/big"
	"math/bits"
)

// Int256 is a two's complement 256-bit integer, lowest limb first. It holds the unscaled values of DECIMALs of more than 38 digits:
// 10^65 needs 216 bits, so sums and rescaling by a few digits cannot overflow it.
type Int256 [4]uint64

// I256 widens an int64.
func I256(v int64) Int256 {
	sign := uint64(v >> 63)
	return Int256{uint64(v), sign, sign, sign}
}

// Widen widens a 128-bit integer.
func (a Int128) Widen() Int256 {
	sign := uint64(a.Hi >> 63)
	return Int256{a.Lo, uint64(a.Hi), sign, sign}
}

// Narrow gives the value in 128 bits; ok is false when it does not fit.
func (a Int256) Narrow() (v Int128, ok bool) {
	sign := uint64(int64(a[1]) >> 63)
	return Int128{Hi: int64(a[1]), Lo: a[0]}, a[2] == sign && a[3] == sign
}

// IsNeg tells whether a < 0.
func (a Int256) IsNeg() bool { return int64(a[3]) < 0 }

// IsZero tells whether a == 0.
func (a Int256) IsZero() bool { return a == Int256{} }

// Neg returns -a, wrapping at the minimum.
func (a Int256) Neg() Int256 {
	var r Int256
	carry := uint64(1)
	for i := range a {
		r[i], carry = bits.Add64(^a[i], 0, carry)
	}
	return r
}

// Abs returns |a|.
func (a Int256) Abs() Int256 {
	if a.IsNeg() {
		return a.Neg()
	}
	return a
}

// Add returns a+b; ok is false on overflow.
func (a Int256) Add(b Int256) (r Int256, ok bool) {
	var c uint64
	r[0], c = bits.Add64(a[0], b[0], 0)
	r[1], c = bits.Add64(a[1], b[1], c)
	r[2], c = bits.Add64(a[2], b[2], c)
	r[3], _ = bits.Add64(a[3], b[3], c)
	return r, a.IsNeg() != b.IsNeg() || r.IsNeg() == a.IsNeg()
}

// Sub returns a-b; ok is false on overflow.
func (a Int256) Sub(b Int256) (r Int256, ok bool) {
	var c uint64
	r[0], c = bits.Sub64(a[0], b[0], 0)
	r[1], c = bits.Sub64(a[1], b[1], c)
	r[2], c = bits.Sub64(a[2], b[2], c)
	r[3], _ = bits.Sub64(a[3], b[3], c)
	return r, a.IsNeg() == b.IsNeg() || r.IsNeg() == a.IsNeg()
}

// Cmp compares: -1, 0, 1.
func (a Int256) Cmp(b Int256) int {
	if a.IsNeg() != b.IsNeg() {
		if a.IsNeg() {
			return -1
		}
		return 1
	}
	for i := 3; i >= 0; i-- {
		switch {
		case a[i] < b[i]:
			return -1
		case a[i] > b[i]:
			return 1
		}
	}
	return 0
}

// Mul returns a*b; ok is false on overflow.
func (a Int256) Mul(b Int256) (Int256, bool) {
	wide := mulMagnitudes(a.Abs(), b.Abs())
	return wide.signed(a.IsNeg() != b.IsNeg())
}

// DivRem divides, truncating towards zero; the remainder has the sign of a. ok is false when b is zero.
func (a Int256) DivRem(b Int256) (q, r Int256, ok bool) {
	if b.IsZero() {
		return q, r, false
	}
	wide, r := divWide(magnitude(a.Abs()), b.Abs())
	q, _ = wide.signed(a.IsNeg() != b.IsNeg())
	if a.IsNeg() {
		r = r.Neg()
	}
	return q, r, true
}

// uint512 is an unsigned 512-bit integer, lowest limb first: a product before it is divided.
type uint512 [8]uint64

func magnitude(a Int256) (r uint512) {
	copy(r[:], a[:])
	return r
}

func mulMagnitudes(x, y Int256) (r uint512) {
	for i, a := range x {
		if a == 0 {
			continue
		}
		carry := uint64(0)
		for j, b := range y {
			hi, lo := bits.Mul64(a, b)
			var c uint64
			lo, c = bits.Add64(lo, r[i+j], 0)
			hi += c
			lo, c = bits.Add64(lo, carry, 0)
			r[i+j], carry = lo, hi+c
		}
		r[i+4] = carry
	}
	return r
}

// signed gives the value with a sign in 256 bits; ok is false when it does not fit.
func (a uint512) signed(neg bool) (Int256, bool) {
	r := Int256(a[:4])
	ok := a[4]|a[5]|a[6]|a[7] == 0 && !r.IsNeg()
	if neg {
		r = r.Neg()
	}
	return r, ok
}

// divWide divides magnitudes, y > 0: Knuth's algorithm D (The Art of Computer Programming, 4.3.1) in limbs of 64 bits.
func divWide(x uint512, y Int256) (q uint512, r Int256) {
	n := 4
	for y[n-1] == 0 {
		n--
	}
	if n == 1 {
		rem := uint64(0)
		for i := 7; i >= 0; i-- {
			if rem|x[i] == 0 {
				continue
			}
			q[i], rem = bits.Div64(rem, x[i], y[0])
		}
		return q, Int256{rem}
	}
	shift := uint(bits.LeadingZeros64(y[n-1]))
	var v [4]uint64
	var u [9]uint64
	for i := n - 1; i > 0; i-- {
		v[i] = y[i]<<shift | y[i-1]>>1>>(63-shift)
	}
	v[0] = y[0] << shift
	u[8] = x[7] >> 1 >> (63 - shift)
	for i := 7; i > 0; i-- {
		u[i] = x[i]<<shift | x[i-1]>>1>>(63-shift)
	}
	u[0] = x[0] << shift
	for j := 8 - n; j >= 0; j-- {
		if u[j+n] == 0 && u[j+n-1] < v[n-1] {
			continue // a leading zero
		}
		q[j] = quotientLimb(u[j:j+n+1], v[:n])
	}
	for i := range n {
		r[i] = u[i]>>shift | u[i+1]<<1<<(63-shift)
	}
	return q, r
}

// quotientLimb finds the next limb of a quotient and subtracts its multiple of v from u, which has one limb more; v is normalised.
func quotientLimb(u, v []uint64) uint64 {
	n := len(v)
	estimate := ^uint64(0)
	if u[n] < v[n-1] {
		var rem uint64
		estimate, rem = bits.Div64(u[n], u[n-1], v[n-1])
		for {
			hi, lo := bits.Mul64(estimate, v[n-2])
			if hi < rem || hi == rem && lo <= u[n-2] {
				break
			}
			estimate--
			if rem += v[n-1]; rem < v[n-1] {
				break
			}
		}
	}
	borrow, carry := uint64(0), uint64(0)
	for i, limb := range v {
		hi, lo := bits.Mul64(estimate, limb)
		lo, c := bits.Add64(lo, carry, 0)
		carry = hi + c
		u[i], borrow = bits.Sub64(u[i], lo, borrow)
	}
	u[n], borrow = bits.Sub64(u[n], carry, borrow)
	for borrow != 0 { // the estimate was too large by one, rarely by two
		estimate--
		c := uint64(0)
		for i, limb := range v {
			u[i], c = bits.Add64(u[i], limb, c)
		}
		u[n], c = bits.Add64(u[n], 0, c)
		borrow -= c
	}
	return estimate
}

// Big converts to a big.Int.
func (a Int256) Big() *big.Int {
	r := new(big.Int)
	abs := a.Abs()
	for i := 3; i >= 0; i-- {
		r.Lsh(r, 64).Or(r, new(big.Int).SetUint64(abs[i]))
	}
	if a.IsNeg() {
		r.Neg(r)
	}
	return r
}
