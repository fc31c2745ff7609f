package logical

import (
	"fmt"

	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// Check verifies what must hold in every plan: column references lie within the input and have the type of the column that they refer to,
// join keys pair up, the inputs of a union agree. An error names the node; it is a fault of the planner, never of the user.
func Check(n Node) error {
	for _, c := range n.Inputs() {
		if err := Check(c); err != nil {
			return err
		}
	}
	if err := checkNode(n); err != nil {
		return fmt.Errorf("checking %s: %w", Describe(n), err)
	}
	return nil
}

func checkNode(n Node) error {
	switch x := n.(type) {
	case *Filter:
		return checkExpr(x.Pred, inputColumns(x))
	case *Project:
		for _, e := range x.Exprs {
			if err := checkExpr(e, inputColumns(x)); err != nil {
				return err
			}
		}
	case *Expand:
		return checkExpand(x)
	case *Watermark:
		if err := checkCols(x.in[0], x.TimeCol); err != nil {
			return err
		}
		return checkExpr(x.Expr, inputColumns(x))
	case *Normalize:
		return checkCols(x.in[0], x.Key...)
	case *Deduplicate:
		return checkCols(x.in[0], x.Key...)
	case *Window:
		return checkCols(x.in[0], append([]int{x.Spec.TimeCol}, x.PartitionBy...)...)
	case *Aggregate:
		return checkAggs(x.in[0], x.Keys, x.Aggs)
	case *WindowAggregate:
		return checkAggs(x.in[0], append([]int{x.Spec.TimeCol}, x.Keys...), x.Aggs)
	case *Over:
		if err := checkCols(x.in[0], physical.OverColumns(x.Calls)...); err != nil {
			return err
		}
		return checkOrder(x.in[0], x.PartitionBy, x.Order)
	case *TopN:
		return checkOrder(x.in[0], x.PartitionBy, x.Order)
	case *Sort:
		return checkOrder(x.in[0], nil, x.Order)
	case *Join:
		return checkJoin(x)
	case *Union:
		return checkUnion(x)
	case *Recursive:
		return checkUnion(&Union{x.base})
	case *MatchRecognize:
		return checkMatch(x)
	}
	return nil
}

func inputColumns(n Node) []types.Field {
	var cols []types.Field
	for _, c := range n.Inputs() {
		cols = concat(cols, c.Columns())
	}
	return cols
}

func checkExpr(e expr.Expr, cols []types.Field) (err error) {
	expr.Walk(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Col)
		switch {
		case !ok || err != nil:
		case c.Index < 0 || c.Index >= len(cols):
			err = fmt.Errorf("column %d (%s) of %d", c.Index, c.Name, len(cols))
		case !c.Typ.Equal(cols[c.Index].Type):
			err = fmt.Errorf("column %d (%s) is %s, not %s", c.Index, c.Name, cols[c.Index].Type, c.Typ)
		}
		return err == nil
	})
	return err
}

func checkExpand(x *Expand) error {
	for _, e := range x.Args {
		if err := checkExpr(e, inputColumns(x)); err != nil {
			return err
		}
		if e.Type().Class() != types.ClassList {
			return fmt.Errorf("expanding %s, a %s", expr.Print(e), e.Type())
		}
	}
	for _, m := range x.Made {
		if m.Arg >= len(x.Args) {
			return fmt.Errorf("argument %d of %d", m.Arg, len(x.Args))
		}
	}
	return checkCols(x.in[0], x.Keep...)
}

func checkCols(in Node, cols ...int) error {
	for _, c := range cols {
		if c < 0 || c >= len(in.Columns()) {
			return fmt.Errorf("column %d of %d", c, len(in.Columns()))
		}
	}
	return nil
}

func checkAggs(in Node, keys []int, aggs []physical.AggCall) error {
	for _, a := range aggs {
		if err := checkCols(in, a.Args...); err != nil {
			return err
		}
		if a.Filter >= 0 {
			if err := checkCols(in, a.Filter); err != nil {
				return err
			}
		}
	}
	return checkCols(in, keys...)
}

func checkOrder(in Node, partition []int, order []physical.SortKey) error {
	for _, k := range order {
		if err := checkCols(in, k.Col); err != nil {
			return err
		}
	}
	return checkCols(in, partition...)
}

func checkJoin(j *Join) error {
	left, right := j.in[0], j.in[1]
	if len(j.LeftKeys) != len(j.RightKeys) {
		return fmt.Errorf("%d left and %d right keys", len(j.LeftKeys), len(j.RightKeys))
	}
	if err := checkCols(left, j.LeftKeys...); err != nil {
		return err
	}
	if err := checkCols(right, j.RightKeys...); err != nil {
		return err
	}
	for i, l := range j.LeftKeys {
		a, b := left.Columns()[l].Type, right.Columns()[j.RightKeys[i]].Type
		if a.Class() != b.Class() || a.Kind.IsUnsigned() != b.Kind.IsUnsigned() {
			return fmt.Errorf("key %d is %s on the left, %s on the right", i, a, b)
		}
	}
	if j.Residual == nil {
		return nil
	}
	return checkExpr(j.Residual, inputColumns(j))
}

func checkUnion(u *Union) error {
	for _, c := range u.in {
		if len(c.Columns()) != len(u.cols) {
			return fmt.Errorf("inputs of %d and %d columns", len(u.cols), len(c.Columns()))
		}
		for i, f := range c.Columns() {
			if !f.Type.Equal(u.cols[i].Type) {
				return fmt.Errorf("column %d is %s and %s", i, u.cols[i].Type, f.Type)
			}
		}
	}
	return nil
}
