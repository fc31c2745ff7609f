package function

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// tallyAggs are the aggregates that count how often each value occurs, and so can take any row back.
func tallyAggs() []*Agg {
	return []*Agg{
		agg("mode(x)", "The most frequent value, the least of those; NULL when there is none.", bindTally(1, modeOf), "mode(x) of 3, 1, 3, NULL", "3", "mode(x) of NULL", "NULL").orderedSet(),
		agg("entropy(x)", "The entropy, in bits, of how the values are distributed; NULL when there is none.", bindTallyAs(tFloat, 1, entropyOf), "entropy(x) of 1, 1, 2, 2", "1"),
		agg("value_counts(x)", "How often each value occurs, as MAP.", bindValueCounts, "value_counts(x) of 'a', 'b', 'a'", `{"a": 2, "b": 1}`),
		agg("top_k(x, k)", "The k most frequent values, the least first of equally frequent ones, as ARRAY of STRUCTs (value, count). All values are counted: approx_top_k takes bounded memory.", bindTopK(true), "top_k(x, k) of ('a', 2), ('b', 2), ('a', 2), ('c', 2)", `[{"value": "a", "count": 2}, {"value": "b", "count": 1}]`),
		agg("largest(x, k)", "The k greatest values as ARRAY, the greatest first.", bindEnds(true), "largest(x, k) of (1, 2), (5, 2), (3, 2)", "[5, 3]").alias("max_n"),
		agg("smallest(x, k)", "The k least values as ARRAY, the least first.", bindEnds(false), "smallest(x, k) of (1, 2), (5, 2), (3, 2)", "[1, 3]").alias("min_n"),
		agg("median(x)", "The median, a DOUBLE: the mean of the two in the middle when their number is even.", bindQuantile(0.5, true), "median(x) of 1, 5, 2, 10", "3.5", "median(x) of NULL", "NULL"),
		agg("percentile_cont(x, fraction) | percentile_cont(fraction) WITHIN GROUP (ORDER BY x)", "The value below which a fraction (constant, 0 to 1) of the values lies, between two values in proportion; exact, with all values kept.", bindQuantile(0, true), "percentile_cont(x, f) of (1, 0.25), (2, 0.25), (3, 0.25), (4, 0.25)", "1.75").orderedSet(),
		agg("percentile_disc(x, fraction) | percentile_disc(fraction) WITHIN GROUP (ORDER BY x)", "The first value at or below which a fraction (constant, 0 to 1) of the values lies; exact, with all values kept.", bindQuantile(0, false), "percentile_disc(x, f) of (1, 0.5), (2, 0.5), (3, 0.5), (4, 0.5)", "2").orderedSet(),
	}
}

// maxTallied bounds the distinct values of one group.
const maxTallied = 1 << 20

// tallyEntry is a value and how often it occurs.
type tallyEntry[K cmp.Ordered] struct {
	key K
	n   int64
}

// tallyState counts values per group. Counts may be negative for a while, when a retraction overtakes its row.
type tallyState[K cmp.Ordered, C codec[K]] struct {
	codec  C
	find   func(counts map[K]*int64, args []*vector.Vector, i int) *int64 // without making a key; nil when there is none
	counts []map[K]*int64
	emit   func(c C, entries []tallyEntry[K], out *vector.Vector)
	buf    []byte
	sorted []tallyEntry[K]
}

func (s *tallyState[K, C]) Grow(groups int) { s.counts = growTo(s.counts, groups) }
func (s *tallyState[K, C]) Clear(group int) { s.counts[group] = nil }

func (s *tallyState[K, C]) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[0].IsNull(i) {
			continue
		}
		step := sign(change, k)
		if n := s.find(s.counts[g], args, i); n != nil && *n+step != 0 {
			*n += step
			continue
		}
		var key K
		key, s.buf = s.codec.key(args[:1], i, s.buf)
		if err := s.bump(int(g), key, step); err != nil {
			return err
		}
	}
	return nil
}

func (s *tallyState[K, C]) bump(g int, key K, step int64) error {
	counts := s.counts[g]
	if counts == nil {
		counts = map[K]*int64{}
		s.counts[g] = counts
	}
	n := counts[key]
	switch {
	case n == nil && len(counts) >= maxTallied:
		return diag.New(diag.InvalidArgument, -1, "a group has more than %d different values", maxTallied).WithHint("approx_percentile and approx_top_k take bounded memory")
	case n == nil:
		counts[key] = &step
	case *n+step == 0:
		delete(counts, key)
	default:
		*n += step
	}
	return nil
}

