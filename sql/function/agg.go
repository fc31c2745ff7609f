package function

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// errState says that bytes are no encoded accumulator.
var errState = errors.New("corrupt aggregate state")

// aggregates is the table of aggregate functions.
func aggregates() []*Agg {
	return []*Agg{
		agg("count(*) | count(x) | count(DISTINCT x, ..)", "How many rows, or rows where no argument is NULL.", bindCount, "count(x) of 1, NULL, 3", "2"),
		agg("sum(x)", "The sum; NULL when there is no value. Integers and DECIMALs give an exact DECIMAL, floats a DOUBLE.", bindSum, "sum(x) of 1, 2, NULL", "3", "sum(x) of 1.5, 2.25", "3.75"),
		agg("avg(x)", "The mean; NULL when there is no value. Integers and DECIMALs give a DECIMAL with four more decimals.", bindAvg, "avg(x) of 1, 2", "1.5000"),
		agg("min(x)", "The least value; NULL when there is none.", bindExtreme(false), "min(x) of 3, 1, 2", "1"),
		agg("max(x)", "The greatest value; NULL when there is none.", bindExtreme(true), "max(x) of 'a', 'c', 'b'", "c"),
		agg("any_value(x)", "Some value of the group; NULL when all are.", bindAny, "any_value(x) of 7", "7"),
		agg("var_pop(x)", "The population variance.", bindVariance(false, false), "var_pop(x) of 1, 2, 3, 4", "1.25").alias("variance", "varp"),
		agg("var_samp(x)", "The sample variance; NULL for less than two values.", bindVariance(true, false), "var_samp(x) of 1, 2, 3, 4, 5", "2.5"),
		agg("stddev_pop(x)", "The population standard deviation.", bindVariance(false, true), "stddev_pop(x) of 2, 4, 4, 4, 5, 5, 7, 9", "2").alias("stddev", "std"),
		agg("stddev_samp(x)", "The sample standard deviation; NULL for less than two values.", bindVariance(true, true), "stddev_samp(x) of 1, 3, 5", "2"),
		agg("bit_and(x)", "Bitwise and of all values; all bits set when there is none.", bindBits(bitsAnd), "bit_and(x) of 12, 10", "8"),
		agg("bit_or(x)", "Bitwise or of all values.", bindBits(bitsOr), "bit_or(x) of 12, 10", "14"),
		agg("bit_xor(x)", "Bitwise exclusive or of all values.", bindBits(bitsXor), "bit_xor(x) of 12, 10", "6"),
		agg("group_concat([DISTINCT] x, .. [ORDER BY y] [SEPARATOR s]) | string_agg(x, s [ORDER BY y])", "The texts joined, in order of arrival or in the one given; NULLs are left out. The separator is a comma unless given. What is longer than 1 MiB is cut off at a character, as MySQL does at group_concat_max_len.", bindConcat,
			"group_concat(x) of 'a', NULL, 'b'", "a,b").alias("string_agg", "listagg").ordered(),
		agg("array_agg(x)", "All values, NULLs too, as an ARRAY in order of arrival.", bindCollect(types.ArrayOf, emitArray), "array_agg(x) of 1, NULL, 2", "[1, null, 2]").alias("collect").ordered(),
		agg("first_value(x)", "The value that arrived first.", bindEnd(false), "first_value(x) of 3, 1", "3").alias("first").ordered(),
		agg("last_value(x)", "The value that arrived last.", bindEnd(true), "last_value(x) of 3, 1", "1").alias("last").ordered(),
		agg("arg_min(x, by)", "The x of the row with the least `by`; rows where `by` is NULL do not count.", bindArg(false), "arg_min(x, y) of ('a', 2), ('b', 1)", "b").alias("min_by", "earliest_by"),
		agg("arg_max(x, by)", "The x of the row with the greatest `by`.", bindArg(true), "arg_max(x, y) of ('a', 2), ('b', 1)", "a").alias("max_by", "latest_by"),
		agg("approx_count_distinct(x)", "About how many different values there are, within 2 % and in bounded memory; exact up to 256.", bindApprox, "approx_count_distinct(x) of 1, 2, 2", "2").alias("approx_distinct", "ndv"),
	}
}

func agg(signature, doc string, bind func([]Arg) (BoundAgg, error), examples ...string) *Agg {
	f := def(signature, doc, nil, examples...)
	return &Agg{Name: f.Name, Signatures: f.Signatures, Doc: doc, Examples: f.Examples, Bind: bind}
}

// ordered marks an aggregate whose result depends on the order of the rows.
func (a *Agg) ordered() *Agg { a.Ordered = true; return a }

// orderedSet marks an aggregate that may be written with WITHIN GROUP.
func (a *Agg) orderedSet() *Agg { a.OrderedSet = true; return a }

func (a *Agg) alias(names ...string) *Agg { a.Aliases = names; return a }

// rowAt maps the k-th counting row to its physical row; nil rows are all rows.
func rowAt(rows []int32, k int) int {
	if rows == nil {
		return k
	}
	return int(rows[k])
}

// sign is +1 or -1 for the k-th counting row.
func sign(change []vector.Change, k int) int64 {
	if change == nil {
		return 1
	}
	return change[k].Sign()
}

