package function

import (
	"encoding/hex"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// AppendText appends the text form of row i, as CAST(x AS VARCHAR) gives it: NULL is the word NULL, booleans are 1 and 0, nested
// values are JSON.
func AppendText(dst []byte, v *vector.Vector, i int) []byte {
	if v.IsNull(i) {
		return append(dst, "NULL"...)
	}
	switch v.Type.Kind {
	case types.Null:
		return append(dst, "NULL"...)
	case types.Enum, types.Set:
		return v.Type.AppendListed(dst, v.I64[i])
	case types.Year:
		return types.AppendYear(dst, v.I64[i])
	case types.Point:
		return types.AppendPoint(dst, v.I128[i])
	case types.Uint64:
		return strconv.AppendUint(dst, uint64(v.I64[i]), 10)
	case types.Float64:
		return appendFloat(dst, v.F64[i], 64)
	case types.Float32:
		return appendFloat(dst, v.F64[i], 32)
	case types.Decimal:
		if v.Type.Class() == types.ClassI256 {
			return types.AppendWide(dst, v.I256[i], v.Type.Scale)
		}
		return types.AppendDecimal(dst, v.I128[i], v.Type.Scale)
	case types.String, types.Bytes, types.JSON:
		return append(dst, v.Bytes(i)...)
	case types.Date:
		return types.AppendDate(dst, v.I64[i])
	case types.Time:
		return types.AppendTime(dst, v.I64[i], shownDigits(v.I64[i], v.Type.Precision))
	case types.Datetime, types.Timestamp:
		return types.AppendTimestamp(dst, v.I64[i], shownDigits(v.I64[i], v.Type.Precision), false)
	case types.Interval:
		return types.AppendInterval(dst, v.I128[i])
	case types.Array, types.Map, types.Struct:
		return AppendJSON(dst, v, i)
	}
	return strconv.AppendInt(dst, v.I64[i], 10)
}

// AppendRow appends row i of a batch for people: [a, b, NULL].
func AppendRow(dst []byte, b *vector.Batch, i int) []byte {
	dst = append(dst, '[')
	for c, col := range b.Cols {
		if c > 0 {
			dst = append(dst, ", "...)
		}
		dst = AppendText(dst, col, i)
	}
	return append(dst, ']')
}

// shownDigits shows the fraction of a second in steps of three digits, only as far as there is one.
func shownDigits(micros int64, precision int) int {
	switch {
	case micros%types.Second == 0:
		return 0
	case micros%types.Millisecond == 0:
		return min(precision, 3)
	}
	return precision
}

// appendFloat writes the shortest text that reads back the same; exponents only outside 1e-5..1e15, as MySQL does.
func appendFloat(dst []byte, f float64, size int) []byte {
	if size == 32 {
		f = float64(float32(f))
	}
	abs := math.Abs(f)
	if abs != 0 && (abs < 1e-5 || abs >= 1e15) {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'e', -1, size)
		return trimExponent(dst, start)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, size)
}

// trimExponent turns 1e+20 into 1e20 and 1e-07 into 1e-7.
func trimExponent(dst []byte, start int) []byte {
	for i := start; i < len(dst); i++ {
		if dst[i] != 'e' {
			continue
		}
		j := i + 1
		if j < len(dst) && dst[j] == '-' {
			j++
		}
		k := j
		for k < len(dst)-1 && (dst[k] == '+' || dst[k] == '0') {
			k++
		}
		return append(dst[:j], dst[k:]...)
	}
	return dst
}

// AppendJSON appends row i as JSON: numbers and booleans bare, JSON as it stands, everything else quoted, NULL as null.
func AppendJSON(dst []byte, v *vector.Vector, i int) []byte {
	if v.IsNull(i) {
		return append(dst, "null"...)
	}
	switch k := v.Type.Kind; {
	case k == types.Null:
		return append(dst, "null"...)
	case k == types.Bool:
		return strconv.AppendBool(dst, v.I64[i] != 0)
	case k.IsInteger(), k == types.Decimal:
		return AppendText(dst, v, i)
	case k == types.Year: // no leading zeros
		return strconv.AppendInt(dst, v.I64[i], 10)
	case k.IsListed():
		var room [64]byte
		return AppendQuoted(dst, v.Type.AppendListed(room[:0], v.I64[i]))
	case k == types.Point: // as MySQL does it
		dst = append(dst, `{"type": "Point", "coordinates": `...)
		return append(types.AppendLonLat(dst, v.I128[i]), '}')
	case k.IsFloat():
		if f := v.F64[i]; f-f != 0 { // JSON has no infinities
			return append(dst, "null"...)
		}
		return AppendText(dst, v, i)
	case k == types.JSON:
		return append(dst, v.Bytes(i)...)
	case k == types.String:
		return AppendQuoted(dst, v.Bytes(i))
	case k == types.Bytes:
		dst = append(dst, '"')
		dst = hex.AppendEncode(dst, v.Bytes(i))
		return append(dst, '"')
	case k == types.Array:
		return appendJSONArray(dst, v, i)
	case k == types.Map:
		return appendJSONMap(dst, v, i)
	case k == types.Struct:
		return appendJSONStruct(dst, v, i)
	}
	dst = append(dst, '"')
	return append(AppendText(dst, v, i), '"')
}

func appendJSONArray(dst []byte, v *vector.Vector, i int) []byte {
	dst = append(dst, '[')
	for j := v.Off[i]; j < v.Off[i+1]; j++ {
		if j > v.Off[i] {
			dst = append(dst, ", "...)
		}
		dst = AppendJSON(dst, v.Child[0], int(j))
	}
	return append(dst, ']')
}

func appendJSONMap(dst []byte, v *vector.Vector, i int) []byte {
	dst = append(dst, '{')
	for j := v.Off[i]; j < v.Off[i+1]; j++ {
		if j > v.Off[i] {
			dst = append(dst, ", "...)
		}
		if key := v.Child[0]; key.Type.Class() == types.ClassBytes { // keys are strings whatever they were
			dst = AppendQuoted(dst, key.Bytes(int(j)))
		} else {
			dst = append(dst, '"')
			dst = append(AppendText(dst, key, int(j)), '"')
		}
		dst = append(dst, ": "...)
		dst = AppendJSON(dst, v.Child[1], int(j))
	}
	return append(dst, '}')
}

func appendJSONStruct(dst []byte, v *vector.Vector, i int) []byte {
	dst = append(dst, '{')
	for c, child := range v.Child {
		if c > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendQuotedString(dst, v.Type.Fields[c].Name)
		dst = append(dst, ": "...)
		dst = AppendJSON(dst, child, i)
	}
	return append(dst, '}')
}

func appendQuotedString(dst []byte, s string) []byte {
	var room [64]byte
	return AppendQuoted(dst, append(room[:0], s...))
}

// AppendQuoted appends s as a JSON string. Bytes that are no UTF-8 become U+FFFD.
func AppendQuoted(dst, s []byte) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '\r':
			dst = append(dst, `\r`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
