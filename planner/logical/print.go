package logical

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// Print renders a plan, one node a line, inputs indented below.
func Print(n Node) string {
	var s strings.Builder
	printTo(&s, n, 0)
	return s.String()
}

func printTo(s *strings.Builder, n Node, depth int) {
	s.WriteString(strings.Repeat("  ", depth) + Describe(n) + "\n")
	for _, c := range n.Inputs() {
		printTo(s, c, depth+1)
	}
}

// Describe is a node's line in Print.
func Describe(n Node) string {
	var in []types.Field
	if len(n.Inputs()) > 0 {
		in = n.Inputs()[0].Columns()
	}
	switch x := n.(type) {
	case *Scan:
		return "Scan " + x.Relation.Name + " " + physical.ColumnTypes(x.Columns())
	case *Watermark:
		return fmt.Sprintf("Watermark %s AS %s", in[x.TimeCol].Name, expr.Print(x.Expr))
	case *Normalize:
		return "Normalize " + physical.Names(in, x.Key)
	case *Values:
		return fmt.Sprintf("Values %d row(s)", len(x.Rows))
	case *ViewScan:
		if x.Follow {
			return "ViewScan " + x.View.Name + " follow"
		}
		return "ViewScan " + x.View.Name
	case *SystemScan:
		return "SystemScan " + x.Relation.Name
	case *Filter:
		return "Filter " + expr.Print(x.Pred)
	case *Project:
		return "Project " + physical.Projection(x.Exprs, x.Columns())
	case *Expand:
		return "Expand " + physical.ExpandText(x.Args, x.Outer, x.Columns())
	case *Union:
		return "Union"
	case *Recursive:
		if x.Distinct {
			return "Recursive distinct"
		}
		return "Recursive"
	case *RecursiveRef:
		return "RecursiveRef " + physical.ColumnTypes(x.cols)
	case *Join:
		return x.Method.String() + "Join " + physical.JoinCondition(x.Kind, keyNames(x), x.Residual) + temporalText(x)
	}
	return describeKeyed(n, in)
}

func describeKeyed(n Node, in []types.Field) string {
	switch x := n.(type) {
	case *Aggregate:
		return "Aggregate " + physical.Grouping(in, x.Keys, x.Aggs)
	case *Window:
		return "Window " + physical.WindowText(x.Spec, in) + partitionText(in, x.PartitionBy)
	case *WindowAggregate:
		return "WindowAggregate " + physical.WindowText(x.Spec, in) + " " + physical.Grouping(in, x.Keys, x.Aggs)
	case *Over:
		return x.text(in)
	case *TopN:
		return fmt.Sprintf("TopN %d partition %s order %s%s", x.Limit, physical.Names(in, x.PartitionBy), physical.OrderText(in, x.Order), rankText(x.WithRank))
	case *MatchRecognize:
		return x.describe(in)
	case *Deduplicate:
		return "Deduplicate " + physical.Names(in, x.Key)
	case *Sort:
		return fmt.Sprintf("Sort %s%s", physical.OrderText(in, x.Order), physical.LimitText(x.Offset, x.Limit))
	case *Limit:
		return "Limit" + physical.LimitText(x.Offset, x.Limit)
	}
	return fmt.Sprintf("%T", n)
}

func rankText(with bool) string {
	if with {
		return " with row_number"
	}
	return ""
}

func partitionText(in []types.Field, by []int) string {
	if len(by) == 0 {
		return ""
	}
	return " partition " + physical.Names(in, by)
}

func keyNames(j *Join) []string {
	out := make([]string, len(j.LeftKeys))
	for i, l := range j.LeftKeys {
		out[i] = physical.KeyPair(j.in[0].Columns()[l].Name, j.in[1].Columns()[j.RightKeys[i]].Name, j.KeyIsNullEqual(i))
	}
	return out
}

func temporalText(j *Join) string {
	if j.Method != Temporal {
		return ""
	}
	return " as of " + j.in[0].Columns()[j.LeftTime].Name
}
