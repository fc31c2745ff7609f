package operator

import (
	"encoding/binary"
	"fmt"
)

// waiting holds rows until the watermark has passed their time, and gives them back by time, then by arrival. Rows that come in order queue
// up, the others go into a binary heap; both hold references into an arena.
//
// State: time | sequence number -> row, as given.
type waiting struct {
	queue   []waitingRow // ascending from head on
	head    int
	heap    []waitingRow
	arena   []byte
	spare   []byte // for the next compaction
	garbage int
	seq     uint64
	flushed uint64 // the state has the waiting rows with seq < flushed
	dropped keyList
	keep    bool
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
	if len(w.heap) == 0 && w.head == len(w.queue) {
		w.arena, w.garbage = w.arena[:0], 0
	} else if w.garbage > compactBagMin && w.garbage > len(w.arena)/2 {
		w.compact()
	}
	r.off, r.size = int64(len(w.arena)), int32(len(data))
	w.arena = append(w.arena, data...)
	if w.head == len(w.queue) {
		w.queue, w.head = w.queue[:0], 0
	}
	if n := len(w.queue); n == 0 || w.queue[n-1].before(r) {
		w.enqueue(r)
		return
	}
	w.heap = append(w.heap, r)
	for i := len(w.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !w.heap[i].before(w.heap[up]) {
			break
		}
		w.heap[i], w.heap[up] = w.heap[up], w.heap[i]
		i = up
	}
}

// enqueue appends to the queue, moving it to the front of its memory when half of that lies idle.
func (w *waiting) enqueue(r waitingRow) {
	if len(w.queue) == cap(w.queue) && w.head > len(w.queue)/2 {
		n := copy(w.queue, w.queue[w.head:])
		w.queue, w.head = w.queue[:n], 0
	}
	w.queue = append(w.queue, r)
}

// fromHeap tells whether the first row is in the heap.
func (w *waiting) fromHeap() bool {
	return len(w.heap) > 0 && (w.head == len(w.queue) || w.heap[0].before(w.queue[w.head]))
}

// next tells whether a row's time has come.
func (w *waiting) next(watermark int64) bool {
	return len(w.heap) > 0 && w.heap[0].time <= watermark || w.head < len(w.queue) && w.queue[w.head].time <= watermark
}

// pop takes the first row. The bytes are valid until the next add.
func (w *waiting) pop() (t int64, group uint16, data []byte) {
	var r waitingRow
	if w.fromHeap() {
		r = w.popHeap()
	} else {
		r = w.queue[w.head]
		w.head++
	}
	w.garbage += int(r.size)
	if w.keep && r.seq < w.flushed {
		w.dropped.add(r.group, func(dst []byte) []byte { return appendSeq(orderedTime(dst, r.time), r.seq) })
	}
	return r.time, r.group, w.arena[r.off : r.off+int64(r.size)]
}

func (w *waiting) popHeap() waitingRow {
	r := w.heap[0]
	n := len(w.heap) - 1
	w.heap[0] = w.heap[n]
	w.heap = w.heap[:n]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < n; c++ {
			if w.heap[c].before(w.heap[least]) {
				least = c
			}
		}
		if least == i {
			return r
		}
		w.heap[i], w.heap[least] = w.heap[least], w.heap[i]
		i = least
	}
}

// each calls fn for all rows.
func (w *waiting) each(fn func(r *waitingRow)) {
	for i := w.head; i < len(w.queue); i++ {
		fn(&w.queue[i])
	}
	for i := range w.heap {
		fn(&w.heap[i])
	}
}

// compact drops the garbage of the arena.
func (w *waiting) compact() {
	arena := w.spare[:0]
	w.each(func(r *waitingRow) {
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
	w.each(func(r *waitingRow) {
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
