package engine

import (
	"sync"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var text = types.Of(types.String)

// errorColumns are the columns of the table errors: records and rows that had no value.
var errorColumns = []types.Field{{Name: "at", Type: types.Type{Kind: types.Timestamp, Precision: 3}}, {Name: "job", Type: text}, {Name: "stage", Type: text},
	{Name: "relation", Type: text}, {Name: "position", Type: text}, {Name: "code", Type: text}, {Name: "message", Type: text},
	{Name: "hint", Type: text}, {Name: "raw", Type: text}}

// lateColumns are the columns of the table late: rows that came after their window had closed.
var lateColumns = []types.Field{{Name: "at", Type: types.Type{Kind: types.Timestamp, Precision: 3}}, {Name: "job", Type: text}, {Name: "stage", Type: text},
	{Name: "row", Type: text}}

// systemTables are the relations that the engine fills itself.
func systemTables() []*catalog.Relation {
	var out []*catalog.Relation
	for name, fields := range map[string][]types.Field{"errors": errorColumns, "late": lateColumns} {
		r := &catalog.Relation{Name: name, Kind: catalog.SystemTable}
		for _, f := range fields {
			r.Columns = append(r.Columns, catalog.Column{Name: f.Name, Type: f.Type})
		}
		out = append(out, r)
	}
	return out
}

// ring keeps the newest rows of a system table. Seen tells a row that a restart brings again from a new one.
type ring struct {
	mu      sync.Mutex
	fields  []types.Field
	limit   int
	rows    [][]any
	seen    map[string]bool
	total   int64
	journal *journal // nil: the rows are kept in memory only
}

func newRing(fields []types.Field, limit int) *ring {
	return &ring{fields: fields, limit: limit, seen: map[string]bool{}}
}

// add appends a row unless identity (empty: none) is there already.
func (r *ring) add(identity string, row ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if identity != "" {
		if r.seen[identity] {
			return
		}
		if len(r.seen) >= 4*r.limit {
			clear(r.seen)
		}
		r.seen[identity] = true
	}
	r.total++
	if r.journal != nil {
		r.journal.write(identity, row)
	}
	r.rows = append(r.rows, row)
	if len(r.rows) > 2*r.limit {
		r.rows = append(r.rows[:0], r.rows[len(r.rows)-r.limit:]...)
	}
}

// close ends keeping rows on disk.
func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.journal != nil {
		r.journal.close()
	}
}

// fill appends the kept rows to b.
func (r *ring) fill(b *vector.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, row := range r.rows[max(0, len(r.rows)-r.limit):] {
		for i, v := range row {
			switch x := v.(type) {
			case int64:
				b.Cols[i].AppendI64(x)
			case string:
				b.Cols[i].AppendString(x)
			}
		}
		b.EndRow(vector.Insert)
	}
}

// Errors returns how many error rows there have been.
func (e *Engine) Errors() int64 {
	e.errors.mu.Lock()
	defer e.errors.mu.Unlock()
	return e.errors.total
}

// rejected keeps a bad record for the table errors.
func (e *Engine) rejected(job, stage, relation string, r connectors.Rejected) {
	identity := ""
	if r.Position != "" {
		identity = job + "\x00" + relation + "\x00" + r.Position
	}
	e.errors.add(identity, e.opt.Clock().UnixMicro(), job, stage, relation, r.Position, r.Err.Code.String(), r.Err.Message, r.Err.Hint, string(r.Raw))
}

// lateRows copies late rows; publish adds them to the table late.
func (e *Engine) lateRows(job, stage string, b *vector.Batch, rows []int32) (publish func()) {
	texts := make([]string, len(rows))
	for k, i := range rows {
		texts[k] = string(function.AppendRow(nil, b, int(i)))
	}
	return func() {
		for _, text := range texts {
			e.late.add("", e.opt.Clock().UnixMicro(), job, stage, text)
		}
	}
}

// systemRows gives the rows of a system table.
func (e *Engine) systemRows(name string, b *vector.Batch) error {
	switch name {
	case "errors":
		e.errors.fill(b)
	case "late":
		e.late.fill(b)
	default:
		return diag.New(diag.UnknownTable, -1, "unknown system table '%s'", name)
	}
	return nil
}

// newRingBatch copies the rows of a system table.
func newRingBatch(r *ring) *vector.Batch {
	b := vector.NewBatch(r.fields, 16)
	r.fill(b)
	return b
}
