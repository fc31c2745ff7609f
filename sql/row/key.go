package row

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// The key of a row is the concatenation of its columns:
//
//	NULL      00
//	value     01 body
//	 integer  8 bytes big-endian, sign bit flipped unless BIGINT UNSIGNED
//	 float    8 bytes big-endian, all bits flipped when negative, else the sign bit; -0 is 0, every NaN the one greatest value
//	 decimal  16 bytes big-endian, sign bit flipped (the scale is the column's); intervals: both halves as integers;
//	          of more than 38 digits: 32 bytes alike; points: two floats
//	 bytes    each 00 as 00 ff, ended by 00 01
//	 list     each element as 02 element, ended by 01; maps: 02 key value
//	 struct   the fields, each as a column
//
// So bytes.Compare orders keys as the values are ordered, column by column, NULL first.
const (
	tagNull  = 0
	tagValue = 1
	listEnd  = 1
	listMore = 2
	textEnd  = 1
	textZero = 0xff
)

// ErrCorrupt says that bytes are no encoding of the expected schema.
var ErrCorrupt = errors.New("corrupt row encoding")

// maxNesting bounds the recursion over nested types.
const maxNesting = 64

// EncodeKey appends the order-preserving key of row i.
func EncodeKey(dst []byte, cols []*vector.Vector, i int) []byte {
	for _, c := range cols {
		dst = appendKey(dst, c, i)
	}
	return dst
}

func appendKey(dst []byte, v *vector.Vector, i int) []byte {
	if v.IsNull(i) {
		return append(dst, tagNull)
	}
	dst = append(dst, tagValue)
	switch v.Type.Class() {
	case types.ClassI64:
		return binary.BigEndian.AppendUint64(dst, orderedInt(v.I64[i], v.Type.Kind))
	case types.ClassF64:
		return binary.BigEndian.AppendUint64(dst, orderedFloat(v.F64[i]))
	case types.ClassI128:
		return appendKey128(dst, v.I128[i], v.Type.Kind)
	case types.ClassI256:
		return appendKey256(dst, v.I256[i])
	case types.ClassBytes:
		return appendKeyBytes(dst, v.Bytes(i))
	case types.ClassList:
		for j := v.Off[i]; j < v.Off[i+1]; j++ {
			dst = append(dst, listMore)
			for _, c := range v.Child {
				dst = appendKey(dst, c, int(j))
			}
		}
		return append(dst, listEnd)
	}
	for _, c := range v.Child {
		dst = appendKey(dst, c, i)
	}
	return dst
}

const signBit = 1 << 63

func orderedInt(x int64, k types.Kind) uint64 {
	if k.IsUnsignedBits() {
		return uint64(x)
	}
	return uint64(x) ^ signBit
}

func orderedFloat(f float64) uint64 {
	switch {
	case f == 0:
		return signBit
	case f != f:
		return math.MaxUint64
	}
	bits := math.Float64bits(f)
	if bits&signBit != 0 {
		return ^bits
	}
	return bits | signBit
}

func floatOf(ordered uint64) float64 {
	switch {
	case ordered == math.MaxUint64:
		return math.NaN()
	case ordered&signBit != 0:
		return math.Float64frombits(ordered &^ signBit)
	}
	return math.Float64frombits(^ordered)
}

// appendKey128 flips the sign of the high half; an interval's low half is signed as well, and a point is two floats.
func appendKey128(dst []byte, x types.Int128, k types.Kind) []byte {
	lo := x.Lo
	if k == types.Point {
		lon, lat := types.PointParts(x)
		dst = binary.BigEndian.AppendUint64(dst, orderedFloat(lon))
		return binary.BigEndian.AppendUint64(dst, orderedFloat(lat))
	}
	if k == types.Interval {
		lo ^= signBit
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(x.Hi)^signBit)
	return binary.BigEndian.AppendUint64(dst, lo)
}

func appendKey256(dst []byte, x types.Int256) []byte {
	dst = binary.BigEndian.AppendUint64(dst, x[3]^signBit)
	for i := 2; i >= 0; i-- {
		dst = binary.BigEndian.AppendUint64(dst, x[i])
	}
	return dst
}

