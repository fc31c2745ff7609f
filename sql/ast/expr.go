package ast

// LiteralKind tells how a literal was written.
type LiteralKind uint8

// The kinds of literals.
const (
	LitNull LiteralKind = iota
	LitBool
	LitInt     // 123, also beyond 64 bits: Text holds the digits
	LitDecimal // 1.5
	LitFloat   // 1.5e3
	LitString
	LitBytes     // x'0a', b'01': Text holds the raw bytes
	LitDate      // DATE '2026-01-02'
	LitTime      // TIME '10:00:00'
	LitTimestamp // TIMESTAMP '2026-01-02 10:00:00'
)

type (
	// Literal is a constant; Text is its unquoted text.
	Literal struct {
		Pos
		Kind LiteralKind
		Text string
	}
	// Param is the n-th `?` of a prepared statement, from 0.
	Param struct {
		Pos
		Index int
	}
	// Column is a possibly qualified name: parts of `a`, `t.a`, `t.s.field`. The binder decides what is table, column, struct field.
	Column struct {
		Pos
		Parts []Name
	}
	// Star is `*` or `t.*` in a select list.
	Star struct {
		Pos
		Table string
	}
	// Unary is NOT, -, +, ~.
	Unary struct {
		Pos
		Op string
		X  Expr
	}
	// Binary is an operator of two operands: + - * / % DIV AND OR XOR = <> < <= > >= <=> & | ^ << >> || (concat) -> ->>.
	// Op is upper case; `!=` arrives as `<>`, MOD as `%`. OpPos is the operator's offset.
	Binary struct {
		Pos
		Op    string
		X, Y  Expr
		OpPos Pos
	}
	// IsNull is `x IS [NOT] NULL`; IsTruth is `x IS [NOT] TRUE|FALSE`.
	IsNull struct {
		Pos
		X   Expr
		Not bool
	}
	// IsTruth is `x IS [NOT] TRUE|FALSE`.
	IsTruth struct {
		Pos
		X         Expr
		Not, True bool
	}
	// Between is `x [NOT] BETWEEN lo AND hi`.
	Between struct {
		Pos
		X, Lo, Hi Expr
		Not       bool
	}
	// In is `x [NOT] IN (list)` or, with Query set, `x [NOT] IN (subquery)`.
	In struct {
		Pos
		X     Expr
		List  []Expr
		Query *Query
		Not   bool
	}
	// Like is LIKE, ILIKE and REGEXP/RLIKE (Op names it, upper case). Escape is the escape character of LIKE, default backslash.
	Like struct {
		Pos
		Op         string
		X, Pattern Expr
		Not        bool
		Escape     rune
	}
	// Case is `CASE [operand] WHEN .. THEN .. ELSE .. END`.
	Case struct {
		Pos
		Operand Expr
		Whens   []When
		Else    Expr
	}
	// When is one arm of Case.
	When struct{ Cond, Result Expr }
	// Cast is CAST/TRY_CAST/CONVERT/x::T.
	Cast struct {
		Pos
		X    Expr
		Type TypeName
		Try  bool
	}
	// Interval is `INTERVAL n UNIT` as a value; Unit upper case singular (`SECOND`, `DAY_HOUR`).
	Interval struct {
		Pos
		X    Expr
		Unit string
	}
	// Call is a scalar, aggregate or window function call. Name is lower case. Unit arguments of EXTRACT, TIMESTAMPDIFF and the
	// like arrive as string literals in front (extract('hour', x), timestampdiff('minute', a, b)); DATE_ADD(x, INTERVAL..) as
	// date_add(x, Interval). COUNT(*) has Star set. `x AT TIME ZONE z` is at_time_zone(x, z).
	Call struct {
		Pos
		Name        string
		Args        []Expr
		Star        bool
		Distinct    bool
		OrderBy     []OrderItem // in an aggregate: GROUP_CONCAT(x ORDER BY y)
		WithinGroup bool        // OrderBy was written as WITHIN GROUP (ORDER BY ..)
		Separator   string      // GROUP_CONCAT .. SEPARATOR
		Filter      Expr        // FILTER (WHERE ..)
		IgnoreNulls bool
		Over        *Window // nil unless OVER
	}
	// Window is the OVER clause of a call, named windows already expanded.
	Window struct {
		Pos
		PartitionBy []Expr
		OrderBy     []OrderItem
		Frame       *Frame
	}
	// Frame is `ROWS|RANGE|GROUPS BETWEEN start AND end`; neither Rows nor Groups: RANGE.
	Frame struct {
		Rows       bool
		Groups     bool
		Start, End FrameBound
	}
	// FrameBound is one end of a frame. Offset is nil for UNBOUNDED and CURRENT ROW.
	FrameBound struct {
		Unbounded, Current, Following bool
		Offset                        Expr
	}
	// Subscript is x[i].
	Subscript struct {
		Pos
		X, Index Expr
	}
	// ArrayLit is ARRAY[a, b, ..].
	ArrayLit struct {
		Pos
		Elems []Expr
	}
	// MapLit is MAP[k1, v1, k2, v2, ..]: Keys[i] belongs to Values[i].
	MapLit struct {
		Pos
		Keys, Values []Expr
	}
	// Row is ROW(a, b) or (a, b). STRUCT(a AS x, b AS y) and ROW(a AS x) carry Names, one for each element, "" where none was written.
	Row struct {
		Pos
		Elems []Expr
		Names []Name // nil when no element has a name
	}
	// Field is `x.name` behind anything that is no plain name: m['k'].x, f(y).x, (row).x. Pos is that of X, Name has its own.
	Field struct {
		Pos
		X    Expr
		Name Name
	}
	// Lambda is `x -> body` or `(x, y) -> body`, an argument of a function over arrays or maps.
	Lambda struct {
		Pos
		Params []Name
		Body   Expr
	}
	// Quantified is `x op ANY|SOME|ALL (query)`; Op as in Binary.
	Quantified struct {
		Pos
		Op    string
		X     Expr
		All   bool // false: ANY, SOME
		Query *Query
	}
	// GroupingSets is an element of GROUP BY: ROLLUP(..), CUBE(..), GROUPING SETS(..) (Kind "ROLLUP", "CUBE", "SETS"). Each item
	// is what its parentheses held: ROLLUP(a, (b, c)) has {a}, {b, c}; GROUPING SETS ((a), ()) has {a}, {}. An item of SETS may
	// hold one GroupingSets. GROUP BY a, b WITH ROLLUP arrives as one ROLLUP(a, b).
	GroupingSets struct {
		Pos
		Kind  string
		Items [][]Expr
	}
	// Subquery is a scalar subquery; Exists is EXISTS (..).
	Subquery struct {
		Pos
		Query  *Query
		Exists bool
	}
	// Variable is @@name or @name.
	Variable struct {
		Pos
		Name   string
		System bool
	}
)

