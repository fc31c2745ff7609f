package ast

// EmitMode is the EMIT clause of a query.
type EmitMode uint8

// What a query emits: EmitDefault lets the planner choose.
const (
	EmitDefault EmitMode = iota
	EmitChanges
	EmitOnWindowClose // EMIT ON WINDOW CLOSE, also spelt EMIT FINAL
)

// Query is a whole query: WITH, a body of SELECTs and set operations, ORDER BY, LIMIT, EMIT.
type Query struct {
	Pos
	With      []CTE
	Recursive bool
	Body      QueryBody
	OrderBy   []OrderItem
	Limit     Expr // nil: none
	Offset    Expr
	Emit      EmitMode
	EmitPos   Pos
}

// CTE is one common table expression.
type CTE struct {
	Name    Name
	Columns []Name
	Query   *Query
}

// QueryBody is a Select, a SetOp, a Values or a parenthesised Query.
type QueryBody interface {
	Node
	body()
}

// Select is one SELECT block.
type Select struct {
	Pos
	Distinct   bool
	DistinctOn []Expr
	Items      []SelectItem
	From       TableExpr // nil: no FROM
	Where      Expr
	GroupBy    []Expr
	Having     Expr
	Qualify    Expr
}

// SelectItem is one item of a select list. Text is its source text: the column's name when there is no alias and it is no column.
type SelectItem struct {
	Pos
	Expr  Expr
	Alias Name
	Text  string
}

// OrderItem is one key of ORDER BY.
type OrderItem struct {
	Expr Expr
	Desc bool
}

// SetOp is UNION, EXCEPT or INTERSECT (Op upper case).
type SetOp struct {
	Pos
	Op          string
	All         bool
	Left, Right QueryBody
}

// Values is VALUES ROW(..), ROW(..).
type Values struct {
	Pos
	Rows [][]Expr
}

func (*Select) body() {}
func (*SetOp) body()  {}
func (*Values) body() {}
func (*Query) body()  {}

// JoinKind is the kind of a join.
type JoinKind uint8

// The joins.
const (
	JoinInner JoinKind = iota
	JoinLeft
	JoinRight
	JoinFull
	JoinCross
)

type (
	// Table names a relation: [schema.]name [AS alias] [FOR SYSTEM_TIME AS OF expr].
	Table struct {
		Pos
		Schema Name
		Name   Name
		Alias  Name
		AsOf   Expr
	}
	// DerivedTable is a subquery in FROM, LATERAL or not.
	DerivedTable struct {
		Pos
		Query   *Query
		Alias   Name
		Columns []Name
		Lateral bool
	}
	// Join joins two table expressions.
	Join struct {
		Pos
		Kind        JoinKind
		Left, Right TableExpr
		On          Expr
		Using       []Name
		Natural     bool
		AsOf        bool // ASOF [LEFT] JOIN: at most one row of Right, the nearest by Match
		Match       Expr // MATCH_CONDITION (left.ts >= right.ts) of AsOf; nil: the inequality stands in On
	}
	// TableFunc is TUMBLE, HOP, SESSION, CUMULATE, UNNEST or another table function. Name is lower case.
	// In `TUMBLE(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL 10 SECOND)` the first argument is a TableArg, the second a
	// Descriptor; `TUMBLE(t, ts, ..)` gives the same tree. Named arguments (`SIZE => ..`) carry Name.
	TableFunc struct {
		Pos
		Name       string
		Args       []TableFuncArg
		Ordinality bool // UNNEST .. WITH ORDINALITY
		Alias      Name
		Columns    []Name
	}
	// TableFuncArg is one argument; exactly one of Table, Descriptor, Expr is set.
	TableFuncArg struct {
		Pos
		Name        string // lower case, "" when positional
		Table       TableExpr
		PartitionBy []Expr
		Descriptor  *Name
		Expr        Expr
		TimeZone    string // trailing TIME ZONE '...' argument arrives as Name "time zone" with Expr instead
	}
)

type (
	// JSONTable is JSON_TABLE(doc, 'path' COLUMNS (..)) AS alias (MySQL 8.0 manual, 14.17.6). It may use columns of the tables
	// to its left.
	JSONTable struct {
		Pos
		Doc     Expr
		Path    string
		PathPos Pos
		Columns []JSONColumn
		Alias   Name
	}
	// JSONColumn is one column: FOR ORDINALITY, `name type [EXISTS] PATH 'p' ..`, or NESTED PATH 'p' COLUMNS (Nested set).
	JSONColumn struct {
		Pos
		Name             Name
		Ordinality       bool
		Type             *TypeName
		Exists           bool
		Path             string
		PathPos          Pos
		OnEmpty, OnError JSONFallback
		Nested           []JSONColumn
	}
	// JSONFallback is what a column of JSON_TABLE is when its path finds nothing or a value of another type.
	JSONFallback struct {
		Error   bool
		Default Expr // nil: NULL
	}
)

type (
	// MatchRecognize is `input MATCH_RECOGNIZE (..) AS alias` (ISO/IEC 9075-2:2016 row pattern recognition). In Measures and Define
	// `FINAL f(x)` and `RUNNING f(x)` are calls final(f(x)) and running(f(x)); the argument of COUNT(A.*) is a Star.
	MatchRecognize struct {
		Pos
		Input       TableExpr
		PartitionBy []Expr
		OrderBy     []OrderItem
		Measures    []SelectItem
		AllRows     bool // ALL ROWS PER MATCH
		After       AfterMatch
		Pattern     Pattern
		Within      Expr // WITHIN INTERVAL ..; nil: none
		Subsets     []PatternSubset
		Define      []PatternDefine
		Alias       Name
		Columns     []Name
	}
	// AfterMatch is AFTER MATCH SKIP: Kind "PAST LAST ROW" (the default), "TO NEXT ROW", "TO FIRST", "TO LAST"; the last two with Symbol.
	AfterMatch struct {
		Pos
		Kind   string
		Symbol Name
	}
	// Pattern is a regular expression over symbols. Op is "SYMBOL" (Symbol), "CONCAT", "ALT", "PERMUTE" (Parts), "REPEAT" (Parts[0]
	// Min to Max times, Max -1: no bound; Reluctant), "EXCLUDE" ({- .. -}), "START" (^), "END" ($).
	Pattern struct {
		Pos
		Op        string
		Symbol    Name
		Parts     []Pattern
		Min, Max  int
		Reluctant bool
	}
	// PatternSubset is SUBSET name = (a, b).
	PatternSubset struct {
		Name    Name
		Symbols []Name
	}
	// PatternDefine is DEFINE symbol AS condition.
	PatternDefine struct {
		Symbol Name
		Cond   Expr
	}
)

func (*Table) table()          {}
func (*DerivedTable) table()   {}
func (*Join) table()           {}
func (*TableFunc) table()      {}
func (*JSONTable) table()      {}
func (*MatchRecognize) table() {}
