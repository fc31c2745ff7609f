package task

import (
	"bytes"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// UpsertTerminal is the stage of a sink that keeps one row per key, below a query whose results change. It adds up the changes of a key
// within the epoch and encodes what is left: the new row, a deletion, or nothing.
//
// Adding up is what makes it right, not only short: the changes of a key may come from several tasks, so that the new row arrives before
// the old one is taken back, and a filter may have taken one half of an update away. Neither order nor pairs count here.
type UpsertTerminal struct {
	StageTerminal
	Key    []int
	Fields []types.Field

	schema  []types.Type
	keyCols []*vector.Vector
	index   map[string]int // into keys
	keys    []netRows      // in the order of their first change
	out     *vector.Batch
	scratch []byte
	bytes   int
}

// netRows are the rows of a key that the epoch has added (count > 0) or taken back (count < 0).
type netRows []netRow

type netRow struct {
	value []byte
	count int
}

// Push adds rows up.
func (u *UpsertTerminal) Push(b *vector.Batch) error {
	if u.index == nil {
		u.index = map[string]int{}
		u.out = vector.NewBatch(u.Fields, 0)
		for _, f := range u.Fields {
			u.schema = append(u.schema, f.Type)
		}
	}
	u.keyCols = u.keyCols[:0]
	for _, k := range u.Key {
		u.keyCols = append(u.keyCols, b.Cols[k])
	}
	for k := range b.Rows() {
		i := b.Row(k)
		u.scratch = row.EncodeKey(u.scratch[:0], u.keyCols, i)
		at, ok := u.index[string(u.scratch)]
		if !ok {
			at = len(u.keys)
			u.keys = append(u.keys, nil)
			u.index[string(u.scratch)] = at
			u.bytes += len(u.scratch)
		}
		u.scratch = row.EncodeValue(u.scratch[:0], b.Cols, i)
		u.keys[at] = u.add(u.keys[at], int(b.Change(i).Sign()))
	}
	if u.bytes > u.Limit && !u.reported {
		u.reported = true
		u.Full()
	}
	return nil
}

// add counts the row in scratch.
func (u *UpsertTerminal) add(rows netRows, sign int) netRows {
	for i := range rows {
		if !bytes.Equal(rows[i].value, u.scratch) {
			continue
		}
		if rows[i].count += sign; rows[i].count == 0 {
			u.bytes -= len(u.scratch)
			return append(rows[:i], rows[i+1:]...)
		}
		return rows
	}
	u.bytes += len(u.scratch)
	return append(rows, netRow{bytes.Clone(u.scratch), sign})
}

// Barrier encodes what is left of the epoch's changes and hands the stage over.
func (u *UpsertTerminal) Barrier(epoch uint64, clock int64, ack *Ack) error {
	for _, rows := range u.keys {
		value, op := rows.last()
		if value == nil {
			continue
		}
		if _, err := row.DecodeValue(value, u.schema, u.out.Cols); err != nil {
			return err
		}
		if u.out.EndRow(op); u.out.N == vector.MaxRows {
			if err := u.encode(); err != nil {
				return err
			}
		}
	}
	if u.out != nil {
		if err := u.encode(); err != nil {
			return err
		}
	}
	clear(u.index)
	u.keys, u.bytes = u.keys[:0], 0
	return u.StageTerminal.Barrier(epoch, clock, ack)
}

// last is what the sink must be told: the row that the key has now, else the one that it has no longer; nil when nothing has changed.
func (rows netRows) last() (value []byte, op vector.Change) {
	for i := len(rows) - 1; i >= 0; i-- {
		if rows[i].count > 0 {
			return rows[i].value, vector.UpdateAfter
		}
		value, op = rows[i].value, vector.Delete
	}
	return value, op
}

func (u *UpsertTerminal) encode() error {
	if u.out.N == 0 {
		return nil
	}
	defer u.out.Reset()
	return u.StageTerminal.Push(u.out)
}
