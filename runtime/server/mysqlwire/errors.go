package mysqlwire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/diag"
)

// wireError is an error as a MySQL client gets it.
type wireError struct {
	number  uint16
	state   string
	message string
}

// Error gives it as the mysql shell prints it.
func (e wireError) Error() string {
	return fmt.Sprintf("ERROR %d (%s): %s", e.number, e.state, e.message)
}

// maxErrorBytes is what the C client keeps of a message.
const maxErrorBytes = 500

type mysqlCode struct {
	number uint16
	state  string
}

var unknownError = mysqlCode{1105, "HY000"}

// codes maps ours to MySQL's; what is missing is an unknown error.
var codes = map[diag.Code]mysqlCode{
	diag.SyntaxError:       {1064, "42000"},
	diag.UnexpectedEnd:     {1064, "42000"},
	diag.UnclosedString:    {1064, "42000"},
	diag.BadLiteral:        {1064, "42000"},
	diag.UnknownStatement:  {1064, "42000"},
	diag.TooDeep:           {1064, "42000"},
	diag.NotSupported:      {1235, "42000"},
	diag.UnknownTable:      {1146, "42S02"},
	diag.UnknownColumn:     {1054, "42S22"},
	diag.AmbiguousColumn:   {1052, "23000"},
	diag.UnknownFunction:   {1305, "42000"},
	diag.WrongArguments:    {1582, "42000"},
	diag.TypeMismatch:      {1210, "HY000"},
	diag.UnknownType:       {1064, "42000"},
	diag.DuplicateName:     {1050, "42S01"},
	diag.NotGrouped:        {1055, "42000"},
	diag.MisplacedFunction: {1111, "HY000"},
	diag.UnknownVariable:   {1193, "HY000"},
	diag.BadOption:         {1231, "42000"},
	diag.MissingOption:     {1231, "42000"},
	diag.DependentObjects:  {1451, "23000"},
	diag.UnknownSymbol:     {1054, "42S22"},
	diag.BadFunction:       {1418, "HY000"},
	diag.UnknownSavepoint:  {1305, "42000"},
	diag.UnknownPrepared:   {1243, "HY000"},
	diag.BadParameter:      {1210, "HY000"},
	diag.UserFunction:      {1105, "HY000"},
	diag.WrongObjectKind:   {1347, "HY000"},
	diag.NumericOverflow:   {1690, "22003"},
	diag.InvalidCast:       {1292, "22007"},
	diag.DivisionByZero:    {1365, "22012"},
	diag.InvalidArgument:   {1210, "HY000"},
	diag.RecursionDepth:    {3636, "HY000"},
	diag.SubqueryRows:      {1242, "21000"},
	diag.Cancelled:         {1317, "70100"},
	diag.TimedOut:          {3024, "HY000"},
}

var (
	errInterrupted = wireError{1317, "70100", diag.Cancelled.String() + ": the query was interrupted"}
	errTimedOut    = wireError{3024, "HY000", diag.TimedOut.String() + ": the query took longer than max_execution_time"}
)

// errorOf gives any error its MySQL form.
func errorOf(err error) wireError {
	var w wireError
	if errors.As(err, &w) {
		return w
	}
	e, ok := diag.As(err)
	switch {
	case ok:
	case errors.Is(err, context.DeadlineExceeded):
		return errTimedOut
	case errors.Is(err, context.Canceled):
		return errInterrupted
	default:
		return wireError{unknownError.number, unknownError.state, diag.Internal.String() + ": " + err.Error()}
	}
	code, known := codes[e.Code]
	if !known {
		code = unknownError
	}
	text := e.Code.String() + ": " + e.Message
	where := ""
	if e.Source != "" && e.Offset >= 0 {
		line, column := diag.Position(e.Source, e.Offset)
		where = fmt.Sprintf("%d:%d", line, column)
	}
	switch {
	case where != "" && e.Hint != "":
		text += " (at " + where + "; " + e.Hint + ")"
	case where != "":
		text += " (at " + where + ")"
	case e.Hint != "":
		text += " (" + e.Hint + ")"
	}
	return wireError{code.number, code.state, text}
}

// clip cuts text to n bytes at the beginning of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// writeError answers with an error.
func (c *conn) writeError(e wireError) error {
	buf := binary.LittleEndian.AppendUint16(append(c.w.begin(), 0xff), e.number)
	if c.caps&capProtocol41 != 0 {
		buf = append(append(buf, '#'), e.state...)
	}
	if err := c.w.end(append(buf, clip(e.message, maxErrorBytes)...)); err != nil {
		return err
	}
	return c.w.flush()
}

// writeOK answers that something is done; info is for people.
func (c *conn) writeOK(info string) error { return c.w.end(c.appendOK(c.w.begin(), 0, info)) }

// appendOK builds an OK packet; mark is 0, or 0xfe for one that ends rows.
func (c *conn) appendOK(buf []byte, mark byte, info string) []byte {
	buf = append(buf, mark, 0, 0) // no rows counted, no last id
	buf = binary.LittleEndian.AppendUint16(buf, statusAutocommit)
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(c.warnings)))
	if info == "" {
		return buf
	}
	return appendLenString(buf, info) // servers write the length, whatever the documentation of the protocol says, and C clients read it
}

// writeEOF ends column definitions or rows, in the form that the client asked for.
func (c *conn) writeEOF() error {
	if c.caps&capDeprecateEOF != 0 {
		return c.w.end(c.appendOK(c.w.begin(), 0xfe, ""))
	}
	buf := binary.LittleEndian.AppendUint16(append(c.w.begin(), 0xfe), uint16(len(c.warnings)))
	return c.w.end(binary.LittleEndian.AppendUint16(buf, statusAutocommit))
}
