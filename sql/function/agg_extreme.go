package function

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func bindExtreme(greatest bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := arity2(args, 1); err != nil {
			return BoundAgg{}, err
		}
		t := args[0].Type
		if t.Kind.IsListed() { // as texts, as MySQL does
			t = tText
		}
		newState := func(retract bool) AggState {
			switch {
			case retract && (t.Class() == types.ClassI64 || t.Class() == types.ClassF64):
				return newBagState(t, intCodec{t}, greatest)
			case retract:
				return newBagState(t, textCodec{t: []types.Type{t}}, greatest)
			case t.Class() == types.ClassI64 && !t.Kind.IsUnsignedBits():
				return &extremeIntState{greatest: greatest}
			case t.Class() == types.ClassF64:
				return &extremeFloatState{greatest: greatest}
			case t.Class() == types.ClassBytes:
				return &extremeTextState{greatest: greatest}
			}
			return &extremeKeyState{t: t, greatest: greatest}
		}
		return BoundAgg{Ret: t, ArgTypes: []types.Type{t}, NewState: newState}, nil
	}
}

// extremeIntState is MIN and MAX of signed integers and instants without retraction.
type extremeIntState struct {
	best     []int64
	has      []bool
	greatest bool
}

func (s *extremeIntState) Grow(groups int) {
	s.best, s.has = growTo(s.best, groups), growTo(s.has, groups)
}
func (s *extremeIntState) Clear(group int) { s.best[group], s.has[group] = 0, false }

func (s *extremeIntState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	v := args[0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if v.IsNull(i) {
			continue
		}
		x := v.I64[i]
		if !s.has[g] || (x > s.best[g]) == s.greatest && x != s.best[g] {
			s.best[g], s.has[g] = x, true
		}
	}
	return nil
}

func (s *extremeIntState) Emit(group int, out *vector.Vector) {
	if !s.has[group] {
		out.AppendNull()
		return
	}
	out.AppendI64(s.best[group])
}

func (s *extremeIntState) Encode(group int, dst []byte) []byte {
	return binary.AppendVarint(append(dst, byte(boolInt(s.has[group]))), s.best[group])
}

func (s *extremeIntState) Decode(group int, data []byte) (rest []byte, err error) {
	if len(data) == 0 {
		return nil, errState
	}
	s.has[group] = data[0] != 0
	s.best[group], rest, err = readVarint(data[1:])
	return rest, err
}

// extremeFloatState is MIN and MAX of floats without retraction.
type extremeFloatState struct {
	best     []float64
	has      []bool
	greatest bool
}

func (s *extremeFloatState) Grow(groups int) {
	s.best, s.has = growTo(s.best, groups), growTo(s.has, groups)
}
func (s *extremeFloatState) Clear(group int) { s.best[group], s.has[group] = 0, false }

func (s *extremeFloatState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	v := args[0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if v.IsNull(i) {
			continue
		}
		x := v.F64[i]
		if c := compareFloat(x, s.best[g]); !s.has[g] || c != 0 && (c > 0) == s.greatest {
			s.best[g], s.has[g] = x, true
		}
	}
	return nil
}

func (s *extremeFloatState) Emit(group int, out *vector.Vector) {
	if !s.has[group] {
		out.AppendNull()
		return
	}
	out.AppendF64(s.best[group])
}

func (s *extremeFloatState) Encode(group int, dst []byte) []byte {
	return appendF64(append(dst, byte(boolInt(s.has[group]))), s.best[group])
}

func (s *extremeFloatState) Decode(group int, data []byte) (rest []byte, err error) {
	if len(data) == 0 {
		return nil, errState
	}
	s.has[group] = data[0] != 0
	s.best[group], rest, err = readF64(data[1:])
	return rest, err
}

// extremeTextState is MIN and MAX of text without retraction.
type extremeTextState struct {
	best     [][]byte
	has      []bool
	greatest bool
}

func (s *extremeTextState) Grow(groups int) {
	s.best, s.has = growTo(s.best, groups), growTo(s.has, groups)
}

func (s *extremeTextState) Clear(group int) { s.best[group], s.has[group] = s.best[group][:0], false }

func (s *extremeTextState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	v := args[0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if v.IsNull(i) {
			continue
		}
		x := v.Bytes(i)
		if c := bytes.Compare(x, s.best[g]); !s.has[g] || c != 0 && (c > 0) == s.greatest {
			s.best[g], s.has[g] = append(s.best[g][:0], x...), true
		}
	}
	return nil
}

func (s *extremeTextState) Emit(group int, out *vector.Vector) {
	if !s.has[group] {
		out.AppendNull()
		return
	}
	out.AppendBytes(s.best[group])
}

func (s *extremeTextState) Encode(group int, dst []byte) []byte {
	return appendSized(append(dst, byte(boolInt(s.has[group]))), s.best[group])
}

