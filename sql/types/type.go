package types

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of types, those of MySQL 8.
const (
	MaxDecimalPrecision = 65
	MaxDecimalScale     = 30
	MaxTimePrecision    = 6
	MaxEnumMembers      = 65535
	MaxSetMembers       = 64

	// NarrowPrecision is how many digits 128 bits hold: a DECIMAL of more has ClassI256.
	NarrowPrecision = 38
)

// Type is a SQL type. The zero value is the type of NULL. Types are values; the pointers inside are never changed.
type Type struct {
	Kind      Kind
	Precision int  // DECIMAL: digits; TIME, DATETIME, TIMESTAMP: fractional digits 0..6; VARCHAR, VARBINARY: length, 0 = unlimited
	Scale     int  // DECIMAL
	Fixed     bool // CHAR(n): no trailing spaces; BINARY(n): filled up with zero bytes
	Elem      *Type
	Key       *Type
	Fields    []Field
	Members   []string // ENUM, SET
}

// Field is one field of a STRUCT, or one column of a relation.
type Field struct {
	Name string
	Type Type
}

// Of returns the plain type of a kind (DATETIME and TIMESTAMP with 6 fractional digits).
func Of(k Kind) Type {
	if k == Timestamp || k == Datetime || k == Time {
		return Type{Kind: k, Precision: MaxTimePrecision}
	}
	return Type{Kind: k}
}

// DecimalOf returns DECIMAL(precision, scale), cut to the limits.
func DecimalOf(precision, scale int) Type {
	scale = min(scale, MaxDecimalScale)
	return Type{Kind: Decimal, Precision: max(1, min(max(precision, scale), MaxDecimalPrecision)), Scale: scale}
}

// EnumOf returns ENUM(members...).
func EnumOf(members ...string) Type { return Type{Kind: Enum, Members: members} }

// SetOf returns SET(members...).
func SetOf(members ...string) Type { return Type{Kind: Set, Members: members} }

// ArrayOf returns ARRAY<elem>.
func ArrayOf(elem Type) Type { return Type{Kind: Array, Elem: &elem} }

// MapOf returns MAP<key, value>.
func MapOf(key, value Type) Type { return Type{Kind: Map, Key: &key, Elem: &value} }

// StructOf returns STRUCT<fields>.
func StructOf(fields ...Field) Type { return Type{Kind: Struct, Fields: fields} }

// Class returns the physical class.
func (t Type) Class() Class {
	if t.Kind == Decimal && t.Precision > NarrowPrecision {
		return ClassI256
	}
	return t.Kind.Class()
}

// Equal tells whether both types are the same, parameters and field names included.
func (t Type) Equal(o Type) bool {
	if t.Kind != o.Kind || t.Precision != o.Precision || t.Scale != o.Scale || t.Fixed != o.Fixed || len(t.Fields) != len(o.Fields) {
		return false
	}
	if !equalPtr(t.Elem, o.Elem) || !equalPtr(t.Key, o.Key) {
		return false
	}
	for i, f := range t.Fields {
		if f.Name != o.Fields[i].Name || !f.Type.Equal(o.Fields[i].Type) {
			return false
		}
	}
	return slices.Equal(t.Members, o.Members)
}

func equalPtr(a, b *Type) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// String gives the type in SQL.
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case Time, Datetime, Timestamp:
		return fmt.Sprintf("%s(%d)", t.Kind, t.Precision)
	case String, Bytes:
		return t.lengthString()
	case Enum, Set:
		return t.Kind.String() + "(" + quoteMembers(t.Members) + ")"
	case Array:
		return "ARRAY<" + t.Elem.String() + ">"
	case Map:
		return "MAP<" + t.Key.String() + ", " + t.Elem.String() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + " " + f.Type.String()
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	}
	return t.Kind.String()
}

func (t Type) lengthString() string {
	name := t.Kind.String()
	if t.Precision == 0 {
		return name
	}
	if t.Fixed {
		name = strings.TrimPrefix(name, "VAR")
	}
	return fmt.Sprintf("%s(%d)", name, t.Precision)
}

// quoteMembers writes the members of an ENUM or SET as SQL texts.
func quoteMembers(members []string) string {
	quoted := make([]string, len(members))
	for i, m := range members {
		quoted[i] = "'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(m) + "'"
	}
	return strings.Join(quoted, ",")
}

// FieldIndex finds a field by name, case-insensitively; -1 when there is none.
func (t Type) FieldIndex(name string) int {
	for i, f := range t.Fields {
		if strings.EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}
