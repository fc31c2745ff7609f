package diag

import "fmt"

// Code is the stable number of an error: MR-1xxx syntax, MR-2xxx names, types and plans, MR-3xxx running, MR-4xxx connectors and
// formats, MR-5xxx server and storage. The MySQL number and SQLSTATE go with it on MySQL connections.
type Code int

// String gives MR-nnnn.
func (c Code) String() string { return fmt.Sprintf("MR-%04d", int(c)) }

// Codes. A number, once released, keeps its meaning.
const (
	SyntaxError       Code = 1001 // the text is not a statement
	UnexpectedEnd     Code = 1002 // the text ends too early
	UnclosedString    Code = 1003 // a string, name or comment has no end
	NotSupported      Code = 1004 // parsed, but not supported
	TooDeep           Code = 1005 // nesting beyond the limit
	BadLiteral        Code = 1006 // a literal out of range or malformed
	UnknownStatement  Code = 1007
	UnknownTable      Code = 2101
	UnknownColumn     Code = 2107
	AmbiguousColumn   Code = 2108
	UnknownFunction   Code = 2110
	WrongArguments    Code = 2111 // count or types of a function's arguments
	TypeMismatch      Code = 2112
	UnknownType       Code = 2113
	DuplicateName     Code = 2114
	NotGrouped        Code = 2115 // column neither grouped nor aggregated
	MisplacedFunction Code = 2116 // aggregate or window function where none may stand
	UnknownSymbol     Code = 2117 // no variable of a row pattern
	NoEventTime       Code = 2120 // a window needs an event-time column with a watermark
	UnboundedState    Code = 2121 // the state could only grow
	UnboundedQuery    Code = 2122 // a plain SELECT on an endless stream
	NoKey             Code = 2123 // an upsert sink or versioned table needs a key
	BadOption         Code = 2130 // unknown option, or a bad value
	MissingOption     Code = 2131
	UnknownConnector  Code = 2132
	UnknownFormat     Code = 2133
	UnknownVariable   Code = 2134
	DependentObjects  Code = 2135 // something still reads it
	WrongObjectKind   Code = 2136
	BadFunction       Code = 2150 // CREATE FUNCTION that cannot work
	UnknownSavepoint  Code = 2151
	UnknownPrepared   Code = 2152
	BadParameter      Code = 2153 // `?` without a value, or without a type
	NumericOverflow   Code = 3001
	InvalidCast       Code = 3002
	DivisionByZero    Code = 3003
	InvalidArgument   Code = 3004
	SubqueryRows      Code = 3005
	RecursionDepth    Code = 3006 // a recursive table without an end
	UserFunction      Code = 3050 // a function of the user's failed on a row
	JobFailed         Code = 3101
	Cancelled         Code = 3102
	TimedOut          Code = 3103
	MalformedRecord   Code = 4001 // bytes that are no record of the format
	FieldType         Code = 4002 // a field whose value does not fit its column
	MissingField      Code = 4003
	FutureTimestamp   Code = 4004 // beyond max_future
	SourceUnavailable Code = 4101
	SinkUnavailable   Code = 4102
	SinkRejected      Code = 4103 // one document or record refused for good
	UnknownTopic      Code = 4104
	FileAccess        Code = 4105
	StorageUnusable   Code = 5001 // data directory not writable, full or corrupt
	CannotConnect     Code = 5002
	BadConfiguration  Code = 5003
	Internal          Code = 5999
)
