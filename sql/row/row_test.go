package row

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
	"pgregory.net/rapid"
)

// drawType draws a type, nested ones down to the given depth.
func drawType(t *rapid.T, depth int) types.Type {
	flat := []types.Type{types.Of(types.Bool), types.Of(types.Int64), types.Of(types.Uint64), types.Of(types.Float64), types.DecimalOf(38, 4),
		types.Of(types.String), types.Of(types.Bytes), types.Of(types.Timestamp), types.Of(types.Interval),
		types.DecimalOf(65, 30), types.Of(types.Point), types.Of(types.Year), types.EnumOf("a", "b"), types.SetOf("a", "b")}
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

var (
	someInts   = []int64{0, 1, -1, 255, 256, math.MinInt64, math.MaxInt64, 1 << 40}
	someFloats = []float64{0, math.Copysign(0, -1), 1, -1, 1.5, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, math.SmallestNonzeroFloat64}
	someTexts  = []string{"", "a", "\x00", "a\x00", "a\x00b", "\xff", "b", "ab", "\x00\xff", "\x00\x01"}
)

func appendDrawn(t *rapid.T, v *vector.Vector) {
	if rapid.IntRange(0, 5).Draw(t, "null") == 0 {
		v.AppendNull()
		return
	}
	switch v.Type.Class() {
	case types.ClassI64:
		x := rapid.SampledFrom(someInts).Draw(t, "int")
		if v.Type.Kind == types.Bool {
			x &= 1
		}
		v.AppendI64(x)
	case types.ClassF64:
		v.AppendF64(rapid.SampledFrom(someFloats).Draw(t, "float"))
	case types.ClassI256:
		limb := func() uint64 { return uint64(rapid.SampledFrom(someInts).Draw(t, "limb")) }
		v.AppendI256(types.Int256{limb(), limb(), limb(), limb()})
	case types.ClassI128:
		if v.Type.Kind == types.Point {
			degrees := func() float64 {
				return rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, -1, 1.5, 90, -90}).Draw(t, "degrees")
			}
			p, _ := types.PointOf(degrees(), degrees())
			v.AppendI128(p)
			return
		}
		v.AppendI128(types.Int128{Hi: rapid.SampledFrom([]int64{0, -1, 1, 1 << 50}).Draw(t, "hi"), Lo: uint64(rapid.SampledFrom(someInts).Draw(t, "lo"))})
	case types.ClassBytes:
		v.AppendString(rapid.SampledFrom(someTexts).Draw(t, "text"))
	case types.ClassList:
		for range rapid.IntRange(0, 3).Draw(t, "len") {
			for _, c := range v.Child {
				appendDrawn(t, c)
			}
		}
		v.EndList()
	case types.ClassStruct:
		for _, c := range v.Child {
			appendDrawn(t, c)
		}
		v.EndStruct()
	}
}

