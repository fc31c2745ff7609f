package engine

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Result is what a statement gives: rows, or a message.
type Result struct {
	Fields  []types.Field // nil: no rows
	Message string        // for people; statements without rows
	Notices []string      // warnings of the planner
	Live    bool          // endless: rows come as they happen
	Changes bool          // rows carry change kinds
	Key     []int         // key columns of a changelog; nil: none known
	Job     string        // the job that the statement started

	// Zone is the session's time zone; nil: UTC. TIMESTAMPs in rows are its wall clocks already.
	Zone *time.Location

	next  func(ctx context.Context) (*vector.Batch, error)
	close func()
}

// Next returns the next rows, io.EOF at the end. The batch is valid until the next call.
func (r *Result) Next(ctx context.Context) (*vector.Batch, error) {
	if r.next == nil {
		return nil, io.EOF
	}
	return r.next(ctx)
}

// Close ends the query. It may be called twice, and before the end.
func (r *Result) Close() {
	if r.close != nil {
		r.close()
		r.close = nil
	}
}

func message(format string, args ...any) *Result {
	return &Result{Message: fmt.Sprintf(format, args...)}
}

// rows builds small results of text columns (integers where the first value is one).
type rows struct {
	fields []types.Field
	batch  *vector.Batch
}

func newRows(names ...string) *rows {
	r := &rows{}
	for _, n := range names {
		r.fields = append(r.fields, types.Field{Name: n, Type: types.Of(types.String)})
	}
	return r
}

// integers makes the named columns BIGINT; call it before add.
func (r *rows) integers(names ...string) *rows {
	for i := range r.fields {
		for _, n := range names {
			if r.fields[i].Name == n {
				r.fields[i].Type = types.Of(types.Int64)
			}
		}
	}
	return r
}

// add appends a row: strings, int64s, or nil for NULL.
func (r *rows) add(values ...any) {
	if r.batch == nil {
		r.batch = vector.NewBatch(r.fields, 16)
	}
	for i, v := range values {
		col := r.batch.Cols[i]
		switch x := v.(type) {
		case nil:
			col.AppendNull()
		case int64:
			col.AppendI64(x)
		case string:
			col.AppendString(x)
		default:
			panic(fmt.Sprintf("engine: result value of type %T", v))
		}
	}
	r.batch.EndRow(vector.Insert)
}

func (r *rows) result() *Result {
	batch := r.batch
	return &Result{Fields: r.fields, next: func(context.Context) (*vector.Batch, error) {
		b := batch
		batch = nil
		if b == nil {
			return nil, io.EOF
		}
		return b, nil
	}}
}
