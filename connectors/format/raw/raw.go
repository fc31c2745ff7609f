package raw

import (
	"unicode/utf8"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func init() {
	format.Register(&format.Spec{
		Name: "raw",
		Doc: "the record's bytes are the one VARCHAR, VARBINARY or JSON column; a second column that is the primary key, or METADATA " +
			"FROM 'key', is the record's key",
		Example: `CREATE SINK raw_trips (message VARCHAR, vehicle VARCHAR, PRIMARY KEY (vehicle) NOT ENFORCED)
WITH (connector='kafka', topic='trips', format='raw') AS SELECT raw, vehicle_id FROM sim`,
		Decoder: newDecoder,
		Encoder: newEncoder,
	})
}

// valueColumn finds the one column that holds the record; key columns of a sink do not count when another is left.
func valueColumn(cols []connectors.Column, key []int) (int, error) {
	isKey := make([]bool, len(cols))
	for _, k := range key {
		isKey[k] = true
	}
	found, others := -1, 0
	for i, c := range cols {
		if c.MetadataKey != "" {
			continue
		}
		if isKey[i] && len(cols) > 1 {
			continue
		}
		others++
		found = i
	}
	switch {
	case others != 1:
		return 0, diag.New(diag.BadOption, -1, "format 'raw' needs exactly one column for the record, besides its key, not %d", others)
	case cols[found].Type.Class() != types.ClassBytes:
		return 0, diag.New(diag.TypeMismatch, -1, "format 'raw': column '%s' must be VARCHAR, VARBINARY or JSON, not %s", cols[found].Name, cols[found].Type)
	}
	return found, nil
}

type decoder struct {
	columns []connectors.Column
	value   int // -1: only metadata is wanted
}

func newDecoder(cfg format.DecoderConfig) (format.Decoder, error) {
	d := &decoder{columns: cfg.Columns, value: -1}
	wanted := 0
	for _, c := range cfg.Columns {
		if c.MetadataKey == "" {
			wanted++
		} else if err := format.CheckMeta(c); err != nil {
			return nil, err
		}
	}
	if wanted == 0 {
		return d, nil
	}
	var err error
	d.value, err = valueColumn(cfg.Columns, nil)
	return d, err
}

// Decode appends the record as it is.
func (d *decoder) Decode(record []byte, meta *format.Meta, dst *vector.Batch) *diag.Error {
	if d.value >= 0 && d.columns[d.value].Type.Kind != types.Bytes && !utf8.Valid(record) {
		return diag.New(diag.MalformedRecord, -1, "the record is not valid UTF-8").WithHint("declare the column as VARBINARY")
	}
	for i, c := range d.columns {
		if i == d.value {
			dst.Cols[i].AppendBytes(record)
		} else {
			format.AppendMeta(dst.Cols[i], c.MetadataKey, meta)
		}
	}
	dst.EndRow(vector.Insert)
	return nil
}

type encoder struct {
	value int
	key   format.KeyEncoder
}

func newEncoder(cfg format.EncoderConfig) (format.Encoder, error) {
	value, err := valueColumn(cfg.Columns, cfg.Key)
	if err != nil {
		return nil, err
	}
	if len(cfg.Key) > 1 {
		return nil, diag.New(diag.BadOption, -1, "format 'raw' takes a key of one column, not %d", len(cfg.Key))
	}
	return &encoder{value: value, key: format.NewKeyEncoder(cfg.Columns, cfg.Key, nil)}, nil
}

// Encode appends the column's bytes; NULL gives an empty record.
func (e *encoder) Encode(dst []byte, b *vector.Batch, row int) ([]byte, error) {
	if v := b.Cols[e.value]; !v.IsNull(row) {
		dst = append(dst, v.Bytes(row)...)
	}
	return dst, nil
}

// Key appends the record's key.
func (e *encoder) Key(dst []byte, b *vector.Batch, row int) ([]byte, bool) {
	return e.key.Append(dst, b, row)
}
