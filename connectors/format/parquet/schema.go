package parquet

import (
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// Lengths of decimals beyond 64 bits.
const (
	fixedDecimal = 16
	wideDecimal  = 32
)

// maxNesting bounds the depth of column types.
const maxNesting = 64

func fixedLength(t types.Type) int {
	if t.Class() == types.ClassI256 {
		return wideDecimal
	}
	return fixedDecimal
}

// node gives the Parquet form of a column or of a part of one.
func node(name string, t types.Type, rep parquet.Repetition, depth int) (schema.Node, error) {
	if depth > maxNesting {
		return nil, diag.New(diag.TooDeep, -1, "column type of '%s' nests deeper than %d", name, maxNesting)
	}
	switch t.Kind {
	case types.Array, types.Map:
		return listNode(name, t, rep, depth)
	case types.Struct:
		fields := make(schema.FieldList, len(t.Fields))
		for i, f := range t.Fields {
			n, err := node(f.Name, f.Type, parquet.Repetitions.Optional, depth+1)
			if err != nil {
				return nil, err
			}
			fields[i] = n
		}
		return schema.NewGroupNode(name, rep, fields, -1)
	}
	return leafNode(name, t, rep)
}

// listNode gives the three levels of a list and of a map. (Parquet format, LogicalTypes.md, Nested Types.)
func listNode(name string, t types.Type, rep parquet.Repetition, depth int) (schema.Node, error) {
	value := "element"
	var parts schema.FieldList
	var logical schema.LogicalType = schema.ListLogicalType{}
	middle := "list"
	if t.Kind == types.Map {
		logical, middle, value = schema.MapLogicalType{}, "key_value", "value"
		key, err := node("key", *t.Key, parquet.Repetitions.Required, depth+1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, key)
	}
	elem, err := node(value, *t.Elem, parquet.Repetitions.Optional, depth+1)
	if err != nil {
		return nil, err
	}
	repeated, err := schema.NewGroupNode(middle, parquet.Repetitions.Repeated, append(parts, elem), -1)
	if err != nil {
		return nil, err
	}
	return schema.NewGroupNodeLogical(name, rep, schema.FieldList{repeated}, logical, -1)
}

func leafNode(name string, t types.Type, rep parquet.Repetition) (schema.Node, error) {
	logical := func(l schema.LogicalType, physical parquet.Type, length int) (schema.Node, error) {
		return schema.NewPrimitiveNodeLogical(name, rep, l, physical, length, -1)
	}
	switch k := t.Kind; k {
	case types.Bool:
		return schema.NewBooleanNode(name, rep, -1), nil
	case types.Int8, types.Int16, types.Int32:
		return logical(schema.NewIntLogicalType(int8(8<<(k-types.Int8)), true), parquet.Types.Int32, -1)
	case types.Year:
		return logical(schema.NewIntLogicalType(16, true), parquet.Types.Int32, -1)
	case types.Uint8, types.Uint16, types.Uint32:
		return logical(schema.NewIntLogicalType(int8(8<<(k-types.Uint8)), false), parquet.Types.Int32, -1)
	case types.Int64, types.Uint64:
		return logical(schema.NewIntLogicalType(64, k == types.Int64), parquet.Types.Int64, -1)
	case types.Float32:
		return schema.NewFloat32Node(name, rep, -1), nil
	case types.Float64:
		return schema.NewFloat64Node(name, rep, -1), nil
	case types.Decimal:
		l := schema.NewDecimalLogicalType(int32(t.Precision), int32(t.Scale))
		if t.Precision <= 18 {
			return logical(l, parquet.Types.Int64, -1)
		}
		return logical(l, parquet.Types.FixedLenByteArray, fixedLength(t))
	case types.String, types.Enum, types.Set, types.Point, types.Interval: // readers take ENUM's logical type for bytes
		return logical(schema.StringLogicalType{}, parquet.Types.ByteArray, -1)
	case types.JSON:
		return logical(schema.JSONLogicalType{}, parquet.Types.ByteArray, -1)
	case types.Bytes:
		return schema.NewByteArrayNode(name, rep, -1), nil
	case types.Date:
		return logical(schema.DateLogicalType{}, parquet.Types.Int32, -1)
	case types.Time:
		return logical(schema.NewTimeLogicalType(false, schema.TimeUnitMicros), parquet.Types.Int64, -1)
	case types.Datetime, types.Timestamp:
		return logical(schema.NewTimestampLogicalType(k == types.Timestamp, schema.TimeUnitMicros), parquet.Types.Int64, -1)
	}
	return nil, diag.New(diag.NotSupported, -1, "column '%s': %s cannot be written to Parquet", name, t)
}
