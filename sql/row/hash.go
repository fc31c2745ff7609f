package row

import (
	"encoding/binary"
	"math/bits"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// KeyGroups is the number of key groups: the unit in which keyed state moves between tasks.
const KeyGroups = 256

// Odd constants with balanced bits; part of the persistent format.
const (
	mixA     = 0x9e3779b97f4a7c15
	mixB     = 0xd6e8feb86659fd93
	mixC     = 0xa0761d6478bd642f
	mixD     = 0xe7037ed1a0b428db
	seed     = 0x2d358dccaa6c78a5
	nullHash = 0x8bb84b93962eacc9
)

// mix folds the 128-bit product of its operands.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// KeyGroup returns the key group of a hash. It uses the top bits; tables index by the low ones.
func KeyGroup(hash uint64) uint16 { return uint16(hash >> 56) }

// Hash computes the hash of the key columns for the rows that rows names (nil: all), out[k] for the k-th of them. It is the same in
// every process and version, and equal for values that compare equal in columns of the same type.
func Hash(cols []*vector.Vector, rows []int32, out []uint64) {
	for k := range out {
		out[k] = seed
	}
	for _, c := range cols {
		hashColumn(c, rows, out)
	}
}

func hashColumn(v *vector.Vector, rows []int32, out []uint64) {
	if v.Type.Class() == types.ClassI64 && v.Valid == nil {
		hashInts(v.I64, rows, out)
		return
	}
	if v.Type.Class() == types.ClassBytes && v.Valid == nil {
		hashTexts(v, rows, out)
		return
	}
	for k := range out {
		i := k
		if rows != nil {
			i = int(rows[k])
		}
		out[k] = mix(out[k]^hashCell(v, i), mixA)
	}
}

func hashInts(x []int64, rows []int32, out []uint64) {
	if rows == nil {
		for k, h := range out {
			out[k] = mix(h^hashInt(x[k]), mixA)
		}
		return
	}
	for k, i := range rows[:len(out)] {
		out[k] = mix(out[k]^hashInt(x[i]), mixA)
	}
}

func hashTexts(v *vector.Vector, rows []int32, out []uint64) {
	if rows == nil {
		for k, h := range out {
			out[k] = mix(h^hashBytes(v.Data[v.Off[k]:v.Off[k+1]]), mixA)
		}
		return
	}
	for k, i := range rows[:len(out)] {
		out[k] = mix(out[k]^hashBytes(v.Data[v.Off[i]:v.Off[i+1]]), mixA)
	}
}

func hashInt(x int64) uint64 { return mix(uint64(x)^mixB, mixC) }

// hashCell hashes one value of any class.
func hashCell(v *vector.Vector, i int) uint64 {
	if v.IsNull(i) {
		return nullHash
	}
	switch v.Type.Class() {
	case types.ClassI64:
		return hashInt(v.I64[i])
	case types.ClassF64:
		return hashInt(int64(orderedFloat(v.F64[i])))
	case types.ClassI128:
		x := v.I128[i]
		return mix(uint64(x.Hi)^mixB, mixC) ^ mix(x.Lo^mixD, mixB)
	case types.ClassI256:
		x := v.I256[i]
		return mix(x[3]^mixB, mixC) ^ mix(x[2]^mixD, mixB) ^ mix(mix(x[1]^mixA, mixD), x[0]^mixC)
	case types.ClassBytes:
		return hashBytes(v.Bytes(i))
	case types.ClassList:
		h := hashInt(int64(v.Off[i+1] - v.Off[i]))
		for j := v.Off[i]; j < v.Off[i+1]; j++ {
			for _, c := range v.Child {
				h = mix(h^hashCell(c, int(j)), mixA)
			}
		}
		return h
	}
	h := uint64(seed)
	for _, c := range v.Child {
		h = mix(h^hashCell(c, i), mixA)
	}
	return h
}

// hashBytes reads 16 bytes a step; short tails are read as two overlapping words.
func hashBytes(s []byte) uint64 {
	h, n := uint64(seed), uint64(len(s))
	for len(s) > 16 {
		h = mix(binary.LittleEndian.Uint64(s)^mixC, binary.LittleEndian.Uint64(s[8:])^h)
		s = s[16:]
	}
	var a, b uint64
	switch {
	case len(s) >= 8:
		a, b = binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint64(s[len(s)-8:])
	case len(s) >= 4:
		a, b = uint64(binary.LittleEndian.Uint32(s)), uint64(binary.LittleEndian.Uint32(s[len(s)-4:]))
	case len(s) > 0:
		a = uint64(s[0])<<16 | uint64(s[len(s)>>1])<<8 | uint64(s[len(s)-1])
	}
	return mix(mix(a^mixD, b^h)^mixB, n^mixC)
}
