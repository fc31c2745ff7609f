package vector

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
)

// Vector is one column of a batch. Which buffers are used follows from Type's physical class:
//
//	ClassI64     I64[n]
//	ClassF64     F64[n]
//	ClassI128    I128[n]
//	ClassI256    I256[n]
//	ClassBytes   Off[n+1], Data; value i = Data[Off[i]:Off[i+1]]
//	ClassList    Off[n+1], Child[0] (arrays) or Child[0] keys and Child[1] values (maps)
//	ClassStruct  Child[field], each of length n
//
// Invariant: Valid is nil (no NULL) or has (n+63)/64 words; bit i of word i/64 is 1 when row i is not NULL. The slot of a NULL row
// holds an unspecified value that is safe to read.
type Vector struct {
	Type  types.Type
	N     int // rows
	Valid []uint64
	I64   []int64
	F64   []float64
	I128  []types.Int128
	I256  []types.Int256
	Off   []int32
	Data  []byte
	Child []*Vector

	validBuf []uint64 // kept for reuse when Valid is nil
}

// New makes an empty vector with room for capacity rows.
func New(t types.Type, capacity int) *Vector {
	v := &Vector{Type: t}
	switch t.Class() {
	case types.ClassI64:
		v.I64 = make([]int64, 0, capacity)
	case types.ClassF64:
		v.F64 = make([]float64, 0, capacity)
	case types.ClassI128:
		v.I128 = make([]types.Int128, 0, capacity)
	case types.ClassI256:
		v.I256 = make([]types.Int256, 0, capacity)
	case types.ClassBytes:
		v.Off = append(make([]int32, 0, capacity+1), 0)
		v.Data = make([]byte, 0, capacity*8)
	case types.ClassList:
		v.Off = append(make([]int32, 0, capacity+1), 0)
		if t.Kind == types.Map {
			v.Child = []*Vector{New(*t.Key, capacity), New(*t.Elem, capacity)}
		} else {
			v.Child = []*Vector{New(*t.Elem, capacity)}
		}
	case types.ClassStruct:
		for _, f := range t.Fields {
			v.Child = append(v.Child, New(f.Type, capacity))
		}
	}
	return v
}

// Reset empties the vector and keeps its buffers.
func (v *Vector) Reset() {
	v.N = 0
	if v.Valid != nil {
		v.validBuf, v.Valid = v.Valid[:0], nil
	}
	v.I64, v.F64, v.I128, v.I256, v.Data = v.I64[:0], v.F64[:0], v.I128[:0], v.I256[:0], v.Data[:0]
	if v.Off != nil {
		v.Off = v.Off[:1]
		v.Off[0] = 0
	}
	for _, c := range v.Child {
		c.Reset()
	}
}

// Len returns the number of rows.
func (v *Vector) Len() int { return v.N }

// IsNull tells whether row i is NULL.
func (v *Vector) IsNull(i int) bool { return v.Valid != nil && v.Valid[i>>6]&(1<<(i&63)) == 0 }

// HasNulls tells whether some row may be NULL.
func (v *Vector) HasNulls() bool { return v.Valid != nil }

// Bytes returns row i of a ClassBytes vector; it aliases the vector and is valid as long as the batch is.
func (v *Vector) Bytes(i int) []byte { return v.Data[v.Off[i]:v.Off[i+1]] }

// Bool returns row i of a BOOLEAN vector.
func (v *Vector) Bool(i int) bool { return v.I64[i] != 0 }

// SetNull marks an existing row NULL.
func (v *Vector) SetNull(i int) {
	v.materialize()
	v.Valid[i>>6] &^= 1 << (i & 63)
}

// materialize makes Valid cover all N rows.
func (v *Vector) materialize() {
	words := (v.N + 63) / 64
	if v.Valid == nil {
		v.Valid = v.validBuf[:0]
		for range words {
			v.Valid = append(v.Valid, ^uint64(0))
		}
		if v.Valid == nil {
			v.Valid = make([]uint64, 0, 1)
		}
		return
	}
	for len(v.Valid) < words {
		v.Valid = append(v.Valid, ^uint64(0))
	}
}

// grew tells the vector that one row was appended; the row is not NULL.
func (v *Vector) grew() {
	if v.Valid != nil {
		if v.N&63 == 0 {
			v.Valid = append(v.Valid, ^uint64(0))
		} else {
			v.Valid[v.N>>6] |= 1 << (v.N & 63)
		}
	}
	v.N++
}

// AppendI64 appends to a ClassI64 vector.
func (v *Vector) AppendI64(x int64) { v.I64 = append(v.I64, x); v.grew() }

