package operator

import (
	"fmt"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Aggregate is one aggregate call: its arguments are columns of the input, and so is Filter (BOOLEAN; -1: none).
type Aggregate struct {
	Name   string
	Bound  function.BoundAgg
	Args   []int
	Filter int
}

// accumulators holds the states of several aggregates by group id.
type accumulators struct {
	specs   []Aggregate
	states  []function.AggState
	groups  int
	args    []*vector.Vector
	rows    []int32 // of the rows that pass a filter
	gids    []int32
	changes []vector.Change
}

func newAccumulators(specs []Aggregate, retract bool) accumulators {
	a := accumulators{specs: specs}
	for _, s := range specs {
		a.states = append(a.states, s.Bound.NewState(retract))
	}
	return a
}

// resultTypes are the aggregates' types.
func resultTypes(specs []Aggregate) []types.Type {
	out := make([]types.Type, len(specs))
	for i, s := range specs {
		out[i] = s.Bound.Ret
	}
	return out
}

// grow makes room for group ids below n.
func (a *accumulators) grow(n int) {
	if n <= a.groups {
		return
	}
	for _, s := range a.states {
		s.Grow(n)
	}
	a.groups = n
}

// add folds rows of b in: gids[k] is the group of physical row rows[k], changes[k] its kind (nil: all add).
func (a *accumulators) add(b *vector.Batch, gids, rows []int32, changes []vector.Change) error {
	for i, s := range a.specs {
		a.args = pick(a.args, b, s.Args)
		g, r, c := gids, rows, changes
		if s.Filter >= 0 {
			g, r, c = a.filtered(b.Cols[s.Filter], gids, rows, changes)
		}
		if len(r) == 0 {
			continue
		}
		if err := a.states[i].Add(g, r, c, a.args); err != nil {
			return fmt.Errorf("aggregating %s: %w", s.Name, err)
		}
	}
	return nil
}

func (a *accumulators) filtered(cond *vector.Vector, gids, rows []int32, changes []vector.Change) (g, r []int32, c []vector.Change) {
	a.gids, a.rows, a.changes = a.gids[:0], a.rows[:0], a.changes[:0]
	for k, i := range rows {
		if cond.I64[i] == 0 || cond.IsNull(int(i)) {
			continue
		}
		a.rows, a.gids = append(a.rows, i), append(a.gids, gids[k])
		if changes != nil {
			a.changes = append(a.changes, changes[k])
		}
	}
	if changes == nil {
		return a.gids, a.rows, nil
	}
	return a.gids, a.rows, a.changes
}

// emit appends the group's results to cols.
func (a *accumulators) emit(gid int32, cols []*vector.Vector) {
	for i, s := range a.states {
		s.Emit(int(gid), cols[i])
	}
}

// clear makes the group id ready for another key.
func (a *accumulators) clear(gid int32) {
	for _, s := range a.states {
		s.Clear(int(gid))
	}
}

func (a *accumulators) encode(gid int32, dst []byte) []byte {
	for _, s := range a.states {
		dst = s.Encode(int(gid), dst)
	}
	return dst
}

func (a *accumulators) decode(gid int32, data []byte) error {
	var err error
	for i, s := range a.states {
		if data, err = s.Decode(int(gid), data); err != nil {
			return fmt.Errorf("reading state of %s: %w", a.specs[i].Name, err)
		}
	}
	if len(data) != 0 {
		return fmt.Errorf("reading aggregate state: %d bytes left over", len(data))
	}
	return nil
}
