package operator

import (
	"bytes"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// lastRows keeps one encoded row per key.
//
// State: key -> row.
type lastRows struct {
	table   *row.GroupTable
	schema  []types.Type // of the key
	spans   []arenaSpan  // by gid; size 0: no row
	arena   []byte
	garbage int
	dirty   dirtySet
	dropped keyList
	keep    bool // there will be barriers
	stored  []bool
	hash    []uint64
	gids    []int32
}

type arenaSpan struct {
	off  int64
	size int32
}

func newLastRows(schema []types.Type, keep bool) *lastRows {
	return &lastRows{table: row.NewGroupTable(schema), schema: schema, keep: keep}
}

// groups returns the gids of the keys of some rows. Keys that get no row must be given back by release.
func (l *lastRows) groups(keys []*vector.Vector, rows []int32) []int32 {
	l.hash, l.gids = resized(l.hash, len(rows)), resized(l.gids, len(rows))
	row.Hash(keys, rows, l.hash)
	l.table.Groups(l.hash, keys, rows, l.gids)
	l.spans, l.stored = grown(l.spans, l.table.Cap()), grown(l.stored, l.table.Cap())
	return l.gids
}

// get returns the row of a key, nil when there is none; valid until the next set.
func (l *lastRows) get(gid int32) []byte {
	s := l.spans[gid]
	if s.size == 0 {
		return nil
	}
	return l.arena[s.off : s.off+int64(s.size)]
}

func (l *lastRows) set(gid int32, data []byte) {
	s := &l.spans[gid]
	if l.keep {
		l.dirty.mark(gid)
	}
	if int(s.size) == len(data) {
		copy(l.arena[s.off:], data)
		return
	}
	if l.garbage > compactBagMin && l.garbage > len(l.arena)/2 {
		l.compact()
	}
	l.garbage += int(s.size)
	*s = arenaSpan{int64(len(l.arena)), int32(len(data))}
	l.arena = append(l.arena, data...)
}

func (l *lastRows) remove(gid int32) {
	l.garbage += int(l.spans[gid].size)
	l.spans[gid] = arenaSpan{}
	if l.keep {
		l.dirty.mark(gid)
	}
}

// release gives back the keys among gids that have no row.
func (l *lastRows) release(gids []int32) {
	for _, gid := range gids {
		if l.spans[gid].size > 0 || !l.table.IsLive(gid) {
			continue
		}
		if l.stored[gid] {
			l.dropped.add(row.KeyGroup(l.table.Hash(gid)), func(dst []byte) []byte { return append(dst, l.table.Key(gid)...) })
			l.stored[gid] = false
		}
		l.table.Release(gid)
	}
}

func (l *lastRows) compact() {
	arena := make([]byte, 0, 2*(len(l.arena)-l.garbage))
	for i := range l.spans {
		s := &l.spans[i]
		data := l.arena[s.off : s.off+int64(s.size)]
		s.off = int64(len(arena))
		arena = append(arena, data...)
	}
	l.arena, l.garbage = arena, 0
}

func (l *lastRows) write(st State, table byte) {
	l.dropped.each(func(group uint16, key []byte) { st.Delete(table, group, key) })
	l.dropped.clear()
	for _, gid := range l.dirty.list {
		if l.table.IsLive(gid) && l.spans[gid].size > 0 {
			st.Put(table, row.KeyGroup(l.table.Hash(gid)), l.table.Key(gid), l.get(gid))
			l.stored[gid] = true
		}
	}
	l.dirty.clear()
}

func (l *lastRows) read(ctx *Context, table byte) error {
	cols := newColumns(l.schema)
	err := scanState(ctx, table, func(_ uint16, key, value []byte) error {
		if err := decodeKey(key, l.schema, cols); err != nil {
			return err
		}
		gid := l.groups(cols, firstRow)[0]
		l.set(gid, value)
		l.stored[gid] = true
		return nil
	})
	l.dirty.clear()
	return err
}

// holds tells whether data is the row of a key.
func (l *lastRows) holds(gid int32, data []byte) bool { return bytes.Equal(l.get(gid), data) }
