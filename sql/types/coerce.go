package types

// IntegerDigits is how many decimal digits the values of a kind stored as integers need.
func IntegerDigits(k Kind) int {
	switch k {
	case Bool:
		return 1
	case Int8, Uint8:
		return 3
	case Int16, Uint16:
		return 5
	case Int32, Uint32:
		return 10
	case Uint64, Set:
		return 20
	case Year:
		return 4
	}
	return 19
}

// AsDecimal returns the DECIMAL that holds every value of an integer, boolean or decimal type.
func AsDecimal(t Type) Type {
	if t.Kind == Decimal {
		return t
	}
	return DecimalOf(IntegerDigits(t.Kind), 0)
}

// CommonType is the type that CASE, COALESCE, UNION and comparisons give two values, by MySQL's rules. Text meets any other scalar
// in VARCHAR; whether a comparison wants that is for the caller to decide. ok is false when there is none.
func CommonType(a, b Type) (Type, bool) {
	switch {
	case a.Kind == Null:
		return b, true
	case b.Kind == Null, a.Equal(b):
		return a, true
	case isNumber(a.Kind) && isNumber(b.Kind):
		return commonNumber(a, b), true
	case a.Kind.IsTemporal() && b.Kind.IsTemporal():
		return commonTemporal(a, b)
	case isChars(a.Kind) || isChars(b.Kind):
		return commonChars(a, b)
	case a.Kind.IsListed() || b.Kind.IsListed():
		return Of(String), isScalar(a.Kind) && isScalar(b.Kind)
	case a.Kind == b.Kind:
		return commonNested(a, b)
	}
	return Type{}, false
}

func isNumber(k Kind) bool { return k == Bool || k == Year || k.IsNumeric() }
func isChars(k Kind) bool  { return k == String || k == Bytes || k == JSON }

func isScalar(k Kind) bool { return k.Class() != ClassList && k.Class() != ClassStruct }

func commonNumber(a, b Type) Type {
	switch {
	case a.Kind == Float32 && b.Kind == Float32:
		return a
	case a.Kind.IsFloat() || b.Kind.IsFloat():
		return Of(Float64)
	case a.Kind == Decimal || b.Kind == Decimal:
		x, y := AsDecimal(a), AsDecimal(b)
		scale := max(x.Scale, y.Scale)
		return DecimalOf(max(x.Precision-x.Scale, y.Precision-y.Scale)+scale, scale)
	}
	return commonInteger(a.Kind, b.Kind)
}

func commonInteger(a, b Kind) Type {
	a, b = plainInteger(a), plainInteger(b)
	if a.IsUnsigned() == b.IsUnsigned() {
		return Of(max(a, b))
	}
	if a.IsUnsigned() {
		a, b = b, a
	}
	// a is signed, b unsigned: the next wider signed kind holds both.
	switch b {
	case Uint8:
		return Of(max(a, Int16))
	case Uint16:
		return Of(max(a, Int32))
	case Uint32:
		return Of(Int64)
	}
	return DecimalOf(20, 0)
}

// plainInteger gives the integer kind that holds the values of BOOLEAN and YEAR.
func plainInteger(k Kind) Kind {
	switch k {
	case Bool:
		return Int8
	case Year:
		return Int16
	}
	return k
}

func commonTemporal(a, b Type) (Type, bool) {
	if a.Kind == b.Kind {
		a.Precision = max(a.Precision, b.Precision)
		return a, true
	}
	if a.Kind == Time || b.Kind == Time {
		return Type{}, false
	}
	return Type{Kind: max(a.Kind, b.Kind), Precision: max(a.Precision, b.Precision)}, true
}

func commonChars(a, b Type) (Type, bool) {
	switch {
	case !isScalar(a.Kind) || !isScalar(b.Kind):
		return Type{}, false
	case a.Kind == Bytes || b.Kind == Bytes:
		return Of(Bytes), true
	case a.Kind == String && b.Kind == String && a.Precision > 0 && b.Precision > 0:
		return Type{Kind: String, Precision: max(a.Precision, b.Precision)}, true
	}
	return Of(String), true
}

