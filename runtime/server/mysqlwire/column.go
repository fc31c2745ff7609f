package mysqlwire

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
)

// Column types of the protocol.
const (
	typeDecimal    = 0
	typeTiny       = 1
	typeShort      = 2
	typeLong       = 3
	typeFloat      = 4
	typeDouble     = 5
	typeNull       = 6
	typeTimestamp  = 7
	typeLongLong   = 8
	typeInt24      = 9
	typeDate       = 10
	typeTime       = 11
	typeDatetime   = 12
	typeYear       = 13
	typeVarchar    = 15
	typeJSON       = 245
	typeNewDecimal = 246
	typeTinyBlob   = 249
	typeMediumBlob = 250
	typeLongBlob   = 251
	typeBlob       = 252
	typeVarString  = 253
	typeString     = 254
)

// Column flags.
const (
	flagNotNull  = 1
	flagUnsigned = 32
	flagZerofill = 64
	flagBinary   = 128
	flagEnum     = 256
	flagSet      = 2048
)

// textChars is the length told of VARCHAR without one: the longest that MySQL has.
const textChars = 16383

// column is how a type looks to MySQL clients.
type column struct {
	kind     byte
	charset  uint16
	length   uint32
	flags    uint16
	decimals byte
	name     string // in SHOW COLUMNS
	data     string // DATA_TYPE of information_schema
}

var integers = map[types.Kind]column{
	types.Bool:   {typeTiny, charsetBinary, 1, flagBinary, 0, "tinyint(1)", "tinyint"},
	types.Int8:   {typeTiny, charsetBinary, 4, flagBinary, 0, "tinyint", "tinyint"},
	types.Int16:  {typeShort, charsetBinary, 6, flagBinary, 0, "smallint", "smallint"},
	types.Int32:  {typeLong, charsetBinary, 11, flagBinary, 0, "int", "int"},
	types.Int64:  {typeLongLong, charsetBinary, 20, flagBinary, 0, "bigint", "bigint"},
	types.Uint8:  {typeTiny, charsetBinary, 3, flagBinary | flagUnsigned, 0, "tinyint unsigned", "tinyint"},
	types.Uint16: {typeShort, charsetBinary, 5, flagBinary | flagUnsigned, 0, "smallint unsigned", "smallint"},
	types.Uint32: {typeLong, charsetBinary, 10, flagBinary | flagUnsigned, 0, "int unsigned", "int"},
	types.Uint64: {typeLongLong, charsetBinary, 20, flagBinary | flagUnsigned, 0, "bigint unsigned", "bigint"},
}

// columnOf maps a type; nested ones are JSON text, intervals are text.
func columnOf(t types.Type) column {
	if c, ok := integers[t.Kind]; ok {
		return c
	}
	switch t.Kind {
	case types.Null:
		return column{typeNull, charsetBinary, 0, flagBinary, 0, "varchar(0)", "varchar"}
	case types.Float32:
		return column{typeFloat, charsetBinary, 12, flagBinary, 31, "float", "float"}
	case types.Float64:
		return column{typeDouble, charsetBinary, 22, flagBinary, 31, "double", "double"}
	case types.Decimal:
		return column{typeNewDecimal, charsetBinary, uint32(t.Precision + 2), flagBinary, byte(t.Scale),
			fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale), "decimal"}
	case types.Bytes:
		return bytesColumn(t)
	case types.Year:
		return column{typeYear, charsetBinary, 4, flagBinary | flagUnsigned | flagZerofill, 0, "year", "year"}
	case types.Enum:
		return listedColumn(t, flagEnum)
	case types.Set:
		return listedColumn(t, flagSet)
	case types.Point: // values are WKT: clients that know no geometry can read them
		return column{typeVarString, charsetUTF8MB4, 4 * maxPointText, 0, 0, "point", "point"}
	case types.Date:
		return column{typeDate, charsetBinary, 10, flagBinary, 0, "date", "date"}
	case types.Time:
		return timeColumn(typeTime, "time", 10, t.Precision)
	case types.Datetime:
		return timeColumn(typeDatetime, "datetime", 19, t.Precision)
	case types.Timestamp:
		return timeColumn(typeTimestamp, "timestamp", 19, t.Precision)
	case types.JSON, types.Array, types.Map, types.Struct:
		return column{typeJSON, charsetBinary, 1<<32 - 1, flagBinary, 0, "json", "json"}
	}
	n := textChars
	if t.Kind == types.String && t.Precision > 0 {
		n = min(t.Precision, textChars)
	}
	if t.Fixed {
		return column{typeString, charsetUTF8MB4, uint32(4 * n), 0, 0, fmt.Sprintf("char(%d)", n), "char"}
	}
	return column{typeVarString, charsetUTF8MB4, uint32(4 * n), 0, 0, fmt.Sprintf("varchar(%d)", n), "varchar"}
}

// maxPointText is the length of the longest text of a POINT.
const maxPointText = 64

// maxBytes is the length told of VARBINARY without one: the longest that MySQL has.
const maxBytes = 4 * textChars

func bytesColumn(t types.Type) column {
	n := maxBytes
	if t.Precision > 0 {
		n = min(t.Precision, maxBytes)
	}
	if t.Fixed {
		return column{typeString, charsetBinary, uint32(n), flagBinary, 0, fmt.Sprintf("binary(%d)", n), "binary"}
	}
	return column{typeVarString, charsetBinary, uint32(n), flagBinary, 0, fmt.Sprintf("varbinary(%d)", n), "varbinary"}
}

// listedColumn describes ENUM and SET, which the protocol sends as texts with a flag.
func listedColumn(t types.Type, flag uint16) column {
	longest, all := 0, 0
	for _, m := range t.Members {
		n := utf8.RuneCountInString(m)
		longest, all = max(longest, n), all+n+1
	}
	if t.Kind == types.Set {
		longest = max(all-1, 0)
	}
	name := strings.ToLower(t.Kind.String())
	return column{typeString, charsetUTF8MB4, uint32(4 * longest), flag, 0, name + strings.TrimPrefix(t.String(), t.Kind.String()), name}
}

func timeColumn(kind byte, name string, length, digits int) column {
	c := column{kind, charsetBinary, uint32(length), flagBinary, byte(digits), name, name}
	if digits > 0 {
		c.length += uint32(1 + digits)
		c.name = fmt.Sprintf("%s(%d)", name, digits)
	}
	return c
}

// writeColumn describes a column of a result; listing adds the default value that COM_FIELD_LIST wants.
func (c *conn) writeColumn(table string, f types.Field, listing bool) error {
	m := columnOf(f.Type)
	buf := c.w.begin()
	for _, s := range []string{"def", c.database, table, table, f.Name, f.Name} {
		buf = appendLenString(buf, s)
	}
	buf = append(buf, 0x0c)
	buf = binary.LittleEndian.AppendUint16(buf, m.charset)
	buf = binary.LittleEndian.AppendUint32(buf, m.length)
	buf = append(buf, m.kind)
	buf = binary.LittleEndian.AppendUint16(buf, m.flags)
	buf = append(buf, m.decimals, 0, 0)
	if listing {
		buf = append(buf, 0xfb)
	}
	return c.w.end(buf)
}
