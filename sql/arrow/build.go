package arrow

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Array copies the rows of a vector; the caller releases the array.
func Array(v *vector.Vector, mem memory.Allocator) (arrow.Array, error) {
	b := array.NewBuilder(mem, DataType(v.Type))
	defer b.Release()
	b.Reserve(v.N)
	if d, ok := b.(*array.BinaryDictionaryBuilder); ok {
		if err := insertMembers(d, v.Type, mem); err != nil {
			return nil, err
		}
	}
	for i := range v.N {
		if err := appendValue(b, v, i); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
	}
	return b.NewArray(), nil
}

// Record copies the counting rows of a batch; the caller releases the record. Change kinds are not in it.
func Record(fields []types.Field, b *vector.Batch, mem memory.Allocator) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, 0, len(b.Cols))
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for _, v := range b.Cols {
		rows := v
		if b.Sel != nil {
			rows = vector.New(v.Type, b.Rows())
			rows.AppendAll(v, b.Sel)
		}
		c, err := Array(rows, mem)
		if err != nil {
			return nil, err
		}
		cols = append(cols, c)
	}
	return array.NewRecordBatch(Schema(fields), cols, int64(b.Rows())), nil
}

// insertMembers makes an ENUM's members the dictionary, in their order, so that an index is a place less one.
func insertMembers(b *array.BinaryDictionaryBuilder, t types.Type, mem memory.Allocator) error {
	members := array.NewStringBuilder(mem)
	defer members.Release()
	for _, m := range t.Members {
		members.Append(m)
	}
	dict := members.NewStringArray()
	defer dict.Release()
	return b.InsertStringDictValues(dict)
}

// appendValue appends row i of v to a builder of its type.
func appendValue(b array.Builder, v *vector.Vector, i int) error {
	if v.IsNull(i) || v.Type.Kind == types.Null {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(v.Bool(i))
	case *array.Float32Builder:
		b.Append(float32(v.F64[i]))
	case *array.Float64Builder:
		b.Append(v.F64[i])
	case *array.Decimal128Builder:
		b.Append(decimal128.New(v.I128[i].Hi, v.I128[i].Lo))
	case *array.Decimal256Builder:
		x := v.I256[i]
		b.Append(decimal256.New(x[3], x[2], x[1], x[0]))
	case *array.StringBuilder:
		b.Append(string(v.Bytes(i)))
	case *array.BinaryBuilder:
		b.Append(v.Bytes(i))
	case *array.MonthDayNanoIntervalBuilder:
		months, micros := types.IntervalParts(v.I128[i])
		if int64(int32(months)) != months || micros/types.Day != int64(int32(micros/types.Day)) {
			return fmt.Errorf("an INTERVAL of %d months and %d microseconds is beyond Arrow's", months, micros)
		}
		b.Append(arrow.MonthDayNanoInterval{Months: int32(months), Days: int32(micros / types.Day), Nanoseconds: micros % types.Day * 1000})
	case *array.BinaryDictionaryBuilder:
		return b.AppendString(v.Type.MemberText(v.I64[i]))
	case *array.FixedSizeListBuilder:
		lon, lat := types.PointParts(v.I128[i])
		b.Append(true)
		b.ValueBuilder().(*array.Float64Builder).AppendValues([]float64{lon, lat}, nil)
	case *array.ListBuilder:
		return appendList(b, v, i)
	case *array.MapBuilder:
		b.Append(true)
		for j := int(v.Off[i]); j < int(v.Off[i+1]); j++ {
			if err := appendValue(b.KeyBuilder(), v.Child[0], j); err != nil {
				return err
			}
			if err := appendValue(b.ItemBuilder(), v.Child[1], j); err != nil {
				return err
			}
		}
	case *array.StructBuilder:
		b.Append(true)
		for c, child := range v.Child {
			if err := appendValue(b.FieldBuilder(c), child, i); err != nil {
				return err
			}
		}
	default:
		return appendInteger(b, v.I64[i])
	}
	return nil
}

func appendList(b *array.ListBuilder, v *vector.Vector, i int) error {
	b.Append(true)
	if v.Type.Kind == types.Set {
		for m, text := range v.Type.Members {
			if v.I64[i]>>m&1 != 0 {
				b.ValueBuilder().(*array.StringBuilder).Append(text)
			}
		}
		return nil
	}
	for j := int(v.Off[i]); j < int(v.Off[i+1]); j++ {
		if err := appendValue(b.ValueBuilder(), v.Child[0], j); err != nil {
			return err
		}
	}
	return nil
}

func appendInteger(b array.Builder, x int64) error {
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(x))
	case *array.Int16Builder:
		b.Append(int16(x))
	case *array.Int32Builder:
		b.Append(int32(x))
	case *array.Int64Builder:
		b.Append(x)
	case *array.Uint8Builder:
		b.Append(uint8(x))
	case *array.Uint16Builder:
		b.Append(uint16(x))
	case *array.Uint32Builder:
		b.Append(uint32(x))
	case *array.Uint64Builder:
		b.Append(uint64(x))
	case *array.Date32Builder:
		b.Append(arrow.Date32(x))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(x))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(x))
	default:
		return fmt.Errorf("no values of Arrow's %s are made", b.Type())
	}
	return nil
}
