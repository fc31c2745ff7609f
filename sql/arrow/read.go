package arrow

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Append appends the rows of an array to a vector, whose type is what Type says of the array's field. Values are checked: an error
// leaves the vector with the rows before it, and perhaps half a nested one (vector.Truncate drops it).
func Append(v *vector.Vector, a arrow.Array) error {
	for i := range a.Len() {
		if err := appendRow(v, a, i); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
	}
	return nil
}

func appendRow(v *vector.Vector, a arrow.Array, i int) error {
	if a.IsNull(i) || v.Type.Kind == types.Null {
		v.AppendNull()
		return nil
	}
	switch v.Type.Class() {
	case types.ClassF64:
		return appendFloat(v, a, i)
	case types.ClassI128:
		return append128(v, a, i)
	case types.ClassI256:
		if a, ok := a.(*array.Decimal256); ok {
			x := a.Value(i).Array()
			v.AppendI256(types.Int256(x))
			return fitsDecimal(types.WideFits(types.Int256(x), v.Type.Precision), v)
		}
	case types.ClassBytes:
		switch a := a.(type) {
		case *array.String:
			v.AppendString(a.Value(i))
			return nil
		case *array.Binary:
			v.AppendBytes(a.Value(i))
			return nil
		}
	case types.ClassList:
		return appendElements(v, a, i)
	case types.ClassStruct:
		if a, ok := a.(*array.Struct); ok && a.NumField() == len(v.Child) {
			for c, child := range v.Child {
				if err := appendRow(child, a.Field(c), i); err != nil {
					return err
				}
			}
			v.EndStruct()
			return nil
		}
	default:
		return append64(v, a, i)
	}
	return mismatch(v, a)
}

func mismatch(v *vector.Vector, a arrow.Array) error {
	return fmt.Errorf("column of Arrow's type %s is no %s", a.DataType(), v.Type)
}

func fitsDecimal(ok bool, v *vector.Vector) error {
	if !ok {
		return fmt.Errorf("a decimal has more digits than %s", v.Type)
	}
	return nil
}

func appendFloat(v *vector.Vector, a arrow.Array, i int) error {
	switch a := a.(type) {
	case *array.Float32:
		v.AppendF64(float64(a.Value(i)))
	case *array.Float64:
		v.AppendF64(a.Value(i))
	default:
		return mismatch(v, a)
	}
	return nil
}

func append128(v *vector.Vector, a arrow.Array, i int) error {
	switch a := a.(type) {
	case *array.Decimal128:
		x := types.Int128{Hi: a.Value(i).HighBits(), Lo: a.Value(i).LowBits()}
		v.AppendI128(x)
		return fitsDecimal(types.FitsPrecision(x, v.Type.Precision), v)
	case *array.MonthDayNanoInterval:
		x := a.Value(i)
		v.AppendI128(types.IntervalOf(int64(x.Months), int64(x.Days)*types.Day+x.Nanoseconds/1000))
		return nil
	case *array.FixedSizeList:
		degrees, ok := a.ListValues().(*array.Float64)
		if !ok || v.Type.Kind != types.Point {
			return mismatch(v, a)
		}
		from, _ := a.ValueOffsets(i)
		p, ok := types.PointOf(degrees.Value(int(from)), degrees.Value(int(from)+1))
		if !ok {
			return fmt.Errorf("[%g, %g] is no POINT", degrees.Value(int(from)), degrees.Value(int(from)+1))
		}
		v.AppendI128(p)
		return nil
	}
	return mismatch(v, a)
}

func appendElements(v *vector.Vector, a arrow.Array, i int) error {
	list, ok := a.(array.ListLike)
	if !ok {
		return mismatch(v, a)
	}
	parts := []arrow.Array{list.ListValues()}
	if m, ok := a.(*array.Map); ok {
		parts = []arrow.Array{m.Keys(), m.Items()}
	}
	if len(parts) != len(v.Child) {
		return mismatch(v, a)
	}
	from, to := list.ValueOffsets(i)
	for c, child := range v.Child {
		for j := from; j < to; j++ {
			if err := appendRow(child, parts[c], int(j)); err != nil {
				return err
			}
		}
	}
	v.EndList()
	return nil
}

// append64 appends what is stored as 64-bit integers.
func append64(v *vector.Vector, a arrow.Array, i int) error {
	var x int64
	switch a := a.(type) {
	case *array.Boolean:
		v.AppendBool(a.Value(i))
		return nil
	case *array.Int8:
		x = int64(a.Value(i))
	case *array.Int16:
		x = int64(a.Value(i))
	case *array.Int32:
		x = int64(a.Value(i))
	case *array.Int64:
		x = a.Value(i)
	case *array.Uint8:
		x = int64(a.Value(i))
	case *array.Uint16:
		x = int64(a.Value(i))
	case *array.Uint32:
		x = int64(a.Value(i))
	case *array.Uint64:
		x = int64(a.Value(i))
	case *array.Date32:
		x = int64(a.Value(i))
	case *array.Duration:
		x = int64(a.Value(i))
	case *array.Timestamp:
		x = int64(a.Value(i))
	case *array.Dictionary:
		text, ok := a.Dictionary().(*array.String)
		if !ok {
			return mismatch(v, a)
		}
		return appendListed(v, []byte(text.Value(a.GetValueIndex(i))))
	case *array.List:
		texts, ok := a.ListValues().(*array.String)
		if !ok || v.Type.Kind != types.Set {
			return mismatch(v, a)
		}
		from, to := a.ValueOffsets(i)
		for j := from; j < to; j++ {
			place := v.Type.Member([]byte(texts.Value(int(j))))
			if place == 0 {
				return fmt.Errorf("'%s' is no member of %s", texts.Value(int(j)), v.Type)
			}
			x |= 1 << (place - 1)
		}
	default:
		return mismatch(v, a)
	}
	v.AppendI64(x)
	return nil
}

func appendListed(v *vector.Vector, text []byte) error {
	place := v.Type.Member(text)
	if place == 0 || v.Type.Kind != types.Enum {
		return fmt.Errorf("'%s' is no %s", text, v.Type)
	}
	v.AppendI64(place)
	return nil
}
