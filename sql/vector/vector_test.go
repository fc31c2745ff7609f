package vector

import (
	"testing"

	"github.com/millrace/millrace/sql/types"
	"pgregory.net/rapid"
)

var testTypes = []types.Type{types.Of(types.Int64), types.Of(types.Float64), types.DecimalOf(10, 2), types.DecimalOf(60, 2), types.Of(types.String),
	types.ArrayOf(types.Of(types.Int64)), types.MapOf(types.Of(types.String), types.Of(types.Int64)),
	types.StructOf(types.Field{Name: "a", Type: types.Of(types.Int64)}, types.Field{Name: "b", Type: types.ArrayOf(types.Of(types.String))})}

// cell is a value of the model: NULL, or a number from which every type makes its value.
type cell struct {
	null bool
	x    int64
}

func appendCell(v *Vector, c cell) {
	if c.null {
		v.AppendNull()
		return
	}
	switch v.Type.Class() {
	case types.ClassI64:
		v.AppendI64(c.x)
	case types.ClassF64:
		v.AppendF64(float64(c.x))
	case types.ClassI128:
		v.AppendI128(types.I128(c.x))
	case types.ClassI256:
		v.AppendI256(types.I256(c.x))
	case types.ClassBytes:
		v.AppendString("abcdefgh"[:c.x%8])
	case types.ClassList:
		for j := range c.x % 3 {
			for _, child := range v.Child {
				appendCell(child, cell{null: j == 1, x: c.x + j})
			}
		}
		v.EndList()
	case types.ClassStruct:
		for k, child := range v.Child {
			appendCell(child, cell{null: k == 0 && c.x%5 == 0, x: c.x})
		}
		v.EndStruct()
	}
}

func sameCell(v *Vector, i int, c cell) bool {
	if v.IsNull(i) || c.null {
		return v.IsNull(i) == c.null
	}
	switch v.Type.Class() {
	case types.ClassI64:
		return v.I64[i] == c.x
	case types.ClassF64:
		return v.F64[i] == float64(c.x)
	case types.ClassI128:
		return v.I128[i] == types.I128(c.x)
	case types.ClassI256:
		return v.I256[i] == types.I256(c.x)
	case types.ClassBytes:
		return string(v.Bytes(i)) == "abcdefgh"[:c.x%8]
	case types.ClassList:
		if int64(v.Off[i+1]-v.Off[i]) != c.x%3 {
			return false
		}
		for j := range c.x % 3 {
			for _, child := range v.Child {
				if !sameCell(child, int(v.Off[i])+int(j), cell{null: j == 1, x: c.x + j}) {
					return false
				}
			}
		}
		return true
	}
	for k, child := range v.Child {
		if !sameCell(child, i, cell{null: k == 0 && c.x%5 == 0, x: c.x}) {
			return false
		}
	}
	return true
}

func drawCells(t *rapid.T, most int) []cell {
	nulls := rapid.Bool().Draw(t, "nulls")
	cells := make([]cell, rapid.IntRange(0, most).Draw(t, "n"))
	for i := range cells {
		cells[i].x = rapid.Int64Range(0, 20).Draw(t, "x")
		cells[i].null = nulls && cells[i].x > 14
	}
	return cells
}

// TestVectorAgreesWithModel plays appends of all kinds, truncation, NULLs and reuse against a slice of cells.
func TestVectorAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := New(rapid.SampledFrom(testTypes).Draw(t, "type"), 0)
		var model []cell
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "op") {
			case 0, 1:
				for _, c := range drawCells(t, 70) {
					appendCell(v, c)
					model = append(model, c)
				}
			case 2:
				model = append(model, playAppendAll(t, v)...)
			case 3:
				n := rapid.IntRange(0, len(model)).Draw(t, "truncate")
				v.Truncate(n)
				model = model[:n]
			case 4:
				if len(model) > 0 {
					i := rapid.IntRange(0, len(model)-1).Draw(t, "null")
					v.SetNull(i)
					model[i].null = true
				}
			case 5:
				if rapid.IntRange(0, 3).Draw(t, "reset") == 0 {
					v.Reset()
					model = model[:0]
				}
			}
			checkModel(t, v, model)
			n := rapid.IntRange(0, len(model)).Draw(t, "slice")
			var view Vector
			v.Slice(n, &view)
			checkModel(t, &view, model[:n])
		}
	})
}

func playAppendAll(t *rapid.T, v *Vector) []cell {
	src := New(v.Type, 0)
	cells := drawCells(t, 70)
	for _, c := range cells {
		appendCell(src, c)
	}
	if rapid.Bool().Draw(t, "all") {
		v.AppendAll(src, nil)
		return cells
	}
	sel, picked := []int32{}, []cell{}
	for i, c := range cells {
		if rapid.Bool().Draw(t, "in") {
			sel, picked = append(sel, int32(i)), append(picked, c)
		}
	}
	v.AppendAll(src, sel)
	return picked
}

func checkModel(t *rapid.T, v *Vector, model []cell) {
	if v.Len() != len(model) || v.Valid != nil && len(v.Valid) != (len(model)+63)/64 {
		t.Fatalf("%d rows, %d words of validity, want %d rows", v.Len(), len(v.Valid), len(model))
	}
	for i, c := range model {
		if !sameCell(v, i, c) {
			t.Fatalf("%s row %d is not %+v", v.Type, i, c)
		}
	}
}

// TestBatch checks selections and change kinds of batches.
func TestBatch(t *testing.T) {
	fields := []types.Field{{Name: "a", Type: types.Of(types.Int64)}}
	b, c := NewBatch(fields, 4), NewBatch(fields, 4)
	for i, op := range []Change{Insert, Insert, Delete, UpdateBefore, UpdateAfter} {
		b.Cols[0].AppendI64(int64(i))
		b.EndRow(op)
	}
	b.Sel = []int32{1, 2, 4}
	c.AppendBatch(b)
	if c.N != 3 || c.Change(0) != Insert || c.Change(1) != Delete || c.Change(2) != UpdateAfter || c.Cols[0].I64[2] != 4 {
		t.Fatalf("%d rows %v %v", c.N, c.Op, c.Cols[0].I64)
	}
	c.AppendRow(b, 0)
	if c.N != 4 || c.Change(3) != Insert || c.Rows() != 4 || b.Rows() != 3 || b.Row(2) != 4 {
		t.Fatalf("%d rows %v", c.N, c.Op)
	}
	c.Reset()
	if c.N != 0 || c.Cols[0].N != 0 || c.Change(0) != Insert {
		t.Fatal("not empty")
	}
	for _, s := range []string{"+I", "-U", "+U", "-D"} {
		if op, ok := ParseChange([]byte(s)); !ok || op.String() != s {
			t.Errorf("%s is %v", s, op)
		}
	}
}

// TestCopyAllocations: copying into grown vectors makes no garbage.
func TestCopyAllocations(t *testing.T) {
	src, dst := New(types.Of(types.String), 1024), New(types.Of(types.String), 0)
	sel := []int32{}
	for i := range 1024 {
		src.AppendString("some text")
		if i%3 == 0 {
			src.SetNull(i)
			sel = append(sel, int32(i))
		}
	}
	run := func() {
		dst.Reset()
		dst.AppendAll(src, nil)
		dst.AppendAll(src, sel)
	}
	run()
	if n := testing.AllocsPerRun(5, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
