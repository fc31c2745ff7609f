package logical

import (
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// Filter keeps the rows where Pred is TRUE.
type Filter struct {
	base
	Pred expr.Expr
}

// NewFilter makes a filter.
func NewFilter(in Node, pred expr.Expr) *Filter {
	return &Filter{base: base{cols: in.Columns(), in: []Node{in}}, Pred: pred}
}

// With makes the filter over another input.
func (f *Filter) With(in ...Node) Node { return NewFilter(in[0], f.Pred) }

// Project computes the output columns.
type Project struct {
	base
	Exprs []expr.Expr
	Names []string
}

// NewProject makes a projection; names are the output's.
func NewProject(in Node, exprs []expr.Expr, names []string) *Project {
	cols := make([]types.Field, len(exprs))
	for i, e := range exprs {
		cols[i] = types.Field{Name: names[i], Type: e.Type()}
	}
	return &Project{base: base{cols: cols, in: []Node{in}}, Exprs: exprs, Names: names}
}

// With makes the projection over another input.
func (p *Project) With(in ...Node) Node { return NewProject(in[0], p.Exprs, p.Names) }

// NewPick projects columns of in by index.
func NewPick(in Node, cols []int) *Project {
	exprs, names := make([]expr.Expr, len(cols)), make([]string, len(cols))
	for i, c := range cols {
		exprs[i], names[i] = ColOf(in, c), in.Columns()[c].Name
	}
	return NewProject(in, exprs, names)
}

// IsIdentity tells whether the projection passes its input on as it is, names included.
func (p *Project) IsIdentity() bool {
	in := p.in[0].Columns()
	if len(in) != len(p.Exprs) {
		return false
	}
	for i, e := range p.Exprs {
		if c, ok := e.(*expr.Col); !ok || c.Index != i || in[i].Name != p.Names[i] {
			return false
		}
	}
	return true
}

// ColOf refers to a column of a node.
func ColOf(n Node, i int) *expr.Col {
	f := n.Columns()[i]
	return &expr.Col{Index: i, Name: f.Name, Typ: f.Type, Pos: -1}
}

// Union passes all rows of its inputs on; their columns have the same types.
type Union struct{ base }

// NewUnion makes a union with the column names of the first input.
func NewUnion(in ...Node) *Union { return &Union{base{cols: in[0].Columns(), in: in}} }

// With makes the union over other inputs.
func (u *Union) With(in ...Node) Node { return NewUnion(in...) }
