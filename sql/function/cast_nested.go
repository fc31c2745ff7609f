package function

import (
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// nestedKernel converts nested values child by child.
func (c *caster) nestedKernel() (Kernel, error) {
	var pairs [][2]types.Type
	switch c.from.Kind {
	case types.Array:
		pairs = [][2]types.Type{{*c.from.Elem, *c.to.Elem}}
	case types.Map:
		pairs = [][2]types.Type{{*c.from.Key, *c.to.Key}, {*c.from.Elem, *c.to.Elem}}
	case types.Struct:
		for i, f := range c.from.Fields {
			pairs = append(pairs, [2]types.Type{f.Type, c.to.Fields[i].Type})
		}
	}
	for _, p := range pairs {
		k, err := (&caster{from: p[0], to: p[1], try: c.try, assign: c.assign}).kernel()
		if err != nil {
			return nil, err
		}
		if p[0].Equal(p[1]) {
			k = copyKernel
		}
		c.child = append(c.child, k)
	}
	return c.convertNested, nil
}

func copyKernel(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.AppendAll(args[0], nil)
}

func (c *caster) convertNested(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	start, sel := len(ctx.Errs), ctx.Sel
	ctx.Sel = nil // rows of children are not rows of the batch
	defer func() { ctx.Sel = sel }()
	for i, child := range in.Child {
		c.child[i](ctx, []*vector.Vector{child}, child.N, out.Child[i])
		out.Child[i].AndValidity(child)
	}
	if in.Type.Class() == types.ClassStruct {
		for range n {
			out.EndStruct()
		}
		return
	}
	out.Off = append(out.Off[:0], in.Off[:n+1]...)
	out.N = n
	elementErrors(ctx, start, in)
}

// elementErrors turns errors of elements into errors of the rows that hold them.
func elementErrors(ctx *Ctx, start int, in *vector.Vector) {
	for k := range ctx.Errs[start:] {
		e := &ctx.Errs[start+k]
		row := 0
		for row+1 < in.N && int(in.Off[row+1]) <= e.Row {
			row++
		}
		e.Row = row
	}
}

// nestedFromJSON reads arrays, maps and structs from JSON text.
func (c *caster) nestedFromJSON(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	for i := range n {
		value, err := decodeJSON(in.Bytes(i))
		if err != nil || !appendNested(out, value) {
			out.Truncate(i)
			out.AppendNull()
			c.bad(ctx, in, i, out, diag.InvalidCast)
		}
	}
}
