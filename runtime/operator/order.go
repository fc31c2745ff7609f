package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// SortKey is one key of an order; NULLs come first in ascending order, last in descending.
type SortKey struct {
	Col  int
	Desc bool
}

// ordering encodes rows so that bytes sort as the order wants, ties by the row's encoding:
//
//	order key | row | length of the order key (4)
//
// Order keys are prefix-free, so what follows them only decides ties.
type ordering struct {
	keys   []SortKey
	schema []types.Type
	one    [1]*vector.Vector
}

func (o *ordering) encode(dst []byte, b *vector.Batch, i int) []byte {
	for _, k := range o.keys {
		at := len(dst)
		o.one[0] = b.Cols[k.Col]
		dst = row.EncodeKey(dst, o.one[:], i)
		if k.Desc {
			for j := at; j < len(dst); j++ {
				dst[j] = ^dst[j]
			}
		}
	}
	n := len(dst)
	dst = row.EncodeValue(dst, b.Cols, i)
	return binary.BigEndian.AppendUint32(dst, uint32(n))
}

// decode appends the row of an encoding to cols.
func (o *ordering) decode(data []byte, cols []*vector.Vector) error {
	if len(data) < 4 {
		return fmt.Errorf("reading ordered row: %d bytes", len(data))
	}
	n, end := binary.BigEndian.Uint32(data[len(data)-4:]), len(data)-4
	if uint64(n) > uint64(end) {
		return fmt.Errorf("reading ordered row: key of %d bytes in %d", n, end)
	}
	_, err := row.DecodeValue(data[n:end], o.schema, cols)
	return err
}