// growTo extends s with zeros to n entries, amortised.
func growTo[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	if n <= cap(s) {
		tail := s[len(s):n]
		clear(tail)
		return s[:n]
	}
	grown := make([]T, n, max(n, 2*cap(s)))
	copy(grown, s)
	return grown
}

func readVarint(data []byte) (int64, []byte, error) {
	x, n := binary.Varint(data)
	if n <= 0 {
		return 0, nil, errState
	}
	return x, data[n:], nil
}

func appendF64(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
}

func readF64(data []byte) (float64, []byte, error) {
	if len(data) < 8 {
		return 0, nil, errState
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(data)), data[8:], nil
}

func appendI128(dst []byte, x types.Int128) []byte {
	return binary.AppendVarint(binary.AppendUvarint(dst, x.Lo), x.Hi)
}

func readI128(data []byte) (types.Int128, []byte, error) {
	lo, n := binary.Uvarint(data)
	if n <= 0 {
		return types.Int128{}, nil, errState
	}
	hi, rest, err := readVarint(data[n:])
	return types.Int128{Hi: hi, Lo: lo}, rest, err
}

// bindCount takes any number of arguments of any type.
func bindCount(args []Arg) (BoundAgg, error) {
	want := make([]types.Type, len(args))
	for i, a := range args {
		want[i] = a.Type
	}
	return BoundAgg{Ret: tInt, ArgTypes: want, NewState: func(bool) AggState { return &countState{} }}, nil
}

// countState counts rows where no argument is NULL.
type countState struct {
	n        []int64
	nullable []*vector.Vector // scratch: the arguments that may be NULL
}

func (s *countState) Grow(groups int) { s.n = growTo(s.n, groups) }
func (s *countState) Clear(group int) { s.n[group] = 0 }

func (s *countState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	nullable := s.nullable[:0]
	for _, a := range args {
		if a.HasNulls() {
			nullable = append(nullable, a)
		}
	}
	s.nullable = nullable
	if len(nullable) == 0 && change == nil {
		for _, g := range gids {
			s.n[g]++
		}
		return nil
	}
next:
	for k, g := range gids {
		for _, a := range nullable {
			if a.IsNull(rowAt(rows, k)) {
				continue next
			}
		}
		s.n[g] += sign(change, k)
	}
	return nil
}

func (s *countState) Emit(group int, out *vector.Vector) { out.AppendI64(s.n[group]) }

func (s *countState) Encode(group int, dst []byte) []byte {
	return binary.AppendVarint(dst, s.n[group])
}

func (s *countState) Decode(group int, data []byte) (rest []byte, err error) {
	s.n[group], rest, err = readVarint(data)
	return rest, err
}

// numericArg checks that there is one numeric argument.
func numericArg(args []Arg) (types.Type, error) {
	if err := arity2(args, 1); err != nil {
		return types.Type{}, err
	}
	t := args[0].Type
	if t.Kind != types.Null && !isNumber(t) {
		return t, diag.New(diag.TypeMismatch, -1, "needs a number, not %s", t).WithHint("CAST it to a number if that is what it holds")
	}
	if t.Kind == types.Null {
		t = tInt
	}
	return t, nil
}

func arity2(args []Arg, n int) error {
	if len(args) != n {
		return fmt.Errorf("takes %d arguments, got %d", n, len(args))
	}
	return nil
}

// sumDigits is what SUM adds to the digits of its argument, as MySQL does.
const sumDigits = 22

// maxNarrowSum is the most digits of values that SUM adds up in 128 bits: it takes 10^10 of the greatest of them to overflow.
const maxNarrowSum = types.NarrowPrecision - 10

func bindSum(args []Arg) (BoundAgg, error) {
	t, err := numericArg(args)
	if err != nil {
		return BoundAgg{}, err
	}
	if t.Kind.IsFloat() {
		return BoundAgg{Ret: tFloat, ArgTypes: []types.Type{tFloat}, NewState: func(bool) AggState { return &sumFloatState{} }}, nil
	}
	d := types.AsDecimal(t)
	ret := types.DecimalOf(d.Precision+sumDigits, d.Scale)
	return BoundAgg{Ret: ret, ArgTypes: []types.Type{t}, NewState: func(bool) AggState { return newSumState(d, false, 0) }}, nil
}

func bindAvg(args []Arg) (BoundAgg, error) {
	t, err := numericArg(args)
	if err != nil {
		return BoundAgg{}, err
	}
	if t.Kind.IsFloat() {
		return BoundAgg{Ret: tFloat, ArgTypes: []types.Type{tFloat}, NewState: func(bool) AggState { return &sumFloatState{mean: true} }}, nil
	}
	d := types.AsDecimal(t)
	scale := min(d.Scale+divIncrement, types.MaxDecimalScale)
	ret := types.DecimalOf(d.Precision-d.Scale+scale, scale)
	return BoundAgg{Ret: ret, ArgTypes: []types.Type{t}, NewState: func(bool) AggState { return newSumState(d, true, scale-d.Scale) }}, nil
}

