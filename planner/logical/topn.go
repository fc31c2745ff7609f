package logical

import (
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/types"
)

// TopN keeps the first Limit rows of an order per partition.
type TopN struct {
	base
	PartitionBy []int
	Order       []physical.SortKey
	Limit       int64
	WithRank    bool
}

// NewTopN makes a top-N.
func NewTopN(in Node, t TopN) *TopN {
	t.in, t.cols = []Node{in}, in.Columns()
	if t.WithRank {
		t.cols = concat(t.cols, []types.Field{{Name: "row_number", Type: types.Of(types.Int64)}})
	}
	return &t
}

// With makes the top-N over another input.
func (t *TopN) With(in ...Node) Node { return NewTopN(in[0], *t) }

// Deduplicate keeps the first row to arrive of each key.
type Deduplicate struct {
	base
	Key []int
}

// NewDeduplicate makes a deduplication.
func NewDeduplicate(in Node, key []int) *Deduplicate {
	return &Deduplicate{base: base{cols: in.Columns(), in: []Node{in}}, Key: key}
}

// With makes the deduplication over another input.
func (d *Deduplicate) With(in ...Node) Node { return NewDeduplicate(in[0], d.Key) }

// Sort orders the final rows; Limit < 0 keeps all.
type Sort struct {
	base
	Order         []physical.SortKey
	Offset, Limit int64
	Pos           int
}

// NewSort makes a sort.
func NewSort(in Node, s Sort) *Sort {
	s.in, s.cols = []Node{in}, in.Columns()
	return &s
}

// With makes the sort over another input.
func (s *Sort) With(in ...Node) Node { return NewSort(in[0], *s) }

// Limit passes the first rows on.
type Limit struct {
	base
	Offset, Limit int64
	Pos           int
}

// NewLimit makes a limit.
func NewLimit(in Node, l Limit) *Limit {
	l.in, l.cols = []Node{in}, in.Columns()
	return &l
}

// With makes the limit over another input.
func (l *Limit) With(in ...Node) Node { return NewLimit(in[0], *l) }
