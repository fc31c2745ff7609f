package csv

import (
	"bytes"

	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

type encoder struct {
	dialect
	cfg    format.EncoderConfig
	which  []int // value columns
	opName string
	style  format.TimeStyle
	key    format.KeyEncoder
}

func newEncoder(cfg format.EncoderConfig) (format.Encoder, error) {
	dia, err := newDialect(cfg.Options)
	if err != nil {
		return nil, err
	}
	e := &encoder{dialect: dia, cfg: cfg, opName: cfg.Options.String("op_field"), style: format.TimeStyleOf(cfg.Options.String("timestamp_format"))}
	for i, c := range cfg.Columns {
		if c.MetadataKey != "" {
			continue
		}
		if err := checkColumn(c); err != nil {
			return nil, err
		}
		e.which = append(e.which, i)
	}
	e.key = format.NewKeyEncoder(cfg.Columns, cfg.Key, e.keyRecord)
	return e, nil
}

// Header appends the header record.
func (e *encoder) Header(dst []byte) ([]byte, bool) {
	if !e.header {
		return dst, false
	}
	if e.opName != "" {
		dst = e.text(dst, []byte(e.opName))
	}
	for i, c := range e.which {
		if i > 0 || e.opName != "" {
			dst = append(dst, e.delimiter)
		}
		dst = e.text(dst, []byte(e.cfg.Columns[c].Name))
	}
	return dst, true
}

// Encode appends the row as one record; the change kind, when wanted, is the first field.
func (e *encoder) Encode(dst []byte, b *vector.Batch, row int) ([]byte, error) {
	if e.opName != "" {
		dst = append(dst, b.Change(row).String()...)
	}
	for i, c := range e.which {
		if i > 0 || e.opName != "" {
			dst = append(dst, e.delimiter)
		}
		dst = e.value(dst, b.Cols[c], row)
	}
	return dst, nil
}

// Key appends the record's key.
func (e *encoder) Key(dst []byte, b *vector.Batch, row int) ([]byte, bool) {
	return e.key.Append(dst, b, row)
}

// keyRecord writes a key of several columns as a record.
func (e *encoder) keyRecord(dst []byte, b *vector.Batch, row int, which []int) []byte {
	for i, c := range which {
		if i > 0 {
			dst = append(dst, e.delimiter)
		}
		dst = e.value(dst, b.Cols[c], row)
	}
	return dst
}

func (e *encoder) value(dst []byte, v *vector.Vector, i int) []byte {
	switch {
	case v.IsNull(i):
		return append(dst, e.nullText...)
	case v.Type.Kind == types.String || v.Type.Kind == types.JSON:
		return e.text(dst, v.Bytes(i))
	case v.Type.Kind.IsListed():
		var room [64]byte
		return e.text(dst, v.Type.AppendListed(room[:0], v.I64[i]))
	}
	return format.AppendScalar(dst, v, i, e.style)
}

// text quotes what would not read back as itself.
func (e *encoder) text(dst, s []byte) []byte {
	if !e.needsQuotes(s) {
		return append(dst, s...)
	}
	dst = append(dst, e.quote)
	for _, c := range s {
		if c == e.quote {
			dst = append(dst, c)
		}
		dst = append(dst, c)
	}
	return append(dst, e.quote)
}

func (e *encoder) needsQuotes(s []byte) bool {
	if string(s) == e.nullText || len(s) == 0 {
		return true
	}
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return true
	}
	return bytes.IndexByte(s, e.delimiter) >= 0 || bytes.IndexByte(s, e.quote) >= 0 || bytes.ContainsAny(s, "\r\n")
}