// ordered lists the values with positive counts in ascending order; it is valid until the next call.
func (s *tallyState[K, C]) ordered(group int) []tallyEntry[K] {
	s.sorted = s.sorted[:0]
	for k, n := range s.counts[group] {
		if *n > 0 {
			s.sorted = append(s.sorted, tallyEntry[K]{k, *n})
		}
	}
	slices.SortFunc(s.sorted, func(a, b tallyEntry[K]) int { return cmp.Compare(a.key, b.key) })
	return s.sorted
}

func (s *tallyState[K, C]) Emit(group int, out *vector.Vector) {
	s.emit(s.codec, s.ordered(group), out)
}

func (s *tallyState[K, C]) Encode(group int, dst []byte) []byte {
	keys := slices.Sorted(maps.Keys(s.counts[group]))
	dst = binary.AppendUvarint(dst, uint64(len(keys)))
	for _, k := range keys {
		dst = binary.AppendVarint(s.codec.encode(dst, k), *s.counts[group][k])
	}
	return dst
}

func (s *tallyState[K, C]) Decode(group int, data []byte) ([]byte, error) {
	s.counts[group] = nil
	return decodeCounts(s.codec, data, maxTallied, func(key K, count int64) bool {
		return count != 0 && s.bump(group, key, count) == nil
	})
}

// tallyEmit appends a result. Value appends the k-th entry's value to a vector of the argument's type.
type tallyEmit func(entries int, count func(k int) int64, value func(k int, to *vector.Vector), out *vector.Vector)

// newTally makes accumulators for values of type t in the representation that orders them.
func newTally(t types.Type, emit tallyEmit) AggState {
	switch t.Class() {
	case types.ClassI64, types.ClassF64:
		c := intCodec{t: t}
		return tallyOf(c, emit, func(counts map[int64]*int64, args []*vector.Vector, i int) *int64 {
			key, _ := c.key(args, i, nil)
			return counts[key]
		})
	}
	var buf []byte
	return tallyOf(textCodec{t: []types.Type{t}}, emit, func(counts map[string]*int64, args []*vector.Vector, i int) *int64 {
		buf = row.EncodeKey(buf[:0], args[:1], i)
		return counts[string(buf)]
	})
}

func tallyOf[K cmp.Ordered, C codec[K]](c C, emit tallyEmit, find func(map[K]*int64, []*vector.Vector, int) *int64) AggState {
	return &tallyState[K, C]{codec: c, find: find, emit: func(c C, entries []tallyEntry[K], out *vector.Vector) {
		emit(len(entries), func(k int) int64 { return entries[k].n }, func(k int, to *vector.Vector) { c.emit(entries[k].key, to) }, out)
	}}
}

// bindTally binds an aggregate of n arguments whose result has the type of the first.
func bindTally(n int, emit tallyEmit) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := arity2(args, n); err != nil {
			return BoundAgg{}, err
		}
		return bindTallyAs(args[0].Type, n, emit)(args)
	}
}

func bindTallyAs(ret types.Type, n int, emit tallyEmit) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := arity2(args, n); err != nil {
			return BoundAgg{}, err
		}
		t := args[0].Type
		return BoundAgg{Ret: ret, ArgTypes: anyTypes(args), NewState: func(bool) AggState { return newTally(t, emit) }}, nil
	}
}

func modeOf(entries int, count func(int) int64, value func(int, *vector.Vector), out *vector.Vector) {
	best := -1
	for k := range entries {
		if best < 0 || count(k) > count(best) {
			best = k
		}
	}
	if best < 0 {
		out.AppendNull()
		return
	}
	value(best, out)
}

func entropyOf(entries int, count func(int) int64, _ func(int, *vector.Vector), out *vector.Vector) {
	total := 0.0
	for k := range entries {
		total += float64(count(k))
	}
	if total == 0 {
		out.AppendNull()
		return
	}
	h := 0.0
	for k := range entries {
		p := float64(count(k)) / total
		h -= p * math.Log2(p)
	}
	out.AppendF64(h + 0) // no -0
}

