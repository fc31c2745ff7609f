package parquet

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// Reader reads the rows of one file in order. It is not safe for concurrent use.
type Reader struct {
	path    string
	file    *file.Reader
	columns []*column // wanted leaves
	meta    []metaColumn
	notNull []string // per column of the batch: its name when it is NOT NULL

	row, rows int64 // read so far, in all
	group     int   // the open row group; -1: none
	left      int64 // rows left in it
}

type metaColumn struct {
	col int
	key string
}

// Open opens a file and checks that it has the wanted columns with fitting types.
func Open(path string, cols []connectors.Column) (r *Reader, err error) {
	defer caught(&err)
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		return nil, err
	}
	r = &Reader{path: path, file: f, rows: f.NumRows(), group: -1, notNull: make([]string, len(cols))}
	for i, c := range cols {
		if c.MetadataKey != "" {
			err = format.CheckMeta(c)
			r.meta = append(r.meta, metaColumn{col: i, key: c.MetadataKey})
		} else {
			err = r.want(i, c)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		if c.NotNull {
			r.notNull[i] = c.Name
		}
	}
	return r, nil
}

// want looks the column up by name: exactly, else without case.
func (r *Reader) want(i int, c connectors.Column) error {
	root := r.file.MetaData().Schema.Root()
	found := -1
	var names []string
	for f := range root.NumFields() {
		name := root.Field(f).Name()
		names = append(names, name)
		if name == c.Name {
			found = f
			break
		}
		if found < 0 && strings.EqualFold(name, c.Name) {
			found = f
		}
	}
	if found < 0 {
		err := diag.New(diag.MissingField, -1, "'%s' has no column '%s'", r.path, c.Name)
		if near := diag.Suggest(c.Name, names); near != "" {
			return err.WithHint("did you mean '%s'?", near)
		}
		return err.WithHint("it has %s", strings.Join(names, ", "))
	}
	leaf := r.file.MetaData().Schema.ColumnIndexByNode(root.Field(found))
	if leaf < 0 {
		return diag.New(diag.NotSupported, -1, "'%s': column '%s' is nested, which is not read from Parquet", r.path, c.Name)
	}
	col, err := newColumn(i, c, leaf, r.file.MetaData().Schema.Column(leaf))
	if err != nil {
		return err
	}
	r.columns = append(r.columns, col)
	return nil
}

// Rows returns how many rows the file has, Row how many have been read or passed over.
func (r *Reader) Rows() int64 { return r.rows }

// Row returns how many rows have been read or passed over.
func (r *Reader) Row() int64 { return r.row }

// SkipTo goes to a row; it must be called before Read.
func (r *Reader) SkipTo(row int64) (err error) {
	defer caught(&err)
	if row > r.rows {
		return diag.New(diag.FileAccess, -1, "'%s' has %d rows, but %d had been read", r.path, r.rows, row).
			WithHint("something else has replaced the file")
	}
	for r.row < row {
		if err := r.nextGroup(); err != nil {
			return err
		}
		skip := min(row-r.row, r.left)
		r.row, r.left = r.row+skip, r.left-skip
		if r.left == 0 {
			continue
		}
		for _, c := range r.columns {
			if err := c.chunk.SeekToRow(skip); err != nil {
				return fmt.Errorf("seeking to row %d of %s: %w", row, r.path, err)
			}
		}
	}
	return nil
}

// nextGroup opens the next row group that has rows.
func (r *Reader) nextGroup() error {
	for r.left == 0 {
		r.group++
		g := r.file.RowGroup(r.group)
		r.left = g.NumRows()
		for _, c := range r.columns {
			if err := c.open(g); err != nil {
				return fmt.Errorf("opening row group %d of %s: %w", r.group, r.path, err)
			}
		}
	}
	return nil
}

// Read appends up to limit rows to dst; fewer only at the end of a row group, none only at the end of the file. After an error dst is
// as it was before and the reader must not be used again.
func (r *Reader) Read(dst *vector.Batch, limit int) (err error) {
	defer caught(&err)
	if r.row == r.rows || limit <= 0 {
		return nil
	}
	if err := r.nextGroup(); err != nil {
		return err
	}
	n := int(min(int64(limit), r.left))
	for _, c := range r.columns {
		v := dst.Cols[c.target]
		if err := c.read(v, n); err != nil {
			format.Rollback(dst)
			return fmt.Errorf("reading column %s of %s: %w", c.name, r.path, err)
		}
		if name := r.notNull[c.target]; name != "" && v.HasNulls() && hasNull(v, dst.N) {
			format.Rollback(dst)
			return diag.New(diag.MissingField, -1, "'%s': column '%s' holds NULL, but is declared NOT NULL", r.path, name)
		}
	}
	m := format.Meta{File: r.path}
	for i := range n {
		m.Line = r.row + int64(i) + 1
		m.Offset = m.Line - 1
		for _, c := range r.meta {
			format.AppendMeta(dst.Cols[c.col], c.key, &m)
		}
		dst.EndRow(vector.Insert)
	}
	r.row, r.left = r.row+int64(n), r.left-int64(n)
	return nil
}

func hasNull(v *vector.Vector, from int) bool {
	for i := from; i < v.N; i++ {
		if v.IsNull(i) {
			return true
		}
	}
	return false
}

// caught turns a panic of the Parquet library, which damaged files can cause, into an error.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = diag.New(diag.FileAccess, -1, "the Parquet file is damaged: %v", p)
	}
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }
