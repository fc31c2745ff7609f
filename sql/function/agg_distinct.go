package function

import (
	"encoding/binary"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// NewDistinct wraps an aggregate so that each distinct argument list counts once. Rows with a NULL argument do not count. With
// retraction a value is taken back from the inner aggregate when its last occurrence goes.
func NewDistinct(inner BoundAgg) BoundAgg {
	wrapped := inner
	wrapped.NewState = func(retract bool) AggState {
		schema := append([]types.Type{tInt}, inner.ArgTypes...)
		return &distinctState{inner: inner.NewState(retract), seen: row.NewGroupTable(schema), group: vector.New(tInt, 0), types: inner.ArgTypes}
	}
	return wrapped
}

// distinctState keeps one entry per (group, value) in a group table, pointer-free. The entries of a group form a doubly linked list,
// so that Clear and Encode find them.
type distinctState struct {
	inner      AggState
	seen       *row.GroupTable // key: group, arguments
	count      []int64         // by entry
	next, prev []int32         // by entry; 0: end, else entry+1
	linked     []bool          // by entry
	types      []types.Type    // of the arguments
	head       []int32         // by group
	group      *vector.Vector  // the group ids as a key column, by physical row
	keys       []*vector.Vector
	hash       []uint64
	entries    []int32
	pick       []int32 // counting rows without NULLs
	passGids   []int32
	passRows   []int32
	passChange []vector.Change
}

func (s *distinctState) Grow(groups int) {
	s.inner.Grow(groups)
	s.head = growTo(s.head, groups)
}

func (s *distinctState) Clear(group int) {
	s.inner.Clear(group)
	for e := s.head[group]; e != 0; {
		next := s.next[e-1]
		s.count[e-1], s.linked[e-1] = 0, false
		s.seen.Release(e - 1)
		e = next
	}
	s.head[group] = 0
}

func (s *distinctState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	s.prepare(gids, rows, args)
	s.passGids, s.passRows, s.passChange = s.passGids[:0], s.passRows[:0], s.passChange[:0]
	at := 0
	for k, g := range gids {
		i := int32(rowAt(rows, k))
		if at == len(s.pick) || s.pick[at] != int32(k) {
			continue // has a NULL
		}
		e := s.entries[at]
		at++
		op := vector.Insert
		if change != nil {
			op = change[k]
		}
		if s.bump(e, g, op.Sign()) {
			s.passGids, s.passRows, s.passChange = append(s.passGids, g), append(s.passRows, i), append(s.passChange, op)
		}
	}
	if change == nil {
		return s.inner.Add(s.passGids, s.passRows, nil, args)
	}
	s.dropZeros(gids)
	return s.inner.Add(s.passGids, s.passRows, s.passChange, args)
}

// prepare finds the entry of every row without NULLs. The key's first column is built by physical row, as the arguments are.
func (s *distinctState) prepare(gids, rows []int32, args []*vector.Vector) {
	s.pick = s.pick[:0]
	s.passRows = s.passRows[:0]
	most := 0
	for k := range gids {
		i := rowAt(rows, k)
		most = max(most, i+1)
		if !anyNull(args, i) {
			s.pick = append(s.pick, int32(k))
			s.passRows = append(s.passRows, int32(i))
		}
	}
	s.group.Resize(most)
	for _, k := range s.pick {
		s.group.I64[rowAt(rows, int(k))] = int64(gids[k])
	}
	s.keys = append(append(s.keys[:0], s.group), args...)
	s.hash = growTo(s.hash, len(s.pick))[:len(s.pick)]
	s.entries = growTo(s.entries, len(s.pick))[:len(s.pick)]
	row.Hash(s.keys, s.passRows, s.hash)
	s.seen.Groups(s.hash, s.keys, s.passRows, s.entries)
	n := s.seen.Cap()
	s.count, s.next, s.prev, s.linked = growTo(s.count, n), growTo(s.next, n), growTo(s.prev, n), growTo(s.linked, n)
}

func anyNull(args []*vector.Vector, i int) bool {
	for _, a := range args {
		if a.IsNull(i) {
			return true
		}
	}
	return false
}

// bump counts an occurrence and tells whether the inner aggregate must see it: the first that comes, the last that goes. A count may
// be negative for a while, when a retraction overtakes its row.
func (s *distinctState) bump(entry, group int32, step int64) bool {
	old := s.count[entry]
	s.count[entry] += step
	if !s.linked[entry] {
		s.link(entry, group)
	}
	return old == 0 && step > 0 || old == 1 && step < 0
}

func (s *distinctState) link(entry, group int32) {
	first := s.head[group]
	s.next[entry], s.prev[entry], s.linked[entry] = first, 0, true
	if first != 0 {
		s.prev[first-1] = entry + 1
	}
	s.head[group] = entry + 1
}

func (s *distinctState) unlink(entry, group int32) {
	next, prev := s.next[entry], s.prev[entry]
	if prev != 0 {
		s.next[prev-1] = next
	} else {
		s.head[group] = next
	}
	if next != 0 {
		s.prev[next-1] = prev
	}
	s.linked[entry] = false
}

// dropZeros forgets the values of this batch that no row has any more.
func (s *distinctState) dropZeros(gids []int32) {
	for at, k := range s.pick {
		if e := s.entries[at]; s.count[e] == 0 && s.linked[e] {
			s.unlink(e, gids[k])
			s.seen.Release(e)
		}
	}
}

func (s *distinctState) Emit(group int, out *vector.Vector) { s.inner.Emit(group, out) }

// groupPrefix is the size of the group id in the encoded key of an entry.
const groupPrefix = 9

func (s *distinctState) Encode(group int, dst []byte) []byte {
	n := 0
	for e := s.head[group]; e != 0; e = s.next[e-1] {
		n++
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for e := s.head[group]; e != 0; e = s.next[e-1] {
		dst = appendSized(dst, s.seen.Key(e - 1)[groupPrefix:])
		dst = binary.AppendVarint(dst, s.count[e-1])
	}
	return s.inner.Encode(group, dst)
}

func (s *distinctState) Decode(group int, data []byte) ([]byte, error) {
	n, size := binary.Uvarint(data)
	if size <= 0 {
		return nil, errState
	}
	data = data[size:]
	s.Clear(group)
	cols := make([]*vector.Vector, len(s.types))
	for i, t := range s.types {
		cols[i] = vector.New(t, 1)
	}
	for range n {
		key, rest, err := readSized(data)
		if err != nil {
			return nil, err
		}
		for _, c := range cols {
			c.Reset()
		}
		if _, err := row.DecodeKey(key, s.types, cols); err != nil {
			return nil, err
		}
		count, rest, err := readVarint(rest)
		if err != nil {
			return nil, err
		}
		data = rest
		s.prepare([]int32{int32(group)}, nil, cols)
		if len(s.entries) == 0 {
			return nil, errState
		}
		s.bump(s.entries[0], int32(group), count)
	}
	return s.inner.Decode(group, data)
}
