package expr

import (
	"bytes"
	"cmp"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// The fused terms compare a column with a constant or another column and narrow the selection in the same loop, without a vector of
// booleans in between.

type compareOp uint8

const (
	opEQ compareOp = iota
	opNE
	opLT
	opLE
	opGT
	opGE
)

var compareOps = map[string]compareOp{"=": opEQ, "<>": opNE, "<": opLT, "<=": opLE, ">": opGT, ">=": opGE}

// mirrored is the operator with its sides exchanged.
var mirrored = [...]compareOp{opEQ: opEQ, opNE: opNE, opLT: opGT, opLE: opGE, opGT: opLT, opGE: opLE}

// fusedTerm recognises `col op const`, `const op col`, `col op col` and IS [NOT] NULL of a column; nil for anything else.
func fusedTerm(e Expr) term {
	call, ok := e.(*Call)
	if !ok {
		return nil
	}
	if col := columnOf(call.Args, 0); col != nil && len(call.Args) == 1 {
		switch call.Name {
		case "is_null":
			return &nullTerm{col: col.Index, want: true}
		case "is_not_null":
			return &nullTerm{col: col.Index}
		}
	}
	op, ok := compareOps[call.Name]
	if !ok || len(call.Args) != 2 || !fusable(call.Args[0].Type()) || !fusable(call.Args[1].Type()) {
		return nil
	}
	x, y := call.Args[0], call.Args[1]
	if x.Type().Class() != y.Type().Class() {
		return nil
	}
	if _, ok := x.(*Const); ok {
		x, y, op = y, x, mirrored[op]
	}
	col, ok := x.(*Col)
	if !ok {
		return nil
	}
	switch y := y.(type) {
	case *Const:
		if y.Value.IsNull(0) {
			return nil
		}
		return &constTerm{col: col.Index, op: op, value: y.Value}
	case *Col:
		if y.Type().Class() == types.ClassBytes {
			return nil
		}
		return &pairTerm{x: col.Index, y: y.Index, op: op}
	}
	return nil
}

func columnOf(args []Expr, i int) *Col {
	if i < len(args) {
		if c, ok := args[i].(*Col); ok {
			return c
		}
	}
	return nil
}

// fusable leaves BIGINT UNSIGNED out: its bits do not order as signed integers do.
func fusable(t types.Type) bool {
	switch t.Class() {
	case types.ClassI64:
		return t.Kind != types.Uint64 && t.Kind != types.Null
	case types.ClassF64, types.ClassBytes:
		return true
	}
	return false
}

// dropNulls narrows a selection to rows that are not NULL.
func dropNulls(v *vector.Vector, sel []int32) []int32 {
	if !v.HasNulls() {
		return sel
	}
	k := 0
	for _, i := range sel {
		sel[k] = i
		k += int(v.Valid[i>>6] >> (i & 63) & 1)
	}
	return sel[:k]
}

type nullTerm struct {
	col  int
	want bool
}

func (t *nullTerm) narrow(_ *function.Ctx, b *vector.Batch, sel []int32) []int32 {
	v := b.Cols[t.col]
	if !t.want {
		return dropNulls(v, sel)
	}
	if !v.HasNulls() {
		return sel[:0]
	}
	k := 0
	for _, i := range sel {
		sel[k] = i
		k += int(^(v.Valid[i>>6] >> (i & 63)) & 1)
	}
	return sel[:k]
}

type constTerm struct {
	col   int
	op    compareOp
	value *vector.Vector
}

func (t *constTerm) narrow(_ *function.Ctx, b *vector.Batch, sel []int32) []int32 {
	v := b.Cols[t.col]
	sel = dropNulls(v, sel)
	switch v.Type.Class() {
	case types.ClassI64:
		return narrowConst(t.op, v.I64, t.value.I64[0], sel)
	case types.ClassF64:
		return narrowConst(t.op, v.F64, t.value.F64[0], sel)
	}
	return narrowText(t.op, v, t.value.Bytes(0), sel)
}

// pairTerm compares two columns of one number class.
type pairTerm struct {
	x, y int
	op   compareOp
}

func (t *pairTerm) narrow(_ *function.Ctx, b *vector.Batch, sel []int32) []int32 {
	x, y := b.Cols[t.x], b.Cols[t.y]
	sel = dropNulls(y, dropNulls(x, sel))
	if x.Type.Class() == types.ClassI64 {
		return narrowPair(t.op, x.I64, y.I64, sel)
	}
	return narrowPair(t.op, x.F64, y.F64, sel)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// narrowConst writes every row and moves on only past those that pass, so that the loop has no branch to mispredict.
func narrowConst[T cmp.Ordered](op compareOp, x []T, c T, sel []int32) []int32 {
	k := 0
	switch op {
	case opEQ:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] == c)
		}
	case opNE:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] != c)
		}
	case opLT:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] < c)
		}
	case opLE:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] <= c)
		}
	case opGT:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] > c)
		}
	case opGE:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] >= c)
		}
	}
	return sel[:k]
}

func narrowPair[T cmp.Ordered](op compareOp, x, y []T, sel []int32) []int32 {
	k := 0
	switch op {
	case opEQ:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] == y[i])
		}
	case opNE:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] != y[i])
		}
	case opLT:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] < y[i])
		}
	case opLE:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] <= y[i])
		}
	case opGT:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] > y[i])
		}
	case opGE:
		for _, i := range sel {
			sel[k] = i
			k += one(x[i] >= y[i])
		}
	}
	return sel[:k]
}

func narrowText(op compareOp, v *vector.Vector, c []byte, sel []int32) []int32 {
	k := 0
	if op == opEQ || op == opNE {
		for _, i := range sel {
			sel[k] = i
			k += one(bytes.Equal(v.Data[v.Off[i]:v.Off[i+1]], c) == (op == opEQ))
		}
		return sel[:k]
	}
	for _, i := range sel {
		sel[k] = i
		k += one(ordered(op, bytes.Compare(v.Data[v.Off[i]:v.Off[i+1]], c)))
	}
	return sel[:k]
}

func ordered(op compareOp, sign int) bool {
	switch op {
	case opLT:
		return sign < 0
	case opLE:
		return sign <= 0
	case opGT:
		return sign > 0
	}
	return sign >= 0
}
