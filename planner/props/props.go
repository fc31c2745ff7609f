package props

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
)

// Info is what is known of a node's output. Columns are indexes into it.
type Info struct {
	Changelog   physical.Changelog
	Keys        [][]int // each set of columns identifies a row; an empty set: at most one row
	EventTime   []int   // columns with a watermark, usable as time of a window
	WindowStart []int   // columns that hold the start of the row's window
	WindowEnd   []int   // columns that hold its end: no row of that window comes once the watermark has passed it
	Bounded     bool
	Final       bool // the aggregates of a bounded input emit final rows only
}

// Deriver derives and remembers. It belongs to one planning.
type Deriver struct {
	memo map[logical.Node]*Info
	// FinalOnly: aggregates over bounded inputs emit once at the end, so that their output is append-only.
	FinalOnly bool
}

// New makes a deriver.
func New(finalOnly bool) *Deriver {
	return &Deriver{memo: map[logical.Node]*Info{}, FinalOnly: finalOnly}
}

// Of derives what is known of n's output.
func (d *Deriver) Of(n logical.Node) *Info {
	if info, ok := d.memo[n]; ok {
		return info
	}
	in := make([]*Info, len(n.Inputs()))
	for i, c := range n.Inputs() {
		in[i] = d.Of(c)
	}
	info := &Info{
		Changelog: d.changelog(n, in),
		Bounded:   bounded(n, in),
		Keys:      keys(n, in),
	}
	info.EventTime, info.WindowStart, info.WindowEnd = eventTime(n, in)
	d.memo[n] = info
	return info
}

// bounded tells whether the output ends by itself.
func bounded(n logical.Node, in []*Info) bool {
	switch x := n.(type) {
	case *logical.Scan:
		return x.Bounded
	case *logical.ViewScan:
		return !x.Follow
	case *logical.Values, *logical.SystemScan:
		return true
	case *logical.Limit:
		return in[0].Bounded || x.Limit >= 0
	case *logical.Join:
		if x.Method == logical.Lookup {
			return in[0].Bounded
		}
	}
	for _, i := range in {
		if !i.Bounded {
			return false
		}
	}
	return true
}

// mapColumns translates input columns to where a projection puts them; columns that are not passed on as they are vanish.
func mapColumns(cols []int, to map[int][]int) []int {
	var out []int
	for _, c := range cols {
		out = append(out, to[c]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func shift(cols []int, by int) []int {
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = c + by
	}
	return out
}

// passed lists where a projection passes each input column on.
func passed(p *logical.Project) map[int][]int {
	to := map[int][]int{}
	for i, e := range p.Exprs {
		if c := PassedColumn(e); c >= 0 {
			to[c] = append(to[c], i)
		}
	}
	return to
}

// positions inverts a list of columns.
func positions(cols []int) map[int][]int {
	to := map[int][]int{}
	for i, c := range cols {
		to[c] = append(to[c], i)
	}
	return to
}
