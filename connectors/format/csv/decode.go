package csv

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// maxFields bounds the fields of one record.
const maxFields = 4096

// opTarget marks the field of the change kind among the targets of fields; unwanted the fields that no column takes.
const (
	opTarget = -2
	unwanted = -1
)

// field is one field of the record being decoded: its raw text, without quotes when quoted.
type field struct {
	text    []byte
	quoted  bool
	doubled bool // holds doubled quotes
}

type decoder struct {
	dialect
	columns []connectors.Column
	opName  string
	targets []int // per field: column, opTarget or unwanted
	byName  bool  // targets come from a header
	times   format.Times
	fields  []field
	scratch []byte
}

func newDecoder(cfg format.DecoderConfig) (format.Decoder, error) {
	dia, err := newDialect(cfg.Options)
	if err != nil {
		return nil, err
	}
	d := &decoder{dialect: dia, columns: cfg.Columns, opName: cfg.Options.String("op_field")}
	d.times.EpochUnit = format.EpochUnitOf(cfg.Options.String("epoch_unit"))
	if d.opName != "" {
		d.targets = append(d.targets, opTarget)
	}
	for i, c := range cfg.Columns {
		if c.MetadataKey != "" {
			err = format.CheckMeta(c)
		} else {
			err = checkColumn(c)
			d.targets = append(d.targets, i)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// WantsHeader tells whether files begin with a header.
func (d *decoder) WantsHeader() bool { return d.header }

// Header maps fields to columns by the names in record: the exact name first, else one that differs in case.
func (d *decoder) Header(record []byte) *diag.Error {
	record = bytes.TrimPrefix(record, []byte("\xEF\xBB\xBF"))
	if err := d.split(record); err != nil {
		return err
	}
	names := make([]string, len(d.fields))
	for i := range d.fields {
		names[i] = strings.TrimSpace(string(d.content(&d.fields[i])))
	}
	d.byName = true
	d.targets = make([]int, len(names))
	for i := range d.targets {
		d.targets[i] = unwanted
	}
	for i, c := range d.columns {
		if c.MetadataKey != "" {
			continue
		}
		if err := d.aim(names, c.Name, i); err != nil {
			return err
		}
	}
	if d.opName != "" {
		return d.aim(names, d.opName, opTarget)
	}
	return nil
}

func (d *decoder) aim(names []string, name string, target int) *diag.Error {
	found := -1
	for i, n := range names {
		if n == name {
			found = i
			break
		}
		if found < 0 && strings.EqualFold(n, name) {
			found = i
		}
	}
	if found < 0 {
		err := diag.New(diag.MissingField, -1, "column '%s' is not in the header", name)
		if near := diag.Suggest(name, names); near != "" {
			return err.WithHint("did you mean '%s'?", near)
		}
		return err.WithHint("the header has %s; without a header set header='false'", strings.Join(names, ", "))
	}
	d.targets[found] = target
	return nil
}

// Frame returns the length of the first record of data with its line end: line ends inside quoted fields belong to the field.
func (d *decoder) Frame(data []byte) int {
	i := 0
	for {
		nl := bytes.IndexByte(data[i:], '\n')
		if nl < 0 {
			return 0
		}
		q := bytes.IndexByte(data[i:i+nl], d.quote)
		if q < 0 {
			return i + nl + 1
		}
		// A quote opens a field only at its beginning; a doubled one inside closes and opens again, which changes nothing.
		i += q + 1
		if i > 1 && data[i-2] != d.delimiter {
			continue
		}
		if i = d.closing(data, i); i < 0 {
			return 0
		}
	}
}

// closing returns the index behind the quote that ends the field whose text begins at i; -1 when data ends before.
func (d *decoder) closing(data []byte, i int) int {
	for {
		end := bytes.IndexByte(data[i:], d.quote)
		if end < 0 {
			return -1
		}
		i += end + 1
		if i >= len(data) || data[i] != d.quote {
			return i
		}
		i++
	}
}

// split cuts a record into d.fields.
func (d *decoder) split(rec []byte) *diag.Error {
	if n := len(rec); n > 0 && rec[n-1] == '\r' {
		rec = rec[:n-1]
	}
	d.fields = d.fields[:0]
	for i := 0; ; {
		if len(d.fields) == maxFields {
			return diag.New(diag.MalformedRecord, -1, "malformed CSV: more than %d fields", maxFields)
		}
		if i < len(rec) && rec[i] == d.quote {
			next, err := d.quotedField(rec, i)
			if err != nil {
				return err
			}
			i = next
		} else {
			end := bytes.IndexByte(rec[i:], d.delimiter)
			if end < 0 {
				end = len(rec) - i
			}
			d.fields = append(d.fields, field{text: rec[i : i+end]})
			i += end
		}
		if i >= len(rec) {
			return nil
		}
		i++ // the delimiter
	}
}

// quotedField reads the field whose quote is at i and returns the index of the delimiter or end behind it.
func (d *decoder) quotedField(rec []byte, i int) (int, *diag.Error) {
	f := field{quoted: true}
	start := i + 1
	for i = start; ; i++ {
		end := bytes.IndexByte(rec[i:], d.quote)
		if end < 0 {
			return 0, diag.New(diag.MalformedRecord, -1, "malformed CSV at byte %d: a quoted field has no end", start-1)
		}
		i += end
		if i+1 >= len(rec) || rec[i+1] != d.quote {
			break
		}
		f.doubled = true
		i++
	}
	f.text = rec[start:i]
	if i++; i < len(rec) && rec[i] != d.delimiter {
		return 0, diag.New(diag.MalformedRecord, -1, "malformed CSV at byte %d: text behind a quoted field", i)
	}
	d.fields = append(d.fields, f)
	return i, nil
}

// content returns the field's text; it is valid until the next call.
func (d *decoder) content(f *field) []byte {
	if !f.doubled {
		return f.text
	}
	d.scratch = d.scratch[:0]
	for i := 0; i < len(f.text); i++ {
		d.scratch = append(d.scratch, f.text[i])
		if f.text[i] == d.quote {
			i++
		}
	}
	return d.scratch
}

// Decode appends the record's row to dst, or nothing and returns why.
func (d *decoder) Decode(record []byte, meta *format.Meta, dst *vector.Batch) *diag.Error {
	op, err := d.row(record, dst)
	if err != nil {
		format.Rollback(dst)
		return err
	}
	for i, c := range d.columns {
		if c.MetadataKey != "" {
			format.AppendMeta(dst.Cols[i], c.MetadataKey, meta)
		}
	}
	dst.EndRow(op)
	return nil
}

func (d *decoder) row(record []byte, dst *vector.Batch) (op vector.Change, err *diag.Error) {
	if err = d.split(record); err != nil {
		return op, err
	}
	if len(d.fields) != len(d.targets) {
		what := "table has"
		if d.byName {
			what = "header has"
		}
		return op, diag.New(diag.MalformedRecord, -1, "malformed CSV: the record has %d fields, the %s %d", len(d.fields), what, len(d.targets))
	}
	for i, target := range d.targets {
		f := &d.fields[i]
		switch {
		case target == opTarget:
			var ok bool
			if op, ok = vector.ParseChange(d.content(f)); !ok {
				return op, diag.New(diag.FieldType, -1, "field '%s': %q is no change kind (+I, -U, +U, -D)", d.opName, excerpt(f.text))
			}
		case target >= 0:
			if err = d.value(f, &d.columns[target], dst.Cols[target]); err != nil {
				return op, err
			}
		}
	}
	// One header name may serve two columns that differ in case only; the second has no value then.
	for i, c := range d.columns {
		if c.MetadataKey == "" && dst.Cols[i].N == dst.N {
			dst.Cols[i].AppendNull()
		}
	}
	return op, nil
}

func (d *decoder) value(f *field, c *connectors.Column, v *vector.Vector) *diag.Error {
	if !f.quoted && string(f.text) == d.nullText {
		if c.NotNull {
			return diag.New(diag.MissingField, -1, "field '%s' is NULL, but its column is NOT NULL", c.Name)
		}
		v.AppendNull()
		return nil
	}
	text := d.content(f)
	if c.Type.Kind.IsText() {
		if !utf8.Valid(text) {
			return diag.New(diag.MalformedRecord, -1, "field '%s' is not valid UTF-8", c.Name)
		}
	} else {
		text = bytes.TrimSpace(text)
	}
	if !d.times.AppendText(v, text) {
		return diag.New(diag.FieldType, -1, "field '%s': %q is no %s", c.Name, excerpt(text), c.Type)
	}
	return nil
}

// maxExcerpt bounds how much of a culprit a message shows.
const maxExcerpt = 48

func excerpt(b []byte) string {
	if len(b) > maxExcerpt {
		return string(b[:maxExcerpt]) + ".."
	}
	return string(b)
}
