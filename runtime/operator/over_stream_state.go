package operator

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/vector"
)

const tablePartitions byte = 1

// write puts what has changed into the state. The accumulators of frames that leave rows behind are not written: they follow from the
// rows.
func (x *OverStream) write() {
	st := x.ctx.State
	x.saveClock()
	for table := range x.dropped {
		if st != nil {
			x.dropped[table].each(func(group uint16, key []byte) { st.Delete(byte(table), group, key) })
		}
		x.dropped[table].clear()
	}
	for _, r := range x.unsaved {
		p := &x.entries[r.entry]
		if p.seq != r.seq || st == nil {
			continue
		}
		x.buf = appendSeq(orderedTime(x.buf[:0], p.time), p.seq)
		st.Put(tableRows, row.KeyGroup(x.table.Hash(p.gid)), x.buf, x.bytes(r.entry)[p.tie:])
		p.saved = true
	}
	x.unsaved = x.unsaved[:0]
	for _, gid := range x.dirty.list {
		if st == nil || !x.table.IsLive(gid) {
			continue
		}
		x.buf = append(x.buf[:0], x.table.Key(gid)...)
		at := len(x.buf)
		x.buf = x.encodePart(x.buf, gid)
		st.Put(tablePartitions, row.KeyGroup(x.table.Hash(gid)), x.buf[:at], x.buf[at:])
		x.parts[gid].saved = true
	}
	x.dirty.clear()
}

// saveClock saves the watermark. At the end of all input it is the time of the last row that has been let out: a row that was emitted must
// not wait again after a restart.
func (x *OverStream) saveClock() {
	c := x.clock
	if c.now == MaxTime {
		c.now = max(c.saved, x.lastPassed)
	}
	c.save(x.ctx)
	x.clock.saved = c.saved
}

func (x *OverStream) encodePart(dst []byte, gid int32) []byte {
	part := &x.parts[gid]
	pending, first := part.places+1, overEntry{place: part.places + 1}
	if part.pending != noEntry {
		pending = x.entries[part.pending].place
	}
	if part.head != noEntry {
		first = x.entries[part.head]
	}
	for _, n := range []int64{part.places, part.groups, part.rank, pending, first.place, first.group, first.rank} {
		dst = binary.AppendVarint(dst, n)
	}
	for _, c := range x.calls {
		if !c.growing || !c.framed() {
			continue
		}
		s := &c.by[gid]
		from := part.places + 1
		if s.hi != noEntry {
			from = x.entries[s.hi].place
		}
		dst = binary.AppendVarint(dst, from)
		if c.kind == function.WindowAggregate {
			x.state = c.acc.encode(gid, x.state[:0])
		} else {
			x.state = append(binary.AppendVarint(x.state[:0], s.count), byte(b2u(s.has)))
			x.state = append(x.state, s.held...)
		}
		dst = append(binary.AppendVarint(dst, int64(len(x.state))), x.state...)
	}
	return dst
}

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// read restores partitions and rows.
func (x *OverStream) read() error {
	x.lastPassed, x.progress = x.clock.now, x.clock.now
	keys := newColumns(schemaOf(x.o.Input, x.o.PartitionBy))
	heads := map[int32]overEntry{} // by gid: numbers of the first row of the history
	err := scanState(x.ctx, tablePartitions, func(_ uint16, key, value []byte) error {
		if err := decodeKey(key, schemaOf(x.o.Input, x.o.PartitionBy), keys); err != nil {
			return err
		}
		gid := x.locate(keys)
		head, err := x.decodePart(value, gid)
		heads[gid] = head
		return err
	})
	if err != nil {
		return err
	}
	b := &vector.Batch{Cols: newColumns(x.o.Input)}
	var all []int32
	err = scanState(x.ctx, tableRows, func(_ uint16, key, value []byte) error {
		t, rest, err := readTime(key)
		if err != nil || len(rest) != 8 {
			return fmt.Errorf("reading row of a window: malformed key of %d bytes", len(key))
		}
		resetColumns(b.Cols)
		if _, err := row.DecodeValue(value, x.o.Input, b.Cols); err != nil {
			return fmt.Errorf("reading row of a window: %w", err)
		}
		x.keys = pick(x.keys, b, x.o.PartitionBy)
		e := x.insert(b, 0, t, x.locate(x.keys))
		p := &x.entries[e]
		p.seq, p.saved = binary.BigEndian.Uint64(rest), true
		x.seq = max(x.seq, p.seq+1)
		all = append(all, e)
		return nil
	})
	if err != nil {
		return err
	}
	x.restore(all, heads)
	return nil
}

// locate finds or makes the partition of one key.
func (x *OverStream) locate(keys []*vector.Vector) int32 {
	x.hash, x.gids = resized(x.hash, 1), resized(x.gids, 1)
	row.Hash(keys, firstRow, x.hash)
	x.table.Groups(x.hash, keys, firstRow, x.gids)
	x.grow()
	return x.gids[0]
}

// restore brings rows into order: those up to the watermark into the histories, with their numbers, the others wait.
func (x *OverStream) restore(all []int32, heads map[int32]overEntry) {
	slices.SortFunc(all, func(a, b int32) int {
		return cmp.Or(cmp.Compare(x.entries[a].time, x.entries[b].time), bytes.Compare(x.bytes(a), x.bytes(b)))
	})
	for _, e := range all {
		p := &x.entries[e]
		if p.time > x.clock.now {
			x.waiting.push(timedEntry{p.time, e, p.gid})
			continue
		}
		part := &x.parts[p.gid]
		next := heads[p.gid]
		if part.tail != noEntry {
			next = x.entries[part.tail]
			next.place++
			if !x.tied(part.tail, e) {
				next.group, next.rank = next.group+1, next.place
			}
		}
		p.place, p.group, p.rank = next.place, next.group, next.rank
		p.done = p.place < x.restored[p.gid]
		x.enlist(part, e)
	}
	x.restored = nil
}

// decodePart reads what encodePart has written, and gives the numbers of the first row of the history.
func (x *OverStream) decodePart(data []byte, gid int32) (head overEntry, err error) {
	part := &x.parts[gid]
	part.saved = true
	var pending int64
	data, err = readVarints(data, &part.places, &part.groups, &part.rank, &pending, &head.place, &head.group, &head.rank)
	if err != nil {
		return head, err
	}
	if x.restored == nil {
		x.restored = map[int32]int64{}
	}
	x.restored[gid] = pending
	for _, c := range x.calls {
		if !c.growing || !c.framed() {
			continue
		}
		s := &c.by[gid]
		var size int64
		if data, err = readVarints(data, &s.from, &size); err != nil {
			return head, err
		}
		if size < 0 || size > int64(len(data)) {
			return head, fmt.Errorf("reading state of a window: %d bytes of %d", size, len(data))
		}
		state := data[:size]
		data = data[size:]
		if c.kind == function.WindowAggregate {
			if err := c.acc.decode(gid, state); err != nil {
				return head, err
			}
			continue
		}
		if state, err = readVarints(state, &s.count); err != nil || len(state) == 0 {
			return head, fmt.Errorf("reading state of a window: no value")
		}
		s.has, s.held = state[0] != 0, append(s.held[:0], state[1:]...)
	}
	return head, nil
}
