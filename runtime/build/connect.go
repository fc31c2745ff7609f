package build

import (
	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner/physical"
)

// newSource makes the source of a scan; it connects to nothing yet.
func newSource(env *connectors.Env, jobID string, s *physical.SourceScan) (connectors.Source, connectors.Values, error) {
	rel := s.Relation
	spec, values, err := connectors.Resolve(rel.Connector, rel.Options)
	if err != nil {
		return nil, values, err
	}
	cfg := connectors.SourceConfig{Env: env, ID: jobID + "." + rel.Name, Relation: rel.Name, Options: values}
	for i, c := range s.Columns {
		col := rel.Columns[c]
		out := connectors.Column{Name: col.Name, Type: s.Types[i], NotNull: col.NotNull}
		if col.Metadata {
			out.MetadataKey = col.MetadataKey
		}
		cfg.Columns = append(cfg.Columns, out)
	}
	for _, k := range rel.PrimaryKey {
		cfg.Key = append(cfg.Key, rel.Columns[k].Name)
	}
	src, err := spec.Source(cfg)
	return src, values, err
}

// newSink makes the sink at a plan's end; it connects to nothing yet.
func newSink(env *connectors.Env, id string, w *physical.SinkWrite) (connectors.Sink, connectors.SinkMode, error) {
	rel := w.Relation
	spec, values, err := connectors.Resolve(rel.Connector, rel.Options)
	if err != nil {
		return nil, 0, err
	}
	cfg := connectors.SinkConfig{Env: env, ID: id, Relation: rel.Name, Key: w.Key, Options: values,
		Mode: spec.SinkMode(values, len(w.Key) > 0)}
	for _, c := range rel.Columns {
		col := connectors.Column{Name: c.Name, Type: c.Type, NotNull: c.NotNull}
		if c.Metadata {
			col.MetadataKey = c.MetadataKey
		}
		cfg.Columns = append(cfg.Columns, col)
	}
	sink, err := spec.Sink(cfg)
	return sink, cfg.Mode, err
}

// Validate makes every source and sink of a plan and closes it again: what a connector or format cannot do with the columns it would get is
// an error of the statement, not of its job. Nothing is connected to.
func Validate(plan *physical.Plan, env *connectors.Env) (err error) {
	for _, root := range plan.Roots {
		scans(root, func(s *physical.SourceScan) {
			if err != nil {
				return
			}
			var src connectors.Source
			if src, _, err = newSource(env, "check", s); err == nil {
				err = src.Close()
			}
		})
		w, ok := root.(*physical.SinkWrite)
		if !ok || err != nil {
			continue
		}
		var sink connectors.Sink
		if sink, _, err = newSink(env, "check", w); err == nil {
			err = sink.Close()
		}
	}
	return err
}
