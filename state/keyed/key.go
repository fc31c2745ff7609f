package keyed

import "encoding/binary"

// headLen is the length of what stands before the operator's own key: operator id (8), table (1), key group (2), big-endian.
const headLen = 8 + 1 + 2

// metaOp is the operator id under which the store keeps its own entries; no operator may have it.
const metaOp = 0

// epochKey holds the last epoch that was applied whole, startedKey the last one whose application began. In a healthy store they agree;
// started > epoch means that a crash cut an epoch of several chunks in two.
var (
	epochKey   = AppendKey(nil, metaOp, 0, 0, []byte("epoch"))
	startedKey = AppendKey(nil, metaOp, 0, 0, []byte("started"))
)

// AppendKey appends the full key of an operator's entry to dst.
func AppendKey(dst []byte, op uint64, table byte, group uint16, key []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, op)
	dst = append(dst, table)
	dst = binary.BigEndian.AppendUint16(dst, group)
	return append(dst, key...)
}

// appendEnd appends a full key that may be the exclusive end of a range: group 1<<16 is the first key after the table.
func appendEnd(dst []byte, op uint64, table byte, group uint32) []byte {
	if group <= 0xffff {
		return AppendKey(dst, op, table, uint16(group), nil)
	}
	if table < 0xff {
		return AppendKey(dst, op, table+1, 0, nil)
	}
	return appendOpEnd(dst, op)
}

// appendOpEnd appends the first key after all of an operator's.
func appendOpEnd(dst []byte, op uint64) []byte {
	if op == ^uint64(0) {
		return append(AppendKey(dst, op, 0xff, 0xffff, nil), 0xff)
	}
	return binary.BigEndian.AppendUint64(dst, op+1)
}

// splitKey takes a full key apart; ok is false when it is too short to be one.
func splitKey(full []byte) (op uint64, table byte, group uint16, key []byte, ok bool) {
	if len(full) < headLen {
		return 0, 0, 0, nil, false
	}
	return binary.BigEndian.Uint64(full), full[8], binary.BigEndian.Uint16(full[9:]), full[headLen:], true
}
