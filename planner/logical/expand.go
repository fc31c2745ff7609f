package logical

import (
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// Expand makes rows of the elements of ARRAYs and MAPs: UNNEST, JSON_TABLE and other functions of one ARRAY in FROM. Each input row
// gives as many rows as its longest argument has elements, shorter ones filled with NULL; none when all are empty or NULL, unless
// Outer: then one, whose made columns are NULL. Output: the input columns Keep, then Made.
type Expand struct {
	base
	Args  []expr.Expr // over the input; ARRAYs and MAPs
	Keep  []int
	Made  []physical.ExpandColumn
	Names []string // of Made
	Outer bool
}

// NewExpand makes an expansion.
func NewExpand(in Node, x Expand) *Expand {
	x.in = []Node{in}
	x.cols = pick(in.Columns(), x.Keep)
	for i, m := range x.Made {
		x.cols = append(x.cols, types.Field{Name: x.Names[i], Type: m.Type})
	}
	return &x
}

// With makes the expansion over another input.
func (x *Expand) With(in ...Node) Node { return NewExpand(in[0], *x) }

// Ordinality is the output column that numbers the rows made of one input row; -1: none.
func (x *Expand) Ordinality() int {
	for i, m := range x.Made {
		if m.Arg == physical.Ordinality {
			return len(x.Keep) + i
		}
	}
	return -1
}
