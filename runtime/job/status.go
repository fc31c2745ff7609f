package job

import (
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/task"
)

// totals are counters summed over tasks.
type totals struct {
	in, out, late, errors, lag int64
	watermark                  int64
	busy                       bool // some source has more to read
	nodes                      map[string]int
	list                       []NodeStatus
}

// task adds one task's counters. Rows in are those of sources, rows out those that reach the terminal of the job.
func (t *totals) task(k *task.Task) {
	for _, l := range k.Leaves {
		if !l.Source {
			continue
		}
		t.in += l.Counters.RowsOut.Load()
		t.busy = t.busy || !l.Counters.Idle.Load()
		t.errors += l.Counters.Errors.Load()
		if lag := l.Counters.Lag.Load(); lag < 0 || t.lag < 0 {
			t.lag = -1
		} else {
			t.lag += lag
		}
		if l.Assign != nil && !l.Static {
			t.watermark = min(t.watermark, l.Assign.Counters.Watermark.Load())
		}
	}
	for _, n := range k.Nodes {
		t.late += n.Counters.Late.Load()
		t.errors += n.Counters.Errors.Load()
		t.node(n)
	}
	if k.Root {
		for _, n := range k.Nodes {
			if n.Parent == nil {
				t.out += n.Counters.RowsOut.Load()
			}
		}
	}
}

func (t *totals) node(n *task.Node) {
	i, ok := t.nodes[n.Name]
	if !ok {
		i = len(t.list)
		t.nodes[n.Name] = i
		t.list = append(t.list, NodeStatus{Name: n.Name, Watermark: operator.MaxTime})
	}
	s := &t.list[i]
	s.RowsIn += n.Counters.RowsIn.Load()
	s.RowsOut += n.Counters.RowsOut.Load()
	s.Late += n.Counters.Late.Load()
	s.Errors += n.Counters.Errors.Load()
	s.Watermark = min(s.Watermark, n.Counters.Watermark.Load())
}

// add puts totals into a status.
func (s *Status) add(t totals) {
	s.RowsIn += t.in
	s.RowsOut += t.out
	s.Late += t.late
	s.Errors += t.errors
	s.Lag = t.lag
	s.Watermark = t.watermark
	s.Nodes = t.list
}
