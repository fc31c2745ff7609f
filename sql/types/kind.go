package types

// Kind is the logical kind of a type.
type Kind uint8

// The kinds. Null is the type of a bare NULL literal; it converts to every other.
const (
	Null Kind = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Float32
	Float64
	Decimal
	String
	Bytes
	JSON
	Date      // days since 1970-01-01
	Time      // microseconds since midnight, may be negative or above a day as in MySQL
	Datetime  // microseconds since 1970-01-01 00:00:00 on an unzoned wall clock
	Timestamp // an instant: microseconds since the epoch, UTC
	Interval  // months (Hi) and microseconds (Lo)
	Array
	Map
	Struct
	Year  // 0, 1901..2155
	Enum  // 1-based place of the member in Type.Members; 0 is the empty text that MySQL keeps for a bad value
	Set   // a bit per member of Type.Members, the first lowest
	Point // longitude (Hi) and latitude (Lo) as the bits of two DOUBLEs, SRID 4326
)

var kindNames = [...]string{"NULL", "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "TINYINT UNSIGNED", "SMALLINT UNSIGNED",
	"INT UNSIGNED", "BIGINT UNSIGNED", "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "VARBINARY", "JSON", "DATE", "TIME", "DATETIME",
	"TIMESTAMP", "INTERVAL", "ARRAY", "MAP", "STRUCT", "YEAR", "ENUM", "SET", "POINT"}

// String gives the kind's SQL name.
func (k Kind) String() string { return kindNames[k] }

// IsInteger tells whether k is a signed or unsigned integer kind.
func (k Kind) IsInteger() bool { return k >= Int8 && k <= Uint64 }

// IsUnsigned tells whether k is an unsigned integer kind.
func (k Kind) IsUnsigned() bool { return k >= Uint8 && k <= Uint64 }

// IsUnsignedBits tells whether the 64 bits of a ClassI64 value are to be read as an unsigned number.
func (k Kind) IsUnsignedBits() bool { return k == Uint64 || k == Set }

// IsNumeric tells whether k is an integer, float or decimal kind.
func (k Kind) IsNumeric() bool { return k >= Int8 && k <= Decimal }

// IsFloat tells whether k is FLOAT or DOUBLE.
func (k Kind) IsFloat() bool { return k == Float32 || k == Float64 }

// IsText tells whether k holds characters.
func (k Kind) IsText() bool { return k == String || k == JSON }

// IsTemporal tells whether k is DATE, TIME, DATETIME or TIMESTAMP.
func (k Kind) IsTemporal() bool { return k >= Date && k <= Timestamp }

// IsListed tells whether k is ENUM or SET, whose values are numbers that stand for texts.
func (k Kind) IsListed() bool { return k == Enum || k == Set }

// Class is the physical class of a kind: which buffers of a vector hold its values.
type Class uint8

// The physical classes.
const (
	ClassI64    Class = iota // vector.I64: booleans (0, 1), integers (unsigned as their bits), dates, times, instants, years, ENUM and SET
	ClassF64                 // vector.F64
	ClassI128                // vector.I128: decimals of up to 38 digits (unscaled value), intervals, points
	ClassBytes               // vector.Off + vector.Data
	ClassList                // vector.Off + children: arrays (1 child), maps (2: keys, values)
	ClassStruct              // one child per field
	ClassI256                // vector.I256: decimals of more than 38 digits (unscaled value)
)

// Class returns the kind's physical class; that of a DECIMAL of more than 38 digits is told by Type.Class alone.
func (k Kind) Class() Class {
	switch k {
	case Float32, Float64:
		return ClassF64
	case Decimal, Interval, Point:
		return ClassI128
	case String, Bytes, JSON:
		return ClassBytes
	case Array, Map:
		return ClassList
	case Struct:
		return ClassStruct
	}
	return ClassI64
}
