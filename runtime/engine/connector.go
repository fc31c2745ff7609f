package engine

import (
	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// connectorInfo tells the planner about connectors; it implements planner.Connectors.
type connectorInfo struct{}

// Check validates connector, format and options of a relation.
func (connectorInfo) Check(rel *catalog.Relation, sink bool) error {
	if rel.Connector == "" {
		return diag.New(diag.MissingOption, -1, "option 'connector' is missing").WithHint("WITH (connector = 'kafka', ...); SHOW CONNECTORS lists them")
	}
	spec, _, err := connectors.Resolve(rel.Connector, rel.Options)
	if err != nil {
		return err
	}
	if sink && spec.Sink == nil {
		return diag.New(diag.UnknownConnector, -1, "connector '%s' cannot be written to", rel.Connector).WithHint("what is read from is a source: CREATE SOURCE %s ..", rel.Name)
	}
	if !sink && spec.Source == nil {
		return diag.New(diag.UnknownConnector, -1, "connector '%s' cannot be read from", rel.Connector).WithHint("what is written to is a sink: CREATE SINK %s ..", rel.Name)
	}
	return nil
}

// Schema gives the columns of a connector that has its own schema.
func (connectorInfo) Schema(rel *catalog.Relation) []types.Field {
	spec, v, err := connectors.Resolve(rel.Connector, rel.Options)
	if err != nil || spec.Columns == nil {
		return nil
	}
	var fields []types.Field
	for _, c := range spec.Columns(v) {
		fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
	}
	return fields
}

// Metadata gives the metadata keys of the relation's connector.
func (connectorInfo) Metadata(rel *catalog.Relation) map[string]types.Type {
	spec, err := connectors.Lookup(rel.Connector)
	if err != nil {
		return nil
	}
	m := map[string]types.Type{}
	for _, c := range spec.Metadata {
		m[c.Key] = c.Type
	}
	return m
}

// Bounded tells whether reading the relation comes to an end.
func (connectorInfo) Bounded(rel *catalog.Relation) bool {
	spec, v, err := connectors.Resolve(rel.Connector, rel.Options)
	return err == nil && spec.Bounded != nil && spec.Bounded(v)
}

// SourceChanges tells which changelog the relation brings.
func (connectorInfo) SourceChanges(rel *catalog.Relation) physical.Changelog {
	spec, v, err := connectors.Resolve(rel.Connector, rel.Options)
	if err != nil || spec.SourceChanges == nil {
		return physical.AppendOnly
	}
	return changelogOf(spec.SourceChanges(v))
}

// SinkMode tells the most general changelog that the relation takes.
func (connectorInfo) SinkMode(rel *catalog.Relation, hasKey bool) physical.Changelog {
	spec, v, err := connectors.Resolve(rel.Connector, rel.Options)
	if err != nil || spec.SinkMode == nil {
		return physical.AppendOnly
	}
	return changelogOf(spec.SinkMode(v, hasKey))
}

func changelogOf(m connectors.SinkMode) physical.Changelog {
	switch m {
	case connectors.Upsert:
		return physical.Upsert
	case connectors.Retract:
		return physical.Retract
	}
	return physical.AppendOnly
}
