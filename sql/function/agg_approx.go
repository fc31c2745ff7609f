package function

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func bindApprox(args []Arg) (BoundAgg, error) {
	if err := arity2(args, 1); err != nil {
		return BoundAgg{}, err
	}
	want := []types.Type{args[0].Type}
	newState := func(retract bool) AggState {
		if retract { // a sketch cannot forget: count exactly
			return NewDistinct(BoundAgg{ArgTypes: want, NewState: func(bool) AggState { return &countState{} }}).NewState(true)
		}
		return &sketchState{}
	}
	return BoundAgg{Ret: tInt, ArgTypes: want, NewState: newState}, nil
}

const (
	sketchBits   = 12 // 4096 registers: standard error 1.6 %
	sketchSize   = 1 << sketchBits
	sketchSparse = 256 // hashes kept exactly before registers are made
)

// sketchState is HyperLogLog; groups with few values keep their hashes, sorted, and are exact.
type sketchState struct {
	sparse [][]uint64
	dense  [][]uint8 // nil while sparse
	hash   []uint64
}

func (s *sketchState) Grow(groups int) {
	s.sparse, s.dense = growTo(s.sparse, groups), growTo(s.dense, groups)
}

func (s *sketchState) Clear(group int) { s.sparse[group], s.dense[group] = s.sparse[group][:0], nil }

func (s *sketchState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	s.hash = growTo(s.hash, len(gids))[:len(gids)]
	row.Hash(args[:1], rows, s.hash)
	for k, g := range gids {
		if !args[0].IsNull(rowAt(rows, k)) {
			s.insert(g, s.hash[k])
		}
	}
	return nil
}

func (s *sketchState) insert(g int32, h uint64) {
	if s.dense[g] != nil {
		setRegister(s.dense[g], h)
		return
	}
	at, found := slices.BinarySearch(s.sparse[g], h)
	if found {
		return
	}
	s.sparse[g] = slices.Insert(s.sparse[g], at, h)
	if len(s.sparse[g]) > sketchSparse {
		s.dense[g] = make([]uint8, sketchSize)
		for _, x := range s.sparse[g] {
			setRegister(s.dense[g], x)
		}
		s.sparse[g] = nil
	}
}

func setRegister(registers []uint8, h uint64) {
	at := h >> (64 - sketchBits)
	rank := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1)) + 1)
	registers[at] = max(registers[at], rank)
}

func (s *sketchState) Emit(group int, out *vector.Vector) {
	if s.dense[group] == nil {
		out.AppendI64(int64(len(s.sparse[group])))
		return
	}
	sum, zeros := 0.0, 0.0
	for _, r := range s.dense[group] {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	const m = float64(sketchSize)
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/zeros)
	}
	out.AppendI64(int64(math.Round(estimate)))
}

func (s *sketchState) Encode(group int, dst []byte) []byte {
	if s.dense[group] != nil {
		return append(append(dst, 1), s.dense[group]...)
	}
	dst = binary.AppendUvarint(append(dst, 0), uint64(len(s.sparse[group])))
	for _, h := range s.sparse[group] {
		dst = binary.LittleEndian.AppendUint64(dst, h)
	}
	return dst
}

func (s *sketchState) Decode(group int, data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, errState
	}
	s.Clear(group)
	if data[0] == 1 {
		if len(data) < 1+sketchSize {
			return nil, errState
		}
		s.dense[group] = slices.Clone(data[1 : 1+sketchSize])
		return data[1+sketchSize:], nil
	}
	count, n := binary.Uvarint(data[1:])
	if n <= 0 || count > sketchSparse || uint64(len(data)-1-n) < 8*count {
		return nil, errState
	}
	data = data[1+n:]
	for range count {
		s.sparse[group] = append(s.sparse[group], binary.LittleEndian.Uint64(data))
		data = data[8:]
	}
	return data, nil
}
