package function

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// uuidFuncs is the table of UUID functions (RFC 9562).
func uuidFuncs() []*Func {
	return []*Func{
		def("uuid()", "A random UUID (version 4). It differs after a replay.", fixed(tText, kernelUUID), "is_uuid(uuid())", "1", "substring(uuid(), 15, 1)", "4").volatile(),
		def("uuid_v7()", "A UUID that sorts by time (version 7): milliseconds of the clock and random bits. It differs after a replay.", fixed(tText, kernelUUID7), "substring(uuid_v7(), 15, 1)", "7").alias("uuidv7").volatile(),
		def("uuid_to_bin(s) | uuid_to_bin(s, swap)", "The 16 bytes of a UUID; swap = 1 puts the time's high part first, as MySQL does for version 1. Text that is no UUID is a row error in MySQL and NULL here.", optional(tBytes, rowText(uuidToBin), 1, tText, tInt),
			"hex(uuid_to_bin('6ccd780c-baba-1026-9564-5b8c656024db'))", "6CCD780CBABA102695645B8C656024DB", "hex(uuid_to_bin('6ccd780c-baba-1026-9564-5b8c656024db', 1))", "1026BABA6CCD780C95645B8C656024DB", "uuid_to_bin('x')", "NULL"),
		def("bin_to_uuid(b) | bin_to_uuid(b, swap)", "The UUID of 16 bytes, the inverse of uuid_to_bin; NULL for other lengths.", optional(tText, rowText(binToUUID), 1, tBytes, tInt),
			"bin_to_uuid(uuid_to_bin('6ccd780c-baba-1026-9564-5b8c656024db', 1), 1)", "6ccd780c-baba-1026-9564-5b8c656024db", "bin_to_uuid('x')", "NULL"),
		def("is_uuid(s)", "Whether a text is a UUID, with or without dashes or in braces.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			_, ok := parseUUID(a[0].Bytes(i))
			return boolInt(ok), true
		}), tText), "is_uuid('6ccd780c-baba-1026-9564-5b8c656024db')", "1", "is_uuid('6ccd780cbaba102695645b8c656024db')", "1", "is_uuid('x')", "0"),
		def("uuid_version(s)", "The version of a UUID; NULL when it is none.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			id, ok := parseUUID(a[0].Bytes(i))
			return int64(id[6] >> 4), ok
		}), tText), "uuid_version('6ccd780c-baba-1026-9564-5b8c656024db')", "1", "uuid_version('x')", "NULL"),
		def("uuid_timestamp(s)", "The instant in a UUID of version 1, 6 or 7; NULL for others.", fixed(tStamp, rowInt(uuidTime), tText), "uuid_timestamp('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')", "2022-02-22 19:22:22", "uuid_timestamp('C232AB00-9414-11EC-B3C8-9F6BDECED846')", "2022-02-22 19:22:22", "uuid_timestamp(uuid())", "NULL"),
	}
}

// appendUUID writes the usual form.
func appendUUID(dst []byte, id *[16]byte) []byte {
	for k, part := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}} {
		if k > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, id[part[0]:part[1]])
	}
	return dst
}

func kernelUUID(_ *Ctx, _ []*vector.Vector, n int, out *vector.Vector) {
	var id [16]byte
	for range n {
		rand.Read(id[:])
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
		out.Data = appendUUID(out.Data, &id)
		out.EndBytes()
	}
}

func kernelUUID7(_ *Ctx, _ []*vector.Vector, n int, out *vector.Vector) {
	var id [16]byte
	now := uint64(time.Now().UnixMilli())
	for range n {
		rand.Read(id[6:])
		binary.BigEndian.PutUint32(id[:], uint32(now>>16))
		binary.BigEndian.PutUint16(id[4:], uint16(now))
		id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
		out.Data = appendUUID(out.Data, &id)
		out.EndBytes()
	}
}

// parseUUID reads the forms that MySQL reads: dashed, without dashes, dashed in braces.
func parseUUID(s []byte) (id [16]byte, ok bool) {
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	var digits [32]byte
	switch {
	case len(s) == 32:
		copy(digits[:], s)
	case len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-':
		copy(digits[:], s[:8])
		copy(digits[8:], s[9:13])
		copy(digits[12:], s[14:18])
		copy(digits[16:], s[19:23])
		copy(digits[20:], s[24:])
	default:
		return id, false
	}
	_, err := hex.Decode(id[:], digits[:])
	return id, err == nil
}

func uuidToBin(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	id, ok := parseUUID(a[0].Bytes(i))
	if !ok {
		return dst, false
	}
	if len(a) == 2 && a[1].I64[i] != 0 {
		dst = append(append(append(dst, id[6:8]...), id[4:6]...), id[:4]...)
		return append(dst, id[8:]...), true
	}
	return append(dst, id[:]...), true
}

func binToUUID(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	b := a[0].Bytes(i)
	if len(b) != 16 {
		return dst, false
	}
	id := [16]byte(b)
	if len(a) == 2 && a[1].I64[i] != 0 {
		copy(id[6:8], b[:2])
		copy(id[4:6], b[2:4])
		copy(id[:4], b[4:8])
	}
	return appendUUID(dst, &id), true
}

// gregorianOffset is the time from 1582-10-15, where versions 1 and 6 begin to count, to 1970, in steps of 100 ns.
const gregorianOffset = 0x01B21DD213814000

func uuidTime(a []*vector.Vector, i int) (int64, bool) {
	id, ok := parseUUID(a[0].Bytes(i))
	if !ok {
		return 0, false
	}
	low, mid, high := uint64(binary.BigEndian.Uint32(id[:])), uint64(binary.BigEndian.Uint16(id[4:])), uint64(binary.BigEndian.Uint16(id[6:]))&0xfff
	ticks := int64(0)
	switch id[6] >> 4 {
	case 7:
		ms := int64(low<<16 | mid)
		return ms * types.Millisecond, ms <= types.MaxMicros/types.Millisecond
	case 6:
		ticks = int64(low<<28 | mid<<12 | high)
	case 1:
		ticks = int64(high<<48 | mid<<32 | low)
	default:
		return 0, false
	}
	return types.FloorDiv(ticks-gregorianOffset, 10), true
}
