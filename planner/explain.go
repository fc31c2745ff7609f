package planner

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// Explain renders the logical and physical plan of a statement; format is "text" (also "") or "json".
func Explain(stmt ast.Statement, env Env, format string) (string, error) {
	if format != "" && format != "text" && format != "json" {
		return "", diag.New(diag.NotSupported, stmt.At(), "EXPLAIN format '%s' is not supported", format).WithHint("text or json")
	}
	p := newPlanning(env)
	p.explain = true
	if err := p.statement(stmt); err != nil {
		return "", err
	}
	if format == "json" {
		return p.json()
	}
	return p.text(), nil
}

// text prints both plans. A physical line says what the operator does and, behind `::`, what travels on the edge above it; the number
// in front is the fragment, counted from the sink towards the sources.
func (p *planning) text() string {
	var s strings.Builder
	for i, n := range p.logical {
		s.WriteString("logical plan\n")
		s.WriteString(indent(logical.Print(n)))
		s.WriteString("physical plan\n")
		e := explainer{}
		e.print(&s, p.plan.Roots[i], 1, 1)
	}
	if len(p.fired) > 0 {
		s.WriteString("rules: " + strings.Join(p.fired, ", ") + "\n")
	}
	for _, w := range p.plan.Warnings {
		s.WriteString("warning: " + w + "\n")
	}
	return s.String()
}

func indent(text string) string {
	return "  " + strings.TrimSuffix(strings.ReplaceAll(text, "\n", "\n  "), "  ")
}

// explainer numbers fragments while printing.
type explainer struct{ fragments int }

func (e *explainer) print(s *strings.Builder, n physical.Node, fragment, depth int) {
	if e.fragments == 0 {
		e.fragments = 1
	}
	fmt.Fprintf(s, "  %d%s%s :: %s\n", fragment, strings.Repeat("  ", depth), physical.Describe(n), edgeText(n))
	for _, c := range n.Inputs() {
		e.print(s, c, e.below(n, fragment), depth+1)
	}
}

// below is the fragment of a node's input: an exchange begins a new one.
func (e *explainer) below(n physical.Node, fragment int) int {
	if _, cut := n.(*physical.Exchange); !cut {
		return fragment
	}
	e.fragments++
	return e.fragments
}

// edgeText says what is known of a node's output and of its state.
func edgeText(n physical.Node) string {
	p := n.Properties()
	parts := []string{p.Changelog.String()}
	if p.Bounded {
		parts[0] += " bounded"
	}
	for _, k := range p.Keys {
		parts = append(parts, "key "+physical.Names(p.Fields, k))
	}
	if len(p.EventTime) > 0 {
		parts = append(parts, "time "+physical.Names(p.Fields, p.EventTime))
	}
	if state := stateText(n); state != "" {
		parts = append(parts, "state: "+state)
	}
	return strings.Join(parts, ", ")
}

// stateText tells what bounds the state of an operator; "" when it has none.
func stateText(n physical.Node) string {
	bounded := func(otherwise string) string {
		for _, c := range n.Inputs() {
			if !c.Properties().Bounded {
				return otherwise
			}
		}
		return "bounded by the input"
	}
	switch x := n.(type) {
	case *physical.WindowAggregate:
		return "bounded by window"
	case *physical.GroupAggregate:
		switch {
		case x.WindowEnd >= 0:
			return "bounded by window"
		case len(x.Keys) == 0:
			return "one row"
		}
		return bounded("grows with keys")
	case *physical.Join:
		if x.LeftWindowEnd >= 0 {
			return "bounded by window"
		}
		return bounded("grows with rows")
	case *physical.TemporalJoin:
		return "bounded by watermark, versions grow with keys"
	case *physical.LookupJoin:
		return "the right table, read at start"
	case *physical.Normalize, *physical.Deduplicate:
		return bounded("grows with keys")
	case *physical.TopN:
		if len(n.Inputs()) > 0 && n.Inputs()[0].Properties().Changelog != physical.AppendOnly {
			return bounded("grows with rows")
		}
		return bounded("n rows a partition, grows with partitions")
	case *physical.Over:
		return overState(x, bounded)
	case *physical.Sort, *physical.Materialize:
		return bounded("grows with rows")
	}
	return ""
}

func overState(x *physical.Over, bounded func(string) string) string {
	switch x.Mode {
	case physical.OverClose:
		return "bounded by window"
	case physical.OverStream:
		if len(x.PartitionBy) > 0 && physical.Remembers(x.Calls) {
			return "bounded by watermark and frames, grows with partitions"
		}
		return "bounded by watermark and frames"
	}
	return bounded("grows with rows")
}

// explained is a node of EXPLAIN FORMAT=json.
type explained struct {
	Operator  string      `json:"operator"`
	ID        string      `json:"id"`
	Fragment  int         `json:"fragment"`
	Changelog string      `json:"changelog"`
	Bounded   bool        `json:"bounded"`
	Columns   []string    `json:"columns"`
	Keys      [][]string  `json:"keys,omitempty"`
	EventTime []string    `json:"event_time,omitempty"`
	State     string      `json:"state,omitempty"`
	Inputs    []explained `json:"inputs,omitempty"`
}

func (p *planning) json() (string, error) {
	out := struct {
		Logical  []string    `json:"logical"`
		Physical []explained `json:"physical"`
		Rules    []string    `json:"rules"`
		Warnings []string    `json:"warnings"`
	}{Rules: p.fired, Warnings: p.plan.Warnings}
	for i, n := range p.logical {
		out.Logical = append(out.Logical, logical.Print(n))
		e := explainer{fragments: 1}
		out.Physical = append(out.Physical, e.node(p.plan.Roots[i], 1))
	}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encoding the plan: %w", err)
	}
	return string(b) + "\n", nil
}

func (e *explainer) node(n physical.Node, fragment int) explained {
	p := n.Properties()
	out := explained{Operator: physical.Describe(n), ID: fmt.Sprintf("%016x", n.ID()), Fragment: fragment,
		Changelog: p.Changelog.String(), Bounded: p.Bounded, State: stateText(n), EventTime: fieldNames(p, p.EventTime)}
	for _, f := range p.Fields {
		out.Columns = append(out.Columns, f.Name+" "+f.Type.String())
	}
	for _, k := range p.Keys {
		out.Keys = append(out.Keys, fieldNames(p, k))
	}
	for _, c := range n.Inputs() {
		out.Inputs = append(out.Inputs, e.node(c, e.below(n, fragment)))
	}
	return out
}

func fieldNames(p *physical.Props, cols []int) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = p.Fields[c].Name
	}
	return out
}
