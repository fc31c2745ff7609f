package row

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// The value encoding of a row is a NULL bitmap, one bit per column (set: NULL), and then each column that is not NULL:
//
//	integer  zigzag varint
//	float    8 bytes little-endian
//	decimal  00 and zigzag varint when it fits 64 bits, else 01 and 16 bytes or 02 and 32 bytes little-endian;
//	         intervals: two zigzag varints; points: as decimals
//	bytes    varint length, bytes
//	list     varint count, then a NULL bitmap and the elements, per child
//	struct   as a row of its fields

// EncodeValue appends the compact encoding of row i.
func EncodeValue(dst []byte, cols []*vector.Vector, i int) []byte {
	bitmap := len(dst)
	for range (len(cols) + 7) / 8 {
		dst = append(dst, 0)
	}
	for c, v := range cols {
		if v.IsNull(i) {
			dst[bitmap+c>>3] |= 1 << (c & 7)
			continue
		}
		dst = appendValue(dst, v, i)
	}
	return dst
}

func appendValue(dst []byte, v *vector.Vector, i int) []byte {
	switch v.Type.Class() {
	case types.ClassI64:
		return binary.AppendVarint(dst, v.I64[i])
	case types.ClassF64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.F64[i]))
	case types.ClassI128:
		return appendValue128(dst, v.I128[i], v.Type.Kind)
	case types.ClassI256:
		return appendValue256(dst, v.I256[i])
	case types.ClassBytes:
		s := v.Bytes(i)
		return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	case types.ClassList:
		return appendValueList(dst, v, i)
	}
	return EncodeValue(dst, v.Child, i)
}

func appendValue128(dst []byte, x types.Int128, k types.Kind) []byte {
	if k == types.Interval {
		return binary.AppendVarint(binary.AppendVarint(dst, x.Hi), int64(x.Lo))
	}
	if small, ok := x.Int64(); ok {
		return binary.AppendVarint(append(dst, 0), small)
	}
	dst = binary.LittleEndian.AppendUint64(append(dst, 1), x.Lo)
	return binary.LittleEndian.AppendUint64(dst, uint64(x.Hi))
}

func appendValue256(dst []byte, x types.Int256) []byte {
	if small, ok := x.Narrow(); ok {
		return appendValue128(dst, small, types.Decimal)
	}
	dst = append(dst, 2)
	for _, limb := range x {
		dst = binary.LittleEndian.AppendUint64(dst, limb)
	}
	return dst
}

func decodeValue256(data []byte) (x types.Int256, rest []byte, ok bool) {
	if len(data) == 0 || data[0] != 2 {
		small, rest, ok := decodeValue128(data, types.Decimal)
		return small.Widen(), rest, ok
	}
	if len(data) < 33 {
		return x, nil, false
	}
	for i := range x {
		x[i] = binary.LittleEndian.Uint64(data[1+8*i:])
	}
	return x, data[33:], true
}

func appendValueList(dst []byte, v *vector.Vector, i int) []byte {
	from, to := int(v.Off[i]), int(v.Off[i+1])
	dst = binary.AppendUvarint(dst, uint64(to-from))
	for _, c := range v.Child {
		bitmap := len(dst)
		for range (to - from + 7) / 8 {
			dst = append(dst, 0)
		}
		for j := from; j < to; j++ {
			if c.IsNull(j) {
				dst[bitmap+(j-from)>>3] |= 1 << ((j - from) & 7)
				continue
			}
			dst = appendValue(dst, c, j)
		}
	}
	return dst
}

// DecodeValue appends a row to out, whose types are schema, and returns what follows it. After an error the columns are unspecified.
func DecodeValue(data []byte, schema []types.Type, out []*vector.Vector) (rest []byte, err error) {
	if len(out) != len(schema) {
		return nil, fmt.Errorf("decoding %d columns into %d: %w", len(schema), len(out), ErrCorrupt)
	}
	return decodeFields(data, out, 0)
}

func decodeFields(data []byte, out []*vector.Vector, depth int) ([]byte, error) {
	size := (len(out) + 7) / 8
	if len(data) < size || depth > maxNesting {
		return nil, ErrCorrupt
	}
	bitmap := data[:size]
	data = data[size:]
	var err error
	for c, v := range out {
		if bitmap[c>>3]&(1<<(c&7)) != 0 {
			v.AppendNull()
			continue
		}
		if data, err = decodeValue(data, v, depth); err != nil {
			return nil, fmt.Errorf("decoding column %d: %w", c, err)
		}
	}
	return data, nil
}

func decodeValue(data []byte, v *vector.Vector, depth int) ([]byte, error) {
	switch v.Type.Class() {
	case types.ClassI64:
		x, n := binary.Varint(data)
		if n <= 0 {
			return nil, ErrCorrupt
		}
		v.AppendI64(x)
		return data[n:], nil
	case types.ClassF64:
		if len(data) < 8 {
			return nil, ErrCorrupt
		}
		v.AppendF64(math.Float64frombits(binary.LittleEndian.Uint64(data)))
		return data[8:], nil
	case types.ClassI128:
		x, rest, ok := decodeValue128(data, v.Type.Kind)
		if !ok {
			return nil, ErrCorrupt
		}
		v.AppendI128(x)
		return rest, nil
	case types.ClassI256:
		x, rest, ok := decodeValue256(data)
		if !ok {
			return nil, ErrCorrupt
		}
		v.AppendI256(x)
		return rest, nil
	case types.ClassBytes:
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return nil, ErrCorrupt
		}
		v.AppendBytes(data[n : n+int(size)])
		return data[n+int(size):], nil
	case types.ClassList:
		return decodeValueList(data, v, depth+1)
	}
	data, err := decodeFields(data, v.Child, depth+1)
	if err == nil {
		v.EndStruct()
	}
	return data, err
}

func decodeValue128(data []byte, k types.Kind) (x types.Int128, rest []byte, ok bool) {
	if k == types.Interval {
		hi, n := binary.Varint(data)
		if n <= 0 {
			return x, nil, false
		}
		lo, m := binary.Varint(data[n:])
		return types.IntervalOf(hi, lo), data[n+max(m, 0):], m > 0
	}
	if len(data) == 0 {
		return x, nil, false
	}
	if data[0] == 0 {
		small, n := binary.Varint(data[1:])
		return types.I128(small), data[1+max(n, 0):], n > 0
	}
	if data[0] != 1 || len(data) < 17 {
		return x, nil, false
	}
	x = types.Int128{Lo: binary.LittleEndian.Uint64(data[1:]), Hi: int64(binary.LittleEndian.Uint64(data[9:]))}
	return x, data[17:], true
}

func decodeValueList(data []byte, v *vector.Vector, depth int) ([]byte, error) {
	count, n := binary.Uvarint(data)
	if n <= 0 || depth > maxNesting || count > 8*uint64(len(data)) {
		return nil, ErrCorrupt
	}
	data = data[n:]
	size := int(count+7) / 8
	for _, c := range v.Child {
		if len(data) < size {
			return nil, ErrCorrupt
		}
		bitmap := data[:size]
		data = data[size:]
		for j := range int(count) {
			if bitmap[j>>3]&(1<<(j&7)) != 0 {
				c.AppendNull()
				continue
			}
			var err error
			if data, err = decodeValue(data, c, depth); err != nil {
				return nil, err
			}
		}
	}
	v.EndList()
	return data, nil
}
