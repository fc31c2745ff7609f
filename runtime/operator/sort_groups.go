package operator

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/millrace/millrace/sql/row"
)

// groupSorter orders groups by their encoded keys, so that output does not depend on hash order.
type groupSorter struct {
	refs  []groupRef
	spare []groupRef // the other side of the radix passes
	arena []byte
}

// groupRef names a group and its key. prefix is the start of the key as a number: it decides almost every comparison.
type groupRef struct {
	prefix   uint64
	gid      int32
	from, to int32
	group    uint8 // key group; 0 where it does not matter
}

const (
	// maxSortArena bounds the keys encoded at once; int32 offsets must reach.
	maxSortArena = 1<<31 - 1
	// minRadix is how many groups make it worth counting bytes.
	minRadix = 128
	// radixDigits are the bytes of the prefix, from the last one on, and the key group.
	radixDigits = 9
)

func (s *groupSorter) reset() { s.refs, s.arena = s.refs[:0], s.arena[:0] }

// add takes a group of table in. It returns false, having done nothing, when the arena is full: sort and emit what there is first.
func (s *groupSorter) add(table *row.GroupTable, gid int32) bool {
	return s.addIn(0, table, gid)
}

func (s *groupSorter) addIn(group uint8, table *row.GroupTable, gid int32) bool {
	key := table.Key(gid)
	if len(s.arena)+len(key) > maxSortArena {
		return false
	}
	from := int32(len(s.arena))
	s.arena = append(s.arena, key...)
	s.refs = append(s.refs, groupRef{prefix: keyPrefix(key), gid: gid, from: from, to: int32(len(s.arena)), group: group})
	return true
}

// arrange lists those of the groups gids that are live in the order in which the state keeps them: by key group, then key. The store has to
// sort what it is given, which costs little when it is in order.
func (s *groupSorter) arrange(table *row.GroupTable, gids []int32) []groupRef {
	s.reset()
	for _, gid := range gids {
		if !table.IsLive(gid) {
			continue
		}
		if group := uint8(row.KeyGroup(table.Hash(gid))); !s.addIn(group, table, gid) {
			s.refs = append(s.refs, groupRef{gid: gid, group: group}) // out of order does no harm
		}
	}
	s.sort()
	return s.refs
}

// keyPrefix skips the marker of the first column, which is 1 unless the column is NULL: a NULL's prefix is 0, and a tie is decided by
// the whole keys.
func keyPrefix(key []byte) uint64 {
	if len(key) == 0 || key[0] == 0 {
		return 0
	}
	if len(key) > 8 {
		return binary.BigEndian.Uint64(key[1:])
	}
	var b [8]byte
	copy(b[:], key[1:])
	return binary.BigEndian.Uint64(b[:])
}

// sort orders the groups by key group, then key.
func (s *groupSorter) sort() {
	if len(s.refs) < minRadix {
		slices.SortFunc(s.refs, s.compare)
		return
	}
	s.radix()
	for from := 0; from < len(s.refs); {
		to := from + 1
		for to < len(s.refs) && s.refs[to].prefix == s.refs[from].prefix && s.refs[to].group == s.refs[from].group {
			to++
		}
		if to-from > 1 {
			slices.SortFunc(s.refs[from:to], s.compare)
		}
		from = to
	}
}

func (s *groupSorter) compare(a, b groupRef) int {
	if a.group != b.group {
		return cmp.Compare(a.group, b.group)
	}
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}
	return bytes.Compare(s.arena[a.from:a.to], s.arena[b.from:b.to])
}

// radix orders the groups by key group and prefix, one byte at a time from the least on; bytes that all groups share cost nothing.
func (s *groupSorter) radix() {
	var counts [radixDigits][256]int32
	for i := range s.refs {
		r := &s.refs[i]
		for d := range 8 {
			counts[d][uint8(r.prefix>>(8*d))]++
		}
		counts[8][r.group]++
	}
	n := len(s.refs)
	s.spare = resized(s.spare, n)
	for d := range radixDigits {
		count := &counts[d]
		if int(count[s.refs[0].digit(d)]) == n {
			continue
		}
		at := int32(0)
		for i, c := range count {
			count[i] = at
			at += c
		}
		for i := range s.refs {
			k := s.refs[i].digit(d)
			s.spare[count[k]] = s.refs[i]
			count[k]++
		}
		s.refs, s.spare = s.spare, s.refs
	}
}

func (r *groupRef) digit(d int) uint8 {
	if d == 8 {
		return r.group
	}
	return uint8(r.prefix >> (8 * d))
}
