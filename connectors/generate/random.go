package generate

import "math"

// Random is a deterministic source of randomness for one row: the same seed, row and purpose give the same numbers in any order of
// rows. The zero value is usable. (SplitMix64.)
type Random struct{ state uint64 }

// At returns the randomness of a row for one purpose.
func At(seed, row int64, purpose uint64) Random {
	r := Random{state: uint64(seed)*0x9E3779B97F4A7C15 ^ uint64(row)*0xD1342543DE82EF95 ^ purpose*0xDABA0B6EB09322E3}
	r.Next()
	return r
}

// Next returns 64 random bits.
func (r *Random) Next() uint64 {
	r.state += 0x9E3779B97F4A7C15
	z := r.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// Float returns a number in [0, 1).
func (r *Random) Float() float64 { return float64(r.Next()>>11) / (1 << 53) }

// Int returns a number in [0, n); n > 0.
func (r *Random) Int(n int64) int64 { return int64(r.Next() % uint64(n)) }

// Between returns a number in [lo, hi], also when the range is wider than int64.
func (r *Random) Between(lo, hi int64) int64 {
	width := uint64(hi) - uint64(lo)
	if width == math.MaxUint64 {
		return int64(r.Next())
	}
	return int64(uint64(lo) + r.Next()%(width+1))
}

// Letters appends n lower-case letters.
func (r *Random) Letters(dst []byte, n int) []byte {
	for i := 0; i < n; {
		for bits := r.Next(); i < n && bits != 0; bits /= 26 {
			dst = append(dst, byte('a'+bits%26))
			i++
		}
	}
	return dst
}
