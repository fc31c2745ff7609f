package optimizer

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/expr"
)

// windowMerge turns GROUP BY window_start, window_end, k over a window into a window aggregate: rows are folded into accumulators per
// window instead of being copied per window, and each result comes once, when its window closes.
//
//	Aggregate(keys, aggs)                  Project(keys and aggregates in their old order)
//	  Project                        =>      WindowAggregate(window, keys, aggs)
//	    Window                                 Project(time, keys, arguments)
//	      in                                     in
//
// It does not fire for EMIT CHANGES (the user wants early results), for windows without event time, and when an aggregate reads the
// window's bounds.
func windowMerge(n logical.Node, _ *props.Deriver) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		a, ok := n.(*logical.Aggregate)
		if !ok || a.Emit == ast.EmitChanges {
			return n
		}
		p, ok := a.Inputs()[0].(*logical.Project)
		if !ok {
			return n
		}
		w, ok := p.Inputs()[0].(*logical.Window)
		if !ok || w.Untimed {
			return n
		}
		m := merger{a: a, p: p, w: w, width: len(w.Inputs()[0].Columns())}
		if !m.readKeys() || !m.readArgs() {
			return n
		}
		return m.build()
	})
}

type merger struct {
	a     *logical.Aggregate
	p     *logical.Project
	w     *logical.Window
	width int // columns below the window
	keys  []int
	// isWindow marks the keys that are computed from the window's bounds alone.
	isWindow []bool
}

// readKeys sorts the group columns into those of the window and the others. The window must be told by them: by its end, or by its
// start unless windows share starts. PARTITION BY of a session must be grouped by.
func (m *merger) readKeys() bool {
	start, end := false, false
	for _, k := range m.a.Keys {
		below, window := m.reads(m.p.Exprs[k])
		if window && below {
			return false
		}
		m.isWindow = append(m.isWindow, window)
		if !window {
			m.keys = append(m.keys, k)
		}
		if c, ok := m.p.Exprs[k].(*expr.Col); ok {
			start = start || c.Index == m.width
			end = end || c.Index == m.width+1
		}
	}
	shared := m.w.Spec.Kind == physical.Cumulate || m.w.Spec.Kind == physical.Session
	if !end && (!start || shared) {
		return false
	}
	for _, c := range m.w.PartitionBy {
		if !slices.ContainsFunc(m.keys, func(k int) bool {
			col, ok := m.p.Exprs[k].(*expr.Col)
			return ok && col.Index == c
		}) {
			return false
		}
	}
	return true
}

func (m *merger) readArgs() bool {
	for _, call := range m.a.Aggs {
		args := call.Args
		if call.Filter >= 0 {
			args = append(slices.Clone(args), call.Filter)
		}
		for _, c := range args {
			if _, window := m.reads(m.p.Exprs[c]); window {
				return false
			}
		}
	}
	return true
}

// reads tells whether e reads columns below the window, and columns of the window.
func (m *merger) reads(e expr.Expr) (below, window bool) {
	for _, c := range expr.Columns(e) {
		below, window = below || c < m.width, window || c >= m.width
	}
	return below, window
}

func (m *merger) build() logical.Node {
	in := m.w.Inputs()[0]
	exprs, names := []expr.Expr{logical.ColOf(in, m.w.Spec.TimeCol)}, []string{in.Columns()[m.w.Spec.TimeCol].Name}
	at := map[int]int{} // column of p -> column of the new projection
	add := func(c int) int {
		if to, ok := at[c]; ok {
			return to
		}
		at[c] = len(exprs)
		exprs, names = append(exprs, m.p.Exprs[c]), append(names, m.p.Names[c])
		return at[c]
	}
	agg := logical.WindowAggregate{Spec: m.w.Spec}
	agg.Spec.TimeCol = 0
	for _, k := range m.keys {
		agg.Keys = append(agg.Keys, add(k))
	}
	for _, call := range m.a.Aggs {
		call.Args = slices.Clone(call.Args)
		for i, c := range call.Args {
			call.Args[i] = add(c)
		}
		if call.Filter >= 0 {
			call.Filter = add(call.Filter)
		}
		agg.Aggs = append(agg.Aggs, call)
	}
	return m.reorder(logical.NewWindowAggregate(logical.NewProject(in, exprs, names), agg))
}

// reorder gives the columns the order of the old aggregate: keys, then aggregates.
func (m *merger) reorder(wa *logical.WindowAggregate) logical.Node {
	n := len(m.keys)
	var exprs []expr.Expr
	var names []string
	next := 0
	for i, k := range m.a.Keys {
		names = append(names, m.a.Columns()[i].Name)
		if !m.isWindow[i] {
			exprs = append(exprs, logical.ColOf(wa, next))
			next++
			continue
		}
		exprs = append(exprs, logical.Transform(m.p.Exprs[k], func(e expr.Expr) (expr.Expr, bool) {
			c, ok := e.(*expr.Col)
			if !ok {
				return nil, false
			}
			return logical.ColOf(wa, n+c.Index-m.width), true
		}))
	}
	for i := range m.a.Aggs {
		exprs, names = append(exprs, logical.ColOf(wa, n+3+i)), append(names, m.a.Columns()[len(m.a.Keys)+i].Name)
	}
	return logical.NewProject(wa, exprs, names)
}
