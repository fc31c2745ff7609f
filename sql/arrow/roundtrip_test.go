package arrow

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var flat = []types.Type{{}, types.Of(types.Bool), types.Of(types.Int8), types.Of(types.Int16), types.Of(types.Int32), types.Of(types.Int64),
	types.Of(types.Uint8), types.Of(types.Uint16), types.Of(types.Uint32), types.Of(types.Uint64), types.Of(types.Float32), types.Of(types.Float64),
	types.DecimalOf(10, 2), types.DecimalOf(38, 30), types.DecimalOf(65, 30), types.Of(types.String), {Kind: types.String, Precision: 7, Fixed: true},
	types.Of(types.Bytes), {Kind: types.Bytes, Precision: 4}, types.Of(types.JSON), types.Of(types.Date), {Kind: types.Time, Precision: 3},
	{Kind: types.Datetime, Precision: 0}, types.Of(types.Timestamp), types.Of(types.Interval), types.Of(types.Year), types.EnumOf("a", "b", "it's"),
	types.SetOf("x", "y"), types.Of(types.Point)}

func drawType(t *rapid.T, depth int) types.Type {
	kind := rapid.IntRange(0, len(flat)+2).Draw(t, "kind")
	if kind < len(flat) || depth == 0 {
		return flat[kind%len(flat)]
	}
	switch kind - len(flat) {
	case 0:
		return types.ArrayOf(drawType(t, depth-1))
	case 1:
		return types.MapOf(types.Of(types.String), drawType(t, depth-1))
	}
	return types.StructOf(types.Field{Name: "a", Type: drawType(t, depth-1)}, types.Field{Name: "b", Type: drawType(t, depth-1)})
}

// appendDrawn appends a value that the type may hold.
func appendDrawn(t *rapid.T, v *vector.Vector, nullable bool) {
	if v.Type.Kind == types.Null || nullable && rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		v.AppendNull()
		return
	}
	number := func(lo, hi int64) int64 { return rapid.Int64Range(lo, hi).Draw(t, "number") }
	switch k := v.Type.Kind; {
	case k == types.Bool:
		v.AppendI64(number(0, 1))
	case k == types.Enum:
		v.AppendI64(number(1, int64(len(v.Type.Members))))
	case k == types.Set:
		v.AppendI64(number(0, 3))
	case k.IsUnsigned() && k != types.Uint64:
		v.AppendI64(number(0, 255))
	case v.Type.Class() == types.ClassI64 && (k == types.Int64 || k == types.Uint64 || k.IsTemporal() && k != types.Date):
		v.AppendI64(number(math.MinInt64, math.MaxInt64))
	case v.Type.Class() == types.ClassI64:
		v.AppendI64(number(-128, 127))
	case k.IsFloat():
		v.AppendF64(float64(rapid.Float32().Draw(t, "float")))
	case k == types.Interval:
		v.AppendI128(types.IntervalOf(number(-1000, 1000), number(-1<<52, 1<<52)))
	case k == types.Point:
		p, _ := types.PointOf(rapid.Float64Range(-180, 180).Draw(t, "lon"), rapid.Float64Range(-90, 90).Draw(t, "lat"))
		v.AppendI128(p)
	case v.Type.Class() == types.ClassI128:
		v.AppendI128(types.I128(number(-9_999_999_999, 9_999_999_999)))
	case v.Type.Class() == types.ClassI256:
		x, _ := types.I256(number(math.MinInt64, math.MaxInt64)).Mul(types.I256(number(math.MinInt64, math.MaxInt64)))
		v.AppendI256(x)
	case v.Type.Class() == types.ClassBytes:
		v.AppendString(rapid.StringN(0, 5, 20).Draw(t, "text"))
	case v.Type.Class() == types.ClassList:
		for range rapid.IntRange(0, 3).Draw(t, "len") {
			for c, child := range v.Child {
				appendDrawn(t, child, c == 1 || k == types.Array)
			}
		}
		v.EndList()
	default:
		for _, child := range v.Child {
			appendDrawn(t, child, true)
		}
		v.EndStruct()
	}
}

// TestRoundTrip: a type comes back from its field, a vector from its array.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 2)
		back, err := Type(FieldOf("c", typ))
		if err != nil || !back.Equal(typ) {
			t.Fatalf("%s comes back as %s: %v", typ, back, err)
		}
		v := vector.New(typ, 4)
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			appendDrawn(t, v, true)
		}
		mem := memory.NewGoAllocator()
		a, err := Array(v, mem)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Release()
		if !arrow.TypeEqual(a.DataType(), DataType(typ)) || a.Len() != v.N {
			t.Fatalf("%s makes %d rows of %s", typ, a.Len(), a.DataType())
		}
		out := vector.New(typ, 4)
		if err := Append(out, a); err != nil {
			t.Fatal(err)
		}
		again, err := Array(out, mem)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Release()
		if out.N != v.N || again.String() != a.String() {
			t.Fatalf("%s: %v comes back as %v", typ, a, again)
		}
	})
}

// TestForeign reads schemas that were not made here.
func TestForeign(t *testing.T) {
	for _, c := range []struct {
		dt   arrow.DataType
		want string
	}{
		{arrow.ListOf(arrow.PrimitiveTypes.Int64), "ARRAY<BIGINT>"}, {arrow.PrimitiveTypes.Uint8, "TINYINT UNSIGNED"},
		{arrow.MapOf(arrow.BinaryTypes.String, arrow.FixedWidthTypes.Date32), "MAP<VARCHAR, DATE>"},
		{&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Europe/Berlin"}, "TIMESTAMP(6)"}, {&arrow.TimestampType{Unit: arrow.Second}, ""},
		{&arrow.Decimal256Type{Precision: 76, Scale: 0}, ""}, {arrow.FixedWidthTypes.Float16, ""},
		{arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.Binary}), "STRUCT<a VARBINARY>"},
	} {
		got, err := Type(arrow.Field{Name: "c", Type: c.dt})
		if (err == nil) != (c.want != "") || err == nil && got.String() != c.want {
			t.Errorf("%s is %s, %v; want %s", c.dt, got, err, c.want)
		}
	}
}

// TestLyingMetadata: metadata that does not fit the Arrow type is not believed.
func TestLyingMetadata(t *testing.T) {
	f := FieldOf("c", types.EnumOf("a"))
	f.Type = arrow.PrimitiveTypes.Int32
	if got, err := Type(f); err != nil || got.Kind != types.Int32 {
		t.Errorf("%v %v", got, err)
	}
	for _, text := range []string{`{`, `{"Kind":200}`, `{"Kind":21}`, `{"Kind":12,"Precision":99}`} {
		f := arrow.Field{Type: arrow.PrimitiveTypes.Int64, Metadata: arrow.MetadataFrom(map[string]string{typeKey: text})}
		if got, err := Type(f); err != nil || got.Kind != types.Int64 {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
}
