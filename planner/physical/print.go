package physical

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// Describe is a node's name and parameters on one line. It is also what state identities are hashed from (operatorid.go), so that a change
// of its wording changes the identity of state in existing savepoints.
func Describe(n Node) string {
	var in []types.Field
	if len(n.Inputs()) > 0 {
		in = n.Inputs()[0].Properties().Fields
	}
	switch x := n.(type) {
	case *SourceScan:
		return "SourceScan " + x.Relation.Name + " " + ColumnTypes(x.Props.Fields)
	case *AssignWatermark:
		return fmt.Sprintf("AssignWatermark %s AS %s", in[x.TimeCol].Name, expr.Print(x.Expr))
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
		return "Project " + Projection(x.Exprs, x.Props.Fields)
	case *Expand:
		return "Expand " + ExpandText(x.Args, x.Outer, x.Props.Fields)
	case *WindowAssign:
		return "WindowAssign " + WindowText(x.Window, in)
	case *Union:
		return "Union"
	case *Recursive:
		if x.Distinct {
			return "Recursive distinct"
		}
		return "Recursive"
	case *RecursiveRef:
		return "RecursiveRef"
	case *Exchange:
		return exchangeText(x, in)
	case *SinkWrite:
		return "SinkWrite " + x.Relation.Name + keyText(in, x.Key)
	case *ViewWrite:
		return "ViewWrite " + x.View.Name + keyText(in, x.Key)
	case *Result:
		return "Result"
	case *Materialize:
		return "Materialize"
	}
	return describeStateful(n, in)
}

func describeStateful(n Node, in []types.Field) string {
	switch x := n.(type) {
	case *WindowAggregate:
		return "WindowAggregate " + WindowText(x.Window, in) + " " + Grouping(in, x.Keys, x.Aggs)
	case *GroupAggregate:
		s := "GroupAggregate " + Grouping(in, x.Keys, x.Aggs)
		if x.FinalOnly {
			s += " final"
		}
		return s
	case *Join:
		return "Join " + JoinCondition(x.Kind, keyPairs(x, x.LeftKeys, x.RightKeys, x.NullEqual), x.Residual)
	case *TemporalJoin:
		return "TemporalJoin " + JoinCondition(x.Kind, keyPairs(x, x.LeftKeys, x.RightKeys, nil), x.Residual) + " as of " + in[x.LeftTime].Name
	case *LookupJoin:
		return "LookupJoin " + JoinCondition(x.Kind, keyPairs(x, x.LeftKeys, x.RightKeys, x.NullEqual), x.Residual)
	case *Normalize:
		return "Normalize " + Names(in, x.Key)
	case *Deduplicate:
		return "Deduplicate " + Names(in, x.Key)
	case *TopN:
		s := fmt.Sprintf("TopN %d partition %s order %s", x.Limit, Names(in, x.PartitionBy), OrderText(in, x.Order))
		if x.WithRank {
			s += " with row_number"
		}
		return s
	case *Over:
		return "Over " + overModeNames[x.Mode] + " " + OverText(in, x.PartitionBy, x.Order, x.Calls)
	case *Sort:
		return "Sort " + OrderText(in, x.Order) + LimitText(x.Offset, x.Limit)
	case *Limit:
		return "Limit" + LimitText(x.Offset, x.Limit)
	}
	return fmt.Sprintf("%T", n)
}

func exchangeText(x *Exchange, in []types.Field) string {
	switch {
	case x.Broadcast:
		return "Exchange broadcast"
	case len(x.Keys) == 0:
		return "Exchange to one task"
	}
	return "Exchange by " + Names(in, x.Keys)
}

func keyText(in []types.Field, key []int) string {
	if len(key) == 0 {
		return ""
	}
	return " key " + Names(in, key)
}

func keyPairs(n Node, left, right []int, nullEqual []bool) []string {
	l, r := n.Inputs()[0].Properties().Fields, n.Inputs()[1].Properties().Fields
	out := make([]string, len(left))
	for i := range left {
		out[i] = KeyPair(l[left[i]].Name, r[right[i]].Name, len(nullEqual) > 0 && nullEqual[i])
	}
	return out
}

// KeyPair describes one pair of join keys.
func KeyPair(left, right string, nullEqual bool) string {
	if nullEqual {
		return left + " <=> " + right
	}
	return left + " = " + right
}

// Names lists columns: (a, b).
func Names(fields []types.Field, cols []int) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = fields[c].Name
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// ColumnTypes lists columns with their types.
func ColumnTypes(fields []types.Field) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = f.Name + " " + f.Type.String()
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// Projection lists expressions with the names they get.
func Projection(exprs []expr.Expr, fields []types.Field) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = expr.Print(e)
		if parts[i] != fields[i].Name {
			parts[i] += " AS " + fields[i].Name
		}
	}
	return strings.Join(parts, ", ")
}

// ExpandText describes an expansion: what is expanded, then the columns that come out.
func ExpandText(args []expr.Expr, outer bool, fields []types.Field) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = expr.Print(a)
	}
	s := strings.Join(parts, ", ") + " giving " + Names(fields, sequence(len(fields)))
	if outer {
		return "outer " + s
	}
	return s
}

func sequence(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Grouping describes group columns and aggregates.
func Grouping(in []types.Field, keys []int, aggs []AggCall) string {
	parts := make([]string, len(aggs))
	for i, a := range aggs {
		parts[i] = a.Name
	}
	return "by " + Names(in, keys) + " [" + strings.Join(parts, ", ") + "]"
}

// OrderText describes an order: (a, b DESC).
func OrderText(in []types.Field, order []SortKey) string {
	parts := make([]string, len(order))
	for i, k := range order {
		parts[i] = in[k.Col].Name
		if k.Desc {
			parts[i] += " DESC"
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// LimitText describes LIMIT and OFFSET, with a blank in front when there is any.
func LimitText(offset, limit int64) string {
	s := ""
	if limit >= 0 {
		s = fmt.Sprintf(" limit %d", limit)
	}
	if offset > 0 {
		s += fmt.Sprintf(" offset %d", offset)
	}
	return s
}

var joinNames = [...]string{"inner", "left", "full", "semi", "anti", "mark"}

// JoinCondition describes kind and condition of a join.
func JoinCondition(kind JoinKind, keys []string, residual expr.Expr) string {
	if residual != nil {
		keys = append(keys, expr.Print(residual))
	}
	if len(keys) == 0 {
		return joinNames[kind] + " on TRUE"
	}
	return joinNames[kind] + " on " + strings.Join(keys, " AND ")
}

var windowNames = [...]string{"TUMBLE", "HOP", "SESSION", "CUMULATE"}

// WindowText describes a window: TUMBLE(ts, 10 SECOND).
func WindowText(w WindowSpec, in []types.Field) string {
	parts := []string{in[w.TimeCol].Name}
	interval := func(name string, micros int64) {
		if micros != 0 {
			parts = append(parts, strings.TrimSpace(name+" "+string(types.AppendInterval(nil, types.IntervalOf(0, micros)))))
		}
	}
	switch w.Kind {
	case Session:
		interval("gap", w.Gap)
	case Tumble:
		interval("", w.Size)
	default:
		interval("slide", w.Slide)
		interval("size", w.Size)
	}
	interval("offset", w.Offset)
	if w.Zone != nil {
		parts = append(parts, "zone "+w.Zone.String())
	}
	return windowNames[w.Kind] + "(" + strings.Join(parts, ", ") + ")"
}
