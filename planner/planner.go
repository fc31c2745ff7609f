package planner

import (
	"github.com/millrace/millrace/planner/bind"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
)

type (
	// Env is what a statement is planned against.
	Env = bind.Env
	// Connectors is what the planner must know of connectors; the engine implements it.
	Connectors = bind.Connectors
)

// Plan plans a query, CREATE SINK .. AS, INSERT INTO, CREATE MATERIALIZED VIEW or a statement set. For CREATE statements the relation
// need not be in the catalog; when it is there already, the plan's root refers to that very entry.
func Plan(stmt ast.Statement, env Env) (*physical.Plan, error) {
	return nil, diag.New(diag.NotSupported, stmt.At(), "the planner is being built")
}

// BindRelation makes the catalog entry of CREATE SOURCE, TABLE, SINK, VIEW or MATERIALIZED VIEW; the caller adds it to the catalog and
// sets its SQL text.
func BindRelation(stmt ast.Statement, env Env) (*catalog.Relation, error) {
	return nil, diag.New(diag.NotSupported, stmt.At(), "the planner is being built")
}

// Explain renders the logical and physical plan of a statement; format is "text" or "json".
func Explain(stmt ast.Statement, env Env, format string) (string, error) {
	return "", diag.New(diag.NotSupported, stmt.At(), "the planner is being built")
}
