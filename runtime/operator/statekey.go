package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// orderedTime appends an event time so that bytes sort as times do.
func orderedTime(dst []byte, t int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t)^1<<63)
}

// readTime is the inverse of orderedTime.
func readTime(data []byte) (t int64, rest []byte, err error) {
	if len(data) < 8 {
		return 0, nil, fmt.Errorf("reading event time: %d bytes, want 8", len(data))
	}
	return int64(binary.BigEndian.Uint64(data) ^ 1<<63), data[8:], nil
}

// decodeKey overwrites cols with the one key that data is.
func decodeKey(data []byte, schema []types.Type, cols []*vector.Vector) error {
	rest, err := decodeKeyPrefix(data, schema, cols)
	if err == nil && len(rest) > 0 {
		return fmt.Errorf("reading state key: %d bytes left over", len(rest))
	}
	return err
}

// decodeKeyPrefix overwrites cols with the key that data starts with.
func decodeKeyPrefix(data []byte, schema []types.Type, cols []*vector.Vector) (rest []byte, err error) {
	resetColumns(cols)
	if rest, err = row.DecodeKey(data, schema, cols); err != nil {
		return nil, fmt.Errorf("reading state key: %w", err)
	}
	return rest, nil
}

// readVarints reads signed integers from the front of a state value.
func readVarints(data []byte, out ...*int64) (rest []byte, err error) {
	for _, p := range out {
		x, n := binary.Varint(data)
		if n <= 0 {
			return nil, fmt.Errorf("reading state value: no integer in %d bytes", len(data))
		}
		*p, data = x, data[n:]
	}
	return data, nil
}

// hashEmptyKey sets h to the hash of the key without columns: that of global state.
func hashEmptyKey(h []uint64) []uint64 {
	h = resized(h, 1)
	row.Hash(nil, firstRow, h)
	return h
}