// AppendBool appends to a BOOLEAN vector.
func (v *Vector) AppendBool(x bool) {
	if x {
		v.AppendI64(1)
	} else {
		v.AppendI64(0)
	}
}

// AppendF64 appends to a ClassF64 vector.
func (v *Vector) AppendF64(x float64) { v.F64 = append(v.F64, x); v.grew() }

// AppendI128 appends to a ClassI128 vector.
func (v *Vector) AppendI128(x types.Int128) { v.I128 = append(v.I128, x); v.grew() }

// AppendI256 appends to a ClassI256 vector.
func (v *Vector) AppendI256(x types.Int256) { v.I256 = append(v.I256, x); v.grew() }

// AppendBytes appends a copy of x to a ClassBytes vector.
func (v *Vector) AppendBytes(x []byte) { v.Data = append(v.Data, x...); v.EndBytes() }

// AppendString appends x to a ClassBytes vector.
func (v *Vector) AppendString(x string) { v.Data = append(v.Data, x...); v.EndBytes() }

// EndBytes ends a row whose bytes the caller has appended to Data itself.
func (v *Vector) EndBytes() { v.Off = append(v.Off, int32(len(v.Data))); v.grew() }

// EndList ends a row whose elements the caller has appended to the children.
func (v *Vector) EndList() { v.Off = append(v.Off, int32(v.Child[0].N)); v.grew() }

// EndStruct ends a row whose fields the caller has appended to the children.
func (v *Vector) EndStruct() { v.grew() }

// AppendNull appends a NULL row.
func (v *Vector) AppendNull() {
	v.appendZero()
	v.SetNull(v.N - 1)
}

// appendZero appends the zero value: 0, empty bytes, empty list, a struct of NULLs.
func (v *Vector) appendZero() {
	switch v.Type.Class() {
	case types.ClassI64:
		v.AppendI64(0)
	case types.ClassF64:
		v.AppendF64(0)
	case types.ClassI128:
		v.AppendI128(types.Int128{})
	case types.ClassI256:
		v.AppendI256(types.Int256{})
	case types.ClassBytes:
		v.EndBytes()
	case types.ClassList:
		v.EndList()
	case types.ClassStruct:
		for _, c := range v.Child {
			c.AppendNull()
		}
		v.grew()
	}
}

// AppendFrom appends row i of src, which has the same physical shape.
func (v *Vector) AppendFrom(src *Vector, i int) {
	if src.IsNull(i) {
		v.AppendNull()
		return
	}
	switch v.Type.Class() {
	case types.ClassI64:
		v.AppendI64(src.I64[i])
	case types.ClassF64:
		v.AppendF64(src.F64[i])
	case types.ClassI128:
		v.AppendI128(src.I128[i])
	case types.ClassI256:
		v.AppendI256(src.I256[i])
	case types.ClassBytes:
		v.AppendBytes(src.Bytes(i))
	case types.ClassList:
		for c, child := range v.Child {
			for j := src.Off[i]; j < src.Off[i+1]; j++ {
				child.AppendFrom(src.Child[c], int(j))
			}
		}
		v.EndList()
	case types.ClassStruct:
		for c, child := range v.Child {
			child.AppendFrom(src.Child[c], i)
		}
		v.EndStruct()
	}
}

// AppendAll appends the rows of src that sel names (nil: all).
func (v *Vector) AppendAll(src *Vector, sel []int32) {
	before := v.N
	if v.appendFlat(src, sel) {
		v.appendValidity(src, sel, before)
		return
	}
	if sel == nil {
		for i := range src.N {
			v.AppendFrom(src, i)
		}
		return
	}
	for _, i := range sel {
		v.AppendFrom(src, int(i))
	}
}

// appendValidity marks what appendFlat has appended from row `before` on.
func (v *Vector) appendValidity(src *Vector, sel []int32, before int) {
	if src.Valid == nil {
		if v.Valid != nil {
			v.materialize()
			for i := before; i < v.N; i++ { // bits of dropped rows may be left in the last word
				v.Valid[i>>6] |= 1 << (i & 63)
			}
		}
		return
	}
	v.materialize()
	for i := before; i < v.N; i++ {
		from := i - before
		if sel != nil {
			from = int(sel[from])
		}
		bit := src.Valid[from>>6] >> (from & 63) & 1
		v.Valid[i>>6] = v.Valid[i>>6]&^(1<<(i&63)) | bit<<(i&63)
	}
}

