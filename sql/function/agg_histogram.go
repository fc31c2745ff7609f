package function

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// histogramAggs are the aggregates that are an array of counters.
func histogramAggs() []*Agg {
	return []*Agg{
		agg("histogram(x, low, high, n) | histogram(x, bounds)", "How many values lie in each bucket, as ARRAY: below low, in n equal parts of low..high, from high on; or below the first, between, and from the last of ascending bounds on. The buckets are constants.", bindHistogram,
			"histogram(x, l, h, n) of (1, 0, 10, 2), (5, 0, 10, 2), (12, 0, 10, 2), (NULL, 0, 10, 2)", "[0, 1, 1, 1]"),
		agg("checksum(x, ..)", "A number that depends on all rows but not on their order, to compare two streams: the sum of hash64 of each row.", bindChecksum, "checksum(x) of NULL", "4387948224199583295"),
	}
}

// maxBuckets bounds the buckets of a histogram.
const maxBuckets = 10_000

func bindHistogram(args []Arg) (BoundAgg, error) {
	var bounds []float64
	var err error
	switch len(args) {
	case 2:
		bounds, err = listedBounds(args[1])
	case 4:
		bounds, err = equalBounds(args[1:])
	default:
		return BoundAgg{}, countError("x and an ARRAY of bounds, or x, low, high and n", len(args))
	}
	if err != nil {
		return BoundAgg{}, err
	}
	if _, err := numericArg(args[:1]); err != nil {
		return BoundAgg{}, err
	}
	want := anyTypes(args)
	want[0] = tFloat
	return BoundAgg{Ret: types.ArrayOf(tInt), ArgTypes: want, NewState: func(bool) AggState { return &histogramState{bounds: bounds} }}, nil
}

func listedBounds(a Arg) ([]float64, error) {
	bad := fmt.Errorf("argument 2 must be a constant ARRAY of 1 to %d ascending numbers", maxBuckets)
	if a.Const == nil || a.Type.Kind != types.Array || a.Const.IsNull(0) {
		return nil, bad
	}
	elems := a.Const.Child[0]
	kernel, err := Cast(elems.Type, tFloat, true)
	if elems.Type.Kind.IsFloat() {
		kernel, err = copyKernel, nil
	}
	if err != nil || !isNumber(elems.Type) || elems.HasNulls() || elems.N == 0 || elems.N > maxBuckets {
		return nil, bad
	}
	out := vector.New(tFloat, elems.N)
	kernel(&Ctx{}, []*vector.Vector{elems}, elems.N, out)
	if !slices.IsSorted(out.F64) {
		return nil, bad
	}
	return slices.Clone(out.F64), nil
}

func equalBounds(args []Arg) ([]float64, error) {
	low, ok1 := constFloat(args[0])
	high, ok2 := constFloat(args[1])
	n, ok3 := constInt(args[2])
	if !ok1 || !ok2 || !ok3 || !(low < high) || n < 1 || n > maxBuckets {
		return nil, fmt.Errorf("low, high and n must be constants, low less than high, n from 1 to %d", maxBuckets)
	}
	bounds := make([]float64, n+1)
	for k := range bounds {
		bounds[k] = low + (high-low)*float64(k)/float64(n)
	}
	bounds[n] = high
	return bounds, nil
}

// histogramState keeps len(bounds)+1 counters per group, one group behind the other.
type histogramState struct {
	bounds []float64
	counts []int64
}

func (s *histogramState) width() int { return len(s.bounds) + 1 }

func (s *histogramState) of(group int) []int64 {
	return s.counts[group*s.width() : (group+1)*s.width()]
}

func (s *histogramState) Grow(groups int) { s.counts = growTo(s.counts, groups*s.width()) }
func (s *histogramState) Clear(group int) { clear(s.of(group)) }

func (s *histogramState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[0].IsNull(i) {
			continue
		}
		bucket, exact := slices.BinarySearch(s.bounds, args[0].F64[i])
		for exact && bucket < len(s.bounds) && s.bounds[bucket] == args[0].F64[i] { // a bound belongs to what follows
			bucket++
		}
		s.of(int(g))[bucket] += sign(change, k)
	}
	return nil
}

func (s *histogramState) Emit(group int, out *vector.Vector) {
	for _, n := range s.of(group) {
		out.Child[0].AppendI64(n)
	}
	out.EndList()
}

func (s *histogramState) Encode(group int, dst []byte) []byte {
	for _, n := range s.of(group) {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

func (s *histogramState) Decode(group int, data []byte) (rest []byte, err error) {
	for k := range s.of(group) {
		if s.of(group)[k], data, err = readVarint(data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func bindChecksum(args []Arg) (BoundAgg, error) {
	if len(args) == 0 {
		return BoundAgg{}, countError("1 argument or more", 0)
	}
	return BoundAgg{Ret: tUint, ArgTypes: anyTypes(args), NewState: func(bool) AggState { return &checksumState{} }}, nil
}

// checksumState is a sum modulo 2^64 of hashes.
type checksumState struct {
	sum  []uint64
	hash []uint64
}

func (s *checksumState) Grow(groups int) { s.sum = growTo(s.sum, groups) }
func (s *checksumState) Clear(group int) { s.sum[group] = 0 }

func (s *checksumState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	if rows == nil {
		rows = rowsFrom(0, len(gids))
	}
	s.hash = growTo(s.hash, len(gids))[:len(gids)]
	row.Hash(args, rows, s.hash)
	for k, g := range gids {
		s.sum[g] += uint64(sign(change, k)) * s.hash[k]
	}
	return nil
}

func (s *checksumState) Emit(group int, out *vector.Vector) { out.AppendI64(int64(s.sum[group])) }

func (s *checksumState) Encode(group int, dst []byte) []byte {
	return binary.LittleEndian.AppendUint64(dst, s.sum[group])
}

func (s *checksumState) Decode(group int, data []byte) ([]byte, error) {
	if len(data) < 8 {
		return nil, errState
	}
	s.sum[group] = binary.LittleEndian.Uint64(data)
	return data[8:], nil
}