func (*Literal) expr()      {}
func (*Param) expr()        {}
func (*Column) expr()       {}
func (*Star) expr()         {}
func (*Unary) expr()        {}
func (*Binary) expr()       {}
func (*IsNull) expr()       {}
func (*IsTruth) expr()      {}
func (*Between) expr()      {}
func (*In) expr()           {}
func (*Like) expr()         {}
func (*Case) expr()         {}
func (*Cast) expr()         {}
func (*Interval) expr()     {}
func (*Call) expr()         {}
func (*Subscript) expr()    {}
func (*ArrayLit) expr()     {}
func (*MapLit) expr()       {}
func (*Row) expr()          {}
func (*Field) expr()        {}
func (*Lambda) expr()       {}
func (*Quantified) expr()   {}
func (*GroupingSets) expr() {}
func (*Subquery) expr()     {}
func (*Variable) expr()     {}

// TypeName is a type as written. Name is upper case and canonical as in MySQL's manual (INT for INTEGER, STRING for VARCHAR without
// length is kept as written: BIGINT, VARCHAR, STRING, DECIMAL, TIMESTAMP, STRUCT, ARRAY, MAP ...).
type TypeName struct {
	Pos
	Name     string
	Args     []int // length, precision, scale
	Unsigned bool
	Elem     *TypeName   // ARRAY<T>, value of MAP<K,V>
	Key      *TypeName   // key of MAP<K,V>
	Fields   []FieldType // STRUCT<a T, b U>
	Members  []string    // ENUM, SET
}

// FieldType is one field of a STRUCT.
type FieldType struct {
	Name Name
	Type TypeName
}
