package types

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// wideFromBig narrows a big.Int; ok is false when it needs more than 256 bits.
func wideFromBig(v *big.Int) (r Int256, ok bool) {
	if v.BitLen() > 255 {
		return r, false
	}
	abs := new(big.Int).Abs(v)
	for i := range r {
		r[i] = new(big.Int).Rsh(abs, uint(64*i)).Uint64()
	}
	if v.Sign() < 0 {
		r = r.Neg()
	}
	return r, true
}

func drawInt256(t *rapid.T, name string) Int256 {
	bits := rapid.IntRange(0, 254).Draw(t, name+" bits")
	var v Int256
	for i := range v {
		switch rapid.IntRange(0, 3).Draw(t, name+" limb kind") {
		case 0:
			v[i] = ^uint64(0) // the limbs on which estimates of quotients go wrong
		case 1:
		default:
			v[i] = rapid.Uint64().Draw(t, name+" limb")
		}
	}
	v[3] &= 1<<63 - 1
	r, _ := wideFromBig(new(big.Int).Rsh(v.Big(), uint(254-bits)))
	if rapid.Bool().Draw(t, name+" neg") {
		r = r.Neg()
	}
	return r
}

// roundedQuotient divides, rounding half away from zero.
func roundedQuotient(x, y *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(y) >= 0 {
		q.Add(q, big.NewInt(int64(x.Sign()*y.Sign())))
	}
	return q
}

func bigPow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// TestInt256AgreesWithBig compares all operations with math/big.
func TestInt256AgreesWithBig(t *testing.T) {
	same := func(t *rapid.T, op string, got Int256, ok bool, want *big.Int) {
		fits := want.BitLen() <= 255
		if ok != fits || ok && got.Big().Cmp(want) != 0 {
			t.Fatalf("%s = %v %v, want %v", op, got.Big(), ok, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawInt256(t, "a"), drawInt256(t, "b")
		x, y := a.Big(), b.Big()
		sum, ok := a.Add(b)
		same(t, "+", sum, ok, new(big.Int).Add(x, y))
		diff, ok := a.Sub(b)
		same(t, "-", diff, ok, new(big.Int).Sub(x, y))
		prod, ok := a.Mul(b)
		same(t, "*", prod, ok, new(big.Int).Mul(x, y))
		if a.Cmp(b) != x.Cmp(y) {
			t.Fatalf("cmp(%v, %v) = %d", x, y, a.Cmp(b))
		}
		if small, ok := a.Narrow(); ok != (x.BitLen() <= 127) || ok && small.Widen() != a {
			t.Fatalf("%v in 128 bits is %v %v", x, small, ok)
		}
		drop := rapid.IntRange(1, 60).Draw(t, "digits")
		dropped, ok := WideMulDrop(a, b, drop)
		same(t, "* and drop", dropped, ok, roundedQuotient(new(big.Int).Mul(x, y), bigPow10(drop)))
		if b.IsZero() {
			return
		}
		q, r, _ := a.DivRem(b)
		wantQ, wantR := new(big.Int).QuoRem(x, y, new(big.Int))
		same(t, "/", q, true, wantQ)
		same(t, "%", r, true, wantR)
		shifted, ok := WideDivShift(a, b, drop)
		same(t, "shifted /", shifted, ok, roundedQuotient(new(big.Int).Mul(x, bigPow10(drop)), y))
	})
}

// TestWideText: the text of a wide decimal is that of math/big and reads back as the same decimal.
func TestWideText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, scale := drawInt256(t, "v"), rapid.IntRange(0, 30).Draw(t, "scale")
		if !WideFits(v, MaxDecimalPrecision) {
			return
		}
		text := AppendWide(nil, v, scale)
		want := new(big.Rat).SetFrac(v.Big(), bigPow10(scale)).FloatString(scale)
		if string(text) != want && string(text) != "-"+want {
			t.Fatalf("%v scale %d is %s, want %s", v.Big(), scale, text, want)
		}
		if back, ok := ParseWide(text, scale); !ok || back != v {
			t.Fatalf("%v scale %d is %s, read as %v %v", v.Big(), scale, text, back.Big(), ok)
		}
		to := rapid.IntRange(0, 30).Draw(t, "to")
		got, ok := WideRescale(v, scale, to)
		exact := new(big.Int).Mul(v.Big(), bigPow10(to))
		if exact = roundedQuotient(exact, bigPow10(scale)); ok != (exact.BitLen() <= 255) || ok && got.Big().Cmp(exact) != 0 {
			t.Fatalf("%s at scale %d is %v %v, want %v", text, to, got.Big(), ok, exact)
		}
	})
}