// newSumState makes the accumulators for values of a DECIMAL type.
func newSumState(d types.Type, mean bool, shift int) AggState {
	if d.Precision > maxNarrowSum {
		return &sumWideState{sums[types.Int256]{mean: mean, shift: shift}}
	}
	return &sumState{sums[types.Int128]{mean: mean, shift: shift}}
}

// sums are exact sums, one a group, as SUM or AVG gives them.
type sums[T any] struct {
	sum   []T
	n     []int64 // values in the sum
	mean  bool
	shift int // AVG: decimals added
}

func (s *sums[T]) Grow(groups int) { s.sum, s.n = growTo(s.sum, groups), growTo(s.n, groups) }

func (s *sums[T]) Clear(group int) {
	var zero T
	s.sum[group], s.n[group] = zero, 0
}

// sumState is SUM and AVG of integers and DECIMALs: an exact 128-bit sum.
type sumState struct{ sums[types.Int128] }

func (s *sumState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	v := args[0]
	if v.Type.Class() == types.ClassI64 && !v.Type.Kind.IsUnsignedBits() && !v.HasNulls() && change == nil && rows != nil {
		s.addInts(gids, rows, v.I64)
		return nil
	}
	for k, g := range gids {
		i := rowAt(rows, k)
		if v.IsNull(i) {
			continue
		}
		var x types.Int128
		if v.Type.Class() == types.ClassI128 {
			x = v.I128[i]
		} else {
			x = wideOf(v, i)
		}
		step := sign(change, k)
		var ok bool
		if step < 0 {
			x, ok = s.sum[g].Sub(x)
		} else {
			x, ok = s.sum[g].Add(x)
		}
		if !ok || !decimalFits(x) {
			return diag.New(diag.NumericOverflow, -1, "a sum has more than %d digits", types.NarrowPrecision)
		}
		s.sum[g] = x
		s.n[g] += step
	}
	return nil
}

// addInts is the loop for integers that are only added; 2^63 of them cannot overflow 128 bits.
func (s *sumState) addInts(gids, rows []int32, x []int64) {
	for k, g := range gids {
		v := x[rows[k]]
		acc := &s.sum[g]
		lo := acc.Lo + uint64(v)
		acc.Hi += v >> 63
		if lo < acc.Lo {
			acc.Hi++
		}
		acc.Lo = lo
		s.n[g]++
	}
}

func (s *sumState) Emit(group int, out *vector.Vector) {
	if s.n[group] == 0 {
		out.AppendNull()
		return
	}
	x, ok := s.sum[group], true
	if s.mean {
		x, ok = divShifted(x, types.I128(s.n[group]), s.shift)
	}
	switch {
	case !ok:
		out.AppendNull()
	case out.Type.Class() == types.ClassI256:
		out.AppendI256(x.Widen())
	default:
		out.AppendI128(x)
	}
}

func (s *sumState) Encode(group int, dst []byte) []byte {
	return appendI128(binary.AppendVarint(dst, s.n[group]), s.sum[group])
}

func (s *sumState) Decode(group int, data []byte) (rest []byte, err error) {
	if s.n[group], rest, err = readVarint(data); err != nil {
		return nil, err
	}
	s.sum[group], rest, err = readI128(rest)
	return rest, err
}

// sumFloatState is SUM and AVG of floats. Low keeps what rounding lost, so that adding and taking back leaves no dirt.
type sumFloatState struct {
	sum, low []float64
	n        []int64
	mean     bool
}

func (s *sumFloatState) Grow(groups int) {
	s.sum, s.low, s.n = growTo(s.sum, groups), growTo(s.low, groups), growTo(s.n, groups)
}

func (s *sumFloatState) Clear(group int) { s.sum[group], s.low[group], s.n[group] = 0, 0, 0 }

func (s *sumFloatState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	v := args[0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if v.IsNull(i) {
			continue
		}
		step := sign(change, k)
		x, old := v.F64[i]*float64(step), s.sum[g]
		sum := old + x
		if math.Abs(old) >= math.Abs(x) {
			s.low[g] += (old - sum) + x
		} else {
			s.low[g] += (x - sum) + old
		}
		s.sum[g] = sum
		if s.n[g] += step; s.n[g] == 0 {
			s.sum[g], s.low[g] = 0, 0
		}
	}
	return nil
}

func (s *sumFloatState) Emit(group int, out *vector.Vector) {
	switch n := s.n[group]; {
	case n == 0:
		out.AppendNull()
	case s.mean:
		out.AppendF64((s.sum[group] + s.low[group]) / float64(n))
	default:
		out.AppendF64(s.sum[group] + s.low[group])
	}
}

func (s *sumFloatState) Encode(group int, dst []byte) []byte {
	return appendF64(appendF64(binary.AppendVarint(dst, s.n[group]), s.sum[group]), s.low[group])
}

func (s *sumFloatState) Decode(group int, data []byte) (rest []byte, err error) {
	if s.n[group], rest, err = readVarint(data); err != nil {
		return nil, err
	}
	if s.sum[group], rest, err = readF64(rest); err != nil {
		return nil, err
	}
	s.low[group], rest, err = readF64(rest)
	return rest, err
}
