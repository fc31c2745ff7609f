package kafka

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// rowDecoder turns records into rows; with keys, a record without a value deletes the row of its key.
type rowDecoder struct {
	values format.Decoder
	keys   *keyDecoder // nil: the topic is no changelog by key
}

func (d *rowDecoder) decode(rec *kgo.Record, meta *format.Meta, dst *vector.Batch) *diag.Error {
	if d.keys != nil && rec.Value == nil {
		return d.keys.delete(rec.Key, meta, dst)
	}
	return d.values.Decode(rec.Value, meta, dst)
}

// keyDecoder reads key columns from a record's key: a JSON object of them or, for one column, its bare value.
type keyDecoder struct {
	columns []connectors.Column
	key     []int // columns of the key within columns
	decoder format.Decoder
	row     *vector.Batch // scratch: one row of the key columns
	text    []byte        // scratch
}

func newKeyDecoder(columns []connectors.Column, key []string) (*keyDecoder, error) {
	d := &keyDecoder{columns: columns}
	var keyColumns []connectors.Column
	var fields []types.Field
	for _, name := range key {
		i := slices.IndexFunc(columns, func(c connectors.Column) bool { return strings.EqualFold(c.Name, name) })
		if i < 0 {
			return nil, diag.New(diag.NoKey, -1, "key column '%s' is not among the columns that are read", name)
		}
		d.key = append(d.key, i)
		c := columns[i]
		c.MetadataKey = ""
		keyColumns = append(keyColumns, c)
		fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
	}
	spec, err := format.Lookup("json")
	if err != nil {
		return nil, err
	}
	options, err := connectors.CheckOptions(nil, spec.Options)
	if err != nil {
		return nil, err
	}
	d.decoder, err = format.NewDecoder("json", keyColumns, options)
	d.row = vector.NewBatch(fields, 1)
	return d, err
}

// delete appends the -D row of a key: its other columns are NULL.
func (d *keyDecoder) delete(key []byte, meta *format.Meta, dst *vector.Batch) *diag.Error {
	if key == nil {
		return diag.New(diag.MalformedRecord, -1, "a record without key and value deletes nothing")
	}
	d.row.Reset()
	if err := d.decoder.Decode(d.object(key), meta, d.row); err != nil {
		return err
	}
	for i, c := range d.columns {
		switch k := slices.Index(d.key, i); {
		case k >= 0:
			dst.Cols[i].AppendFrom(d.row.Cols[k], 0)
		case c.MetadataKey != "":
			format.AppendMeta(dst.Cols[i], c.MetadataKey, meta)
		default:
			dst.Cols[i].AppendNull()
		}
	}
	dst.EndRow(vector.Delete)
	return nil
}

// object makes a JSON object of a bare key.
func (d *keyDecoder) object(key []byte) []byte {
	if len(d.key) != 1 || len(key) > 0 && key[0] == '{' {
		return key
	}
	c := d.columns[d.key[0]]
	d.text = append(format.AppendJSONString(append(d.text[:0], '{'), []byte(c.Name)), ':')
	if bare := c.Type.Kind.IsNumeric() || c.Type.Kind == types.Bool; bare || len(key) > 1 && key[0] == '"' && key[len(key)-1] == '"' {
		d.text = append(d.text, key...)
	} else {
		d.text = format.AppendJSONString(d.text, key)
	}
	return append(d.text, '}')
}
