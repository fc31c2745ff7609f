package view

import (
	"fmt"

	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/vector"
)

// Terminal ends a task in a view. One task writes a view.
type Terminal struct {
	Table *Table
	State operator.State

	keyCols []*vector.Vector
	rows    map[string]entry // as of the last Push; the table follows at commits
	changed map[string]struct{}
	pending []change
	scratch []byte
	fresh   bool // the first commit is still to come
}

// Restore reads the view's rows back; call it before the task runs. Committed tells whether the job has committed before: then these are the
// view's rows, else readers wait for the first commit.
func (t *Terminal) Restore(committed bool) error {
	t.rows, t.changed = map[string]entry{}, map[string]struct{}{}
	t.Table.mu.Lock()
	defer t.Table.mu.Unlock()
	clear(t.Table.rows)
	if t.fresh = !committed; committed {
		defer t.Table.setReady()
	}
	return t.State.Scan(0, func(_ uint16, key, value []byte) error {
		e, err := decodeEntry(value)
		if err != nil {
			return fmt.Errorf("reading view %s: %w", t.Table.Relation.Name, err)
		}
		t.rows[string(key)], t.Table.rows[string(key)] = e, e
		return nil
	})
}

// Push collects changes until the commit.
func (t *Terminal) Push(b *vector.Batch) error {
	t.keyCols = t.keyCols[:0]
	for _, k := range t.Table.Key {
		t.keyCols = append(t.keyCols, b.Cols[k])
	}
	if len(t.Table.Key) == 0 {
		t.keyCols = append(t.keyCols, b.Cols...)
	}
	for k := range b.Rows() {
		i := b.Row(k)
		t.scratch = row.EncodeKey(t.scratch[:0], t.keyCols, i)
		c := change{op: b.Change(i), value: row.EncodeValue(nil, b.Cols, i)}
		key := string(t.scratch)
		t.changed[key] = struct{}{}
		if e := t.rows[key].add(c.value, c.op.Sign()); len(e) > 0 {
			t.rows[key] = e
		} else {
			delete(t.rows, key)
		}
		t.pending = append(t.pending, c)
	}
	return nil
}

// Barrier writes the changed keys and publishes them after the commit.
func (t *Terminal) Barrier(epoch uint64, _ int64, ack *task.Ack) error {
	if t.fresh {
		t.fresh = false
		table := t.Table
		defer func() { ack.Publish = append(ack.Publish, table.firstCommit) }()
	}
	if len(t.pending) == 0 {
		return nil
	}
	after := make(map[string]entry, len(t.changed))
	for key := range t.changed {
		e := t.rows[key]
		after[key] = e
		if len(e) == 0 {
			t.State.Delete(0, 0, []byte(key))
			continue
		}
		t.scratch = e.encode(t.scratch[:0])
		t.State.Put(0, 0, []byte(key), t.scratch)
	}
	changes := t.pending
	t.pending = nil
	clear(t.changed)
	table := t.Table
	ack.Publish = append(ack.Publish, func() { table.apply(epoch, after, changes) })
	return nil
}

// Advance ignores watermarks.
func (t *Terminal) Advance(int64) error { return nil }

// Idle ignores idleness.
func (t *Terminal) Idle() error { return nil }

// End has nothing to pass on.
func (t *Terminal) End() error { return nil }

// Close keeps the table readable.
func (t *Terminal) Close() error { return nil }
