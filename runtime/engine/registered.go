package engine

import (
	"strings"
	"sync"

	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// hiddenPrefix begins the names of system tables that SHOW TABLES leaves out.
const hiddenPrefix = "information_schema."

// registered are the system tables that others fill.
type registered struct {
	mu   sync.Mutex
	fill map[string]func(*vector.Batch) // by name; guarded by mu
}

// RegisterSystemTable adds a table whose rows fill appends at each read; the columns of the batch are fields. It replaces a table of the
// same name, which is how a port adds what its clients expect.
func (e *Engine) RegisterSystemTable(name string, fields []types.Field, fill func(*vector.Batch)) {
	rel := &catalog.Relation{Name: name, Kind: catalog.SystemTable}
	for _, f := range fields {
		rel.Columns = append(rel.Columns, catalog.Column{Name: f.Name, Type: f.Type})
	}
	e.registered.mu.Lock()
	defer e.registered.mu.Unlock()
	if e.registered.fill == nil {
		e.registered.fill = map[string]func(*vector.Batch){}
	}
	e.registered.fill[name] = fill
	e.catalog.Add(rel, true)
}

// tableRows gives the rows of a system table, the engine's own or a registered one.
func (e *Engine) tableRows(name string, b *vector.Batch) error {
	e.registered.mu.Lock()
	fill := e.registered.fill[name]
	e.registered.mu.Unlock()
	if fill == nil {
		return e.systemRows(name, b)
	}
	fill(b)
	return nil
}

// hidden tells whether SHOW TABLES leaves a relation out.
func hidden(r *catalog.Relation) bool { return strings.HasPrefix(r.Name, hiddenPrefix) }
