package format

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Header is one header of a Kafka record.
type Header struct {
	Key   string
	Value []byte
}

// Meta is what surrounds a record. A connector fills what it has and passes the same Meta for every record.
type Meta struct {
	Topic         string
	Partition     int32
	Offset        int64
	Timestamp     int64  // milliseconds since the epoch
	TimestampType string // CreateTime or LogAppendTime
	Key           []byte // nil: none
	Headers       []Header
	File          string
	Line          int64 // from 1
}

// The keys of metadata columns.
const (
	MetaTopic         = "topic"
	MetaPartition     = "partition"
	MetaOffset        = "offset"
	MetaTimestamp     = "timestamp"
	MetaTimestampType = "timestamp_type"
	MetaKey           = "key"
	MetaHeaders       = "headers"
	MetaFile          = "file"
	MetaLine          = "line"
)

// KafkaMetadata documents the metadata columns of records in topics.
var KafkaMetadata = []connectors.MetadataColumn{
	{Key: MetaTopic, Type: types.Of(types.String), Doc: "the record's topic"},
	{Key: MetaPartition, Type: types.Of(types.Int32), Doc: "the record's partition"},
	{Key: MetaOffset, Type: types.Of(types.Int64), Doc: "the record's offset in its partition"},
	{Key: MetaTimestamp, Type: types.Type{Kind: types.Timestamp, Precision: 3}, Doc: "the record's timestamp"},
	{Key: MetaTimestampType, Type: types.Of(types.String), Doc: "CreateTime or LogAppendTime"},
	{Key: MetaKey, Type: types.Of(types.String), Doc: "the record's key; NULL when it has none"},
	{Key: MetaHeaders, Type: types.Of(types.JSON), Doc: "the record's headers as a JSON object"},
}

// FileMetadata documents the metadata columns of records in files.
var FileMetadata = []connectors.MetadataColumn{
	{Key: MetaFile, Type: types.Of(types.String), Doc: "the file's path"},
	{Key: MetaLine, Type: types.Of(types.Int64), Doc: "the number of the record's first line, or of the row, from 1"},
	{Key: MetaOffset, Type: types.Of(types.Int64), Doc: "the byte offset of the record in the file"},
}

// metaClass tells how AppendMeta stores the value of a key: integers need ClassI64, texts ClassBytes.
func metaClass(key string) (types.Class, bool) {
	switch key {
	case MetaPartition, MetaOffset, MetaLine, MetaTimestamp:
		return types.ClassI64, true
	case MetaTopic, MetaTimestampType, MetaKey, MetaHeaders, MetaFile:
		return types.ClassBytes, true
	}
	return 0, false
}

// CheckMeta checks that a metadata column can be filled; the error names the column.
func CheckMeta(c connectors.Column) error {
	class, known := metaClass(c.MetadataKey)
	switch {
	case !known:
		return diag.New(diag.BadOption, -1, "column '%s': there is no metadata '%s'", c.Name, c.MetadataKey)
	case class != c.Type.Class() || c.Type.Kind == types.Bool:
		return diag.New(diag.TypeMismatch, -1, "column '%s': metadata '%s' does not fit %s", c.Name, c.MetadataKey, c.Type)
	}
	return nil
}

// AppendMeta appends the value of a metadata key to a column that CheckMeta has accepted.
func AppendMeta(v *vector.Vector, key string, m *Meta) {
	if m == nil {
		v.AppendNull()
		return
	}
	switch key {
	case MetaTopic:
		v.AppendString(m.Topic)
	case MetaPartition:
		v.AppendI64(int64(m.Partition))
	case MetaOffset:
		v.AppendI64(m.Offset)
	case MetaLine:
		v.AppendI64(m.Line)
	case MetaFile:
		v.AppendString(m.File)
	case MetaTimestampType:
		v.AppendString(m.TimestampType)
	case MetaTimestamp:
		appendMetaTime(v, m.Timestamp)
	case MetaKey:
		if m.Key == nil {
			v.AppendNull()
		} else {
			v.AppendBytes(m.Key)
		}
	case MetaHeaders:
		v.Data = appendHeaders(v.Data, m.Headers)
		v.EndBytes()
	default:
		v.AppendNull()
	}
}

// appendMetaTime stores milliseconds as what the column holds: an instant, or a plain integer of milliseconds.
func appendMetaTime(v *vector.Vector, ms int64) {
	if !v.Type.Kind.IsTemporal() {
		v.AppendI64(ms)
		return
	}
	if ms < types.MinMicros/types.Millisecond || ms > types.MaxMicros/types.Millisecond {
		v.AppendNull()
		return
	}
	v.AppendI64(ms * types.Millisecond)
}

// appendHeaders writes headers as a JSON object; values that are not UTF-8 are written in base64.
func appendHeaders(dst []byte, headers []Header) []byte {
	dst = append(dst, '{')
	for i, h := range headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendJSONString(dst, []byte(h.Key)), ':')
		if utf8.Valid(h.Value) {
			dst = AppendJSONString(dst, h.Value)
			continue
		}
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, h.Value)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

// Rollback drops what a failed Decode has appended for the row that is not complete, nested columns included. (Truncate of a vector
// looks at its own rows only and would leave half-built children.)
func Rollback(b *vector.Batch) {
	for _, c := range b.Cols {
		RollbackVector(c, b.N)
	}
	if len(b.Op) > b.N {
		b.Op = b.Op[:b.N]
	}
}

// RollbackVector drops rows from n on and everything appended for unfinished rows.
func RollbackVector(v *vector.Vector, n int) {
	v.N = n
	if v.Valid != nil {
		v.Valid = v.Valid[:(n+63)/64]
	}
	switch v.Type.Class() {
	case types.ClassI64:
		v.I64 = v.I64[:n]
	case types.ClassF64:
		v.F64 = v.F64[:n]
	case types.ClassI128:
		v.I128 = v.I128[:n]
	case types.ClassI256:
		v.I256 = v.I256[:n]
	case types.ClassBytes:
		v.Off = v.Off[:n+1]
		v.Data = v.Data[:v.Off[n]]
	case types.ClassList:
		v.Off = v.Off[:n+1]
		for _, c := range v.Child {
			RollbackVector(c, int(v.Off[n]))
		}
	case types.ClassStruct:
		for _, c := range v.Child {
			RollbackVector(c, n)
		}
	}
}

const hexDigits = "0123456789abcdef"

// plainLen returns how many bytes from the start of s a JSON string takes as they are, looking at eight at once. Flipping 0x02 puts the
// quote (0x22) right above the control characters, so that one comparison with 0x21 finds both; borrows give false bits only above
// a true one.
func plainLen(s []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := binary.LittleEndian.Uint64(s[i:])
		if m := (((w ^ ones*0x02) - ones*0x21) | ((w ^ ones*'\\') - ones) | w) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(s) && s[i] >= 0x20 && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// AppendJSONString appends s as a JSON string; bytes that are not UTF-8 become U+FFFD.
func AppendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; ; {
		i += plainLen(s[i:])
		if i == len(s) {
			break
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// Position renders file:line, as rejected records name their place.
func Position(file string, line int64) string { return file + ":" + strconv.FormatInt(line, 10) }
