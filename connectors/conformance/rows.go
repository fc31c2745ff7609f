package conformance

import (
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/connectors/format/json"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// NewBatch makes a batch of columns.
func NewBatch(cols []connectors.Column) *vector.Batch {
	fields := make([]types.Field, len(cols))
	for i, c := range cols {
		fields[i] = types.Field{Name: c.Name, Type: c.Type}
	}
	return vector.NewBatch(fields, 64)
}

// Render gives a row as text, change kind first; equal rows give equal texts.
func Render(b *vector.Batch, row int) string {
	dst := append([]byte(b.Change(row).String()), '[')
	for i, c := range b.Cols {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = json.AppendValue(dst, c, row, format.TimeISO)
	}
	return string(append(dst, ']'))
}

// Fill appends rows written as JSON objects.
func Fill(t testing.TB, b *vector.Batch, cols []connectors.Column, opts connectors.Values, rows ...string) {
	t.Helper()
	d, err := format.NewDecoder("json", cols, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := d.Decode([]byte(r), nil, b); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
	}
}

// pad fills a batch with rows that do not matter, so that a reader has room for `room` rows only.
func pad(b *vector.Batch, room int) {
	for b.N < vector.MaxRows-room {
		for _, c := range b.Cols {
			c.AppendNull()
		}
		b.EndRow(vector.Insert)
	}
}
