package format

import (
	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// ObjectWriter appends some columns of a row as one object; it writes keys of several columns.
type ObjectWriter func(dst []byte, b *vector.Batch, row int, which []int) []byte

// KeyEncoder writes record keys for encoders: a column with MetadataKey "key" wins, then the key columns; one column is written as its
// plain text, several by the format's ObjectWriter.
type KeyEncoder struct {
	which  []int
	object ObjectWriter
}

// NewKeyEncoder makes a KeyEncoder; object may be nil when there is at most one key column.
func NewKeyEncoder(cols []connectors.Column, key []int, object ObjectWriter) KeyEncoder {
	for i, c := range cols {
		if c.MetadataKey == MetaKey {
			key = []int{i}
		}
	}
	return KeyEncoder{which: key, object: object}
}

// Append appends the row's key; false when the relation has none or a single key column is NULL.
func (k *KeyEncoder) Append(dst []byte, b *vector.Batch, row int) ([]byte, bool) {
	switch {
	case len(k.which) == 0:
		return dst, false
	case len(k.which) > 1:
		return k.object(dst, b, row, k.which), true
	}
	v := b.Cols[k.which[0]]
	if v.IsNull(row) {
		return dst, false
	}
	if class := v.Type.Class(); k.object != nil && (class == types.ClassList || class == types.ClassStruct) {
		return k.object(dst, b, row, k.which), true
	}
	return AppendScalar(dst, v, row, TimeISO), true
}
