package function

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func bindConcat(args []Arg) (BoundAgg, error) {
	if len(args) != 1 && len(args) != 2 {
		return BoundAgg{}, arityError(1, 2, len(args))
	}
	separator := ","
	if len(args) == 2 {
		s, ok := constText(args[1])
		if !ok {
			return BoundAgg{}, errSeparator
		}
		separator = s
	}
	want := make([]types.Type, len(args))
	for i := range want {
		want[i] = tText
	}
	newState := func(bool) AggState {
		return &collectState{t: tText, skipNull: true, emit: func(list, out *vector.Vector) { emitJoined(list, out, separator) }}
	}
	return BoundAgg{Ret: tText, ArgTypes: want, NewState: newState}, nil
}

var errSeparator = countError("a constant text as separator", 2)

func emitJoined(list, out *vector.Vector, separator string) {
	if list.N == 0 {
		out.AppendNull()
		return
	}
	start := len(out.Data)
	for i := range list.N {
		if i > 0 {
			out.Data = append(out.Data, separator...)
		}
		out.Data = append(out.Data, list.Bytes(i)...)
		if len(out.Data)-start > maxConcatBytes {
			end := start + maxConcatBytes
			for end > start && !utf8.RuneStart(out.Data[end]) {
				end--
			}
			out.Data = out.Data[:end]
			break
		}
	}
	out.EndBytes()
}

// maxConcatBytes is the longest result of GROUP_CONCAT; more is cut off (MySQL 8.0 manual, 14.19.1, group_concat_max_len).
const maxConcatBytes = 1 << 20

// bindCollect binds an aggregate of all values of a group, NULLs too; ret makes the result's type from theirs.
func bindCollect(ret func(types.Type) types.Type, emit func(list, out *vector.Vector)) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := arity2(args, 1); err != nil {
			return BoundAgg{}, err
		}
		t := args[0].Type
		newState := func(bool) AggState { return &collectState{t: t, emit: emit} }
		return BoundAgg{Ret: ret(t), ArgTypes: []types.Type{t}, NewState: newState}, nil
	}
}

func emitArray(list, out *vector.Vector) {
	if list.N == 0 {
		out.AppendNull()
		return
	}
	out.Child[0].AppendAll(list, nil)
	out.EndList()
}

// bindEnd binds FIRST_VALUE and LAST_VALUE.
func bindEnd(last bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := arity2(args, 1); err != nil {
			return BoundAgg{}, err
		}
		t := args[0].Type
		newState := func(retract bool) AggState {
			if !retract {
				return &endState{t: t, last: last}
			}
			return &collectState{t: t, emit: func(list, out *vector.Vector) {
				switch {
				case list.N == 0:
					out.AppendNull()
				case last:
					out.AppendFrom(list, list.N-1)
				default:
					out.AppendFrom(list, 0)
				}
			}}
		}
		end := -1
		if last {
			end = 1
		}
		return BoundAgg{Ret: t, ArgTypes: []types.Type{t}, OneRow: end, NewState: newState}, nil
	}
}

// Limits of one group of GROUP_CONCAT, ARRAY_AGG and of FIRST_VALUE and LAST_VALUE with retraction.
const (
	maxCollected      = 1 << 20
	maxCollectedBytes = 64 << 20
)

// collectState keeps every value of a group in order of arrival. A retraction takes the oldest equal one away.
type collectState struct {
	t        types.Type
	lists    []*vector.Vector
	skipNull bool
	emit     func(list, out *vector.Vector)
}

func (s *collectState) Grow(groups int) { s.lists = growTo(s.lists, groups) }

func (s *collectState) Clear(group int) { s.lists[group] = nil }

func (s *collectState) list(g int32) *vector.Vector {
	if s.lists[g] == nil {
		s.lists[g] = vector.New(s.t, 4)
	}
	return s.lists[g]
}

func (s *collectState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	v := args[0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if s.skipNull && v.IsNull(i) {
			continue
		}
		if sign(change, k) > 0 {
			list := s.list(g)
			if list.N >= maxCollected || len(list.Data) >= maxCollectedBytes {
				return diag.New(diag.InvalidArgument, -1, "a group collects more than %d values or %d bytes", maxCollected, maxCollectedBytes)
			}
			list.AppendFrom(v, i)
		} else {
			s.remove(g, v, i)
		}
	}
	return nil
}

func (s *collectState) remove(g int32, v *vector.Vector, i int) {
	old := s.list(g)
	at := 0
	for at < old.N && Compare(old, at, v, i) != 0 {
		at++
	}
	if at == old.N {
		return
	}
	kept := vector.New(s.t, old.N)
	for j := range old.N {
		if j != at {
			kept.AppendFrom(old, j)
		}
	}
	s.lists[g] = kept
}

func (s *collectState) Emit(group int, out *vector.Vector) { s.emit(s.list(int32(group)), out) }

func (s *collectState) Encode(group int, dst []byte) []byte {
	list := s.list(int32(group))
	dst = binary.AppendUvarint(dst, uint64(list.N))
	for i := range list.N {
		dst = row.EncodeValue(dst, []*vector.Vector{list}, i)
	}
	return dst
}

