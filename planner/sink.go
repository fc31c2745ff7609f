package planner

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/lower"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
)

// sink plans a query into a sink. What the sink takes decides: everything, one row per key, or only rows that are never taken back.
func (p *planning) sink(rel *catalog.Relation, n logical.Node, at int) error {
	n = p.optimize(n)
	opts := lower.Options{Policy: relationPolicy(rel, p.policy())}
	l := lower.New(opts, p.ids)
	info := l.Props(n)
	key := rel.PrimaryKey
	if len(key) == 0 {
		key = bestKey(info.Keys)
	}
	mode := p.env.SinkMode(rel, len(key) > 0)
	if mode == physical.AppendOnly {
		key = rel.PrimaryKey // a key that follows from the query is of no use to a sink that cannot update
	}
	// The inserts of a bounded input need no changes: a sink that cannot take any gets the final rows.
	collect := mode == physical.AppendOnly && info.Changelog != physical.AppendOnly
	switch {
	case collect && !info.Bounded:
		return notAppendOnly(rel, info.Keys, at)
	case mode == physical.Upsert && len(key) == 0 && info.Changelog != physical.AppendOnly:
		return noSinkKey(rel, at)
	}
	if len(rel.PrimaryKey) > 0 && info.Changelog != physical.AppendOnly && !identified(info.Keys, rel.PrimaryKey) {
		p.warn([]string{"rows of the query may share the primary key of sink " + rel.Name + " (" + names(rel, rel.PrimaryKey) + "): the last one written wins"})
	}
	if collect {
		opts.FinalOnly = true
		l = lower.New(opts, p.ids)
	}
	in, err := l.Plan(n)
	if err != nil {
		return err
	}
	if collect {
		in = l.Materialize(in)
	}
	p.done(l.Sink(in, rel, key, opts.Policy), l.Warnings)
	return nil
}

// identified tells whether some key of the query lies within the sink's.
func identified(keys [][]int, primary []int) bool {
	return slices.ContainsFunc(keys, func(key []int) bool {
		return !slices.ContainsFunc(key, func(c int) bool { return !slices.Contains(primary, c) })
	})
}

func notAppendOnly(rel *catalog.Relation, keys [][]int, at int) error {
	err := diag.New(diag.TypeMismatch, at, "the query's results change, but sink '%s' can only be appended to", rel.Name)
	key := "(..)"
	if best := bestKey(keys); best != nil {
		key = "(" + names(rel, best) + ")"
	}
	return err.WithHint("aggregate in windows (EMIT ON WINDOW CLOSE), or let the sink take changes: option op_field = 'op', or PRIMARY KEY %s", key)
}

func noSinkKey(rel *catalog.Relation, at int) error {
	return diag.New(diag.NoKey, at, "sink '%s' needs a key to update rows by, and the query has none", rel.Name).
		WithHint("declare one: CREATE SINK %s (.., PRIMARY KEY (..) NOT ENFORCED) WITH (..)", rel.Name)
}
