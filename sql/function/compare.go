package function

import (
	"bytes"
	"cmp"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

type compareOp uint8

const (
	opEQ compareOp = iota
	opNE
	opLT
	opLE
	opGT
	opGE
)

// accepted tells by the sign of a comparison (-1, 0, 1) + 1 whether an operator holds.
var accepted = [...][3]int64{opEQ: {0, 1, 0}, opNE: {1, 0, 1}, opLT: {1, 0, 0}, opLE: {1, 1, 0}, opGT: {0, 0, 1}, opGE: {0, 1, 1}}

// commonArgs finds the type in which all arguments compare.
func commonArgs(args []Arg) (types.Type, []types.Type, error) {
	var t types.Type
	for _, a := range args {
		c, ok := types.CommonType(t, a.Type)
		if !ok {
			return t, nil, diag.New(diag.TypeMismatch, -1, "cannot compare %s with %s", t, a.Type)
		}
		t = c
	}
	if t.Kind == types.Enum { // two values of one ENUM compare as texts; only ORDER BY looks at places
		t = tText
	}
	want := make([]types.Type, len(args))
	for i := range want {
		want[i] = t
	}
	return t, want, nil
}

func bindCompare(op compareOp) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 2); err != nil {
			return Bound{}, err
		}
		t, want, err := commonArgs(args)
		return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: compareKernel(op, t)}, err
	}
}

func compareKernel(op compareOp, t types.Type) Kernel {
	switch {
	case t.Class() == types.ClassI64 && (op <= opNE || !t.Kind.IsUnsignedBits()):
		return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			compareOrdered(op, out.I64, args[0].I64[:n], args[1].I64[:n])
		}
	case t.Class() == types.ClassF64:
		return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			compareOrdered(op, out.I64, args[0].F64[:n], args[1].F64[:n])
		}
	case t.Kind == types.JSON && op <= opNE:
		return equalJSONKernel(int64(op))
	case t.Class() == types.ClassBytes && op <= opNE:
		return equalBytesKernel(int64(op))
	case t.Kind == types.Null:
		return castNull
	}
	hold := accepted[op]
	return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			if args[0].IsNull(i) || args[1].IsNull(i) {
				out.I64[i] = 0
				continue
			}
			out.I64[i] = hold[Compare(args[0], i, args[1], i)+1]
		}
	}
}

func compareOrdered[T cmp.Ordered](op compareOp, r []int64, x, y []T) {
	switch op {
	case opEQ:
		equalLoop(r, x, y)
	case opNE:
		notEqualLoop(r, x, y)
	case opLT:
		lessLoop(r, x, y)
	case opLE:
		lessEqualLoop(r, x, y)
	case opGT:
		lessLoop(r, y, x)
	case opGE:
		lessEqualLoop(r, y, x)
	}
}

func equalLoop[T cmp.Ordered](r []int64, x, y []T) {
	x, y = x[:len(r)], y[:len(r)]
	for i := range r {
		b := int64(0)
		if x[i] == y[i] {
			b = 1
		}
		r[i] = b
	}
}

func notEqualLoop[T cmp.Ordered](r []int64, x, y []T) {
	x, y = x[:len(r)], y[:len(r)]
	for i := range r {
		b := int64(0)
		if x[i] != y[i] {
			b = 1
		}
		r[i] = b
	}
}

func lessLoop[T cmp.Ordered](r []int64, x, y []T) {
	x, y = x[:len(r)], y[:len(r)]
	for i := range r {
		b := int64(0)
		if x[i] < y[i] {
			b = 1
		}
		r[i] = b
	}
}

func lessEqualLoop[T cmp.Ordered](r []int64, x, y []T) {
	x, y = x[:len(r)], y[:len(r)]
	for i := range r {
		b := int64(0)
		if x[i] <= y[i] {
			b = 1
		}
		r[i] = b
	}
}

// equalJSONKernel compares documents by value: neither blanks nor the order of members count.
func equalJSONKernel(flip int64) Kernel {
	return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		a, b := args[0], args[1]
		for i := range n {
			out.I64[i] = flip
			if !a.IsNull(i) && !b.IsNull(i) && sameValue(a, i, b, i) {
				out.I64[i] = 1 - flip
			}
		}
	}
}

