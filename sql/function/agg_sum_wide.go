package function

import (
	"encoding/binary"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// sumWideState is SUM and AVG of DECIMALs whose sums 128 bits may not hold.
type sumWideState struct{ sums[types.Int256] }

func (s *sumWideState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	v := args[0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if v.IsNull(i) {
			continue
		}
		x, ok := wideAt(v, i), false
		step := sign(change, k)
		if step < 0 {
			x, ok = s.sum[g].Sub(x)
		} else {
			x, ok = s.sum[g].Add(x)
		}
		if !ok || !types.WideFits(x, types.MaxDecimalPrecision) {
			return diag.New(diag.NumericOverflow, -1, "a sum has more than %d digits", types.MaxDecimalPrecision)
		}
		s.sum[g] = x
		s.n[g] += step
	}
	return nil
}

func (s *sumWideState) Emit(group int, out *vector.Vector) {
	if s.n[group] == 0 {
		out.AppendNull()
		return
	}
	x, ok := s.sum[group], true
	if s.mean {
		x, ok = types.WideDivShift(x, types.I256(s.n[group]), s.shift)
	}
	small, narrow := x.Narrow()
	switch {
	case out.Type.Class() == types.ClassI256 && ok:
		out.AppendI256(x)
	case narrow && ok:
		out.AppendI128(small)
	default:
		out.AppendNull()
	}
}

func (s *sumWideState) Encode(group int, dst []byte) []byte {
	dst = binary.AppendVarint(dst, s.n[group])
	for _, limb := range s.sum[group] {
		dst = binary.LittleEndian.AppendUint64(dst, limb)
	}
	return dst
}

func (s *sumWideState) Decode(group int, data []byte) (rest []byte, err error) {
	if s.n[group], rest, err = readVarint(data); err != nil {
		return nil, err
	}
	if len(rest) < 32 {
		return nil, errState
	}
	for i := range s.sum[group] {
		s.sum[group][i] = binary.LittleEndian.Uint64(rest[8*i:])
	}
	return rest[32:], nil
}
