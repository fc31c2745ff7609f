package ast

type (
	// QueryStmt is a bare query.
	QueryStmt struct {
		Pos
		Query *Query
	}
	// CreateRelation is CREATE SOURCE or CREATE TABLE (Kind "SOURCE" or "TABLE").
	CreateRelation struct {
		Pos
		Kind        string
		Name        Name
		IfNotExists bool
		OrReplace   bool
		Columns     []ColumnDef
		PrimaryKey  []Name
		Watermark   *WatermarkDef
		Options     []Option
	}
	// ColumnDef is one column. Exactly one of these forms: typed (Type set), computed (Computed set, Type optional),
	// metadata (Metadata set: `c T METADATA [FROM 'key']`; MetadataKey defaults to the column's name).
	ColumnDef struct {
		Pos
		Name        Name
		Type        *TypeName
		Computed    Expr
		Metadata    bool
		MetadataKey string
		NotNull     bool
	}
	// WatermarkDef is WATERMARK FOR column AS expr.
	WatermarkDef struct {
		Pos
		Column Name
		Expr   Expr
	}
	// CreateSink is CREATE SINK name [(cols)] WITH (..) [AS query | FROM view].
	CreateSink struct {
		Pos
		Name        Name
		IfNotExists bool
		Columns     []ColumnDef
		PrimaryKey  []Name
		Options     []Option
		Query       *Query // nil: fed by INSERT INTO
	}
	// CreateView is CREATE [OR REPLACE] [MATERIALIZED] VIEW name [(cols)] [WITH (..)] AS query. Text is the query's source text.
	CreateView struct {
		Pos
		Name         Name
		Materialized bool
		OrReplace    bool
		IfNotExists  bool
		Columns      []Name
		Options      []Option
		Query        *Query
		Text         string
	}
	// Insert is INSERT INTO target [(cols)] query (VALUES included).
	Insert struct {
		Pos
		Target  Name
		Columns []Name
		Query   *Query
	}
	// StatementSet is BEGIN STATEMENT SET; ..; END.
	StatementSet struct {
		Pos
		Inserts []*Insert
	}
	// Explain is EXPLAIN [ANALYZE|LIVE] statement; Format is "" or lower case (text, json). EXPLAIN [ANALYZE|LIVE] JOB name has Job
	// and no Statement.
	Explain struct {
		Pos
		Analyze   bool
		Live      bool
		Format    string
		Statement Statement
		Job       Name
	}
	// Show is SHOW <What> [FROM|IN x] [LIKE 'p' | WHERE condition]; the condition is over the columns of the answer. What is upper case with single blanks: TABLES, SOURCES, SINKS, VIEWS,
	// MATERIALIZED VIEWS, JOBS, FUNCTIONS, CONNECTORS, COLUMNS, CREATE TABLE, VARIABLES, DATABASES, TOPICS, ERRORS, LATE ...
	Show struct {
		Pos
		What  string
		Full  bool
		From  Name
		Like  string
		Where Expr
	}
	// Describe is DESCRIBE [EXTENDED] [FUNCTION|CONNECTOR|FORMAT|JOB|SAVEPOINT|TOPIC] name (Kind upper case, "" for a relation).
	Describe struct {
		Pos
		Kind     string
		Extended bool
		Name     Name
	}
	// Drop is DROP SOURCE|TABLE|SINK|VIEW|MATERIALIZED VIEW|JOB|FUNCTION|SAVEPOINT [IF EXISTS] name (Kind upper case).
	Drop struct {
		Pos
		Kind     string
		IfExists bool
		Name     Name
	}
	// Set is SET name = value; Name lower case, dots kept, quotes and @@ removed. Reset is RESET name or SET name = DEFAULT. More holds the further
	// assignments of SET a = 1, b = 2.
	Set struct {
		Pos
		Name  string
		Value Expr
		Reset bool
		More  []*Set
	}
	// JobControl is PAUSE|RESUME|STOP JOB name (Verb upper case; STOP JOB is also spelt DROP JOB). Savepoint is that of
	// STOP JOB j WITH SAVEPOINT s and RESUME JOB j FROM SAVEPOINT s.
	JobControl struct {
		Pos
		Verb      string
		Name      Name
		Savepoint Name
	}
	// CreateJob is CREATE JOB [IF NOT EXISTS] name [WITH (..)] AS statement: an Insert or a StatementSet under a name of its own.
	CreateJob struct {
		Pos
		Name        Name
		IfNotExists bool
		Options     []Option
		Statement   Statement
	}
	// CreateSavepoint is CREATE SAVEPOINT name FOR JOB job.
	CreateSavepoint struct {
		Pos
		Name Name
		Job  Name
	}
	// CreateFunction is CREATE [OR REPLACE] FUNCTION [IF NOT EXISTS] name (params) RETURNS type LANGUAGE sql|wasm .. For sql, Body
	// is the expression of `AS 'text'`, `AS expr` or `RETURN expr`. For wasm, Text is the module: a path or base64 with the
	// prefix "base64:"; Options come from WITH (..).
	CreateFunction struct {
		Pos
		Name          Name
		OrReplace     bool
		IfNotExists   bool
		Params        []FunctionParam
		Returns       TypeName
		Language      string // lower case
		Deterministic bool   // false only after NOT DETERMINISTIC
		Body          Expr
		Text          string
		TextPos       Pos
		Options       []Option
	}
	// FunctionParam is one parameter of CREATE FUNCTION.
	FunctionParam struct {
		Name Name
		Type TypeName
	}
	// Alter is ALTER kind name action (Kind as in Drop). Action is "SET" (Options), "RESET" (Keys), "RENAME" (NewName), "RESCALE"
	// (Value), "ADD COLUMN" (Column), "DROP COLUMN" (NewName), "WATERMARK" (Watermark), "AS" (Query, Text: its source).
	Alter struct {
		Pos
		Kind      string
		Name      Name
		Action    string
		Options   []Option
		Keys      []Name
		NewName   Name
		Value     Expr
		Column    *ColumnDef
		Watermark *WatermarkDef
		Query     *Query
		Text      string
	}
	// Prepare is PREPARE name FROM 'text' or FROM @variable (Text or Variable).
	Prepare struct {
		Pos
		Name     Name
		Text     string
		TextPos  Pos
		Variable *Variable
	}
	// Execute is EXECUTE name [USING @a, 5, ..].
	Execute struct {
		Pos
		Name  Name
		Using []Expr
	}
	// Deallocate is DEALLOCATE|DROP PREPARE name.
	Deallocate struct {
		Pos
		Name Name
	}
	// Kill is KILL [QUERY|CONNECTION] id.
	Kill struct {
		Pos
		Query bool
		ID    Expr
	}
	// Use is USE database.
	Use struct {
		Pos
		Name Name
	}
)

func (*QueryStmt) stmt()       {}
func (*CreateRelation) stmt()  {}
func (*CreateSink) stmt()      {}
func (*CreateView) stmt()      {}
func (*Insert) stmt()          {}
func (*StatementSet) stmt()    {}
func (*Explain) stmt()         {}
func (*Show) stmt()            {}
func (*Describe) stmt()        {}
func (*Drop) stmt()            {}
func (*Set) stmt()             {}
func (*JobControl) stmt()      {}
func (*Use) stmt()             {}
func (*CreateJob) stmt()       {}
func (*CreateSavepoint) stmt() {}
func (*CreateFunction) stmt()  {}
func (*Alter) stmt()           {}
func (*Prepare) stmt()         {}
func (*Execute) stmt()         {}
func (*Deallocate) stmt()      {}
func (*Kill) stmt()            {}
