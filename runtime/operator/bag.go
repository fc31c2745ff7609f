package operator

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/millrace/millrace/sql/invariant"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// bag is a multiset of encoded rows by key: what joins, rankings and sorts keep. Rows of a key are a list in order of arrival, which
// survives a restart (every row has a sequence number), so that results do not depend on when the process was killed. Equal rows of a
// key are one entry with a count. There are no pointers per row.
//
//	table    key -> gid
//	lists    by gid: first and last entry, and how many there are
//	entries  rows: bytes in the arena, links, count, and one number for the operator (aux)
//	index    open addressing over (gid, bytes) -> entry
//
// An entry whose count falls to 0 leaves its list but stays in the index until the next barrier has deleted it from the state (or
// sweep); its bytes remain readable until then. The state's key is: key | row bytes; its value: count, aux, sequence number.
type bag struct {
	table   *row.GroupTable
	schema  []types.Type // of the key
	lists   []bagList
	entries []bagEntry
	index   []int32 // entry+1; 0: empty
	used    int     // entries in the index, dead ones included
	free    []int32
	arena   []byte
	garbage int // bytes of arena that no entry uses
	seq     int64
	live    int // entries with count > 0

	dirty      []int32 // entries to write at the next barrier
	persistent bool    // whether there will be barriers: without, sweep frees dead entries
	hashes     []uint64
	gids       []int32
	seed       maphash.Seed
}

type bagList struct {
	first, last int32 // noEntry: none
	members     int32 // entries with this gid in the index, dead ones included; at 0 the key is released
}

type bagEntry struct {
	hash       uint64
	off        int64
	seq        int64
	aux        int64
	count      int64 // 0: dead
	size       int32
	gid        int32
	prev, next int32
	isDirty    bool
	stored     bool // the state has it
}

const (
	noEntry       int32 = -1
	minBagIndex         = 64
	compactBagMin       = 1 << 16 // arenas with less garbage are not worth compacting
	maxBagRow           = 1 << 30 // bytes of one encoded row
)

func newBag(schema []types.Type, persistent bool) *bag {
	return &bag{table: row.NewGroupTable(schema), schema: schema, index: make([]int32, minBagIndex), persistent: persistent,
		seed: maphash.MakeSeed()}
}

// groups finds or makes the gids of keys by their hashes.
func (b *bag) groups(hash []uint64, keys []*vector.Vector, rows, gids []int32) {
	b.table.Groups(hash, keys, rows, gids)
	for n := len(b.lists); n < b.table.Cap(); n++ {
		b.lists = append(b.lists, bagList{first: noEntry, last: noEntry})
	}
}

// first returns the first entry of a key, noEntry when there is none; gid may be row.NoGroup.
func (b *bag) first(gid int32) int32 {
	if gid == row.NoGroup {
		return noEntry
	}
	return b.lists[gid].first
}

func (b *bag) bytes(e int32) []byte {
	x := &b.entries[e]
	return b.arena[x.off : x.off+int64(x.size)]
}

// add counts a row of a key n times and returns its entry. The bytes are copied. fresh says that no such row was there.
func (b *bag) add(gid int32, data []byte, n int64) (e int32, fresh bool) {
	h := b.hash(gid, data)
	at, e := b.find(h, gid, data)
	if e == noEntry {
		e = b.insert(at, h, gid, data)
	}
	x := &b.entries[e]
	fresh = x.count == 0
	if fresh {
		x.aux, x.seq = 0, b.seq
		b.seq++
		b.link(e)
		b.live++
	}
	x.count += n
	b.touch(e)
	return e, fresh
}

// lookup returns the live entry of a row, noEntry when there is none.
func (b *bag) lookup(gid int32, data []byte) int32 {
	if gid == row.NoGroup {
		return noEntry
	}
	_, e := b.find(b.hash(gid, data), gid, data)
	if e != noEntry && b.entries[e].count == 0 {
		return noEntry
	}
	return e
}

