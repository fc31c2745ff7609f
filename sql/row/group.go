package row

import (
	"bytes"
	"iter"

	"github.com/millrace/millrace/sql/invariant"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// NoGroup is the group id of a key that a lookup did not find.
const NoGroup int32 = -1

// GroupTable maps keys to group ids: small integers that index the columns of accumulators. Ids are dense, stable while the key
// lives, and reused after Release. The table holds no pointers per key, so the garbage collector never walks it.
//
//	slots    open addressing, linear probing, at most 3/4 full; a slot is {tag, gid+1}: tag = lower hash bits, whose lowest bits are
//	         the slot's home, so that growing reads and writes the slots in order and touches nothing else
//	hashes   by gid
//	ints     by gid, width words each: keys of one or two 64-bit columns (mask tells which columns are NULL)
//	arena    by gid, off and size: any other key, one text column raw, else in key encoding
//
// It belongs to one task. Memory of a table of n keys is amortised; no call allocates per row.
type GroupTable struct {
	schema []types.Type
	mode   keyMode
	slots  []slot
	hashes []uint64
	mask   []uint8 // by gid: bit c = column c is NULL; liveBit
	ints   []int64
	arena  []byte
	spans  []span // by gid
	dead   int    // bytes of arena that no live key uses
	free   []int32
	live   int
	buf    []byte // scratch for one encoded key
	keys   []*vector.Vector
}

type keyMode uint8

const (
	keyInt   keyMode = iota // one ClassI64 column
	keyInts                 // two ClassI64 columns
	keyText                 // one ClassBytes column
	keyBytes                // anything else, in key encoding; no columns: the empty key
)

type slot struct {
	tag uint32
	ref int32 // gid+1; 0: empty
}

type span struct {
	off  int64
	size int32
}

const (
	liveBit       = 0x80
	minSlots      = 64
	compactArenaB = 1 << 16 // arenas with less garbage are not worth compacting
)

// NewGroupTable makes an empty table for keys of the given column types.
func NewGroupTable(schema []types.Type) *GroupTable {
	t := &GroupTable{schema: schema, mode: modeOf(schema), slots: make([]slot, minSlots)}
	for _, s := range schema {
		t.keys = append(t.keys, vector.New(s, 0))
	}
	return t
}

func modeOf(schema []types.Type) keyMode {
	switch {
	case len(schema) == 1 && schema[0].Class() == types.ClassI64:
		return keyInt
	case len(schema) == 2 && schema[0].Class() == types.ClassI64 && schema[1].Class() == types.ClassI64:
		return keyInts
	case len(schema) == 1 && schema[0].Class() == types.ClassBytes:
		return keyText
	}
	return keyBytes
}

// Len returns the number of live keys.
func (t *GroupTable) Len() int { return t.live }

// Cap returns the smallest number above every group id given out so far: accumulators must Grow to it after Groups.
func (t *GroupTable) Cap() int { return len(t.hashes) }

// IsLive tells whether a group id below Cap names a key now.
func (t *GroupTable) IsLive(gid int32) bool { return t.mask[gid]&liveBit != 0 }

// Hash returns the hash of a live group's key.
func (t *GroupTable) Hash(gid int32) uint64 { return t.hashes[gid] }

// All yields the live group ids, ascending. Releasing the yielded group is allowed; inserting is not.
func (t *GroupTable) All() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for gid := range int32(len(t.hashes)) {
			if t.mask[gid]&liveBit != 0 && !yield(gid) {
				return
			}
		}
	}
}

// Groups sets gids[k] to the group of the key of row rows[k] (nil: row k), inserting keys that are new. hash[k] is row.Hash of that
// key. It returns how many keys were inserted.
func (t *GroupTable) Groups(hash []uint64, keys []*vector.Vector, rows []int32, gids []int32) int {
	before := t.live
	t.probe(hash, keys, rows, gids, true)
	if invariant.Enabled && t.live+len(t.free) != len(t.hashes) {
		invariant.Check(false, "%d live and %d free of %d groups", t.live, len(t.free), len(t.hashes))
	}
	return t.live - before
}

// Lookup is Groups without inserting: gids[k] is NoGroup when the key is absent.
func (t *GroupTable) Lookup(hash []uint64, keys []*vector.Vector, rows []int32, gids []int32) {
	t.probe(hash, keys, rows, gids, false)
}

func (t *GroupTable) probe(hash []uint64, keys []*vector.Vector, rows, gids []int32, insert bool) {
	switch {
	case t.mode == keyInt && keys[0].Valid == nil:
		t.probeInt(hash, keys[0].I64, rows, gids, insert)
	case t.mode == keyInt || t.mode == keyInts:
		t.probeInts(hash, keys, rows, gids, insert)
	default:
		t.probeBytes(hash, keys, rows, gids, insert)
	}
}

