package parquet

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// column reads one leaf into one vector. Physical values are first read in bulk into a buffer of their own kind.
type column struct {
	name   string
	target int // column of the batch
	leaf   int // column of the file
	typ    types.Type
	maxDef int16

	scale    int   // of decimals in the file
	mul, div int64 // file's time units to the type's: value*mul/div
	lo, hi   int64 // range of integers
	times    format.Times
	unsigned bool // the file's integers are

	chunk  file.ColumnChunkReader
	defs   []int16
	bools  []bool
	i32    []int32
	i64    []int64
	i96    []parquet.Int96
	f32    []float32
	f64    []float64
	bytes  []parquet.ByteArray
	fixed  []parquet.FixedLenByteArray
	values int // valid entries of the buffer in use
}

func newColumn(target int, c connectors.Column, leaf int, desc *schema.Column) (*column, error) {
	col := &column{name: c.Name, target: target, leaf: leaf, typ: c.Type, maxDef: desc.MaxDefinitionLevel(), mul: 1, div: 1}
	if col.lo, col.hi = format.IntRange(c.Type.Kind); c.Type.Kind == types.Year {
		col.lo, col.hi = 0, types.MaxYear
	}
	if desc.MaxRepetitionLevel() > 0 {
		return nil, diag.New(diag.NotSupported, -1, "column '%s' is repeated, which is not read from Parquet", c.Name)
	}
	switch l := desc.LogicalType().(type) {
	case schema.DecimalLogicalType:
		col.scale = int(l.Scale())
	case schema.IntLogicalType:
		col.unsigned = !l.IsSigned()
	case schema.TimestampLogicalType:
		col.setUnit(l.TimeUnit())
	case schema.TimeLogicalType:
		col.setUnit(l.TimeUnit())
	default:
		if k := c.Type.Kind; k == types.Timestamp || k == types.Datetime {
			col.mul = types.Millisecond // plain integers are milliseconds, as elsewhere
		}
	}
	if !fits(desc, c.Type.Kind) {
		return nil, diag.New(diag.TypeMismatch, -1, "column '%s': Parquet %s %s cannot be read as %s", c.Name, desc.PhysicalType(),
			desc.LogicalType(), c.Type)
	}
	return col, nil
}

func (c *column) setUnit(u schema.TimeUnitType) {
	switch u {
	case schema.TimeUnitMillis:
		c.mul = 1000
	case schema.TimeUnitNanos:
		c.div = 1000
	}
}

// fits tells whether values of the leaf can become values of the kind.
func fits(desc *schema.Column, k types.Kind) bool {
	_, isDecimal := desc.LogicalType().(schema.DecimalLogicalType)
	_, isDate := desc.LogicalType().(schema.DateLogicalType)
	switch desc.PhysicalType() {
	case parquet.Types.Boolean:
		return k == types.Bool
	case parquet.Types.Int32, parquet.Types.Int64:
		if isDecimal {
			return k == types.Decimal || k.IsFloat()
		}
		if isDate {
			return k == types.Date
		}
		return k.IsNumeric() || k == types.Year || k == types.Time || k == types.Datetime || k == types.Timestamp
	case parquet.Types.Int96:
		return k == types.Datetime || k == types.Timestamp
	case parquet.Types.Float, parquet.Types.Double:
		return k.IsFloat()
	}
	if isDecimal {
		return k == types.Decimal
	}
	return k.Class() == types.ClassBytes || k.IsListed() || k == types.Point
}

func (c *column) open(g *file.RowGroupReader) error {
	if c.chunk != nil {
		if err := c.chunk.Close(); err != nil {
			return err
		}
	}
	var err error
	c.chunk, err = g.Column(c.leaf)
	return err
}

