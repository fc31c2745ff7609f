package operator

import "github.com/millrace/millrace/sql/types"

// MaterializeOptions describe a Materialize.
type MaterializeOptions struct {
	Input []types.Type // the input's columns
}

// Materialize collects a bounded changelog and emits its final rows as inserts at the end, in order of arrival.
//
// State, table 0: rows (bag).
type Materialize struct{ collector }

// NewMaterialize makes a Materialize.
func NewMaterialize(o MaterializeOptions) *Materialize {
	return &Materialize{collector{order: ordering{schema: o.Input}}}
}

// End emits the rows.
func (m *Materialize) End(_ int, out Output) error { return m.emitRows(m.rows(), 0, -1, out) }
