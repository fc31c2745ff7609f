package logical

import (
	"time"

	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// Scan reads a relation from its connector: Cols index Relation.Columns (never computed ones), Types are theirs, possibly narrowed.
type Scan struct {
	base
	Relation *catalog.Relation
	Cols     []int
	Types    []types.Type
	Changes  physical.Changelog
	Bounded  bool
}

// NewScan makes a scan.
func NewScan(s Scan) *Scan {
	s.cols = make([]types.Field, len(s.Cols))
	for i, c := range s.Cols {
		s.cols[i] = types.Field{Name: s.Relation.Columns[c].Name, Type: s.Types[i]}
	}
	return &s
}

// With returns the scan: it has no inputs.
func (s *Scan) With(...Node) Node { return s }

// Watermark declares column TimeCol to be event time with a watermark of Expr.
type Watermark struct {
	base
	TimeCol   int
	Expr      expr.Expr
	MaxFuture time.Duration
	Policy    *physical.ErrorPolicy // of the relation; nil: the plan's
	Relation  string
}

// NewWatermark makes a watermark over in.
func NewWatermark(in Node, w Watermark) *Watermark {
	w.in, w.cols = []Node{in}, in.Columns()
	return &w
}

// With makes the watermark over another input.
func (w *Watermark) With(in ...Node) Node { return NewWatermark(in[0], *w) }

// Normalize turns an upsert changelog into a retract one.
type Normalize struct {
	base
	Key []int
}

// NewNormalize makes a normalisation by key.
func NewNormalize(in Node, key []int) *Normalize {
	return &Normalize{base: base{cols: in.Columns(), in: []Node{in}}, Key: key}
}

// With makes the normalisation over another input.
func (n *Normalize) With(in ...Node) Node { return NewNormalize(in[0], n.Key) }

// Values is constant rows.
type Values struct {
	base
	Rows [][]expr.Expr
}

// NewValues makes constant rows.
func NewValues(cols []types.Field, rows [][]expr.Expr) *Values {
	return &Values{base: base{cols: cols}, Rows: rows}
}

// With returns the values: they have no inputs.
func (v *Values) With(...Node) Node { return v }

// ViewScan reads a materialised view's rows; Follow goes on with its changes.
type ViewScan struct {
	base
	View   *catalog.Relation
	Follow bool
}

// NewViewScan makes a scan of a view's state.
func NewViewScan(view *catalog.Relation, follow bool) *ViewScan {
	return &ViewScan{base: base{cols: view.Fields()}, View: view, Follow: follow}
}

// With returns the scan: it has no inputs.
func (v *ViewScan) With(...Node) Node { return v }

// SystemScan reads a table of the engine.
type SystemScan struct {
	base
	Relation *catalog.Relation
}

// NewSystemScan makes a scan of a system table.
func NewSystemScan(rel *catalog.Relation) *SystemScan {
	return &SystemScan{base: base{cols: rel.Fields()}, Relation: rel}
}

// With returns the scan: it has no inputs.
func (s *SystemScan) With(...Node) Node { return s }
