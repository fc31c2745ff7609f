package logical

import (
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
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

// Join joins by equality of key columns and a residual condition over left columns then right columns; where NullEqual[i] (nil: nowhere)
// NULL equals NULL. Output: left, right; of Semi and Anti only left, of Mark left and the mark.
type Join struct {
	base
	Kind                JoinKind
	Method              JoinMethod
	LeftKeys, RightKeys []int
	NullEqual           []bool
	Residual            expr.Expr
	LeftTime, RightTime int // Temporal only
	Pos                 int
}

// JoinKind is the kind of a join; RIGHT has been turned into LEFT by the binder.
type JoinKind = physical.JoinKind

// NewJoin makes a join.
func NewJoin(left, right Node, j Join) *Join {
	j.in = []Node{left, right}
	switch j.Kind {
	case physical.Semi, physical.Anti:
		j.cols = left.Columns()
	case physical.Mark:
		j.cols = concat(left.Columns(), []types.Field{{Name: "mark", Type: types.Of(types.Bool)}})
	default:
		j.cols = concat(left.Columns(), right.Columns())
	}
	return &j
}

// KeyIsNullEqual tells whether NULL equals NULL in the i-th pair of keys.
func (j *Join) KeyIsNullEqual(i int) bool { return i < len(j.NullEqual) && j.NullEqual[i] }

// With makes the join over other inputs.
func (j *Join) With(in ...Node) Node { return NewJoin(in[0], in[1], *j) }
