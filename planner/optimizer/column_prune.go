package optimizer

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// columnPrune drops the columns that nothing above reads, down to the decoder, and narrows STRUCT columns to the fields that are read.
func columnPrune(n logical.Node, _ *props.Deriver) logical.Node {
	all := make([]*use, len(n.Columns()))
	for i := range all {
		all[i] = &use{all: true}
	}
	out, to := prune(n, all)
	if len(out.Columns()) == len(all) && isSequence(to) {
		return out
	}
	p := logical.NewPick(out, to)
	for i, f := range n.Columns() {
		p.Names[i] = f.Name
	}
	return logical.NewProject(out, p.Exprs, p.Names)
}

// use is what is read of a column: nil nothing, all of it, or some fields of a STRUCT.
type use struct {
	all    bool
	fields map[int]*use
}

// read notes that the path of fields below u is read; an empty path is all of it.
func (u *use) read(path []int) {
	for _, f := range path {
		if u.all {
			return
		}
		if u.fields == nil {
			u.fields = map[int]*use{}
		}
		if u.fields[f] == nil {
			u.fields[f] = &use{}
		}
		u = u.fields[f]
	}
	u.all = true
}

// merge adds what o reads.
func (u *use) merge(o *use) {
	if o.all {
		u.all = true
	}
	for f, sub := range o.fields {
		if u.fields == nil {
			u.fields = map[int]*use{}
		}
		if u.fields[f] == nil {
			u.fields[f] = &use{}
		}
		u.fields[f].merge(sub)
	}
}

// narrow is the part of t that is read.
func (u *use) narrow(t types.Type) types.Type {
	if u.all || t.Kind != types.Struct || len(u.fields) == 0 {
		return t
	}
	var fields []types.Field
	for i, f := range t.Fields {
		if sub := u.fields[i]; sub != nil {
			fields = append(fields, types.Field{Name: f.Name, Type: sub.narrow(f.Type)})
		}
	}
	return types.StructOf(fields...)
}

// fieldPath takes a chain of field accesses apart: the column and the fields from outer to inner.
func fieldPath(e expr.Expr) (col *expr.Col, path []int) {
	switch x := e.(type) {
	case *expr.Col:
		return x, nil
	case *expr.Field:
		col, path = fieldPath(x.X)
		return col, append(path, x.Index)
	}
	return nil, nil
}

// uses is what is read of each column of a node.
type uses []*use

func (u uses) all(cols ...int) {
	for _, c := range cols {
		u.at(c).all = true
	}
}

func (u uses) at(c int) *use {
	if u[c] == nil {
		u[c] = &use{}
	}
	return u[c]
}

// expr notes what e reads.
func (u uses) expr(e expr.Expr) {
	if e == nil {
		return
	}
	expr.Walk(e, func(x expr.Expr) bool {
		col, path := fieldPath(x)
		if col != nil {
			u.at(col.Index).read(path)
		}
		return col == nil
	})
}

func (u uses) clone() uses {
	out := make(uses, len(u))
	for i, x := range u {
		if x != nil {
			out[i] = &use{}
			out[i].merge(x)
		}
	}
	return out
}

func (u uses) sort(keys []physical.SortKey) {
	for _, k := range keys {
		u.all(k.Col)
	}
}

// remap moves an expression to the pruned input: columns to their new places and types, fields by name.
func remap(e expr.Expr, to []int, in logical.Node) expr.Expr {
	return logical.Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		if col, _ := fieldPath(x); col == nil {
			return nil, false
		}
		return remapPath(x, to, in), true
	})
}

func remapPath(e expr.Expr, to []int, in logical.Node) expr.Expr {
	if c, ok := e.(*expr.Col); ok {
		moved := *c
		moved.Index = to[c.Index]
		moved.Typ = in.Columns()[moved.Index].Type
		return &moved
	}
	f := *e.(*expr.Field)
	name := f.X.Type().Fields[f.Index].Name
	f.X = remapPath(f.X, to, in)
	f.Index = f.X.Type().FieldIndex(name)
	return &f
}

func remapAll(cols []int, to []int) []int {
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = to[c]
	}
	return out
}

func remapSort(keys []physical.SortKey, to []int) []physical.SortKey {
	out := make([]physical.SortKey, len(keys))
	for i, k := range keys {
		out[i] = physical.SortKey{Col: to[k.Col], Desc: k.Desc}
	}
	return out
}

func isSequence(to []int) bool {
	for i, c := range to {
		if i != c {
			return false
		}
	}
	return true
}
