package build

import (
	"context"
	"strconv"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/view"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// viewReadyTimeout is how long a query waits for a view whose job is starting.
const viewReadyTimeout = 10 * time.Second

// readerSource makes a reader inside the engine look like a source with one split.
type readerSource struct{ reader connectors.Reader }

// Splits returns nothing new.
func (s *readerSource) Splits(context.Context) ([]connectors.Split, error) { return nil, nil }

// Open returns the reader.
func (s *readerSource) Open(context.Context, connectors.Split, connectors.Position) (connectors.Reader, error) {
	return s.reader, nil
}

// Close does nothing: the reader was closed by who read it.
func (s *readerSource) Close() error { return nil }

// quiet is the part of a reader without positions and errors.
type quiet struct{}

// Rejected returns nothing.
func (quiet) Rejected() []connectors.Rejected { return nil }

// Position says that there is nothing to resume.
func (quiet) Position() connectors.Position { return nil }

// Lag is none.
func (quiet) Lag() int64 { return 0 }

// Close does nothing.
func (quiet) Close() error { return nil }

// valuesReader gives constant rows. Its position is the number of rows given.
type valuesReader struct {
	quiet
	rows  [][]expr.Expr
	given int
	tc    *taskContext
}

// Position returns the number of rows given.
func (r *valuesReader) Position() connectors.Position {
	return strconv.AppendInt(nil, int64(r.given), 10)
}

// skip starts behind a position.
func (r *valuesReader) skip(p connectors.Position) {
	if n, err := strconv.Atoi(string(p)); err == nil {
		r.given = min(n, len(r.rows))
	}
}

// Read evaluates the next rows. It runs in the split's goroutine, with an evaluation context of its own.
func (r *valuesReader) Read(_ context.Context, dst *vector.Batch) (connectors.Status, error) {
	fn := *r.tc.fn
	fn.Errs = nil
	own := &taskContext{fn: &fn}
	for r.given < len(r.rows) && dst.N < vector.MaxRows {
		if err := evalRow(r.rows[r.given], own, dst); err != nil {
			return connectors.End, err
		}
		r.given++
	}
	if r.given < len(r.rows) {
		return connectors.More, nil
	}
	return connectors.End, nil
}

// systemReader gives the rows of an engine table.
type systemReader struct {
	quiet
	name string
	fill func(name string, b *vector.Batch) error
}

// Read gives all rows at once; engine tables are bounded.
func (r *systemReader) Read(_ context.Context, dst *vector.Batch) (connectors.Status, error) {
	return connectors.End, r.fill(r.name, dst)
}

// viewReader gives a snapshot of a view, and with sub its changes.
type viewReader struct {
	quiet
	table  *view.Table
	follow bool
	opened bool
	schema []types.Type
	rows   []view.Row
	sub    *view.Subscription
	more   bool
}

func newViewReader(t *view.Table, fields []types.Field, follow bool) *viewReader {
	r := &viewReader{table: t, follow: follow}
	for _, f := range fields {
		r.schema = append(r.schema, f.Type)
	}
	return r
}

// open waits until the view has its rows back after a start, then takes the snapshot.
func (r *viewReader) open(ctx context.Context) error {
	select {
	case <-r.table.Ready():
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(viewReadyTimeout):
		return errNoView(r.table.Relation.Name)
	}
	r.opened = true
	if r.follow {
		r.sub = r.table.Subscribe()
		r.rows = r.sub.Snapshot
	} else {
		r.rows = r.table.Snapshot()
	}
	return nil
}

// Read gives rows of the snapshot, then waits for changes.
func (r *viewReader) Read(ctx context.Context, dst *vector.Batch) (connectors.Status, error) {
	if !r.opened {
		if err := r.open(ctx); err != nil {
			return connectors.End, err
		}
	}
	if len(r.rows) > 0 || r.sub == nil {
		for len(r.rows) > 0 && dst.N < vector.MaxRows {
			if err := r.rows[0].Append(dst, r.schema); err != nil {
				return connectors.End, err
			}
			r.rows = r.rows[1:]
		}
		if len(r.rows) == 0 && r.sub == nil {
			return connectors.End, nil
		}
		return connectors.More, nil
	}
	if !r.more {
		select {
		case <-r.sub.Ready():
		case <-ctx.Done():
			return connectors.End, ctx.Err()
		}
	}
	var err error
	r.more, err = r.sub.Take(dst, r.schema)
	return connectors.More, err
}

// Close ends the subscription.
func (r *viewReader) Close() error {
	if r.sub != nil {
		r.sub.Close()
	}
	return nil
}

func errNoView(name string) error {
	return diag.New(diag.UnknownTable, -1, "the view '%s' is not running", name).
		WithHint("its job has failed or was stopped; SHOW JOBS says more")
}
