package client

import (
	"context"
	"encoding/json"
	"io"

	formatjson "github.com/millrace/millrace/connectors/format/json"
	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/server/httpapi"
	"github.com/millrace/millrace/sql/vector"
)

// Local is a session on an engine inside the process.
type Local struct{ Session *engine.Session }

// Exec runs a statement.
func (l *Local) Exec(ctx context.Context, sql string) (*Result, error) {
	res, err := l.Session.Exec(ctx, sql)
	if err != nil {
		return nil, err
	}
	rows := &localRows{res: res}
	return &Result{Head: httpapi.HeadOf(res), Next: rows.next, Close: res.Close}, nil
}

// Name says that the engine is embedded.
func (l *Local) Name() string { return "embedded" }

// Close does nothing: the engine belongs to who opened it.
func (l *Local) Close() error { return nil }

// localRows turns batches into rows.
type localRows struct {
	res   *engine.Result
	batch *vector.Batch
	at    int
}

func (r *localRows) next(ctx context.Context) (Row, error) {
	for r.batch == nil || r.at >= r.batch.Rows() {
		b, err := r.res.Next(ctx)
		if err != nil {
			if err == io.EOF {
				r.batch = nil
			}
			return Row{}, err
		}
		r.batch, r.at = b, 0
	}
	i := r.batch.Row(r.at)
	r.at++
	row := Row{Values: make([]json.RawMessage, len(r.batch.Cols)), Last: r.at == r.batch.Rows()}
	if r.res.Changes {
		row.Op = r.batch.Change(i).String()
	}
	for c, col := range r.batch.Cols {
		row.Values[c] = formatjson.AppendValue(nil, col, i, httpapi.TimeStyle(r.res))
	}
	return row, nil
}
