package vector

import (
	"bytes"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
)

// FitBytes ends a row whose bytes the caller has appended to Data, made to fit the type's length as MySQL's strict mode does on
// assignment: CHAR(n) loses trailing spaces, BINARY(n) is filled with zero bytes, spaces beyond the length are cut. False, and the
// row's bytes dropped, when anything else is too long. (MySQL 8 manual, 11.3.2 and 11.3.3.)
func (v *Vector) FitBytes() bool {
	if v.Type.Precision == 0 {
		v.EndBytes()
		return true
	}
	start := int(v.Off[v.N])
	s := v.Data[start:]
	size, ok := FitLength(s, v.Type)
	if !ok {
		v.Data = v.Data[:start]
		return false
	}
	v.Data = v.Data[:start+min(size, len(s))]
	for len(v.Data) < start+size {
		v.Data = append(v.Data, 0)
	}
	v.EndBytes()
	return true
}

// FitLength tells how many bytes a text has in a VARCHAR(n), CHAR(n), VARBINARY(n) or BINARY(n), fewer than len(s) when spaces are
// cut, more when zero bytes are to be added; ok is false when it is too long.
func FitLength(s []byte, t types.Type) (size int, ok bool) {
	if t.Kind == types.Bytes {
		if t.Fixed {
			return t.Precision, len(s) <= t.Precision
		}
		return len(s), len(s) <= t.Precision
	}
	size = len(s)
	if size > t.Precision && utf8.RuneCount(s) > t.Precision {
		size = charsLength(s, t.Precision)
		if len(bytes.TrimLeft(s[size:], " ")) > 0 {
			return len(s), false
		}
	}
	if t.Fixed {
		size = len(bytes.TrimRight(s[:size], " "))
	}
	return size, true
}

// charsLength is the length in bytes of the first n characters.
func charsLength(s []byte, n int) int {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		_, size := utf8.DecodeRune(s[i:])
		i += size
	}
	return i
}
