package operator

import (
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// emitter collects output rows in a batch of its own and pushes it whenever it is full. Callers append a value to every column of
// batch, then call end.
//
// With a condition only the rows for which it is TRUE are pushed; rows for which it fails go to the error policy.
type emitter struct {
	batch *vector.Batch
	out   Output

	cond   *expr.Filter // nil: none
	ctx    *Context
	stage  string
	sel    []int32
	failed []int32
}

func newEmitter(schema []types.Type) emitter {
	b := &vector.Batch{Cols: make([]*vector.Vector, len(schema))}
	for i, t := range schema {
		b.Cols[i] = vector.New(t, 0)
	}
	return emitter{batch: b}
}

// end completes a row.
func (e *emitter) end(op vector.Change) error {
	e.batch.EndRow(op)
	if e.batch.N >= vector.MaxRows {
		return e.flush()
	}
	return nil
}

// flush pushes what has been collected.
func (e *emitter) flush() error {
	if e.batch.N == 0 {
		return nil
	}
	defer e.batch.Reset()
	if e.cond == nil {
		return e.out.Push(e.batch)
	}
	var err error
	if e.sel, e.failed, err = selectRows(e.ctx, e.stage, e.cond, e.batch, e.sel, e.failed); err != nil || len(e.sel) == 0 {
		return err
	}
	e.batch.Sel = e.sel
	return e.out.Push(e.batch)
}

// selectRows overwrites sel with the rows of b for which the condition is TRUE and disposes of errors.
func selectRows(ctx *Context, stage string, cond *expr.Filter, b *vector.Batch, sel, failed []int32) (_, _ []int32, err error) {
	sel = cond.Select(ctx.Fn, b, sel)
	if len(ctx.Fn.Errs) > 0 {
		failed, err = disposeErrors(ctx, stage, b, failed)
	}
	return sel, failed, err
}

// schemaOf picks the types of some columns.
func schemaOf(input []types.Type, cols []int) []types.Type {
	out := make([]types.Type, len(cols))
	for i, c := range cols {
		out[i] = input[c]
	}
	return out
}

// pick sets dst to some columns of a batch.
func pick(dst []*vector.Vector, b *vector.Batch, cols []int) []*vector.Vector {
	dst = dst[:0]
	for _, c := range cols {
		dst = append(dst, b.Cols[c])
	}
	return dst
}

// newColumns makes empty vectors.
func newColumns(schema []types.Type) []*vector.Vector {
	out := make([]*vector.Vector, len(schema))
	for i, t := range schema {
		out[i] = vector.New(t, 0)
	}
	return out
}

func resetColumns(cols []*vector.Vector) {
	for _, c := range cols {
		c.Reset()
	}
}

// resized returns s with n elements of unspecified value.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, max(n, 2*cap(s)))
	}
	return s[:n]
}

// grown returns s with at least n elements; new ones are zero.
func grown[T any](s []T, n int) []T {
	if len(s) >= n {
		return s
	}
	if cap(s) >= n {
		old := len(s)
		s = s[:n]
		clear(s[old:])
		return s
	}
	out := make([]T, n, max(n, 2*cap(s)))
	copy(out, s)
	return out
}