// remove takes n copies off a live entry. At 0 it is dead.
func (b *bag) remove(e int32, n int64) {
	x := &b.entries[e]
	if invariant.Enabled {
		invariant.Check(x.count >= n, "removing %d of %d rows", n, x.count)
	}
	x.count -= n
	b.touch(e)
	if x.count > 0 {
		return
	}
	b.unlink(e)
	b.live--
}

// sweep frees dead entries of a bag without barriers. Operators call it where they no longer need the bytes of removed rows.
func (b *bag) sweep() {
	if b.persistent {
		return
	}
	for _, e := range b.dirty {
		b.entries[e].isDirty = false
		if b.entries[e].count == 0 {
			b.discard(e)
		}
	}
	b.dirty = b.dirty[:0]
}

// touch marks an entry for the next barrier, or sweep.
func (b *bag) touch(e int32) {
	x := &b.entries[e]
	if !b.persistent && x.count > 0 {
		return
	}
	if !x.isDirty {
		x.isDirty = true
		b.dirty = append(b.dirty, e)
	}
}

func (b *bag) hash(gid int32, data []byte) uint64 {
	return maphash.Bytes(b.seed, data) ^ (uint64(gid)+1)*0x9e3779b97f4a7c15
}

// find returns the entry, or noEntry and the index slot where it belongs.
func (b *bag) find(h uint64, gid int32, data []byte) (at uint64, e int32) {
	last := uint64(len(b.index) - 1)
	for at = h & last; ; at = (at + 1) & last {
		ref := b.index[at]
		if ref == 0 {
			return at, noEntry
		}
		if x := &b.entries[ref-1]; x.hash == h && x.gid == gid && bytes.Equal(b.bytes(ref-1), data) {
			return at, ref - 1
		}
	}
}

func (b *bag) insert(at, h uint64, gid int32, data []byte) int32 {
	if 4*(b.used+1) > 3*len(b.index) {
		b.growIndex()
		at = b.emptySlot(h)
	}
	if b.garbage > compactBagMin && b.garbage > len(b.arena)/2 {
		b.compact()
	}
	var e int32
	if n := len(b.free); n > 0 {
		e = b.free[n-1]
		b.free = b.free[:n-1]
	} else {
		e = int32(len(b.entries))
		b.entries = append(b.entries, bagEntry{})
	}
	b.entries[e] = bagEntry{hash: h, off: int64(len(b.arena)), size: int32(len(data)), gid: gid, prev: noEntry, next: noEntry}
	b.arena = append(b.arena, data...)
	b.index[at] = e + 1
	b.used++
	b.lists[gid].members++
	return e
}

func (b *bag) emptySlot(h uint64) uint64 {
	last := uint64(len(b.index) - 1)
	at := h & last
	for b.index[at] != 0 {
		at = (at + 1) & last
	}
	return at
}

func (b *bag) growIndex() {
	old := b.index
	b.index = make([]int32, 2*len(old))
	for _, ref := range old {
		if ref != 0 {
			b.index[b.emptySlot(b.entries[ref-1].hash)] = ref
		}
	}
}

func (b *bag) link(e int32) {
	x := &b.entries[e]
	l := &b.lists[x.gid]
	x.prev, x.next = l.last, noEntry
	if l.last == noEntry {
		l.first = e
	} else {
		b.entries[l.last].next = e
	}
	l.last = e
}

func (b *bag) unlink(e int32) {
	x := &b.entries[e]
	l := &b.lists[x.gid]
	if x.prev == noEntry {
		l.first = x.next
	} else {
		b.entries[x.prev].next = x.next
	}
	if x.next == noEntry {
		l.last = x.prev
	} else {
		b.entries[x.next].prev = x.prev
	}
	x.prev, x.next = noEntry, noEntry
}

// discard frees a dead entry, and its key when it was the last of it.
func (b *bag) discard(e int32) {
	x := &b.entries[e]
	b.vacate(e)
	b.garbage += int(x.size)
	x.size = 0
	b.free = append(b.free, e)
	l := &b.lists[x.gid]
	if l.members--; l.members == 0 {
		b.table.Release(x.gid)
	}
}

