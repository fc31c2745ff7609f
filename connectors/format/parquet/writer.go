package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Writer writes batches into one file with one row group. Every column may hold NULL. Close completes the file.
type Writer struct {
	cols   []connectors.Column
	leaves []leaf
	file   *file.Writer
	group  file.BufferedRowGroupWriter
	rows   []int32 // of the leaf being written: the rows of its vector that have a value
	defs   []int16
	reps   []int16
	bools  []bool
	i32    []int32
	i64    []int64
	f32    []float32
	f64    []float64
	bytes  []parquet.ByteArray
	fixed  []parquet.FixedLenByteArray
	data   []byte // of bytes and fixed
}

// NewWriter begins a file on w; types without a Parquet form are refused.
func NewWriter(w io.Writer, cols []connectors.Column) (*Writer, error) {
	out := &Writer{cols: cols}
	fields := make(schema.FieldList, len(cols))
	for i, c := range cols {
		n, err := node(c.Name, c.Type, parquet.Repetitions.Optional, 0)
		if err != nil {
			return nil, err
		}
		fields[i] = n
		out.leaves = appendLeaves(out.leaves, leaf{column: i}, c.Type)
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, fmt.Errorf("making the Parquet schema: %w", err)
	}
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithCreatedBy("millrace"))
	if out.file, err = file.NewParquetWriterWithError(w, root, file.WithWriterProps(props)); err != nil {
		return nil, fmt.Errorf("beginning a Parquet file: %w", err)
	}
	if out.group, err = out.file.AppendBufferedRowGroupChecked(); err != nil {
		return nil, fmt.Errorf("beginning a row group: %w", err)
	}
	return out, nil
}

// Write appends the counting rows of b.
func (w *Writer) Write(b *vector.Batch) error {
	if b.Rows() == 0 {
		return nil
	}
	for i, l := range w.leaves {
		cw, err := w.group.Column(i)
		if err == nil {
			err = w.column(cw, w.shred(l, b))
		}
		if err != nil {
			return fmt.Errorf("writing column %s: %w", w.cols[l.column].Name, err)
		}
	}
	return nil
}

// column writes the values of a leaf's vector that are not NULL, and the levels that say where they belong.
func (w *Writer) column(cw file.ColumnChunkWriter, v *vector.Vector) (err error) {
	reps := w.reps
	if cw.Descr().MaxRepetitionLevel() == 0 {
		reps = nil
	}
	switch cw := cw.(type) {
	case *file.BooleanColumnChunkWriter:
		w.bools = w.bools[:0]
		for _, i := range w.rows {
			w.bools = append(w.bools, v.Bool(int(i)))
		}
		_, err = cw.WriteBatch(w.bools, w.defs, reps)
	case *file.Int32ColumnChunkWriter:
		w.i32 = w.i32[:0]
		for _, i := range w.rows {
			w.i32 = append(w.i32, int32(v.I64[i]))
		}
		_, err = cw.WriteBatch(w.i32, w.defs, reps)
	case *file.Int64ColumnChunkWriter:
		_, err = cw.WriteBatch(w.longs(v), w.defs, reps)
	case *file.Float32ColumnChunkWriter:
		w.f32 = w.f32[:0]
		for _, i := range w.rows {
			w.f32 = append(w.f32, float32(v.F64[i]))
		}
		_, err = cw.WriteBatch(w.f32, w.defs, reps)
	case *file.Float64ColumnChunkWriter:
		w.f64 = w.f64[:0]
		for _, i := range w.rows {
			w.f64 = append(w.f64, v.F64[i])
		}
		_, err = cw.WriteBatch(w.f64, w.defs, reps)
	case *file.ByteArrayColumnChunkWriter:
		_, err = cw.WriteBatch(w.texts(v), w.defs, reps)
	case *file.FixedLenByteArrayColumnChunkWriter:
		_, err = cw.WriteBatch(w.decimals(v), w.defs, reps)
	}
	return err
}

func (w *Writer) longs(v *vector.Vector) []int64 {
	w.i64 = w.i64[:0]
	for _, i := range w.rows {
		if v.Type.Kind == types.Decimal {
			w.i64 = append(w.i64, int64(v.I128[i].Lo))
		} else {
			w.i64 = append(w.i64, v.I64[i])
		}
	}
	return w.i64
}

// texts gives bytes as they are, and the text of ENUM, SET, POINT and INTERVAL.
func (w *Writer) texts(v *vector.Vector) []parquet.ByteArray {
	w.bytes, w.data = w.bytes[:0], w.data[:0]
	if v.Type.Class() == types.ClassBytes {
		for _, i := range w.rows {
			w.bytes = append(w.bytes, v.Bytes(int(i)))
		}
		return w.bytes
	}
	for _, i := range w.rows {
		start := len(w.data)
		w.data = format.AppendScalar(w.data, v, int(i), format.TimeISO)
		w.bytes = append(w.bytes, w.data[start:len(w.data):len(w.data)]) // stays valid when data moves
	}
	return w.bytes
}

// decimals writes big-endian two's complement numbers of 16 or 32 bytes.
func (w *Writer) decimals(v *vector.Vector) []parquet.FixedLenByteArray {
	w.fixed = w.fixed[:0]
	size := fixedLength(v.Type)
	w.data = make([]byte, 0, size*len(w.rows))
	for _, i := range w.rows {
		if size == wideDecimal {
			for limb := 3; limb >= 0; limb-- {
				w.data = binary.BigEndian.AppendUint64(w.data, v.I256[i][limb])
			}
		} else {
			w.data = binary.BigEndian.AppendUint64(w.data, uint64(v.I128[i].Hi))
			w.data = binary.BigEndian.AppendUint64(w.data, v.I128[i].Lo)
		}
		w.fixed = append(w.fixed, w.data[len(w.data)-size:])
	}
	return w.fixed
}

// Close completes the file; the underlying writer is closed too when it is an io.Closer.
func (w *Writer) Close() error { return errors.Join(w.group.Close(), w.file.Close()) }
