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
	Static      bool // a table that is read whole before anything else: it ends, only adds rows, and has no time of its own
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
	info.Static = static(n, info, in)
	info.EventTime, info.WindowStart, info.WindowEnd = d.eventTime(n, in)
	d.memo[n] = info
	return info
}

// static tells whether the output is a table to look things up in. A limited stream is bounded, but its rows come in their own time;
// the rows of an aggregation are final only when the plan says so.
func static(n logical.Node, info *Info, in []*Info) bool {
	switch x := n.(type) {
	case *logical.Aggregate:
		return x.Final
	case *logical.Watermark, *logical.Limit, *logical.WindowAggregate, *logical.Over, *logical.RecursiveRef:
		return false
	}
	for _, i := range in {
		if !i.Static {
			return false
		}
	}
	return info.Bounded && info.Changelog == physical.AppendOnly
}

// IsLookup tells whether a join reads one side first, as a table, and streams the other past it: left is the side that streams. A
// regular join is one when the optimizer will make it one (rule join_to_lookup).
func IsLookup(j *logical.Join, left, right *Info) (streams int, ok bool) {
	switch {
	case j.Method == logical.Lookup:
		return 0, true
	case j.Method == logical.Temporal || j.Kind == physical.Full:
		return 0, false
	case right.Static:
		return 0, true
	}
	return 1, left.Static && j.Kind == physical.Inner
}

// bounded tells whether the output ends by itself.
func bounded(n logical.Node, in []*Info) bool {
	switch x := n.(type) {
	case *logical.Scan:
		return x.Bounded
	case *logical.ViewScan:
		return !x.Follow
	case *logical.Values, *logical.SystemScan, *logical.RecursiveRef:
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
