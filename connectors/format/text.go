package format

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// TimeStyle says how instants are written.
type TimeStyle uint8

// The time styles.
const (
	TimeISO     TimeStyle = iota // 2026-01-02T10:00:00.000Z
	TimeSQL                      // 2026-01-02 10:00:00.000
	TimeEpochMs                  // 1767348000000
)

// TimeStyleOf maps the option timestamp_format.
func TimeStyleOf(option string) TimeStyle {
	switch option {
	case "sql":
		return TimeSQL
	case "epoch_ms":
		return TimeEpochMs
	}
	return TimeISO
}

// AppendScalar appends the plain text of row i of a column that is neither NULL nor nested: strings as they are, numbers in
// decimal, BOOLEAN as true/false, bytes in base64.
func AppendScalar(dst []byte, v *vector.Vector, i int, style TimeStyle) []byte {
	switch k := v.Type.Kind; k {
	case types.Bool:
		return strconv.AppendBool(dst, v.I64[i] != 0)
	case types.Int8, types.Int16, types.Int32, types.Int64:
		return strconv.AppendInt(dst, v.I64[i], 10)
	case types.Uint8, types.Uint16, types.Uint32, types.Uint64:
		return strconv.AppendUint(dst, uint64(v.I64[i]), 10)
	case types.Float32, types.Float64:
		return AppendFloat(dst, v.F64[i], k)
	case types.Year:
		return types.AppendYear(dst, v.I64[i])
	case types.Enum, types.Set:
		return v.Type.AppendListed(dst, v.I64[i])
	case types.Point:
		return types.AppendPoint(dst, v.I128[i])
	case types.Decimal:
		if v.Type.Class() == types.ClassI256 {
			return types.AppendWide(dst, v.I256[i], v.Type.Scale)
		}
		return AppendDecimal(dst, v.I128[i], v.Type.Scale)
	case types.Interval:
		return types.AppendInterval(dst, v.I128[i])
	case types.Bytes:
		return base64.StdEncoding.AppendEncode(dst, v.Bytes(i))
	case types.String, types.JSON:
		return append(dst, v.Bytes(i)...)
	case types.Date, types.Time, types.Datetime, types.Timestamp:
		return AppendTime(dst, v, i, style)
	}
	return dst
}

// AppendTime appends a temporal value. A DATETIME has no zone, so its ISO form has no Z.
func AppendTime(dst []byte, v *vector.Vector, i int, style TimeStyle) []byte {
	x := v.I64[i]
	switch v.Type.Kind {
	case types.Date:
		return types.AppendDate(dst, x)
	case types.Time:
		return types.AppendTime(dst, x, v.Type.Precision)
	}
	if style == TimeEpochMs {
		return strconv.AppendInt(dst, types.FloorDiv(x, types.Millisecond), 10)
	}
	dst = types.AppendTimestamp(dst, x, v.Type.Precision, style == TimeISO)
	if style == TimeISO && v.Type.Kind == types.Datetime {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// AppendFloat appends the shortest text that reads back as f; NaN and infinities have no number and give NaN, +Inf, -Inf.
func AppendFloat(dst []byte, f float64, k types.Kind) []byte {
	bits := 64
	if k == types.Float32 {
		bits = 32
	}
	abs, layout := math.Abs(f), byte('f')
	if abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		layout = 'e'
	}
	return strconv.AppendFloat(dst, f, layout, -1, bits)
}

// pow10 of the scales that fit 64 bits.
var pow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// AppendDecimal is types.AppendDecimal without allocation for values of up to 64 bits.
func AppendDecimal(dst []byte, v types.Int128, scale int) []byte {
	abs := v.Abs()
	if abs.Hi != 0 || scale >= len(pow10) {
		return types.AppendDecimal(dst, v, scale)
	}
	if v.IsNeg() {
		dst = append(dst, '-')
	}
	if scale == 0 {
		return strconv.AppendUint(dst, abs.Lo, 10)
	}
	dst = strconv.AppendUint(dst, abs.Lo/pow10[scale], 10)
	dst = append(dst, '.')
	rest := abs.Lo % pow10[scale]
	for p := scale - 1; p >= 0; p-- {
		dst = append(dst, byte('0'+rest/pow10[p]%10))
	}
	return dst
}
