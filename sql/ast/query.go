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

func (*Table) table()        {}
func (*DerivedTable) table() {}
func (*Join) table()         {}
func (*TableFunc) table()    {}