func tagOf(hash uint64) uint32 { return uint32(hash) }

// probeInt is the loop for one column without NULLs.
func (t *GroupTable) probeInt(hash []uint64, x []int64, rows, gids []int32, insert bool) {
	for k, h := range hash {
		i := k
		if rows != nil {
			i = int(rows[k])
		}
		key, tag := x[i], tagOf(h)
		last := uint64(len(t.slots) - 1)
		at := h & last
		for {
			s := t.slots[at]
			if s.ref == 0 {
				gids[k] = NoGroup
				if insert {
					gid := t.insert(h, at, 0)
					t.ints[gid] = key
					gids[k] = gid
				}
				break
			}
			// NULL is stored as 0: only then must the mask be looked at, which saves a cache miss.
			if s.tag == tag && t.ints[s.ref-1] == key && (key != 0 || t.mask[s.ref-1] == liveBit) {
				gids[k] = s.ref - 1
				break
			}
			at = (at + 1) & last
		}
	}
}

// probeInts is the loop for one or two columns that may hold NULLs.
func (t *GroupTable) probeInts(hash []uint64, keys []*vector.Vector, rows, gids []int32, insert bool) {
	first, second := keys[0], keys[len(keys)-1]
	two := len(keys) == 2
	for k, h := range hash {
		i := k
		if rows != nil {
			i = int(rows[k])
		}
		key := [2]int64{first.I64[i], second.I64[i]}
		mask := uint8(liveBit)
		if first.IsNull(i) {
			mask |= 1
			key[0] = 0
		}
		if two && second.IsNull(i) {
			mask |= 2
			key[1] = 0
		}
		last := uint64(len(t.slots) - 1)
		at := h & last
		for {
			s := t.slots[at]
			if s.ref == 0 {
				gids[k] = NoGroup
				if insert {
					gids[k] = t.insertInts(h, at, mask, key)
				}
				break
			}
			if s.tag == tagOf(h) && t.mask[s.ref-1] == mask && t.sameInts(s.ref-1, key, two) {
				gids[k] = s.ref - 1
				break
			}
			at = (at + 1) & last
		}
	}
}

func (t *GroupTable) sameInts(gid int32, key [2]int64, two bool) bool {
	if two {
		return t.ints[2*gid] == key[0] && t.ints[2*gid+1] == key[1]
	}
	return t.ints[gid] == key[0]
}

func (t *GroupTable) insertInts(h, at uint64, mask uint8, key [2]int64) int32 {
	gid := t.insert(h, at, mask)
	if t.mode == keyInts {
		t.ints[2*gid], t.ints[2*gid+1] = key[0], key[1]
	} else {
		t.ints[gid] = key[0]
	}
	return gid
}

// probeBytes is the loop for keys in the arena.
func (t *GroupTable) probeBytes(hash []uint64, keys []*vector.Vector, rows, gids []int32, insert bool) {
	for k, h := range hash {
		i := k
		if rows != nil {
			i = int(rows[k])
		}
		key, mask := t.buf[:0], uint8(liveBit)
		switch {
		case t.mode == keyBytes:
			key = EncodeKey(key, keys, i)
			t.buf = key
		case keys[0].IsNull(i):
			mask |= 1
		default:
			key = keys[0].Bytes(i)
		}
		last := uint64(len(t.slots) - 1)
		at := h & last
		for {
			s := t.slots[at]
			if s.ref == 0 {
				gids[k] = NoGroup
				if insert {
					gids[k] = t.insertBytes(h, at, mask, key)
				}
				break
			}
			if s.tag == tagOf(h) && t.mask[s.ref-1] == mask && bytes.Equal(t.bytesOf(s.ref-1), key) {
				gids[k] = s.ref - 1
				break
			}
			at = (at + 1) & last
		}
	}
}

func (t *GroupTable) bytesOf(gid int32) []byte {
	s := t.spans[gid]
	return t.arena[s.off : s.off+int64(s.size)]
}

func (t *GroupTable) insertBytes(h, at uint64, mask uint8, key []byte) int32 {
	if t.dead > compactArenaB && t.dead > len(t.arena)/2 {
		t.compactArena()
	}
	gid := t.insert(h, at, mask)
	t.spans[gid] = span{off: int64(len(t.arena)), size: int32(len(key))}
	t.arena = append(t.arena, key...)
	return gid
}

// insert takes a free gid or a new one and puts it into the empty slot at; the caller stores the key.
func (t *GroupTable) insert(h, at uint64, mask uint8) int32 {
	if 4*(t.live+1) > 3*len(t.slots) {
		t.resize(2 * len(t.slots))
		at = t.emptySlot(h)
	}
	var gid int32
	if n := len(t.free); n > 0 {
		gid = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		gid = t.newGroup()
	}
	t.hashes[gid], t.mask[gid] = h, mask|liveBit
	t.slots[at] = slot{tag: tagOf(h), ref: gid + 1}
	t.live++
	return gid
}

