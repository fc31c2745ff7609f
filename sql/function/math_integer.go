package function

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/millrace/millrace/sql/vector"
)

// integerFuncs is the part of the numeric table that works on integers and their digits.
func integerFuncs() []*Func {
	return []*Func{
		def("factorial(n)", "n!; NULL for n below 0 and above 20, which no BIGINT holds.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			n := a[0].I64[i]
			if n < 0 || n > 20 {
				return 0, false
			}
			f := int64(1)
			for ; n > 1; n-- {
				f *= n
			}
			return f, true
		}), tInt), "factorial(5)", "120", "factorial(21)", "NULL"),
		def("gcd(a, b)", "The greatest common divisor.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			g := gcd(a[0].I64[i], a[1].I64[i])
			return int64(g), g <= math.MaxInt64
		}), tInt, tInt), "gcd(12, -18)", "6"),
		def("lcm(a, b)", "The least common multiple; NULL when no BIGINT holds it.", fixed(tInt, rowInt(lcm), tInt, tInt), "lcm(4, 6)", "12", "lcm(0, 6)", "0"),
		def("pmod(a, b)", "The remainder of a / b that has b's sign; NULL when b is zero.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			x, m := a[0].I64[i], a[1].I64[i]
			if m == 0 || m == -1 {
				return 0, m != 0
			}
			r := x % m
			if r != 0 && (r < 0) != (m < 0) {
				r += m
			}
			return r, true
		}), tInt, tInt), "pmod(-7, 3)", "2", "pmod(7, 0)", "NULL").alias("positive_modulo"),
		def("bin(n)", "The number in binary; negative numbers as their 64 bits.", fixed(tText, rowText(digitsOf(2)), tInt), "bin(12)", "1100"),
		def("oct(n)", "The number in octal; negative numbers as their 64 bits.", fixed(tText, rowText(digitsOf(8)), tInt), "oct(12)", "14"),
		def("bit_get(x, n)", "Bit n of x, from 0, the least; NULL for no such bit.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			n := a[1].I64[i]
			return a[0].I64[i] >> (n & 63) & 1, n >= 0 && n < 64
		}), tInt, tInt), "bit_get(5, 2)", "1", "bit_get(5, 64)", "NULL").alias("getbit"),
		def("bit_set(x, n)", "x with bit n set; NULL for no such bit.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			n := a[1].I64[i]
			return a[0].I64[i] | 1<<(n&63), n >= 0 && n < 64
		}), tInt, tInt), "bit_set(5, 1)", "7"),
		def("bit_clear(x, n)", "x with bit n cleared; NULL for no such bit.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			n := a[1].I64[i]
			return a[0].I64[i] &^ (1 << (n & 63)), n >= 0 && n < 64
		}), tInt, tInt), "bit_clear(5, 0)", "4"),
		def("interval(x, a, b, ..)", "How many of the ascending bounds a, b, .. are not above x: 0 below a; -1 when x is NULL.", nullable(variadic(tInt, rowInt(intervalIndex), 2, tFloat)),
			"interval(23, 1, 15, 17, 30, 44)", "3", "interval(NULL, 1)", "-1"),
		def("format_bytes(n)", "A number of bytes for people, in steps of 1024.", fixed(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			return appendMagnitude(dst, a[0].F64[i], byteUnits[:], 1024), true
		}), tFloat), "format_bytes(512)", "512 bytes", "format_bytes(1536)", "1.50 KiB"),
		def("format_pico_time(n)", "A number of picoseconds for people.", fixed(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			return appendPicoTime(dst, a[0].F64[i]), true
		}), tFloat), "format_pico_time(3501)", "3.50 ns", "format_pico_time(188732396662000)", "3.15 min"),
	}
}

func gcd(x, y int64) uint64 {
	a, b := magnitude(x), magnitude(y)
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func lcm(a []*vector.Vector, i int) (int64, bool) {
	x, y := a[0].I64[i], a[1].I64[i]
	if x == 0 || y == 0 {
		return 0, true
	}
	high, low := bits.Mul64(magnitude(x)/gcd(x, y), magnitude(y))
	return int64(low), high == 0 && low <= math.MaxInt64
}

func intervalIndex(a []*vector.Vector, i int) (int64, bool) {
	if a[0].IsNull(i) {
		return -1, true
	}
	x := a[0].F64[i]
	for k, bound := range a[1:] {
		if !bound.IsNull(i) && bound.F64[i] > x {
			return int64(k), true
		}
	}
	return int64(len(a) - 1), true
}

// digitsOf appends a BIGINT's 64 bits in a base.
func digitsOf(base int) func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	return func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		return strconv.AppendUint(dst, uint64(a[0].I64[i]), base), true
	}
}

var byteUnits = [...]string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}

// appendMagnitude writes x in the greatest unit that does not exceed it; the first unit has no decimals.
func appendMagnitude(dst []byte, x float64, units []string, step float64) []byte {
	k := 0
	for ; k < len(units)-1 && math.Abs(x) >= step; k++ {
		x /= step
	}
	digits := 2
	if k == 0 {
		digits = 0
	}
	dst = strconv.AppendFloat(dst, x, 'f', digits, 64)
	return append(append(dst, ' '), units[k]...)
}

var picoUnits = [...]struct {
	name string
	size float64
}{{"d", 864e14}, {"h", 36e14}, {"min", 6e13}, {"s", 1e12}, {"ms", 1e9}, {"us", 1e6}, {"ns", 1e3}}

func appendPicoTime(dst []byte, x float64) []byte {
	for _, u := range picoUnits {
		if math.Abs(x) >= u.size {
			dst = strconv.AppendFloat(dst, x/u.size, 'f', 2, 64)
			return append(append(dst, ' '), u.name...)
		}
	}
	return append(strconv.AppendFloat(dst, x, 'f', 0, 64), " ps"...)
}

// Constants of MySQL's generator, which RAND(seed) shares.
const (
	randModulus = 0x3FFFFFFF
	randAdd     = 55555555
)

// seededRand is the first number that MySQL's RAND gives for a seed.
func seededRand(a []*vector.Vector, i int) float64 {
	seed := uint32(a[0].I64[i])
	s1, s2 := uint64(seed*0x10001+randAdd)%randModulus, uint64(seed*0x10000001)%randModulus
	return float64((s1*3+s2)%randModulus) / randModulus
}
