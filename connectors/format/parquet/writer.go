package parquet

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Writer writes batches into one file with one row group. Every column may hold NULL. Close completes the file.
type Writer struct {
	cols  []connectors.Column
	file  *file.Writer
	group file.BufferedRowGroupWriter
	defs  []int16
	bools []bool
	i32   []int32
	i64   []int64
	f32   []float32
	f64   []float64
	bytes []parquet.ByteArray
	fixed []parquet.FixedLenByteArray
	data  []byte // of fixed
}

// NewWriter begins a file on w; types without a flat Parquet form are refused.
func NewWriter(w io.Writer, cols []connectors.Column) (*Writer, error) {
	fields := make(schema.FieldList, len(cols))
	for i, c := range cols {
		n, err := node(c)
		if err != nil {
			return nil, err
		}
		fields[i] = n
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, fmt.Errorf("making the Parquet schema: %w", err)
	}
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithCreatedBy("millrace"))
	out := &Writer{cols: cols}
	if out.file, err = file.NewParquetWriterWithError(w, root, file.WithWriterProps(props)); err != nil {
		return nil, fmt.Errorf("beginning a Parquet file: %w", err)
	}
	if out.group, err = out.file.AppendBufferedRowGroupChecked(); err != nil {
		return nil, fmt.Errorf("beginning a row group: %w", err)
	}
	return out, nil
}

// fixedDecimal is the length of decimals beyond 64 bits.
const fixedDecimal = 16

// node gives the Parquet form of a column.
func node(c connectors.Column) (schema.Node, error) {
	t := c.Type
	logical := func(l schema.LogicalType, physical parquet.Type, length int) (schema.Node, error) {
		return schema.NewPrimitiveNodeLogical(c.Name, parquet.Repetitions.Optional, l, physical, length, -1)
	}
	switch k := t.Kind; k {
	case types.Bool:
		return schema.NewBooleanNode(c.Name, parquet.Repetitions.Optional, -1), nil
	case types.Int8, types.Int16, types.Int32:
		return logical(schema.NewIntLogicalType(int8(8<<(k-types.Int8)), true), parquet.Types.Int32, -1)
	case types.Uint8, types.Uint16, types.Uint32:
		return logical(schema.NewIntLogicalType(int8(8<<(k-types.Uint8)), false), parquet.Types.Int32, -1)
	case types.Int64, types.Uint64:
		return logical(schema.NewIntLogicalType(64, k == types.Int64), parquet.Types.Int64, -1)
	case types.Float32:
		return schema.NewFloat32Node(c.Name, parquet.Repetitions.Optional, -1), nil
	case types.Float64:
		return schema.NewFloat64Node(c.Name, parquet.Repetitions.Optional, -1), nil
	case types.Decimal:
		l := schema.NewDecimalLogicalType(int32(t.Precision), int32(t.Scale))
		if t.Precision <= 18 {
			return logical(l, parquet.Types.Int64, -1)
		}
		return logical(l, parquet.Types.FixedLenByteArray, fixedDecimal)
	case types.String:
		return logical(schema.StringLogicalType{}, parquet.Types.ByteArray, -1)
	case types.JSON:
		return logical(schema.JSONLogicalType{}, parquet.Types.ByteArray, -1)
	case types.Bytes:
		return schema.NewByteArrayNode(c.Name, parquet.Repetitions.Optional, -1), nil
	case types.Date:
		return logical(schema.DateLogicalType{}, parquet.Types.Int32, -1)
	case types.Time:
		return logical(schema.NewTimeLogicalType(false, schema.TimeUnitMicros), parquet.Types.Int64, -1)
	case types.Datetime, types.Timestamp:
		return logical(schema.NewTimestampLogicalType(k == types.Timestamp, schema.TimeUnitMicros), parquet.Types.Int64, -1)
	}
	return nil, diag.New(diag.NotSupported, -1, "column '%s': %s cannot be written to Parquet", c.Name, t).
		WithHint("write its fields as columns of their own, or the value as JSON")
}