// equalBytesKernel gives equality, flipped by 1 for inequality.
func equalBytesKernel(flip int64) Kernel {
	return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		x, y := args[0], args[1]
		for i := range n {
			out.I64[i] = boolInt(bytes.Equal(x.Bytes(i), y.Bytes(i))) ^ flip
		}
	}
}

func bindNullSafe(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	_, want, err := commonArgs(args)
	kernel := rowInt(func(args []*vector.Vector, i int) (int64, bool) {
		x, y := args[0].IsNull(i), args[1].IsNull(i)
		if x || y {
			return boolInt(x && y), true
		}
		return boolInt(sameValue(args[0], i, args[1], i)), true
	})
	return Bound{Ret: tBool, ArgTypes: want, Kernel: kernel}, err
}

func bindBetween(args []Arg) (Bound, error) {
	if err := arity(args, 3); err != nil {
		return Bound{}, err
	}
	_, want, err := commonArgs(args)
	kernel := rowInt(func(args []*vector.Vector, i int) (int64, bool) {
		x, lo, hi := args[0], args[1], args[2]
		if x.IsNull(i) {
			return 0, false
		}
		if !lo.IsNull(i) && Compare(x, i, lo, i) < 0 || !hi.IsNull(i) && Compare(x, i, hi, i) > 0 {
			return 0, true
		}
		return 1, !lo.IsNull(i) && !hi.IsNull(i)
	})
	return Bound{Ret: tBool, ArgTypes: want, Kernel: kernel}, err
}

// bindIn binds IN with a hash set when the list is constant and flat, else compares one by one.
func bindIn(args []Arg) (Bound, error) {
	if len(args) < 2 {
		return Bound{}, countError("a value and a list", len(args))
	}
	t, want, err := commonArgs(args)
	if err != nil {
		return Bound{}, err
	}
	if set := newConstSet(args, t); set != nil {
		return Bound{Ret: tBool, ArgTypes: want, Kernel: set.kernel, FirstOnly: true}, nil
	}
	return Bound{Ret: tBool, ArgTypes: want, Kernel: kernelIn}, nil
}

func kernelIn(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = 0
		null := args[0].IsNull(i)
		for _, a := range args[1:] {
			if args[0].IsNull(i) || a.IsNull(i) {
				null = true
			} else if sameValue(args[0], i, a, i) {
				out.I64[i], null = 1, false
				break
			}
		}
		if null {
			out.SetNull(i)
		}
	}
}

// sameValue is what = means for two values that are not NULL.
func sameValue(a *vector.Vector, i int, b *vector.Vector, j int) bool {
	if a.Type.Kind == types.JSON {
		return equalJSON(trimSpace(a.Bytes(i)), trimSpace(b.Bytes(j)), 0)
	}
	return Compare(a, i, b, j) == 0
}

// constSet is the list of an IN of constants that need no cast.
type constSet struct {
	ints    map[int64]struct{}
	texts   map[string]struct{}
	hasNull bool
}

func newConstSet(args []Arg, t types.Type) *constSet {
	if t.Class() != types.ClassI64 && t.Class() != types.ClassBytes || t.Kind == types.JSON { // equal documents may differ in their bytes
		return nil
	}
	s := &constSet{ints: map[int64]struct{}{}, texts: map[string]struct{}{}}
	for _, a := range args[1:] {
		switch {
		case a.Const == nil:
			return nil
		case a.Const.IsNull(0):
			s.hasNull = true
		case a.Type.Class() != t.Class() || a.Type.Kind.IsTemporal() && a.Type.Kind != t.Kind:
			return nil
		case t.Class() == types.ClassI64:
			s.ints[a.Const.I64[0]] = struct{}{}
		default:
			s.texts[string(a.Const.Bytes(0))] = struct{}{}
		}
	}
	return s
}

func (s *constSet) kernel(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x := args[0]
	flat := x.Type.Class() == types.ClassI64
	for i := range n {
		var found bool
		if flat {
			_, found = s.ints[x.I64[i]]
		} else {
			_, found = s.texts[string(x.Bytes(i))]
		}
		out.I64[i] = boolInt(found)
		if x.IsNull(i) || s.hasNull && !found {
			out.SetNull(i)
		}
	}
}
