package operator

import (
	"encoding/binary"
	"fmt"
)

// waiting holds rows until the watermark has passed their time, and gives them back by time, then by arrival. The queue holds references
// into an arena.
//
// State: time | sequence number -> row, as given.
type waiting struct {
	rows    eventQueue[waitingRow]
	arena   []byte
	spare   []byte // for the next compaction
	garbage int
	seq     uint64
	flushed uint64 // the state has the waiting rows with seq < flushed
	dropped keyList
	keep    bool
}

func newWaiting(keep bool) waiting {
	return waiting{rows: newEventQueue(waitingRow.before), keep: keep}
}

type waitingRow struct {
	time  int64
	seq   uint64
	off   int64
	size  int32
	group uint16
}

func (a waitingRow) before(b waitingRow) bool {
	return a.time < b.time || a.time == b.time && a.seq < b.seq
}

// add keeps a row. data is copied.
func (w *waiting) add(t int64, group uint16, data []byte) {
	w.insert(waitingRow{time: t, seq: w.seq, group: group}, data)
	w.seq++
}

func (w *waiting) insert(r waitingRow, data []byte) {
	if w.rows.len() == 0 {
		w.arena, w.garbage = w.arena[:0], 0
	} else if w.garbage > compactBagMin && w.garbage > len(w.arena)/2 {
		w.compact()
	}
	r.off, r.size = int64(len(w.arena)), int32(len(data))
	w.arena = append(w.arena, data...)
	w.rows.push(r)
}

// next tells whether a row's time has come.
func (w *waiting) next(watermark int64) bool {
	return w.rows.len() > 0 && w.rows.first().time <= watermark
}

// pop takes the first row. The bytes are valid until the next add.
func (w *waiting) pop() (t int64, group uint16, data []byte) {
	r := w.rows.pop()
	w.garbage += int(r.size)
	if w.keep && r.seq < w.flushed {
		w.dropped.add(r.group, func(dst []byte) []byte { return appendSeq(orderedTime(dst, r.time), r.seq) })
	}
	return r.time, r.group, w.arena[r.off : r.off+int64(r.size)]
}

// compact drops the garbage of the arena.
func (w *waiting) compact() {
	arena := w.spare[:0]
	w.rows.each(func(r *waitingRow) {
		data := w.arena[r.off : r.off+int64(r.size)]
		r.off = int64(len(arena))
		arena = append(arena, data...)
	})
	w.arena, w.spare, w.garbage = arena, w.arena, 0
}

func (w *waiting) write(st State, table byte) {
	w.dropped.each(func(group uint16, key []byte) { st.Delete(table, group, key) })
	w.dropped.clear()
	var key [16]byte
	w.rows.each(func(r *waitingRow) {
		if r.seq >= w.flushed {
			st.Put(table, r.group, appendSeq(orderedTime(key[:0], r.time), r.seq), w.arena[r.off:r.off+int64(r.size)])
		}
	})
	w.flushed = w.seq
}

func (w *waiting) read(ctx *Context, table byte) error {
	return scanState(ctx, table, func(group uint16, key, value []byte) error {
		t, rest, err := readTime(key)
		if err != nil || len(rest) != 8 {
			return fmt.Errorf("reading waiting row: malformed key of %d bytes", len(key))
		}
		seq := binary.BigEndian.Uint64(rest)
		w.insert(waitingRow{time: t, seq: seq, group: group}, value)
		w.seq = max(w.seq, seq+1)
		w.flushed = w.seq
		return nil
	})
}
