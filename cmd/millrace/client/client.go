package client

import (
	"context"
	"encoding/json"

	"github.com/millrace/millrace/runtime/server/httpapi"
)

// Conn is a session on an engine.
type Conn interface {
	// Exec runs one statement. Errors are *diag.Error with Source set.
	Exec(ctx context.Context, sql string) (*Result, error)
	// Name says where statements run, for the prompt: "embedded", or host:port.
	Name() string
	Close() error
}

// Result is a statement's answer: the head, then rows.
type Result struct {
	httpapi.Head
	// Next returns the next row, io.EOF at the end.
	Next  func(ctx context.Context) (Row, error)
	Close func()
}

// Row is one row; the values are JSON, in the order of the columns. Last says that no further row is waiting, so that what has been
// printed should be flushed.
type Row struct {
	Op     string // "+I", "-U", "+U", "-D" in changelogs
	Values []json.RawMessage
	Last   bool
}