func decodeKey256(data []byte, v *vector.Vector) ([]byte, error) {
	if len(data) < 32 {
		return nil, ErrCorrupt
	}
	var x types.Int256
	for i := range x {
		x[3-i] = binary.BigEndian.Uint64(data[8*i:])
	}
	x[3] ^= signBit
	v.AppendI256(x)
	return data[32:], nil
}

func appendKeyBytes(dst, s []byte) []byte {
	for {
		zero := bytes.IndexByte(s, 0)
		if zero < 0 {
			return append(append(dst, s...), 0, textEnd)
		}
		dst = append(append(dst, s[:zero]...), 0, textZero)
		s = s[zero+1:]
	}
}

// DecodeKey appends the columns of a key to out, whose types are schema, and returns what follows the key. After an error the
// columns are unspecified.
func DecodeKey(data []byte, schema []types.Type, out []*vector.Vector) (rest []byte, err error) {
	for i := range schema {
		if data, err = decodeKey(data, out[i], 0); err != nil {
			return nil, fmt.Errorf("decoding key column %d: %w", i, err)
		}
	}
	return data, nil
}

func decodeKey(data []byte, v *vector.Vector, depth int) ([]byte, error) {
	if len(data) == 0 || data[0] > tagValue || depth > maxNesting {
		return nil, ErrCorrupt
	}
	null := data[0] == tagNull
	data = data[1:]
	if null {
		v.AppendNull()
		return data, nil
	}
	switch v.Type.Class() {
	case types.ClassBytes:
		return decodeKeyBytes(data, v)
	case types.ClassList:
		return decodeKeyList(data, v, depth)
	case types.ClassStruct:
		var err error
		for _, c := range v.Child {
			if data, err = decodeKey(data, c, depth+1); err != nil {
				return nil, err
			}
		}
		v.EndStruct()
		return data, nil
	}
	return decodeKeyNumber(data, v)
}

func decodeKeyNumber(data []byte, v *vector.Vector) ([]byte, error) {
	if len(data) < 8 {
		return nil, ErrCorrupt
	}
	x := binary.BigEndian.Uint64(data)
	switch v.Type.Class() {
	case types.ClassI64:
		v.AppendI64(int64(orderedInt(int64(x), v.Type.Kind))) // flipping twice is the identity
	case types.ClassF64:
		v.AppendF64(floatOf(x))
	case types.ClassI256:
		return decodeKey256(data, v)
	default:
		if len(data) < 16 {
			return nil, ErrCorrupt
		}
		lo := binary.BigEndian.Uint64(data[8:])
		if v.Type.Kind == types.Point {
			v.AppendI128(types.Int128{Hi: int64(math.Float64bits(floatOf(x))), Lo: math.Float64bits(floatOf(lo))})
			return data[16:], nil
		}
		if v.Type.Kind == types.Interval {
			lo ^= signBit
		}
		v.AppendI128(types.Int128{Hi: int64(x ^ signBit), Lo: lo})
		return data[16:], nil
	}
	return data[8:], nil
}

func decodeKeyBytes(data []byte, v *vector.Vector) ([]byte, error) {
	for {
		zero := bytes.IndexByte(data, 0)
		if zero < 0 || zero+1 >= len(data) {
			return nil, ErrCorrupt
		}
		v.Data = append(v.Data, data[:zero]...)
		mark := data[zero+1]
		data = data[zero+2:]
		switch mark {
		case textEnd:
			v.EndBytes()
			return data, nil
		case textZero:
			v.Data = append(v.Data, 0)
		default:
			return nil, ErrCorrupt
		}
	}
}

func decodeKeyList(data []byte, v *vector.Vector, depth int) ([]byte, error) {
	for {
		if len(data) == 0 {
			return nil, ErrCorrupt
		}
		mark := data[0]
		data = data[1:]
		if mark == listEnd {
			v.EndList()
			return data, nil
		}
		if mark != listMore {
			return nil, ErrCorrupt
		}
		var err error
		for _, c := range v.Child {
			if data, err = decodeKey(data, c, depth+1); err != nil {
				return nil, err
			}
		}
	}
}
