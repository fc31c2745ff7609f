package mysqlwire

import (
	"encoding/binary"
	"math"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// isNull tells whether a client sees NULL: MySQL has no infinities and no NaN.
func isNull(v *vector.Vector, i int) bool {
	if v.IsNull(i) || v.Type.Kind == types.Null {
		return true
	}
	return v.Type.Kind.IsFloat() && v.F64[i]-v.F64[i] != 0
}

// appendTextValue appends a value of a text row. What the value's text is goes to scratch first, as its length stands in front; the
// possibly grown scratch is returned.
func appendTextValue(dst, scratch []byte, v *vector.Vector, i int) (row, grown []byte) {
	if isNull(v, i) {
		return append(dst, 0xfb), scratch
	}
	scratch = appendText(scratch[:0], v, i)
	return appendLenString(dst, scratch), scratch
}

// appendText gives a value's text with all digits of a second that the column has, as MySQL does.
func appendText(dst []byte, v *vector.Vector, i int) []byte {
	switch v.Type.Kind {
	case types.Time:
		return types.AppendTime(dst, v.I64[i], v.Type.Precision)
	case types.Datetime, types.Timestamp:
		return types.AppendTimestamp(dst, v.I64[i], v.Type.Precision, false)
	}
	return function.AppendText(dst, v, i)
}

// appendBinaryValue appends a non-NULL value of a binary row.
func appendBinaryValue(dst, scratch []byte, v *vector.Vector, i int) (row, grown []byte) {
	switch v.Type.Kind {
	case types.Bool, types.Int8, types.Uint8:
		return append(dst, byte(v.I64[i])), scratch
	case types.Int16, types.Uint16, types.Year:
		return binary.LittleEndian.AppendUint16(dst, uint16(v.I64[i])), scratch
	case types.Int32, types.Uint32:
		return binary.LittleEndian.AppendUint32(dst, uint32(v.I64[i])), scratch
	case types.Int64, types.Uint64:
		return binary.LittleEndian.AppendUint64(dst, uint64(v.I64[i])), scratch
	case types.Float32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v.F64[i]))), scratch
	case types.Float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.F64[i])), scratch
	case types.Date:
		return appendBinaryDate(dst, v.I64[i], 0), scratch
	case types.Datetime, types.Timestamp:
		micros := types.CutFraction(v.I64[i], v.Type.Precision)
		days := types.FloorDiv(micros, types.Day)
		return appendBinaryDate(dst, days, micros-days*types.Day), scratch
	case types.Time:
		return appendBinaryTime(dst, types.CutFraction(v.I64[i], v.Type.Precision)), scratch
	}
	scratch = appendText(scratch[:0], v, i)
	return appendLenString(dst, scratch), scratch
}

// appendBinaryDate writes the shortest form: the date, the clock if there is one, the fraction if there is one.
func appendBinaryDate(dst []byte, days, micros int64) []byte {
	y, m, d := types.CivilFromDays(days)
	at := len(dst)
	dst = binary.LittleEndian.AppendUint16(append(dst, 4), uint16(y))
	dst = append(dst, byte(m), byte(d))
	if micros == 0 {
		return dst
	}
	dst[at] = 7
	dst = append(dst, byte(micros/types.Hour), byte(micros/types.Minute%60), byte(micros/types.Second%60))
	if micros%types.Second == 0 {
		return dst
	}
	dst[at] = 11
	return binary.LittleEndian.AppendUint32(dst, uint32(micros%types.Second))
}

func appendBinaryTime(dst []byte, micros int64) []byte {
	if micros == 0 {
		return append(dst, 0)
	}
	neg := byte(0)
	if micros < 0 {
		neg, micros = 1, -micros
	}
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(append(dst, 8, neg), uint32(micros/types.Day))
	dst = append(dst, byte(micros/types.Hour%24), byte(micros/types.Minute%60), byte(micros/types.Second%60))
	if micros%types.Second == 0 {
		return dst
	}
	dst[at] = 12
	return binary.LittleEndian.AppendUint32(dst, uint32(micros%types.Second))
}