func bindValueCounts(args []Arg) (BoundAgg, error) {
	if err := arity2(args, 1); err != nil {
		return BoundAgg{}, err
	}
	ret := types.MapOf(args[0].Type, tInt)
	return bindTallyAs(ret, 1, func(entries int, count func(int) int64, value func(int, *vector.Vector), out *vector.Vector) {
		for k := range entries {
			value(k, out.Child[0])
			out.Child[1].AppendI64(count(k))
		}
		out.EndList()
	})(args)
}

// sizeArg reads the constant number of results k.
func sizeArg(a Arg) (int, error) {
	k, ok := constInt(a)
	if !ok || k < 1 || k > maxTopK {
		return 0, fmt.Errorf("argument 2 must be a constant from 1 to %d", maxTopK)
	}
	return int(k), nil
}

// bindEnds binds LARGEST and SMALLEST; equal values count each.
func bindEnds(greatest bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := arity2(args, 2); err != nil {
			return BoundAgg{}, err
		}
		size, err := sizeArg(args[1])
		if err != nil {
			return BoundAgg{}, err
		}
		return bindTallyAs(types.ArrayOf(args[0].Type), 2, func(entries int, count func(int) int64, value func(int, *vector.Vector), out *vector.Vector) {
			left := size
			for k := range entries {
				if greatest {
					k = entries - 1 - k
				}
				for range count(k) {
					if left == 0 {
						break
					}
					value(k, out.Child[0])
					left--
				}
			}
			out.EndList()
		})(args)
	}
}

// bindQuantile binds MEDIAN and the exact percentiles.
func bindQuantile(fraction float64, between bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		fraction, want := fraction, []types.Type{tFloat}
		if fraction == 0 {
			if err := arity2(args, 2); err != nil {
				return BoundAgg{}, err
			}
			var err error
			if fraction, err = fractionArg(args[1]); err != nil {
				return BoundAgg{}, err
			}
			want = append(want, args[1].Type)
		} else if err := arity2(args, 1); err != nil {
			return BoundAgg{}, err
		}
		if !between {
			want[0] = args[0].Type
		} else if _, err := numericArg(args[:1]); err != nil {
			return BoundAgg{}, err
		}
		t := want[0]
		emit := func(entries int, count func(int) int64, value func(int, *vector.Vector), out *vector.Vector) {
			quantile{fraction, between}.emit(entries, count, value, out)
		}
		return BoundAgg{Ret: t, ArgTypes: want, NewState: func(bool) AggState { return newTally(t, emit) }}, nil
	}
}

// fractionArg reads the constant fraction of a percentile.
func fractionArg(a Arg) (float64, error) {
	f, ok := constFloat(a)
	if !ok || !(f >= 0 && f <= 1) {
		return 0, fmt.Errorf("argument 2 must be a constant fraction from 0 to 1, such as 0.95")
	}
	return f, nil
}

// constFloat returns the value of a constant number.
func constFloat(a Arg) (float64, bool) {
	if a.Const == nil || a.Const.IsNull(0) || !isNumber(a.Type) {
		return 0, false
	}
	kernel, err := Cast(a.Const.Type, tFloat, true)
	if err != nil {
		if a.Const.Type.Kind.IsFloat() {
			return a.Const.F64[0], true
		}
		return 0, false
	}
	out := vector.New(tFloat, 1)
	kernel(&Ctx{}, []*vector.Vector{a.Const}, 1, out)
	return out.F64[0], !out.IsNull(0)
}

// quantile is an exact percentile: between two values in proportion, or the first that reaches the fraction.
type quantile struct {
	fraction float64
	between  bool
}

func (q quantile) emit(entries int, count func(int) int64, value func(int, *vector.Vector), out *vector.Vector) {
	total := int64(0)
	for k := range entries {
		total += count(k)
	}
	if total == 0 {
		out.AppendNull()
		return
	}
	at := func(rank int64) int {
		for k := range entries {
			if rank -= count(k); rank < 0 {
				return k
			}
		}
		return entries - 1
	}
	if !q.between {
		value(at(int64(math.Ceil(q.fraction*float64(total)))-boolInt(q.fraction > 0)), out)
		return
	}
	place := q.fraction * float64(total-1)
	low := math.Floor(place)
	value(at(int64(low)), out)
	if part := place - low; part > 0 {
		x := out.F64[out.N-1]
		value(at(int64(low)+1), out)
		y := out.F64[out.N-1]
		out.Truncate(out.N - 1)
		out.F64[out.N-1] = x + (y-x)*part
	}
}
