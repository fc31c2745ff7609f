package json

import (
	"math"
	"strconv"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// encoder writes rows as JSON objects: every column in order, NULL as null, decimals as exact numbers, bytes in base64.
type encoder struct {
	cols   []connectors.Column
	fields []encField // of the record's value
	op     []byte     // `"op":` with its comma and quote: the text before the change kind; nil: none
	key    format.KeyEncoder
	style  format.TimeStyle
}

type encField struct {
	col   int
	token []byte // `{"name":` or `,"name":`
}

func newEncoder(cfg format.EncoderConfig) (format.Encoder, error) {
	e := &encoder{cols: cfg.Columns, style: format.TimeStyleOf(cfg.Options.String("timestamp_format"))}
	for i, c := range cfg.Columns {
		if c.MetadataKey != "" {
			continue
		}
		e.fields = append(e.fields, encField{col: i, token: token(c.Name, len(e.fields) == 0)})
	}
	if op := cfg.Options.String("op_field"); op != "" {
		e.op = append(token(op, len(e.fields) == 0), '"')
	}
	e.key = format.NewKeyEncoder(cfg.Columns, cfg.Key, e.object)
	return e, nil
}

func token(name string, first bool) []byte {
	dst := []byte{','}
	if first {
		dst[0] = '{'
	}
	return append(format.AppendJSONString(dst, []byte(name)), ':')
}

// Encode appends the row as one JSON object.
func (e *encoder) Encode(dst []byte, b *vector.Batch, row int) ([]byte, error) {
	for i := range e.fields {
		f := &e.fields[i]
		dst = append(dst, f.token...)
		dst = e.value(dst, b.Cols[f.col], row)
	}
	if e.op != nil {
		dst = append(dst, e.op...)
		dst = append(dst, b.Change(row).String()...)
		dst = append(dst, '"')
	} else if len(e.fields) == 0 {
		dst = append(dst, '{')
	}
	return append(dst, '}'), nil
}

// Key appends the record's key.
func (e *encoder) Key(dst []byte, b *vector.Batch, row int) ([]byte, bool) {
	return e.key.Append(dst, b, row)
}

// object writes some columns as an object; it serves keys of several columns.
func (e *encoder) object(dst []byte, b *vector.Batch, row int, which []int) []byte {
	for i, c := range which {
		if i == 0 {
			dst = append(dst, '{')
		} else {
			dst = append(dst, ',')
		}
		dst = append(format.AppendJSONString(dst, []byte(e.cols[c].Name)), ':')
		dst = e.value(dst, b.Cols[c], row)
	}
	return append(dst, '}')
}

func (e *encoder) value(dst []byte, v *vector.Vector, i int) []byte {
	return AppendValue(dst, v, i, e.style)
}

// AppendValue appends row i of a column as a JSON value.
func AppendValue(dst []byte, v *vector.Vector, i int, style format.TimeStyle) []byte {
	if v.IsNull(i) {
		return append(dst, "null"...)
	}
	switch k := v.Type.Kind; k {
	case types.String:
		return format.AppendJSONString(dst, v.Bytes(i))
	case types.JSON:
		return appendRaw(dst, v.Bytes(i))
	case types.Float32, types.Float64:
		if f := v.F64[i]; math.IsNaN(f) || math.IsInf(f, 0) {
			return append(dst, "null"...)
		}
	case types.Datetime, types.Timestamp:
		if style == format.TimeEpochMs {
			return format.AppendTime(dst, v, i, style)
		}
		return append(format.AppendTime(append(dst, '"'), v, i, style), '"')
	case types.Bytes, types.Date, types.Time, types.Interval:
		return append(format.AppendScalar(append(dst, '"'), v, i, style), '"')
	case types.Enum, types.Set:
		var room [64]byte
		return format.AppendJSONString(dst, v.Type.AppendListed(room[:0], v.I64[i]))
	case types.Year:
		return strconv.AppendInt(dst, v.I64[i], 10)
	case types.Point:
		return types.AppendLonLat(dst, v.I128[i])
	case types.Array:
		return appendArray(dst, v, i, style)
	case types.Map:
		return appendMap(dst, v, i, style)
	case types.Struct:
		return appendStruct(dst, v, i, style)
	case types.Null:
		return append(dst, "null"...)
	}
	return format.AppendScalar(dst, v, i, style)
}

// appendRaw copies JSON text; line ends, which can only stand between its tokens, become spaces so that a record stays one line.
func appendRaw(dst, s []byte) []byte {
	for _, c := range s {
		if c == '\n' || c == '\r' {
			c = ' '
		}
		dst = append(dst, c)
	}
	return dst
}

func appendArray(dst []byte, v *vector.Vector, i int, style format.TimeStyle) []byte {
	dst = append(dst, '[')
	for j := v.Off[i]; j < v.Off[i+1]; j++ {
		if j > v.Off[i] {
			dst = append(dst, ',')
		}
		dst = AppendValue(dst, v.Child[0], int(j), style)
	}
	return append(dst, ']')
}

func appendMap(dst []byte, v *vector.Vector, i int, style format.TimeStyle) []byte {
	dst = append(dst, '{')
	keys := v.Child[0]
	for j := v.Off[i]; j < v.Off[i+1]; j++ {
		if j > v.Off[i] {
			dst = append(dst, ',')
		}
		if keys.Type.Kind == types.String || keys.Type.Kind.IsListed() {
			var room [64]byte
			dst = format.AppendJSONString(dst, format.AppendScalar(room[:0], keys, int(j), style))
		} else {
			dst = append(format.AppendScalar(append(dst, '"'), keys, int(j), style), '"')
		}
		dst = append(dst, ':')
		dst = AppendValue(dst, v.Child[1], int(j), style)
	}
	return append(dst, '}')
}

func appendStruct(dst []byte, v *vector.Vector, i int, style format.TimeStyle) []byte {
	dst = append(dst, '{')
	for j, f := range v.Type.Fields {
		if j > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = appendFieldName(dst, f.Name)
		dst = append(dst, '"', ':')
		dst = AppendValue(dst, v.Child[j], i, style)
	}
	return append(dst, '}')
}

// appendFieldName writes a name without allocating for the usual ones, which need no escapes.
func appendFieldName(dst []byte, name string) []byte {
	for i := range len(name) {
		if c := name[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x80 {
			quoted := format.AppendJSONString(nil, []byte(name))
			return append(dst, quoted[1:len(quoted)-1]...)
		}
	}
	return append(dst, name...)
}