// vacate takes an entry out of the index and moves later members of its cluster back.
func (b *bag) vacate(e int32) {
	last := uint64(len(b.index) - 1)
	hole := b.entries[e].hash & last
	for b.index[hole] != e+1 {
		hole = (hole + 1) & last
	}
	for at := hole; ; {
		at = (at + 1) & last
		ref := b.index[at]
		if ref == 0 {
			break
		}
		if home := b.entries[ref-1].hash & last; (at-home)&last >= (at-hole)&last {
			b.index[hole] = ref
			hole = at
		}
	}
	b.index[hole] = 0
	b.used--
}

// compact drops the garbage of the arena.
func (b *bag) compact() {
	arena := make([]byte, 0, 2*(len(b.arena)-b.garbage))
	for i := range b.entries {
		x := &b.entries[i]
		if x.size > 0 {
			data := b.arena[x.off : x.off+int64(x.size)]
			x.off = int64(len(arena))
			arena = append(arena, data...)
		}
	}
	b.arena, b.garbage = arena, 0
}

// releaseUnused gives back the gids that groups made and no add has used. rows are not needed: gids may repeat.
func (b *bag) releaseUnused(gids []int32) {
	for _, gid := range gids {
		if gid != row.NoGroup && b.table.IsLive(gid) && b.lists[gid].members == 0 {
			b.table.Release(gid)
		}
	}
}

// write puts the changed entries into the state and frees the dead ones.
func (b *bag) write(st State, table byte, buf []byte) []byte {
	for _, e := range b.dirty {
		x := &b.entries[e]
		x.isDirty = false
		group := row.KeyGroup(b.table.Hash(x.gid))
		if x.count == 0 {
			if x.stored {
				buf = append(append(buf[:0], b.table.Key(x.gid)...), b.bytes(e)...)
				st.Delete(table, group, buf)
			}
			b.discard(e)
			continue
		}
		buf = append(append(buf[:0], b.table.Key(x.gid)...), b.bytes(e)...)
		at := len(buf)
		buf = binary.AppendVarint(buf, x.count)
		buf = binary.AppendVarint(buf, x.aux)
		buf = binary.AppendVarint(buf, x.seq)
		st.Put(table, group, buf[:at], buf[at:])
		x.stored = true
	}
	b.dirty = b.dirty[:0]
	return buf
}

// read restores the bag from the state.
func (b *bag) read(ctx *Context, table byte) error {
	cols := newColumns(b.schema)
	b.hashes, b.gids = make([]uint64, 1), make([]int32, 1)
	err := scanState(ctx, table, func(_ uint16, key, value []byte) error {
		data, err := decodeKeyPrefix(key, b.schema, cols)
		if err != nil {
			return err
		}
		var count, aux, seq int64
		if _, err := readVarints(value, &count, &aux, &seq); err != nil {
			return err
		}
		if count <= 0 || len(data) > maxBagRow {
			return fmt.Errorf("reading state: %d copies of a row of %d bytes", count, len(data))
		}
		row.Hash(cols, firstRow, b.hashes)
		b.groups(b.hashes, cols, firstRow, b.gids)
		e, _ := b.add(b.gids[0], data, count)
		x := &b.entries[e]
		x.aux, x.seq, x.stored = aux, seq, true
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range b.dirty {
		b.entries[e].isDirty = false
	}
	b.dirty = b.dirty[:0]
	b.relink()
	return nil
}

// relink puts all lists into the order of the sequence numbers.
func (b *bag) relink() {
	order := make([]int32, 0, b.live)
	for e := range b.entries {
		if b.entries[e].count > 0 {
			order = append(order, int32(e))
		}
	}
	slices.SortFunc(order, func(x, y int32) int { return cmp.Compare(b.entries[x].seq, b.entries[y].seq) })
	for i := range b.lists {
		b.lists[i].first, b.lists[i].last = noEntry, noEntry
	}
	b.seq = 0
	for _, e := range order {
		b.link(e)
		b.seq = max(b.seq, b.entries[e].seq+1)
	}
}
