package props

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
)

// changelog derives the kinds of change on the output. Filters over upsert edges would need the row that was there before; the binder
// therefore normalises upsert sources at once, except as the right side of a temporal join.
func (d *Deriver) changelog(n logical.Node, in []*Info) physical.Changelog {
	switch x := n.(type) {
	case *logical.Scan:
		return x.Changes
	case *logical.ViewScan:
		if x.Follow {
			return physical.Retract
		}
		return physical.AppendOnly
	case *logical.Normalize, *logical.TopN:
		return physical.Retract
	case *logical.Over:
		if d.OverMode(x) == physical.OverChanges {
			return physical.Retract
		}
		return physical.AppendOnly
	case *logical.Aggregate:
		return d.aggregateChangelog(x, in[0])
	case *logical.WindowAggregate, *logical.Sort, *logical.Values, *logical.SystemScan, *logical.Recursive, *logical.RecursiveRef:
		return physical.AppendOnly
	case *logical.Join:
		return joinChangelog(x, in)
	}
	out := physical.AppendOnly
	for _, i := range in {
		out = max(out, i.Changelog)
	}
	return out
}

func (d *Deriver) aggregateChangelog(a *logical.Aggregate, in *Info) physical.Changelog {
	if a.Final || d.FinalOnly && in.Bounded {
		return physical.AppendOnly
	}
	return physical.Retract
}

// joinChangelog: an inner or semi join of append-only inputs only ever adds rows; others take rows without a partner back when one comes,
// unless they are on a window: then such rows come when the window has closed.
func joinChangelog(j *logical.Join, in []*Info) physical.Changelog {
	if streams, ok := IsLookup(j, in[0], in[1]); ok {
		return in[streams].Changelog
	}
	switch {
	case j.Method == logical.Temporal:
		return in[0].Changelog
	case j.Kind == physical.Inner || j.Kind == physical.Semi:
		return max(in[0].Changelog, in[1].Changelog)
	}
	if l, _ := WindowedJoin(j, in[0], in[1]); l < 0 {
		return physical.Retract
	}
	return max(in[0].Changelog, in[1].Changelog)
}