// appendFlat appends the values of the flat classes; false when the class is nested.
func (v *Vector) appendFlat(src *Vector, sel []int32) bool {
	n := len(sel)
	if sel == nil {
		n = src.N
	}
	switch v.Type.Class() {
	case types.ClassI64:
		v.I64 = gather(v.I64, src.I64, sel)
	case types.ClassF64:
		v.F64 = gather(v.F64, src.F64, sel)
	case types.ClassI128:
		v.I128 = gather(v.I128, src.I128, sel)
	case types.ClassI256:
		v.I256 = gather(v.I256, src.I256, sel)
	case types.ClassBytes:
		v.appendBytesAll(src, sel)
	default:
		return false
	}
	v.N += n
	return true
}

func gather[T any](dst, src []T, sel []int32) []T {
	if sel == nil {
		return append(dst, src...)
	}
	for _, i := range sel {
		dst = append(dst, src[i])
	}
	return dst
}

func (v *Vector) appendBytesAll(src *Vector, sel []int32) {
	if sel != nil {
		for _, i := range sel {
			v.Data = append(v.Data, src.Data[src.Off[i]:src.Off[i+1]]...)
			v.Off = append(v.Off, int32(len(v.Data)))
		}
		return
	}
	shift := int32(len(v.Data)) - src.Off[0]
	v.Data = append(v.Data, src.Data[src.Off[0]:src.Off[src.N]]...)
	for _, o := range src.Off[1 : src.N+1] {
		v.Off = append(v.Off, o+shift)
	}
}

// Resize makes a vector of a flat numeric class hold n rows whose values the caller will write; all rows are not NULL.
func (v *Vector) Resize(n int) {
	if v.Valid != nil {
		v.validBuf, v.Valid = v.Valid[:0], nil
	}
	v.N = n
	switch v.Type.Class() {
	case types.ClassI64:
		v.I64 = grow(v.I64, n)
	case types.ClassF64:
		v.F64 = grow(v.F64, n)
	case types.ClassI128:
		v.I128 = grow(v.I128, n)
	case types.ClassI256:
		v.I256 = grow(v.I256, n)
	default:
		panic(fmt.Sprintf("vector: Resize of a %s vector", v.Type))
	}
}

func grow[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n, max(n, 2*cap(s)))
}

// AndValidity makes every row NULL in v that is NULL in src.
func (v *Vector) AndValidity(src *Vector) {
	if src.Valid == nil {
		return
	}
	v.materialize()
	for i := range v.Valid {
		v.Valid[i] &= src.Valid[i]
	}
}

// Truncate drops the rows from n on, and whatever has been appended of a row that was not ended.
func (v *Vector) Truncate(n int) {
	if n > v.N {
		return
	}
	v.N = n
	if v.Valid != nil {
		v.Valid = v.Valid[:(n+63)/64]
	}
	switch v.Type.Class() {
	case types.ClassI64:
		v.I64 = v.I64[:n]
	case types.ClassF64:
		v.F64 = v.F64[:n]
	case types.ClassI128:
		v.I128 = v.I128[:n]
	case types.ClassI256:
		v.I256 = v.I256[:n]
	case types.ClassBytes:
		v.Off = v.Off[:n+1]
		v.Data = v.Data[:v.Off[n]]
	case types.ClassList:
		v.Off = v.Off[:n+1]
		for _, c := range v.Child {
			c.Truncate(int(v.Off[n]))
		}
	case types.ClassStruct:
		for _, c := range v.Child {
			c.Truncate(n)
		}
	}
}

// Slice makes view the first n rows of v. The view shares v's buffers: it is read-only and valid until v changes.
func (v *Vector) Slice(n int, view *Vector) {
	view.Type, view.N, view.Valid = v.Type, n, nil
	if v.Valid != nil {
		view.Valid = v.Valid[:(n+63)/64]
	}
	switch v.Type.Class() {
	case types.ClassI64:
		view.I64 = v.I64[:n]
	case types.ClassF64:
		view.F64 = v.F64[:n]
	case types.ClassI128:
		view.I128 = v.I128[:n]
	case types.ClassI256:
		view.I256 = v.I256[:n]
	case types.ClassBytes:
		view.Off, view.Data = v.Off[:n+1], v.Data
	case types.ClassList:
		view.Off, view.Child = v.Off[:n+1], v.Child
	case types.ClassStruct:
		for len(view.Child) < len(v.Child) {
			view.Child = append(view.Child, &Vector{})
		}
		for i, c := range v.Child {
			c.Slice(n, view.Child[i])
		}
	}
}
