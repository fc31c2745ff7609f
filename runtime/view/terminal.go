package view

import (
	"encoding/binary"
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
	pending []change
	counts  map[string]int64 // multiplicities in a view without key, pending changes included
	scratch []byte
}

// Restore reads the view's rows back; call it before the task runs.
func (t *Terminal) Restore() error {
	t.counts = map[string]int64{}
	t.Table.mu.Lock()
	defer t.Table.mu.Unlock()
	clear(t.Table.rows)
	defer t.Table.setReady()
	return t.State.Scan(0, func(_ uint16, key, value []byte) error {
		count, n := binary.Varint(value)
		if n <= 0 {
			return fmt.Errorf("reading view %s: bad row", t.Table.Relation.Name)
		}
		t.Table.rows[string(key)] = entry{value: append([]byte(nil), value[n:]...), count: count}
		if len(t.Table.Key) == 0 {
			t.counts[string(key)] = count
		}
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
		op := b.Change(i)
		t.scratch = row.EncodeKey(t.scratch[:0], t.keyCols, i)
		c := change{op: op, key: string(t.scratch), value: row.EncodeValue(nil, b.Cols, i)}
		if len(t.Table.Key) == 0 {
			t.counts[c.key] += op.Sign()
		}
		t.pending = append(t.pending, c)
	}
	return nil
}

// Barrier writes the last state of every changed row and publishes the changes after the commit.
func (t *Terminal) Barrier(epoch uint64, _ int64, ack *task.Ack) error {
	if len(t.pending) == 0 {
		return nil
	}
	last := make(map[string]int, len(t.pending))
	for i, c := range t.pending {
		if c.op != vector.UpdateBefore || len(t.Table.Key) == 0 {
			last[c.key] = i
		}
	}
	for key, i := range last {
		c := t.pending[i]
		count := int64(1)
		if len(t.Table.Key) == 0 {
			if count = t.counts[key]; count == 0 {
				delete(t.counts, key)
			}
		} else if c.op == vector.Delete {
			count = 0
		}
		if count == 0 {
			t.State.Delete(0, 0, []byte(key))
			continue
		}
		t.scratch = binary.AppendVarint(t.scratch[:0], count)
		t.State.Put(0, 0, []byte(key), append(t.scratch, c.value...))
	}
	changes := t.pending
	t.pending = nil
	table := t.Table
	ack.Publish = append(ack.Publish, func() { table.apply(epoch, changes) })
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