// Write appends the counting rows of b.
func (w *Writer) Write(b *vector.Batch) error {
	if b.Rows() == 0 {
		return nil
	}
	for i := range w.cols {
		cw, err := w.group.Column(i)
		if err == nil {
			err = w.column(cw, b, b.Cols[i])
		}
		if err != nil {
			return fmt.Errorf("writing column %s: %w", w.cols[i].Name, err)
		}
	}
	return nil
}

// column writes the values that are not NULL, and a level per row that says which are.
func (w *Writer) column(cw file.ColumnChunkWriter, b *vector.Batch, v *vector.Vector) (err error) {
	w.defs = w.defs[:0]
	rows := w.present(b, v)
	switch cw := cw.(type) {
	case *file.BooleanColumnChunkWriter:
		w.bools = w.bools[:0]
		for _, i := range rows {
			w.bools = append(w.bools, v.Bool(int(i)))
		}
		_, err = cw.WriteBatch(w.bools, w.defs, nil)
	case *file.Int32ColumnChunkWriter:
		w.i32 = w.i32[:0]
		for _, i := range rows {
			w.i32 = append(w.i32, int32(v.I64[i]))
		}
		_, err = cw.WriteBatch(w.i32, w.defs, nil)
	case *file.Int64ColumnChunkWriter:
		_, err = cw.WriteBatch(w.longs(v, rows), w.defs, nil)
	case *file.Float32ColumnChunkWriter:
		w.f32 = w.f32[:0]
		for _, i := range rows {
			w.f32 = append(w.f32, float32(v.F64[i]))
		}
		_, err = cw.WriteBatch(w.f32, w.defs, nil)
	case *file.Float64ColumnChunkWriter:
		w.f64 = w.f64[:0]
		for _, i := range rows {
			w.f64 = append(w.f64, v.F64[i])
		}
		_, err = cw.WriteBatch(w.f64, w.defs, nil)
	case *file.ByteArrayColumnChunkWriter:
		w.bytes = w.bytes[:0]
		for _, i := range rows {
			w.bytes = append(w.bytes, v.Bytes(int(i)))
		}
		_, err = cw.WriteBatch(w.bytes, w.defs, nil)
	case *file.FixedLenByteArrayColumnChunkWriter:
		_, err = cw.WriteBatch(w.decimals(v, rows), w.defs, nil)
	}
	return err
}

// present notes a definition level per counting row and returns the physical rows that are not NULL.
func (w *Writer) present(b *vector.Batch, v *vector.Vector) []int32 {
	rows := make([]int32, 0, b.Rows())
	for k := range b.Rows() {
		i := b.Row(k)
		if v.IsNull(i) {
			w.defs = append(w.defs, 0)
			continue
		}
		w.defs = append(w.defs, 1)
		rows = append(rows, int32(i))
	}
	return rows
}

func (w *Writer) longs(v *vector.Vector, rows []int32) []int64 {
	w.i64 = w.i64[:0]
	for _, i := range rows {
		if v.Type.Kind == types.Decimal {
			w.i64 = append(w.i64, int64(v.I128[i].Lo))
		} else {
			w.i64 = append(w.i64, v.I64[i])
		}
	}
	return w.i64
}

// decimals writes big-endian two's complement numbers of 16 bytes.
func (w *Writer) decimals(v *vector.Vector, rows []int32) []parquet.FixedLenByteArray {
	w.fixed = w.fixed[:0]
	w.data = make([]byte, 0, fixedDecimal*len(rows))
	for _, i := range rows {
		x := v.I128[i]
		for shift := 56; shift >= 0; shift -= 8 {
			w.data = append(w.data, byte(x.Hi>>shift))
		}
		for shift := 56; shift >= 0; shift -= 8 {
			w.data = append(w.data, byte(x.Lo>>shift))
		}
		w.fixed = append(w.fixed, w.data[len(w.data)-fixedDecimal:])
	}
	return w.fixed
}

// Close completes the file; the underlying writer is closed too when it is an io.Closer.
func (w *Writer) Close() error { return errors.Join(w.group.Close(), w.file.Close()) }