func (s *collectState) Decode(group int, data []byte) ([]byte, error) {
	count, n := binary.Uvarint(data)
	if n <= 0 {
		return nil, errState
	}
	data = data[n:]
	list := vector.New(s.t, 4)
	for range count {
		var err error
		if data, err = row.DecodeValue(data, []types.Type{s.t}, []*vector.Vector{list}); err != nil {
			return nil, err
		}
	}
	s.lists[group] = list
	return data, nil
}

// endState keeps the first or last value of each group, encoded; empty: no row yet.
type endState struct {
	t    types.Type
	last bool
	keep [][]byte
}

func (s *endState) Grow(groups int) { s.keep = growTo(s.keep, groups) }
func (s *endState) Clear(group int) { s.keep[group] = s.keep[group][:0] }

func (s *endState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		if s.last || len(s.keep[g]) == 0 {
			s.keep[g] = row.EncodeKey(s.keep[g][:0], args[:1], rowAt(rows, k))
		}
	}
	return nil
}

func (s *endState) Emit(group int, out *vector.Vector)  { emitKey(s.keep[group], out) }
func (s *endState) Encode(group int, dst []byte) []byte { return appendSized(dst, s.keep[group]) }
func (s *endState) Decode(group int, data []byte) ([]byte, error) {
	key, rest, err := readSized(data)
	if err != nil || len(key) > 0 && !decodes(key, s.t) {
		return nil, errState
	}
	s.keep[group] = append(s.keep[group][:0], key...)
	return rest, nil
}

func bindAny(args []Arg) (BoundAgg, error) {
	if err := arity2(args, 1); err != nil {
		return BoundAgg{}, err
	}
	t := args[0].Type
	newState := func(retract bool) AggState {
		if retract {
			return newBagState(t, textCodec{t: []types.Type{t}}, false)
		}
		return &anyState{endState{t: t}}
	}
	return BoundAgg{Ret: t, ArgTypes: []types.Type{t}, NewState: newState}, nil
}

// anyState is the first value that is not NULL.
type anyState struct{ endState }

func (s *anyState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		if i := rowAt(rows, k); len(s.keep[g]) == 0 && !args[0].IsNull(i) {
			s.keep[g] = row.EncodeKey(s.keep[g][:0], args[:1], i)
		}
	}
	return nil
}

// bindArg binds ARG_MIN and ARG_MAX. Internally the arguments are (by, x): the bag orders by `by` and emits x.
func bindArg(greatest bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := arity2(args, 2); err != nil {
			return BoundAgg{}, err
		}
		x, by := args[0].Type, args[1].Type
		newState := func(retract bool) AggState {
			if retract {
				s := newBagState(x, textCodec{t: []types.Type{by, x}}, greatest)
				return &argState{inner: s}
			}
			return &argState{inner: &argBestState{by: by, x: x, greatest: greatest}}
		}
		return BoundAgg{Ret: x, ArgTypes: []types.Type{x, by}, NewState: newState}, nil
	}
}

// argState hands (x, by) on as (by, x).
type argState struct {
	inner AggState
	args  [2]*vector.Vector
}

func (s *argState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	s.args[0], s.args[1] = args[1], args[0]
	return s.inner.Add(gids, rows, change, s.args[:])
}

func (s *argState) Grow(groups int)                               { s.inner.Grow(groups) }
func (s *argState) Clear(group int)                               { s.inner.Clear(group) }
func (s *argState) Emit(group int, out *vector.Vector)            { s.inner.Emit(group, out) }
func (s *argState) Encode(group int, dst []byte) []byte           { return s.inner.Encode(group, dst) }
func (s *argState) Decode(group int, data []byte) ([]byte, error) { return s.inner.Decode(group, data) }

// argBestState keeps the best `by` and its x in key encoding; of equal ones the first.
type argBestState struct {
	by, x    types.Type
	greatest bool
	key, val [][]byte
	buf      []byte
}

func (s *argBestState) Grow(groups int) { s.key, s.val = growTo(s.key, groups), growTo(s.val, groups) }

func (s *argBestState) Clear(group int) {
	s.key[group], s.val[group] = s.key[group][:0], s.val[group][:0]
}

func (s *argBestState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[0].IsNull(i) {
			continue
		}
		s.buf = row.EncodeKey(s.buf[:0], args[:1], i)
		if len(s.key[g]) == 0 || before(string(s.buf), string(s.key[g]), s.greatest) {
			s.key[g] = append(s.key[g][:0], s.buf...)
			s.val[g] = row.EncodeKey(s.val[g][:0], args[1:2], i)
		}
	}
	return nil
}

func (s *argBestState) Emit(group int, out *vector.Vector) { emitKey(s.val[group], out) }

func (s *argBestState) Encode(group int, dst []byte) []byte {
	return appendSized(appendSized(dst, s.key[group]), s.val[group])
}

func (s *argBestState) Decode(group int, data []byte) ([]byte, error) {
	key, rest, err := readSized(data)
	if err != nil {
		return nil, err
	}
	val, rest, err := readSized(rest)
	if err != nil || len(key) == 0 && len(val) > 0 || len(key) > 0 && !(decodes(key, s.by) && decodes(val, s.x)) {
		return nil, errState
	}
	s.key[group], s.val[group] = append(s.key[group][:0], key...), append(s.val[group][:0], val...)
	return rest, nil
}
