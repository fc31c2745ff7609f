package diag

import (
	"errors"
	"fmt"
)

// Error is an error to show to the user. Offset is the byte offset of the culprit in the statement's source text, -1 when there is
// none; End is the offset behind it (0: unknown).
type Error struct {
	Code    Code
	Message string
	Hint    string
	Offset  int
	End     int
	Source  string // the text that Offset points into; filled in by whoever has it
	Cause   error
}

// New makes an error at a byte offset of the source text (-1: no position).
func New(code Code, offset int, format string, args ...any) *Error {
	return &Error{Code: code, Offset: offset, Message: fmt.Sprintf(format, args...)}
}

// WithHint sets the hint and returns the error.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Wrap sets the cause, which is kept for errors.Is and not shown.
func (e *Error) Wrap(err error) *Error {
	e.Cause = err
	return e
}

// Error gives one line: `MR-2107: unknown column 'zonne' (hint: ..)`.
func (e *Error) Error() string {
	s := e.Code.String() + ": " + e.Message
	if e.Hint != "" {
		s += " (hint: " + e.Hint + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// As finds the first *Error in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
