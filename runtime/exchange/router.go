package exchange

import (
	"github.com/millrace/millrace/runtime/flow"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// KeyGroups is the number of key groups; a task owns a range of them.
const KeyGroups = 256

// TaskOf maps a key group to one of n tasks; task i owns the groups [GroupFrom(i, n), GroupFrom(i+1, n)).
func TaskOf(group uint16, n int) int { return int(group) * n / KeyGroups }

// GroupFrom is the first key group of task i of n.
func GroupFrom(i, n int) uint16 { return uint16((i*KeyGroups + n - 1) / n) }

// Mode says how rows find their task.
type Mode uint8

// The modes.
const (
	ByKey     Mode = iota
	Gather         // all to the only task
	Broadcast      // a copy to every task
)

// Router is the sending end of an exchange in one task: it copies rows into batches of its own, one per target, and sends them at
// the end of each Push, so that latency stays low and no batch waits for a timer. It implements operator.Output.
type Router struct {
	mode    Mode
	keys    []int
	targets []*Channel
	pools   []*vector.Pool

	keyCols []*vector.Vector
	rows    []int32
	hashes  []uint64
	sel     [][]int32 // rows per target
}

// poolSize is how many batches circulate between a router and a target: what the channel holds, plus one in each hand.
const poolSize = ChannelCapacity + 2

// NewRouter makes a router for rows with the given fields.
func NewRouter(mode Mode, keys []int, fields []types.Field, targets []*Channel) *Router {
	r := &Router{mode: mode, keys: keys, targets: targets, sel: make([][]int32, len(targets))}
	for range targets {
		r.pools = append(r.pools, vector.NewPool(fields, poolSize))
	}
	return r
}

// Push routes the counting rows of b.
func (r *Router) Push(b *vector.Batch) error {
	if b.Rows() == 0 {
		return nil
	}
	if r.mode != ByKey || len(r.targets) == 1 {
		for i := range r.targets {
			if err := r.send(i, b); err != nil {
				return err
			}
		}
		return nil
	}
	r.split(b)
	part := *b
	for i, sel := range r.sel {
		if len(sel) == 0 {
			continue
		}
		part.Sel = sel
		if err := r.send(i, &part); err != nil {
			return err
		}
	}
	return nil
}

// split sorts the counting rows into r.sel by the task that owns their key group.
func (r *Router) split(b *vector.Batch) {
	r.keyCols = r.keyCols[:0]
	for _, k := range r.keys {
		r.keyCols = append(r.keyCols, b.Cols[k])
	}
	r.rows = r.rows[:0]
	for k := range b.Rows() {
		r.rows = append(r.rows, int32(b.Row(k)))
	}
	if cap(r.hashes) < len(r.rows) {
		r.hashes = make([]uint64, len(r.rows), max(len(r.rows), vector.MaxRows))
	}
	r.hashes = r.hashes[:len(r.rows)]
	row.Hash(r.keyCols, r.rows, r.hashes)
	for i := range r.sel {
		r.sel[i] = r.sel[i][:0]
	}
	for k, h := range r.hashes {
		t := TaskOf(row.KeyGroup(h), len(r.targets))
		r.sel[t] = append(r.sel[t], r.rows[k])
	}
}

func (r *Router) send(target int, b *vector.Batch) error {
	out := r.pools[target].Get()
	out.AppendBatch(b)
	return r.targets[target].Send(flow.Message{Kind: flow.Rows, Batch: out, Pool: r.pools[target]})
}

// Tell sends a message without rows to every target.
func (r *Router) Tell(m flow.Message) error {
	for _, t := range r.targets {
		if err := t.Send(m); err != nil {
			return err
		}
	}
	return nil
}
