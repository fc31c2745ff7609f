package logical

import (
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
)

// JoinMethod is how a join finds its partners.
type JoinMethod uint8

// The methods. Regular keeps both sides; Temporal takes the version valid at the left row's time; Lookup reads a bounded right
// side whole first.
const (
	Regular JoinMethod = iota
	Temporal
	Lookup
)

var methodNames = [...]string{"", "Temporal", "Lookup"}

// String gives the prefix under which EXPLAIN prints the join.
func (m JoinMethod) String() string { return methodNames[m] }

// Join joins by equality of key columns and a residual condition over left columns then right columns. Output: left, right.
type Join struct {
	base
	Kind                JoinKind
	Method              JoinMethod
	LeftKeys, RightKeys []int
	Residual            expr.Expr
	LeftTime, RightTime int // Temporal only
	Pos                 int
}

// JoinKind is the kind of a join; RIGHT has been turned into LEFT by the binder.
type JoinKind = physical.JoinKind

// NewJoin makes a join.
func NewJoin(left, right Node, j Join) *Join {
	j.in = []Node{left, right}
	j.cols = concat(left.Columns(), right.Columns())
	return &j
}

// With makes the join over other inputs.
func (j *Join) With(in ...Node) Node { return NewJoin(in[0], in[1], *j) }