func (t *GroupTable) newGroup() int32 {
	gid := int32(len(t.hashes))
	t.hashes, t.mask = append(t.hashes, 0), append(t.mask, 0)
	switch t.mode {
	case keyInt:
		t.ints = append(t.ints, 0)
	case keyInts:
		t.ints = append(t.ints, 0, 0)
	default:
		t.spans = append(t.spans, span{})
	}
	return gid
}

func (t *GroupTable) emptySlot(h uint64) uint64 {
	last := uint64(len(t.slots) - 1)
	at := h & last
	for t.slots[at].ref != 0 {
		at = (at + 1) & last
	}
	return at
}

func (t *GroupTable) resize(n int) {
	old := t.slots
	t.slots = make([]slot, n)
	for _, s := range old {
		if s.ref != 0 {
			t.slots[t.emptySlot(uint64(s.tag))] = s
		}
	}
}

// Release forgets the key of a live group; the id may be given to the next new key.
func (t *GroupTable) Release(gid int32) {
	if invariant.Enabled && !t.IsLive(gid) {
		invariant.Check(false, "releasing group %d which is not live", gid)
	}
	t.vacate(t.slotOf(gid))
	if t.spans != nil {
		t.dead += int(t.spans[gid].size)
		t.spans[gid] = span{}
	}
	t.mask[gid] = 0
	t.free = append(t.free, gid)
	t.live--
}

func (t *GroupTable) slotOf(gid int32) uint64 {
	last := uint64(len(t.slots) - 1)
	at := t.hashes[gid] & last
	for t.slots[at].ref != gid+1 {
		at = (at + 1) & last
	}
	return at
}

// vacate empties a slot and moves later members of its cluster back, so that probing needs no tombstones.
func (t *GroupTable) vacate(hole uint64) {
	last := uint64(len(t.slots) - 1)
	for at := hole; ; {
		at = (at + 1) & last
		s := t.slots[at]
		if s.ref == 0 {
			break
		}
		home := uint64(s.tag) & last
		// s may fill the hole unless its home lies in (hole, at].
		if (at-home)&last >= (at-hole)&last {
			t.slots[hole] = s
			hole = at
		}
	}
	t.slots[hole] = slot{}
}

// compactArena drops the bytes of released keys.
func (t *GroupTable) compactArena() {
	arena := make([]byte, 0, 2*(len(t.arena)-t.dead))
	for gid, s := range t.spans {
		if t.mask[gid]&liveBit != 0 {
			t.spans[gid].off = int64(len(arena))
			arena = append(arena, t.arena[s.off:s.off+int64(s.size)]...)
		}
	}
	t.arena, t.dead = arena, 0
}

// Clear forgets all keys and keeps the memory.
func (t *GroupTable) Clear() {
	clear(t.slots)
	t.hashes, t.mask, t.ints, t.spans = t.hashes[:0], t.mask[:0], t.ints[:0], t.spans[:0]
	t.arena, t.free = t.arena[:0], t.free[:0]
	t.dead, t.live = 0, 0
}

// AppendKey appends the key of a live group to cols, which have the table's key types.
func (t *GroupTable) AppendKey(gid int32, cols []*vector.Vector) {
	mask := t.mask[gid]
	switch t.mode {
	case keyInt, keyInts:
		for c, v := range cols {
			if mask&(1<<c) != 0 {
				v.AppendNull()
			} else {
				v.AppendI64(t.ints[int(gid)*len(cols)+c])
			}
		}
	case keyText:
		if mask&1 != 0 {
			cols[0].AppendNull()
		} else {
			cols[0].AppendBytes(t.bytesOf(gid))
		}
	default:
		if _, err := DecodeKey(t.bytesOf(gid), t.schema, cols); err != nil {
			panic("row: group table holds a key it cannot decode: " + err.Error())
		}
	}
}

// Key returns the order-preserving encoding of a live group's key, valid until the next call on the table.
func (t *GroupTable) Key(gid int32) []byte {
	if t.mode == keyBytes {
		return t.bytesOf(gid)
	}
	for _, v := range t.keys {
		v.Reset()
	}
	t.AppendKey(gid, t.keys)
	t.buf = EncodeKey(t.buf[:0], t.keys, 0)
	return t.buf
}

// Bytes returns the memory that the table holds.
func (t *GroupTable) Bytes() int {
	return 8*cap(t.slots) + 8*cap(t.hashes) + cap(t.mask) + 8*cap(t.ints) + cap(t.arena) + 16*cap(t.spans) + 4*cap(t.free)
}
