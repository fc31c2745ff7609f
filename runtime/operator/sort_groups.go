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
	arena []byte
}

// groupRef names a group and its key. prefix is the start of the key as a number: it decides almost every comparison.
type groupRef struct {
	prefix   uint64
	gid      int32
	from, to int32
}

// maxSortArena bounds the keys encoded at once; int32 offsets must reach.
const maxSortArena = 1<<31 - 1

func (s *groupSorter) reset() { s.refs, s.arena = s.refs[:0], s.arena[:0] }

// add takes a group of table in. It returns false, having done nothing, when the arena is full: sort and emit what there is first.
func (s *groupSorter) add(table *row.GroupTable, gid int32) bool {
	key := table.Key(gid)
	if len(s.arena)+len(key) > maxSortArena {
		return false
	}
	from := int32(len(s.arena))
	s.arena = append(s.arena, key...)
	s.refs = append(s.refs, groupRef{prefix: keyPrefix(key), gid: gid, from: from, to: int32(len(s.arena))})
	return true
}

// keyPrefix skips the marker of the first column, which is 1 unless the column is NULL: a NULL's prefix is 0, and a tie is decided by
// the whole keys.
func keyPrefix(key []byte) uint64 {
	if len(key) == 0 || key[0] == 0 {
		return 0
	}
	var b [8]byte
	copy(b[:], key[1:])
	return binary.BigEndian.Uint64(b[:])
}

func (s *groupSorter) sort() {
	slices.SortFunc(s.refs, func(a, b groupRef) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return bytes.Compare(s.arena[a.from:a.to], s.arena[b.from:b.to])
	})
}