func (s *extremeTextState) Decode(group int, data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, errState
	}
	text, rest, err := readSized(data[1:])
	s.best[group], s.has[group] = append(s.best[group][:0], text...), data[0] != 0
	return rest, err
}

// extremeKeyState keeps the best value of any other type in key encoding, which sorts as the values do. Empty: none yet.
type extremeKeyState struct {
	t        types.Type
	best     [][]byte
	buf      []byte
	greatest bool
}

func (s *extremeKeyState) Grow(groups int) { s.best = growTo(s.best, groups) }
func (s *extremeKeyState) Clear(group int) { s.best[group] = s.best[group][:0] }

func (s *extremeKeyState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[0].IsNull(i) {
			continue
		}
		s.buf = row.EncodeKey(s.buf[:0], args[:1], i)
		if c := bytes.Compare(s.buf, s.best[g]); len(s.best[g]) == 0 || c != 0 && (c > 0) == s.greatest {
			s.best[g] = append(s.best[g][:0], s.buf...)
		}
	}
	return nil
}

func (s *extremeKeyState) Emit(group int, out *vector.Vector) {
	emitKey(s.best[group], out)
}

// emitKey appends the value of a key encoding; empty is NULL.
func emitKey(key []byte, out *vector.Vector) {
	if len(key) == 0 {
		out.AppendNull()
		return
	}
	if _, err := row.DecodeKey(key, []types.Type{out.Type}, []*vector.Vector{out}); err != nil {
		panic("function: aggregate holds a key it cannot decode: " + err.Error())
	}
}

func (s *extremeKeyState) Encode(group int, dst []byte) []byte {
	return appendSized(dst, s.best[group])
}

func (s *extremeKeyState) Decode(group int, data []byte) ([]byte, error) {
	key, rest, err := readSized(data)
	if err != nil || len(key) > 0 && !decodes(key, s.t) {
		return nil, errState
	}
	s.best[group] = append(s.best[group][:0], key...)
	return rest, nil
}

// decodes checks a key from outside, so that Emit need not fail.
func decodes(key []byte, schema ...types.Type) bool {
	out := make([]*vector.Vector, len(schema))
	for i, t := range schema {
		out[i] = vector.New(t, 1)
	}
	rest, err := row.DecodeKey(key, schema, out)
	return err == nil && len(rest) == 0
}

func appendSized(dst, s []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func readSized(data []byte) (s, rest []byte, err error) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return nil, nil, errState
	}
	return data[n : n+int(size)], data[n+int(size):], nil
}

// codec maps values to keys of a bag and back. Keys order as values do.
type codec[K comparable] interface {
	key(args []*vector.Vector, i int, buf []byte) (K, []byte)
	emit(k K, out *vector.Vector)
	encode(dst []byte, k K) []byte
	decode(data []byte) (k K, rest []byte, err error)
}

// intCodec holds 64-bit values as integers of the same order.
type intCodec struct{ t types.Type }

func (c intCodec) key(args []*vector.Vector, i int, buf []byte) (int64, []byte) {
	if c.t.Class() == types.ClassF64 {
		b := int64(math.Float64bits(args[0].F64[i] + 0)) // -0 becomes 0
		return b ^ int64(uint64(b>>63)>>1), buf
	}
	if c.t.Kind.IsUnsignedBits() {
		return args[0].I64[i] ^ math.MinInt64, buf
	}
	return args[0].I64[i], buf
}

func (c intCodec) emit(k int64, out *vector.Vector) {
	switch {
	case c.t.Class() == types.ClassF64:
		out.AppendF64(math.Float64frombits(uint64(k ^ int64(uint64(k>>63)>>1))))
	case c.t.Kind.IsUnsignedBits():
		out.AppendI64(k ^ math.MinInt64)
	default:
		out.AppendI64(k)
	}
}

func (c intCodec) encode(dst []byte, k int64) []byte                    { return binary.AppendVarint(dst, k) }
func (c intCodec) decode(data []byte) (k int64, rest []byte, err error) { return readVarint(data) }

// textCodec holds any values in key encoding; emit gives the last of them.
type textCodec struct{ t []types.Type }

func (c textCodec) key(args []*vector.Vector, i int, buf []byte) (string, []byte) {
	buf = row.EncodeKey(buf[:0], args, i)
	return string(buf), buf
}

func (c textCodec) emit(k string, out *vector.Vector) {
	cols := make([]*vector.Vector, len(c.t))
	for i, t := range c.t {
		cols[i] = vector.New(t, 1)
	}
	cols[len(cols)-1] = out
	if _, err := row.DecodeKey([]byte(k), c.t, cols); err != nil {
		panic("function: aggregate holds a key it cannot decode: " + err.Error())
	}
}

func (c textCodec) encode(dst []byte, k string) []byte { return appendSized(dst, []byte(k)) }

func (c textCodec) decode(data []byte) (string, []byte, error) {
	key, rest, err := readSized(data)
	if err == nil && !decodes(key, c.t...) {
		err = errState
	}
	return string(key), rest, err
}
