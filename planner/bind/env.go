package bind

import (
	"time"

	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// Connectors is what the planner must know of connectors. Methods are called with relations whose Options are filled in; they must be
// safe for concurrent use and do no I/O.
type Connectors interface {
	// Check validates connector, format and WITH options of a relation; a *diag.Error without position. Sink says whether the
	// relation is written to rather than read.
	Check(rel *catalog.Relation, sink bool) error
	// Schema gives the columns of a connector that has its own schema (datagen); nil otherwise. It is asked when a statement declares
	// no physical columns.
	Schema(rel *catalog.Relation) []types.Field
	// Metadata gives the metadata keys that the relation's connector can fill and their types.
	Metadata(rel *catalog.Relation) map[string]types.Type
	// Bounded tells whether reading the relation comes to an end.
	Bounded(rel *catalog.Relation) bool
	// SourceChanges tells which changelog the relation brings when read.
	SourceChanges(rel *catalog.Relation) physical.Changelog
	// SinkMode tells the most general changelog that the relation takes when written; hasKey says whether rows have a key.
	SinkMode(rel *catalog.Relation, hasKey bool) physical.Changelog
}

// Env is what a statement is planned against.
type Env struct {
	Catalog    *catalog.Catalog
	Connectors Connectors        // nil: sources are unbounded and append-only, sinks take everything, metadata is untyped
	Variables  map[string]string // session variables by lower-case name; time_zone is that of the statement
	// User gives the value of @name, nil when it was never set; nil: there are no such variables.
	User func(name string) *ast.Literal
	// Describe binds the parameters of a prepared statement as NULL, to learn the columns of its result.
	Describe bool
	// AdHoc marks a statement whose rows go to the client that waits: a plain SELECT is a snapshot that must end, views are read from
	// their state, and row errors fail the query.
	AdHoc bool
}

// maxFutureDefault bounds how far event times may lie ahead of the clock when the relation does not say.
const maxFutureDefault = time.Hour

func (e *Env) bounded(rel *catalog.Relation) bool {
	return e.Connectors != nil && e.Connectors.Bounded(rel)
}

func (e *Env) sourceChanges(rel *catalog.Relation) physical.Changelog {
	if e.Connectors == nil {
		return physical.AppendOnly
	}
	return e.Connectors.SourceChanges(rel)
}

// zone is the time zone of the statement, nil for UTC. Its name was checked when it was set.
func (e *Env) zone() *time.Location {
	zone, err := function.ParseZone(e.Variables["time_zone"])
	if err != nil || zone == time.UTC {
		return nil
	}
	return zone
}

// SinkMode is Connectors.SinkMode, retract without connectors.
func (e *Env) SinkMode(rel *catalog.Relation, hasKey bool) physical.Changelog {
	if e.Connectors == nil {
		return physical.Retract
	}
	return e.Connectors.SinkMode(rel, hasKey)
}
