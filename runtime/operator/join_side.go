package operator

import (
	"maps"
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// JoinKind is the kind of a join.
type JoinKind uint8

// The joins, as in planner/physical. SemiJoin to MarkJoin give no right columns.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	FullJoin
	SemiKind
	AntiKind
	MarkKind
)

// joinSide is one input of a regular join with the rows kept of it. The aux of an entry is the number of rows of the other side that it
// matches, copies counted; it is kept only when outer.
type joinSide struct {
	schema    []types.Type
	keys      []int
	strict    []int // key columns in which NULL matches nothing
	outer     bool  // rows without a match appear with NULLs for the other side
	windowEnd int   // column, -1: none
	table     byte  // of the state
	bag       *bag
	ends      map[int64][]int32 // keys by window end; gids may be stale or listed twice

	cols    []*vector.Vector // key columns of the current batch
	rows    []int32          // its rows with a key
	nulls   []int32          // its rows with a NULL in the key: they match nothing
	late    []int32
	hash    []uint64
	gids    []int32
	matches []int32 // gids of the other side
	sorter  groupSorter
}

func newJoinSide(schema []types.Type, keys []int, nullEqual []bool, table byte) *joinSide {
	return &joinSide{schema: schema, keys: keys, strict: strictKeys(keys, nullEqual), windowEnd: -1, table: table}
}

// strictKeys picks the key columns in which NULL does not equal NULL; nullEqual may be nil.
func strictKeys(keys []int, nullEqual []bool) []int {
	var out []int
	for i, c := range keys {
		if i >= len(nullEqual) || !nullEqual[i] {
			out = append(out, c)
		}
	}
	return out
}

func (s *joinSide) open(ctx *Context) error {
	s.bag = newBag(schemaOf(s.schema, s.keys), ctx.State != nil)
	if err := s.bag.read(ctx, s.table); err != nil || s.windowEnd < 0 {
		return err
	}
	s.ends = map[int64][]int32{}
	cols := newColumns(s.schema)
	for gid := range s.bag.table.All() {
		e := s.bag.first(gid)
		if e == noEntry {
			continue
		}
		resetColumns(cols)
		if _, err := row.DecodeValue(s.bag.bytes(e), s.schema, cols); err != nil {
			return err
		}
		s.file(gid, cols[s.windowEnd], 0)
	}
	return nil
}

// split sorts the counting rows of b into rows, nulls and late.
func (s *joinSide) split(b *vector.Batch, watermark int64) {
	s.cols = pick(s.cols, b, s.keys)
	s.rows, s.nulls, s.late = s.rows[:0], s.nulls[:0], s.late[:0]
	for k := range b.Rows() {
		i := b.Row(k)
		switch {
		case s.ends != nil && !b.Cols[s.windowEnd].IsNull(i) && closedBy(watermark, b.Cols[s.windowEnd].I64[i]):
			s.late = append(s.late, int32(i))
		case nullAmong(b.Cols, s.strict, i):
			s.nulls = append(s.nulls, int32(i))
		default:
			s.rows = append(s.rows, int32(i))
		}
	}
	s.hash = resized(s.hash, len(s.rows))
	row.Hash(s.cols, s.rows, s.hash)
}

// nullAmong tells whether row i has a NULL in one of the columns at.
func nullAmong(cols []*vector.Vector, at []int, i int) bool {
	for _, c := range at {
		if cols[c].IsNull(i) {
			return true
		}
	}
	return false
}

func anyNull(cols []*vector.Vector, i int) bool {
	for _, c := range cols {
		if c.IsNull(i) {
			return true
		}
	}
	return false
}

// file lists a key under its window's end.
func (s *joinSide) file(gid int32, col *vector.Vector, i int) {
	if col.IsNull(i) {
		return
	}
	list := s.ends[col.I64[i]]
	if n := len(list); n == 0 || list[n-1] != gid {
		s.ends[col.I64[i]] = append(list, gid)
	}
}

// closeWindows drops the rows of the windows that the watermark closes, by end and key. Unmatched, if not nil, gets each entry that has no
// match before it goes.
func (s *joinSide) closeWindows(watermark int64, unmatched func(e int32) error) error {
	for _, end := range s.closed(watermark) {
		s.groupsOf(end)
		for _, ref := range s.sorter.refs {
			for e := s.bag.first(ref.gid); e != noEntry; {
				next := s.bag.entries[e].next
				if unmatched != nil && s.bag.entries[e].aux == 0 {
					if err := unmatched(e); err != nil {
						return err
					}
				}
				s.bag.remove(e, s.bag.entries[e].count)
				e = next
			}
		}
	}
	s.bag.sweep()
	return nil
}

// closed returns the ends that the watermark closes, ascending.
func (s *joinSide) closed(watermark int64) []int64 {
	var out []int64
	for end := range maps.Keys(s.ends) {
		if closedBy(watermark, end) {
			out = append(out, end)
		}
	}
	slices.Sort(out)
	return out
}

// groupsOf sets sorter to the live keys of a window, by key, and forgets the window.
func (s *joinSide) groupsOf(end int64) {
	list := s.ends[end]
	delete(s.ends, end)
	slices.Sort(list)
	s.sorter.reset()
	for _, gid := range slices.Compact(list) {
		if s.bag.table.IsLive(gid) && s.bag.first(gid) != noEntry {
			s.sorter.add(s.bag.table, gid)
		}
	}
	s.sorter.sort()
}
