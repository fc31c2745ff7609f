package catalog

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/types"
)

// Kind is what a relation is.
type Kind uint8

// The kinds of relations.
const (
	Source Kind = iota
	Table
	Sink
	View
	MaterializedView
	SystemTable // errors, late, information_schema: rows come from the engine
)

var kindNames = [...]string{"source", "table", "sink", "view", "materialized view", "system table"}

// String gives the kind in lower-case English.
func (k Kind) String() string { return kindNames[k] }

// Column is one column of a relation. Exactly one of these: physical (neither Computed nor Metadata), computed, metadata.
type Column struct {
	Name        string
	Type        types.Type
	Computed    ast.Expr // bound against the other columns by the planner
	Metadata    bool
	MetadataKey string
	NotNull     bool
}

// Watermark declares the event-time column: the watermark of a partition is the largest value of Expr over its rows so far.
type Watermark struct {
	Column int
	Expr   ast.Expr
}

// Relation is a catalog entry. Relations are immutable once added.
type Relation struct {
	Name       string
	Kind       Kind
	Columns    []Column
	PrimaryKey []int
	Watermark  *Watermark
	Connector  string
	Options    map[string]string // WITH options, `connector` included; keys lower case
	Query      *ast.Query        // views, and sinks created AS a query
	Functions  []string          // functions of the user's that its text calls, lower case
	Reads      []string          // relations that its text names, lower case
	SQL        string            // the statement that created it
	Zone       string            // time zone of a materialized view's statement, in which all of it is computed
}

// Fields returns the columns as fields.
func (r *Relation) Fields() []types.Field {
	f := make([]types.Field, len(r.Columns))
	for i, c := range r.Columns {
		f[i] = types.Field{Name: c.Name, Type: c.Type}
	}
	return f
}

// Column finds a column by name, case-insensitively; -1 when there is none.
func (r *Relation) Column(name string) int {
	for i, c := range r.Columns {
		if strings.EqualFold(c.Name, name) {
			return i
		}
	}
	return -1
}