// read appends exactly n rows to v.
func (c *column) read(v *vector.Vector, n int) error {
	for n > 0 {
		if cap(c.defs) < n {
			c.defs = make([]int16, n)
		}
		rows, err := c.fill(n)
		if err != nil {
			return err
		}
		if rows == 0 {
			return errors.New("the column has fewer rows than the file")
		}
		if err := c.append(v, rows); err != nil {
			return err
		}
		n -= rows
	}
	return nil
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// fill reads up to n rows into the buffer of the leaf's physical type.
func (c *column) fill(n int) (rows int, err error) {
	var total int64
	defs := c.defs[:n]
	switch r := c.chunk.(type) {
	case *file.BooleanColumnChunkReader:
		c.bools = sized(c.bools, n)
		total, c.values, err = r.ReadBatch(int64(n), c.bools, defs, nil)
	case *file.Int32ColumnChunkReader:
		c.i32 = sized(c.i32, n)
		total, c.values, err = r.ReadBatch(int64(n), c.i32, defs, nil)
	case *file.Int64ColumnChunkReader:
		c.i64 = sized(c.i64, n)
		total, c.values, err = r.ReadBatch(int64(n), c.i64, defs, nil)
	case *file.Int96ColumnChunkReader:
		c.i96 = sized(c.i96, n)
		total, c.values, err = r.ReadBatch(int64(n), c.i96, defs, nil)
	case *file.Float32ColumnChunkReader:
		c.f32 = sized(c.f32, n)
		total, c.values, err = r.ReadBatch(int64(n), c.f32, defs, nil)
	case *file.Float64ColumnChunkReader:
		c.f64 = sized(c.f64, n)
		total, c.values, err = r.ReadBatch(int64(n), c.f64, defs, nil)
	case *file.ByteArrayColumnChunkReader:
		c.bytes = sized(c.bytes, n)
		total, c.values, err = r.ReadBatch(int64(n), c.bytes, defs, nil)
	case *file.FixedLenByteArrayColumnChunkReader:
		c.fixed = sized(c.fixed, n)
		total, c.values, err = r.ReadBatch(int64(n), c.fixed, defs, nil)
	default:
		err = fmt.Errorf("physical type %s", c.chunk.Type())
	}
	return int(total), err
}

// append moves the buffered values to v: one row per definition level, a value where the level is full.
func (c *column) append(v *vector.Vector, rows int) error {
	next := 0
	for i := range rows {
		if c.maxDef > 0 && c.defs[i] < c.maxDef {
			v.AppendNull()
			continue
		}
		if next >= c.values {
			return errors.New("the column has fewer values than rows")
		}
		if err := c.value(v, next); err != nil {
			return err
		}
		next++
	}
	return nil
}

func (c *column) value(v *vector.Vector, i int) error {
	switch c.chunk.Type() {
	case parquet.Types.Boolean:
		v.AppendBool(c.bools[i])
	case parquet.Types.Int32:
		if c.unsigned {
			return c.integer(v, int64(uint32(c.i32[i])))
		}
		return c.integer(v, int64(c.i32[i]))
	case parquet.Types.Int64:
		return c.integer(v, c.i64[i])
	case parquet.Types.Int96:
		v.AppendI64(format.CutPrecision(c.i96[i].ToTime().UnixMicro(), c.typ))
	case parquet.Types.Float:
		v.AppendF64(float64(c.f32[i]))
	case parquet.Types.Double:
		v.AppendF64(c.f64[i])
	case parquet.Types.ByteArray:
		return c.text(v, c.bytes[i])
	default:
		return c.text(v, c.fixed[i])
	}
	return nil
}

func (c *column) integer(v *vector.Vector, x int64) error {
	switch k := c.typ.Kind; {
	case k.IsFloat():
		f := types.I128(x).Float64()
		for range c.scale {
			f /= 10
		}
		v.AppendF64(f)
	case k == types.Decimal:
		return c.decimal(v, types.I128(x))
	case k == types.Timestamp || k == types.Datetime || k == types.Time:
		y := x * c.mul
		if y/c.mul != x || y < types.MinMicros*c.div || y > types.MaxMicros {
			return diag.New(diag.FieldType, -1, "column '%s': %d is no %s", c.name, x, c.typ)
		}
		v.AppendI64(format.CutPrecision(types.FloorDiv(y, c.div), c.typ))
	case k == types.Date:
		v.AppendI64(x)
	case c.unsigned && k == types.Uint64:
		v.AppendI64(x)
	case x < c.lo || x > c.hi:
		return diag.New(diag.FieldType, -1, "column '%s': %d is no %s", c.name, x, c.typ)
	default:
		v.AppendI64(x)
	}
	return nil
}

func (c *column) decimal(v *vector.Vector, x types.Int128) error {
	if c.typ.Class() == types.ClassI256 {
		return c.wideDecimal(v, x.Widen())
	}
	y, ok := types.Rescale(x, c.scale, c.typ.Scale)
	if !ok || !types.FitsPrecision(y, c.typ.Precision) {
		return diag.New(diag.FieldType, -1, "column '%s': %s is no %s", c.name, types.AppendDecimal(nil, x, c.scale), c.typ)
	}
	v.AppendI128(y)
	return nil
}

func (c *column) wideDecimal(v *vector.Vector, x types.Int256) error {
	y, ok := types.WideRescale(x, c.scale, c.typ.Scale)
	if !ok || !types.WideFits(y, c.typ.Precision) {
		return diag.New(diag.FieldType, -1, "column '%s': %s is no %s", c.name, types.AppendWide(nil, x, c.scale), c.typ)
	}
	if c.typ.Class() == types.ClassI256 {
		v.AppendI256(y)
		return nil
	}
	small, _ := y.Narrow()
	v.AppendI128(small)
	return nil
}

// text appends bytes; a decimal in bytes is a big-endian two's complement number.
func (c *column) text(v *vector.Vector, b []byte) error {
	if c.typ.Kind != types.Decimal {
		if c.typ.Kind == types.Bytes {
			v.Data = append(v.Data, b...)
			if v.FitBytes() {
				return nil
			}
		} else if c.times.AppendText(v, b) {
			return nil
		}
		return diag.New(diag.FieldType, -1, "column '%s': '%s' is no %s", c.name, b[:min(len(b), maxShownText)], c.typ)
	}
	if len(b) > wideDecimal {
		return diag.New(diag.FieldType, -1, "column '%s': a decimal of %d bytes is no %s", c.name, len(b), c.typ)
	}
	var x types.Int256
	if len(b) > 0 && b[0]&0x80 != 0 {
		x = types.I256(-1)
	}
	for _, d := range b {
		x[3] = x[3]<<8 | x[2]>>56
		x[2] = x[2]<<8 | x[1]>>56
		x[1] = x[1]<<8 | x[0]>>56
		x[0] = x[0]<<8 | uint64(d)
	}
	if small, ok := x.Narrow(); ok {
		return c.decimal(v, small)
	}
	return c.wideDecimal(v, x)
}

// maxShownText bounds the text of a value in a message.
const maxShownText = 60