// compare is an independent order of values: NULL first, then as the type orders.
func compare(v *vector.Vector, i, j int) int {
	if v.IsNull(i) || v.IsNull(j) {
		return boolInt(v.IsNull(j)) - boolInt(v.IsNull(i))
	}
	switch v.Type.Class() {
	case types.ClassI64:
		if v.Type.Kind == types.Uint64 || v.Type.Kind == types.Set {
			return types.U128(uint64(v.I64[i])).Cmp(types.U128(uint64(v.I64[j])))
		}
		return types.I128(v.I64[i]).Cmp(types.I128(v.I64[j]))
	case types.ClassF64:
		x, y := v.F64[i], v.F64[j]
		if x != x || y != y {
			return boolInt(x != x) - boolInt(y != y)
		}
		return boolInt(x > y) - boolInt(x < y)
	case types.ClassI128:
		x, y := v.I128[i], v.I128[j]
		if v.Type.Kind == types.Point {
			xlon, xlat := types.PointParts(x)
			ylon, ylat := types.PointParts(y)
			if xlon != ylon {
				return boolInt(xlon > ylon) - boolInt(xlon < ylon)
			}
			return boolInt(xlat > ylat) - boolInt(xlat < ylat)
		}
		if v.Type.Kind == types.Interval && x.Hi == y.Hi {
			return types.I128(int64(x.Lo)).Cmp(types.I128(int64(y.Lo)))
		}
		return x.Cmp(y)
	case types.ClassI256:
		return v.I256[i].Big().Cmp(v.I256[j].Big())
	case types.ClassBytes:
		return bytes.Compare(v.Bytes(i), v.Bytes(j))
	case types.ClassList:
		a, b := int(v.Off[i]), int(v.Off[j])
		for ; a < int(v.Off[i+1]) && b < int(v.Off[j+1]); a, b = a+1, b+1 {
			for _, c := range v.Child {
				if r := compare(c, a, b); r != 0 {
					return r
				}
			}
		}
		return types.I128(int64(v.Off[i+1]) - int64(a)).Cmp(types.I128(int64(v.Off[j+1]) - int64(b)))
	}
	for _, c := range v.Child {
		if r := compare(c, i, j); r != 0 {
			return r
		}
	}
	return 0
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func drawColumns(t *rapid.T, rows int) ([]types.Type, []*vector.Vector) {
	var schema []types.Type
	var cols []*vector.Vector
	for range rapid.IntRange(1, 3).Draw(t, "cols") {
		s := drawType(t, 2)
		v := vector.New(s, rows)
		for range rows {
			appendDrawn(t, v)
		}
		schema, cols = append(schema, s), append(cols, v)
	}
	return schema, cols
}

func newColumns(schema []types.Type) []*vector.Vector {
	var cols []*vector.Vector
	for _, s := range schema {
		cols = append(cols, vector.New(s, 1))
	}
	return cols
}

// TestKeyOrder: keys order as values do, equal values have equal keys and hashes, and keys decode to what they were.
func TestKeyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema, cols := drawColumns(t, 2)
		a, b := EncodeKey(nil, cols, 0), EncodeKey(nil, cols, 1)
		want := 0
		for _, c := range cols {
			if want = compare(c, 0, 1); want != 0 {
				break
			}
		}
		if got := bytes.Compare(a, b); got != want {
			t.Fatalf("%v: keys compare %d, values %d: %x %x", schema, got, want, a, b)
		}
		var hash [2]uint64
		Hash(cols, nil, hash[:])
		if want == 0 && hash[0] != hash[1] {
			t.Fatalf("%v: equal values, hashes %x", schema, hash)
		}
		if want != 0 && hash[0] == hash[1] {
			t.Fatalf("%v: different values, one hash %x", schema, hash)
		}
		out := newColumns(schema)
		rest, err := DecodeKey(append(slices.Clone(a), "rest"...), schema, out)
		if err != nil || string(rest) != "rest" || !bytes.Equal(EncodeKey(nil, out, 0), a) {
			t.Fatalf("%v: decoding %x: %v, rest %q", schema, a, err, rest)
		}
	})
}

// TestValueRoundTrip: compact values decode to what they were, and no prefix of one passes for a whole.
func TestValueRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema, cols := drawColumns(t, 1)
		data := EncodeValue(nil, cols, 0)
		out := newColumns(schema)
		rest, err := DecodeValue(append(slices.Clone(data), 7), schema, out)
		if err != nil || len(rest) != 1 {
			t.Fatalf("%v: %v, rest %v", schema, err, rest)
		}
		if !bytes.Equal(EncodeKey(nil, out, 0), EncodeKey(nil, cols, 0)) {
			t.Fatalf("%v: changed on the way", schema)
		}
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if rest, err := DecodeValue(data[:cut], schema, newColumns(schema)); err == nil && len(rest) == 0 {
			t.Fatalf("%v: %d of %d bytes decode", schema, cut, len(data))
		}
	})
}

// TestDecodeGarbage: decoders refuse or accept, but never panic.
func TestDecodeGarbage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema := []types.Type{drawType(t, 2), drawType(t, 1)}
		data := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "data")
		_, _ = DecodeKey(data, schema, newColumns(schema))
		_, _ = DecodeValue(data, schema, newColumns(schema))
	})
}

// TestHashIsFrozen: the hash is part of the checkpoint format.
func TestHashIsFrozen(t *testing.T) {
	ints, texts := vector.New(types.Of(types.Int64), 1), vector.New(types.Of(types.String), 1)
	ints.AppendI64(42)
	texts.AppendString("millrace, the stream engine")
	var h [1]uint64
	Hash([]*vector.Vector{ints}, nil, h[:])
	first := h[0]
	Hash([]*vector.Vector{ints, texts}, nil, h[:])
	if first != 0x54d9b7ae37732ae5 || h[0] != 0x4e5167a1fc08bd72 {
		t.Fatalf("hashes %#x %#x", first, h[0])
	}
	if g := KeyGroup(first); g >= KeyGroups {
		t.Fatalf("key group %d", g)
	}
}

// TestHashSpread: consecutive keys fill the key groups evenly.
func TestHashSpread(t *testing.T) {
	const n = 1 << 16
	v := vector.New(types.Of(types.Int64), n)
	for i := range int64(n) {
		v.AppendI64(i)
	}
	hash := make([]uint64, n)
	Hash([]*vector.Vector{v}, nil, hash)
	var count [KeyGroups]int
	for _, h := range hash {
		count[KeyGroup(h)]++
	}
	for g, c := range count {
		if c < n/KeyGroups*7/10 || c > n/KeyGroups*13/10 {
			t.Errorf("group %d has %d of %d keys", g, c, n)
		}
	}
}
