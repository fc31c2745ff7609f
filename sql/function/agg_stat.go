package function

import (
	"encoding/binary"
	"math"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func bindVariance(sample, root bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if _, err := numericArg(args); err != nil {
			return BoundAgg{}, err
		}
		newState := func(bool) AggState { return &varianceState{sample: sample, root: root} }
		return BoundAgg{Ret: tFloat, ArgTypes: []types.Type{tFloat}, NewState: newState}, nil
	}
}

// varianceState keeps the mean and the sum of squared distances from it (Welford), which loses no digits to large means.
type varianceState struct {
	n            []int64
	mean, m2     []float64
	sample, root bool
}

func (s *varianceState) Grow(groups int) {
	s.n, s.mean, s.m2 = growTo(s.n, groups), growTo(s.mean, groups), growTo(s.m2, groups)
}

func (s *varianceState) Clear(group int) { s.n[group], s.mean[group], s.m2[group] = 0, 0, 0 }

func (s *varianceState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	v := args[0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if v.IsNull(i) {
			continue
		}
		if sign(change, k) < 0 {
			s.remove(g, v.F64[i])
			continue
		}
		s.n[g]++
		d := v.F64[i] - s.mean[g]
		s.mean[g] += d / float64(s.n[g])
		s.m2[g] += d * (v.F64[i] - s.mean[g])
	}
	return nil
}

func (s *varianceState) remove(g int32, x float64) {
	s.n[g]--
	if s.n[g] <= 0 {
		s.mean[g], s.m2[g] = 0, 0
		return
	}
	n := float64(s.n[g])
	old := s.mean[g]
	s.mean[g] = (old*(n+1) - x) / n
	s.m2[g] = cancelled(s.m2[g], (x-old)*(x-s.mean[g]))
}

func (s *varianceState) Emit(group int, out *vector.Vector) {
	n := s.n[group]
	if s.sample {
		n--
	}
	if n <= 0 {
		out.AppendNull()
		return
	}
	f := s.m2[group] / float64(n)
	if s.root {
		f = math.Sqrt(f)
	}
	out.AppendF64(f)
}

func (s *varianceState) Encode(group int, dst []byte) []byte {
	return appendF64(appendF64(binary.AppendVarint(dst, s.n[group]), s.mean[group]), s.m2[group])
}

func (s *varianceState) Decode(group int, data []byte) (rest []byte, err error) {
	if s.n[group], rest, err = readVarint(data); err != nil {
		return nil, err
	}
	if s.mean[group], rest, err = readF64(rest); err != nil {
		return nil, err
	}
	s.m2[group], rest, err = readF64(rest)
	return rest, err
}

type bitsOp uint8

const (
	bitsAnd bitsOp = iota
	bitsOr
	bitsXor
)

func bindBits(op bitsOp) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		t, err := numericArg(args)
		if err != nil {
			return BoundAgg{}, err
		}
		if t.Kind != types.Uint64 {
			t = tInt
		}
		return BoundAgg{Ret: tUint, ArgTypes: []types.Type{t}, NewState: func(bool) AggState { return &bitsState{op: op} }}, nil
	}
}

// bitsState counts, per group, the values and in how many of them each bit is set: that answers all three aggregates and can be
// taken back.
type bitsState struct {
	op   bitsOp
	n    []int64
	ones [][64]int64
}

func (s *bitsState) Grow(groups int) { s.n, s.ones = growTo(s.n, groups), growTo(s.ones, groups) }
func (s *bitsState) Clear(group int) { s.n[group], s.ones[group] = 0, [64]int64{} }

func (s *bitsState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	v := args[0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if v.IsNull(i) {
			continue
		}
		step := sign(change, k)
		s.n[g] += step
		ones := &s.ones[g]
		for bit, x := 0, uint64(v.I64[i]); x != 0; bit, x = bit+1, x>>1 {
			ones[bit] += step * int64(x&1)
		}
	}
	return nil
}

func (s *bitsState) Emit(group int, out *vector.Vector) {
	var r uint64
	for bit, ones := range s.ones[group] {
		var set bool
		switch s.op {
		case bitsAnd:
			set = ones == s.n[group]
		case bitsOr:
			set = ones > 0
		case bitsXor:
			set = ones&1 == 1
		}
		r |= uint64(boolInt(set)) << bit
	}
	out.AppendI64(int64(r))
}

func (s *bitsState) Encode(group int, dst []byte) []byte {
	dst = binary.AppendVarint(dst, s.n[group])
	for _, ones := range s.ones[group] {
		dst = binary.AppendVarint(dst, ones)
	}
	return dst
}

func (s *bitsState) Decode(group int, data []byte) (rest []byte, err error) {
	if s.n[group], rest, err = readVarint(data); err != nil {
		return nil, err
	}
	for bit := range s.ones[group] {
		if s.ones[group][bit], rest, err = readVarint(rest); err != nil {
			return nil, err
		}
	}
	return rest, nil
}
