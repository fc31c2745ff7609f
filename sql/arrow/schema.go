package arrow

import (
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millrace/millrace/sql/types"
)

// Metadata keys of a field.
const (
	typeKey      = "millrace.type"        // the SQL type, as JSON
	extensionKey = "ARROW:extension:name" // what others know: arrow.json, geoarrow.point
)

// maxNesting bounds the recursion over nested types.
const maxNesting = 64

var plain = map[types.Kind]arrow.DataType{
	types.Null: arrow.Null, types.Bool: arrow.FixedWidthTypes.Boolean, types.Int8: arrow.PrimitiveTypes.Int8, types.Int16: arrow.PrimitiveTypes.Int16,
	types.Int32: arrow.PrimitiveTypes.Int32, types.Int64: arrow.PrimitiveTypes.Int64, types.Uint8: arrow.PrimitiveTypes.Uint8,
	types.Uint16: arrow.PrimitiveTypes.Uint16, types.Uint32: arrow.PrimitiveTypes.Uint32, types.Uint64: arrow.PrimitiveTypes.Uint64,
	types.Float32: arrow.PrimitiveTypes.Float32, types.Float64: arrow.PrimitiveTypes.Float64, types.String: arrow.BinaryTypes.String,
	types.Bytes: arrow.BinaryTypes.Binary, types.JSON: arrow.BinaryTypes.String, types.Date: arrow.FixedWidthTypes.Date32,
	types.Time: arrow.FixedWidthTypes.Duration_us, types.Datetime: &arrow.TimestampType{Unit: arrow.Microsecond},
	types.Timestamp: arrow.FixedWidthTypes.Timestamp_us, types.Interval: arrow.FixedWidthTypes.MonthDayNanoInterval,
	types.Year: arrow.PrimitiveTypes.Int16, types.Set: arrow.ListOf(arrow.BinaryTypes.String),
	types.Enum:  &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint16, ValueType: arrow.BinaryTypes.String},
	types.Point: arrow.FixedSizeListOfNonNullable(2, arrow.PrimitiveTypes.Float64), // longitude, latitude
}

// DataType gives the Arrow type of a SQL type.
func DataType(t types.Type) arrow.DataType {
	switch t.Kind {
	case types.Decimal:
		if t.Class() == types.ClassI256 {
			return &arrow.Decimal256Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}
		}
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}
	case types.Array:
		return arrow.ListOfField(FieldOf("item", *t.Elem))
	case types.Map:
		key := FieldOf("key", *t.Key)
		key.Nullable = false
		return arrow.MapOfFields(key, FieldOf("value", *t.Elem))
	case types.Struct:
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = FieldOf(f.Name, f.Type)
		}
		return arrow.StructOf(fields...)
	}
	return plain[t.Kind]
}

// FieldOf gives a nullable field of a SQL type, with the metadata that Type reads.
func FieldOf(name string, t types.Type) arrow.Field {
	text, err := json.Marshal(t)
	if err != nil {
		panic("arrow: a type that is no JSON: " + err.Error()) // types consist of numbers and texts
	}
	meta := map[string]string{typeKey: string(text)}
	switch t.Kind {
	case types.JSON:
		meta[extensionKey] = "arrow.json"
	case types.Point:
		meta[extensionKey] = "geoarrow.point"
	}
	return arrow.Field{Name: name, Type: DataType(t), Nullable: true, Metadata: arrow.MetadataFrom(meta)}
}

// Schema gives the schema of a relation.
func Schema(fields []types.Field) *arrow.Schema {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		out[i] = FieldOf(f.Name, f.Type)
	}
	return arrow.NewSchema(out, nil)
}

// Type gives the SQL type of a field: what its metadata says if that fits, else what its Arrow type says.
func Type(f arrow.Field) (types.Type, error) {
	if text, ok := f.Metadata.GetValue(typeKey); ok {
		var t types.Type
		if json.Unmarshal([]byte(text), &t) == nil && valid(t, 0) && arrow.TypeEqual(DataType(t), f.Type) {
			return t, nil
		}
	}
	return foreign(f, 0)
}

// valid tells whether a type that was read from metadata is one that can be.
func valid(t types.Type, depth int) bool {
	if depth > maxNesting || t.Kind > types.Point {
		return false
	}
	switch t.Kind {
	case types.Decimal:
		return t.Precision >= 1 && t.Precision <= types.MaxDecimalPrecision && t.Scale >= 0 && t.Scale <= min(t.Precision, types.MaxDecimalScale)
	case types.Enum, types.Set:
		return types.CheckMembers(t.Kind, t.Members) == ""
	case types.Array:
		return t.Elem != nil && valid(*t.Elem, depth+1)
	case types.Map:
		return t.Elem != nil && t.Key != nil && valid(*t.Elem, depth+1) && valid(*t.Key, depth+1)
	case types.Struct:
		for _, f := range t.Fields {
			if !valid(f.Type, depth+1) {
				return false
			}
		}
	}
	return t.Precision >= 0
}

// foreign reads an Arrow type that was not made here.
func foreign(f arrow.Field, depth int) (types.Type, error) {
	if depth > maxNesting {
		return types.Type{}, fmt.Errorf("field %s nests deeper than %d", f.Name, maxNesting)
	}
	switch dt := f.Type.(type) {
	case *arrow.Decimal128Type:
		return types.DecimalOf(int(dt.Precision), int(dt.Scale)), nil
	case *arrow.Decimal256Type:
		if dt.Precision > types.MaxDecimalPrecision || dt.Scale < 0 || dt.Scale > types.MaxDecimalScale {
			return types.Type{}, fmt.Errorf("field %s: %s is beyond DECIMAL(%d,%d)", f.Name, dt, types.MaxDecimalPrecision, types.MaxDecimalScale)
		}
		return types.DecimalOf(int(dt.Precision), int(dt.Scale)), nil
	case *arrow.TimestampType:
		if dt.TimeZone == "" {
			return types.Of(types.Datetime), unitError(f, dt.Unit)
		}
		return types.Of(types.Timestamp), unitError(f, dt.Unit)
	case *arrow.DurationType:
		return types.Of(types.Time), unitError(f, dt.Unit)
	case *arrow.MapType:
		key, err := Type(dt.KeyField())
		if err != nil {
			return key, err
		}
		elem, err := Type(dt.ItemField())
		return types.MapOf(key, elem), err
	case *arrow.ListType:
		elem, err := Type(dt.ElemField())
		return types.ArrayOf(elem), err
	case *arrow.StructType:
		fields := make([]types.Field, dt.NumFields())
		for i, part := range dt.Fields() {
			t, err := Type(part)
			if err != nil {
				return t, err
			}
			fields[i] = types.Field{Name: part.Name, Type: t}
		}
		return types.StructOf(fields...), nil
	}
	for _, k := range []types.Kind{types.Null, types.Bool, types.Int8, types.Int16, types.Int32, types.Int64, types.Uint8, types.Uint16, types.Uint32,
		types.Uint64, types.Float32, types.Float64, types.String, types.Bytes, types.Date, types.Interval, types.Point} {
		if arrow.TypeEqual(plain[k], f.Type) {
			return types.Of(k), nil
		}
	}
	return types.Type{}, fmt.Errorf("field %s: Arrow's %s has no SQL type", f.Name, f.Type)
}

func unitError(f arrow.Field, unit arrow.TimeUnit) error {
	if unit != arrow.Microsecond {
		return fmt.Errorf("field %s: times are read in microseconds, not %s", f.Name, unit)
	}
	return nil
}