func commonNested(a, b Type) (Type, bool) {
	switch a.Kind {
	case Array:
		elem, ok := CommonType(*a.Elem, *b.Elem)
		return ArrayOf(elem), ok
	case Map:
		key, ok := CommonType(*a.Key, *b.Key)
		elem, ok2 := CommonType(*a.Elem, *b.Elem)
		return MapOf(key, elem), ok && ok2
	case Struct:
		if len(a.Fields) != len(b.Fields) {
			return Type{}, false
		}
		fields := make([]Field, len(a.Fields))
		for i, f := range a.Fields {
			t, ok := CommonType(f.Type, b.Fields[i].Type)
			if !ok {
				return Type{}, false
			}
			fields[i] = Field{Name: f.Name, Type: t}
		}
		return StructOf(fields...), true
	}
	return a, true
}

// CanCast tells whether CAST(from AS to) exists; single values may still fail.
func CanCast(from, to Type) bool {
	switch {
	case from.Kind == Null || to.Kind == from.Kind && isScalar(from.Kind):
		return true
	case to.Kind == Interval:
		return from.Kind.IsInteger() // microseconds
	case to.Kind == Point || from.Kind == Point:
		return isChars(from.Kind) || isChars(to.Kind)
	case to.Kind.IsListed() || from.Kind.IsListed():
		return canCastListed(from, to)
	case from.Kind == JSON:
		return true
	case !isScalar(from.Kind):
		return isChars(to.Kind) || from.Kind == to.Kind && castNested(from, to)
	case !isScalar(to.Kind):
		return from.Kind == String // parsed as JSON
	case isChars(from.Kind) || isChars(to.Kind):
		return true
	case isNumber(from.Kind) && isNumber(to.Kind):
		return true
	case from.Kind == Interval:
		return to.Kind.IsInteger() // microseconds
	case from.Kind.IsTemporal() && to.Kind.IsTemporal():
		return true // a TIME is of the current day
	case to.Kind == Year:
		return from.Kind.IsTemporal() && from.Kind != Time
	case from.Kind == Bool || to.Kind == Bool || from.Kind == Year:
		return false
	}
	// An instant as number is YYYYMMDDhhmmss, and such a number is an instant, as in MySQL.
	return from.Kind.IsTemporal() && to.Kind.IsNumeric() || from.Kind.IsNumeric() && to.Kind.IsTemporal()
}

// canCastListed: an ENUM or SET is a text and a number at once.
func canCastListed(from, to Type) bool {
	plain := func(k Kind) bool { return isChars(k) || isNumber(k) || k.IsListed() }
	return plain(from.Kind) && plain(to.Kind)
}

func castNested(from, to Type) bool {
	switch from.Kind {
	case Array:
		return CanCast(*from.Elem, *to.Elem)
	case Map:
		return CanCast(*from.Key, *to.Key) && CanCast(*from.Elem, *to.Elem)
	}
	if len(from.Fields) != len(to.Fields) {
		return false
	}
	for i, f := range from.Fields {
		if !CanCast(f.Type, to.Fields[i].Type) {
			return false
		}
	}
	return true
}

// ImplicitCast tells whether a value of type from may stand where to is wanted, as in INSERT: between numbers (out of range is a row
// error), to wider temporal types, from any scalar to text, from text to
// ENUM, SET and POINT (no such text is a row error), never from text to anything else.
func ImplicitCast(from, to Type) bool {
	switch {
	case from.Kind == Null || from.Equal(to):
		return true
	case isNumber(from.Kind) && isNumber(to.Kind):
		return true
	case from.Kind.IsTemporal() && to.Kind.IsTemporal():
		return from.Kind == to.Kind || from.Kind != Time && to.Kind != Time
	case to.Kind == String || to.Kind == JSON:
		return true
	case to.Kind.IsListed():
		return from.Kind == String || from.Kind.IsListed() || from.Kind.IsInteger()
	case to.Kind == Point:
		return from.Kind == String
	case isChars(from.Kind) && to.Kind == Bytes:
		return true
	case from.Kind == to.Kind && !isScalar(from.Kind):
		return implicitNested(from, to)
	}
	return from.Kind == to.Kind
}

func implicitNested(from, to Type) bool {
	switch from.Kind {
	case Array:
		return ImplicitCast(*from.Elem, *to.Elem)
	case Map:
		return ImplicitCast(*from.Key, *to.Key) && ImplicitCast(*from.Elem, *to.Elem)
	}
	if len(from.Fields) != len(to.Fields) {
		return false
	}
	for i, f := range from.Fields {
		if !ImplicitCast(f.Type, to.Fields[i].Type) {
			return false
		}
	}
	return true
}
