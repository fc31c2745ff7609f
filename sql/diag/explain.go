package diag

import (
	"slices"
	"strconv"
	"strings"
)

type explanation struct{ title, text string }

// Explain returns the title of a code and what to do about it; both are empty for an unknown code.
func Explain(code Code) (title, text string) {
	e := explanations[code]
	return e.title, e.text
}

// ParseCode reads MR-nnnn or nnnn.
func ParseCode(s string) (Code, bool) {
	s = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "MR-")
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, false
	}
	_, ok := explanations[Code(n)]
	return Code(n), ok
}

// Codes lists all codes in order.
func Codes() []Code {
	out := make([]Code, 0, len(explanations))
	for c := range explanations {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

var explanations = map[Code]explanation{
	SyntaxError: {"syntax error", "The text is not a statement of the dialect at the marked place. The culprit may stand just before the mark: " +
		"a forgotten comma, a misspelt keyword, a reserved word used as a name (quote it with backquotes)."},
	UnexpectedEnd:    {"unexpected end", "The text ends before the statement is complete: an open bracket, a CASE without END, a clause without its content."},
	UnclosedString:   {"unclosed string or comment", "A string, a quoted name or a comment is opened at the mark and never closed. A quote within a string is doubled: 'it''s'."},
	NotSupported:     {"not supported", "The statement is well formed, but asks for something Millrace does not do. The hint names the nearest thing that works."},
	TooDeep:          {"nested too deep", "Brackets or operators are nested beyond a fixed limit. Generated text is the usual cause: use IN (..) or a join instead of a long chain of OR."},
	BadLiteral:       {"bad literal", "A number, date or length is out of its range, such as DECIMAL(70, 2) or TIMESTAMP(9)."},
	UnknownStatement: {"unknown statement", "No statement begins with this word. Statements begin with SELECT, WITH, CREATE, INSERT, EXPLAIN, SHOW, DESCRIBE, DROP, ALTER, SET, RESET, PAUSE, RESUME, STOP, PREPARE, EXECUTE, DEALLOCATE, KILL, BEGIN STATEMENT SET or USE."},
	UnknownTable:     {"unknown relation", "No source, table, view or sink has this name. SHOW TABLES lists them."},
	UnknownColumn:    {"unknown column", "No relation in FROM has a column of this name at this place. An alias of the select list is not visible in WHERE. DESCRIBE relation lists the columns."},
	AmbiguousColumn:  {"ambiguous column", "More than one relation in FROM has a column of this name. Qualify it: t.column."},
	UnknownFunction:  {"unknown function", "No function has this name. SHOW FUNCTIONS lists them."},
	WrongArguments:   {"wrong arguments", "The number or the types of the arguments fit no form of the function. DESCRIBE FUNCTION name shows the forms."},
	TypeMismatch: {"type mismatch", "Two types meet that have no common type, such as a string and a number. Convert one of them: CAST(x AS BIGINT), or TRY_CAST " +
		"to get NULL for what cannot be converted."},
	UnknownType:       {"unknown type", "No type has this name."},
	DuplicateName:     {"duplicate name", "The name is taken: by another object, another column, another option. CREATE .. IF NOT EXISTS and CREATE OR REPLACE accept existing objects."},
	NotGrouped:        {"column not grouped", "With GROUP BY or an aggregate, every other column of the select list must be grouped or aggregated, e.g. by ANY_VALUE(x)."},
	MisplacedFunction: {"misplaced function", "Aggregates may not stand in WHERE or ON, window functions only in the select list, ORDER BY and QUALIFY."},
	UnknownSymbol: {"unknown pattern variable", "DEFINE, SUBSET, AFTER MATCH SKIP TO and the qualifiers of columns in MEASURES and DEFINE name variables of " +
		"PATTERN, or sets of them that SUBSET makes. In there A.price is the price of the last row that is an A."},
	NoEventTime: {"no event time", "The window or join needs a column with a watermark. Declare it in the source: WATERMARK FOR ts AS ts - INTERVAL 5 SECOND."},
	UnboundedState: {"unbounded state", "The state of the query would grow for as long as it runs. Use a window, a join bounded in time, or set a time to live " +
		"for the state if forgetting old keys is acceptable."},
	UnboundedQuery:   {"endless query", "A plain SELECT on an endless stream never ends. Add EMIT CHANGES to follow it, or LIMIT n to look at some rows."},
	NoKey:            {"no key", "A sink that updates rows, or a table read as of a time, needs PRIMARY KEY (..) NOT ENFORCED."},
	BadOption:        {"bad option", "The option is unknown, or its value is not of the option's kind. DESCRIBE CONNECTOR name lists the options."},
	MissingOption:    {"missing option", "The connector or format cannot work without this option. DESCRIBE CONNECTOR name lists the options."},
	UnknownConnector: {"unknown connector", "No connector has this name. SHOW CONNECTORS lists them."},
	UnknownFormat:    {"unknown format", "No format has this name."},
	UnknownVariable:  {"unknown setting", "No setting has this name. SHOW VARIABLES lists them."},
	DependentObjects: {"object in use", "Other objects read this one. Drop them first."},
	WrongObjectKind:  {"wrong kind of object", "The object exists, but is of another kind, such as a view where a sink is needed."},
	BadFunction: {"function cannot be created", "A function must not call itself, have the name of a built-in function, or use a type that its language cannot take; a WebAssembly module must not " +
		"import anything and must export memory, alloc and the function. runtime/wasm/FORMAT.md is the contract."},
	UnknownSavepoint: {"unknown savepoint", "No savepoint has this name. SHOW SAVEPOINTS lists them."},
	UnknownPrepared:  {"unknown prepared statement", "No statement was prepared under this name in this session. PREPARE name FROM 'text' makes one."},
	BadParameter:     {"bad parameter", "A statement with ? needs a value for each of them: EXECUTE name USING 1, @a, or params in the request over HTTP. A ? whose type nothing tells needs a CAST."},
	NumericOverflow:  {"numeric overflow", "A result does not fit its type. Numbers never wrap around; compute in a wider type, e.g. CAST(x AS DECIMAL(38, 0))."},
	InvalidCast:      {"invalid cast", "A value cannot be converted, such as CAST('abc' AS INT). TRY_CAST gives NULL instead."},
	DivisionByZero:   {"division by zero", "A number was divided by zero where that is an error."},
	InvalidArgument:  {"invalid argument", "A function was called with a value outside its domain."},
	RecursionDepth: {"recursion without an end", "WITH RECURSIVE made more steps than cte_max_recursion_depth (1000) allows, or more rows than fit. Often the recursive part lacks its end: " +
		"a condition on the depth, or UNION instead of UNION ALL where rows come round in a circle. SET cte_max_recursion_depth = 10000 allows more steps."},
	SubqueryRows: {"subquery with more than one row", "A subquery used as a value gave more than one row. Aggregate it, or use IN or EXISTS."},
	UserFunction: {"user function failed", "A function made with CREATE FUNCTION .. LANGUAGE wasm trapped, took longer than its timeout, ran out of memory, or gave something that is no value of its type, " +
		"for this row. The job's error_policy decides what becomes of the row. DESCRIBE FUNCTION name shows the limits."},
	JobFailed:         {"job failed", "The job has stopped after an error and will not restart by itself. SHOW ERRORS FROM job tells the cause."},
	Cancelled:         {"cancelled", "The statement was cancelled."},
	TimedOut:          {"timed out", "The statement took longer than allowed."},
	MalformedRecord:   {"malformed record", "A record's bytes are not of the declared format. By default such records go to the dead letters of the job and the job goes on."},
	FieldType:         {"field of another type", "A field of a record does not fit the type of its column."},
	MissingField:      {"missing field", "A record lacks a field whose column is NOT NULL."},
	FutureTimestamp:   {"timestamp in the future", "A record's event time lies further ahead than the source allows; it would push the watermark too far."},
	SourceUnavailable: {"source unavailable", "The system that the source reads cannot be reached or refuses us. The job retries."},
	SinkUnavailable:   {"sink unavailable", "The system that the sink writes to cannot be reached or refuses us. The job retries and holds back its input."},
	SinkRejected:      {"rejected by the sink", "The system refused one record for good; it goes to the dead letters of the job."},
	UnknownTopic:      {"unknown topic", "The topic does not exist and may not be created. SHOW TOPICS lists the known ones."},
	FileAccess:        {"file not accessible", "A file or directory is missing or may not be read or written."},
	StorageUnusable:   {"storage unusable", "The data directory is full, not writable or damaged."},
	CannotConnect:     {"cannot connect", "The server cannot be reached at this address."},
	BadConfiguration:  {"bad configuration", "A key of the configuration is unknown or has a bad value."},
	Internal:          {"internal error", "A fault of Millrace itself. Please report it with the statement."},
}
