package function

import (
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxTopK bounds the number of values that TOP_K, LARGEST and their like give.
const maxTopK = 1000

// topKAgg is approx_top_k.
func topKAgg() *Agg {
	return agg("approx_top_k(x, k)", "About the k most frequent values, as ARRAY of STRUCTs (value, count), by the Misra-Gries method in memory for 20 k values (200 at least); exact up to that many different ones, else a count is too low by at most the number of rows by half of that. Over a stream that takes rows back it is exact.", bindTopK(false),
		"approx_top_k(x, k) of ('a', 1), ('b', 1), ('a', 1)", `[{"value": "a", "count": 2}]`)
}

// bindTopK binds TOP_K (exact) and APPROX_TOP_K.
func bindTopK(exact bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := arity2(args, 2); err != nil {
			return BoundAgg{}, err
		}
		size, err := sizeArg(args[1])
		if err != nil {
			return BoundAgg{}, err
		}
		t := args[0].Type
		ret := types.ArrayOf(types.StructOf(types.Field{Name: "value", Type: t}, types.Field{Name: "count", Type: tInt}))
		emit := func(entries int, count func(int) int64, value func(int, *vector.Vector), out *vector.Vector) {
			order := make([]int, entries)
			for k := range order {
				order[k] = k
			}
			slices.SortStableFunc(order, func(a, b int) int { return int(min(max(count(b)-count(a), -1), 1)) })
			item := out.Child[0]
			for _, k := range order[:min(size, entries)] {
				value(k, item.Child[0])
				item.Child[1].AppendI64(count(k))
				item.EndStruct()
			}
			out.EndList()
		}
		return BoundAgg{Ret: ret, ArgTypes: anyTypes(args), NewState: func(retract bool) AggState {
			if exact || retract {
				return newTally(t, emit)
			}
			return &frequentState{room: max(100, 10*size), codec: textCodec{t: []types.Type{t}}, emit: emit}
		}}, nil
	}
}

// frequentState is Misra and Gries' algorithm (Finding repeated elements, 1982) with room for as many values again, so that making
// room costs little per row: then the count of the first value that has no place is taken from all.
// Invariant: a count is at most the true one, and lower by at most rows/(room+1).
type frequentState struct {
	room   int
	codec  textCodec
	emit   tallyEmit
	counts []map[string]*int64
	buf    []byte
	sorted []int64
}

func (s *frequentState) Grow(groups int) { s.counts = growTo(s.counts, groups) }
func (s *frequentState) Clear(group int) { s.counts[group] = nil }

func (s *frequentState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[0].IsNull(i) {
			continue
		}
		s.buf = row.EncodeKey(s.buf[:0], args[:1], i)
		counts := s.counts[g]
		if n := counts[string(s.buf)]; n != nil {
			*n++
			continue
		}
		if counts == nil {
			counts = map[string]*int64{}
			s.counts[g] = counts
		}
		one := int64(1)
		counts[string(s.buf)] = &one
		if len(counts) > 2*s.room {
			s.makeRoom(counts)
		}
	}
	return nil
}

func (s *frequentState) makeRoom(counts map[string]*int64) {
	s.sorted = s.sorted[:0]
	for _, n := range counts {
		s.sorted = append(s.sorted, *n)
	}
	slices.Sort(s.sorted)
	cut := s.sorted[len(s.sorted)-1-s.room]
	for key, n := range counts {
		if *n -= cut; *n <= 0 {
			delete(counts, key)
		}
	}
}

// tally lays the counts out for emit and encode.
func (s *frequentState) tally(group int) *tallyState[string, textCodec] {
	return &tallyState[string, textCodec]{codec: s.codec, counts: []map[string]*int64{s.counts[group]}}
}

func (s *frequentState) Emit(group int, out *vector.Vector) {
	entries := s.tally(group).ordered(0)
	s.emit(len(entries), func(k int) int64 { return entries[k].n }, func(k int, to *vector.Vector) { s.codec.emit(entries[k].key, to) }, out)
}

func (s *frequentState) Encode(group int, dst []byte) []byte { return s.tally(group).Encode(0, dst) }

func (s *frequentState) Decode(group int, data []byte) ([]byte, error) {
	t := s.tally(group)
	rest, err := t.Decode(0, data)
	if err == nil && len(t.counts[0]) > 2*s.room {
		err = errState
	}
	s.counts[group] = t.counts[0]
	return rest, err
}
