package logical

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// MatchRecognize finds rows that match a pattern, in each partition (ISO/IEC 9075-2:2016, row pattern recognition). Output: with one
// row per match the partition columns, then the measures; with AllRows the input, then the measures.
//
// The expressions of Define and Measures are over Refs: column i is the value of Refs[i], which the operator computes from the rows
// matched so far. Define[s] is nil for a symbol that every row is.
type MatchRecognize struct {
	base
	PartitionBy []int
	Order       []physical.SortKey
	Symbols     []string // as written first
	Pattern     MatchPattern
	Refs        []MatchRef
	Define      []expr.Expr // by symbol
	Measures    []expr.Expr
	Names       []string // of Measures
	AllRows     bool
	Skip        MatchSkip
	Within      int64 // microseconds between the first and the last row; 0: no bound
	Pos         int
}

// MatchPattern is ast.Pattern with the symbol as an index into Symbols; Parts of a PERMUTE match in any order.
type MatchPattern struct {
	Op        string // as in ast.Pattern
	Symbol    int
	Parts     []MatchPattern
	Min, Max  int // Max -1: no bound
	Reluctant bool
}

// MatchSkip tells where to look for the next match: Kind as in ast.AfterMatch; with TO FIRST and TO LAST the rows of Symbols.
type MatchSkip struct {
	Kind    string
	Symbols []int
}

// MatchRefKind is the kind of a MatchRef.
type MatchRefKind uint8

// The kinds of values that a pattern gives its expressions.
const (
	MatchColumn     MatchRefKind = iota // Expr over one row of the match
	MatchAggregate                      // Agg over the rows of Symbols
	MatchClassifier                     // the symbol that the row is
	MatchNumber                         // the match's number in its partition, from 1
)

// MatchRef is a value computed from the rows of a match. For MatchColumn and MatchClassifier the row is the first or last (First) of
// Symbols (nil: any row), Offset further of the same symbols towards the other end, then Step rows on in the partition (PREV: below
// zero); without such a row the value is NULL. Final: over the whole match, not only up to the present row.
type MatchRef struct {
	Kind    MatchRefKind
	Symbols []int
	First   bool
	Offset  int
	Step    int
	Final   bool
	Expr    expr.Expr // over the input
	Agg     MatchCall // of MatchAggregate
	Name    string    // for EXPLAIN
	Type    types.Type
}

// MatchCall is an aggregate over rows of a match; Args are over the input.
type MatchCall struct {
	Bound function.BoundAgg
	Args  []expr.Expr
}

// NewMatchRecognize puts a pattern over in.
func NewMatchRecognize(in Node, m MatchRecognize) *MatchRecognize {
	m.in = []Node{in}
	if m.AllRows {
		m.cols = concat(in.Columns(), nil)
	} else {
		m.cols = pick(in.Columns(), m.PartitionBy)
	}
	for i, e := range m.Measures {
		m.cols = append(m.cols, types.Field{Name: m.Names[i], Type: e.Type()})
	}
	return &m
}

// With puts the pattern over another input.
func (m *MatchRecognize) With(in ...Node) Node { return NewMatchRecognize(in[0], *m) }

// text gives the pattern as it is written.
func (p MatchPattern) text(symbols []string) string {
	parts := make([]string, len(p.Parts))
	for i, x := range p.Parts {
		if parts[i] = x.text(symbols); p.Op == "CONCAT" && x.Op == "ALT" || p.Op == "REPEAT" && (x.Op == "ALT" || x.Op == "CONCAT" || x.Op == "REPEAT") {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	switch p.Op {
	case "SYMBOL":
		return symbols[p.Symbol]
	case "START":
		return "^"
	case "END":
		return "$"
	case "ALT":
		return strings.Join(parts, " | ")
	case "PERMUTE":
		return "PERMUTE(" + strings.Join(parts, ", ") + ")"
	case "EXCLUDE":
		return "{- " + parts[0] + " -}"
	case "REPEAT":
		return parts[0] + p.quantifier()
	}
	return strings.Join(parts, " ")
}

func (p MatchPattern) quantifier() string {
	q := fmt.Sprintf("{%d,%d}", p.Min, p.Max)
	switch {
	case p.Min == 0 && p.Max == -1:
		q = "*"
	case p.Min == 1 && p.Max == -1:
		q = "+"
	case p.Min == 0 && p.Max == 1:
		q = "?"
	case p.Max == -1:
		q = fmt.Sprintf("{%d,}", p.Min)
	}
	if p.Reluctant {
		q += "?"
	}
	return q
}

// describe is the node's line in a plan.
func (m *MatchRecognize) describe(in []types.Field) string {
	s := "MatchRecognize" + partitionText(in, m.PartitionBy) + " order " + physical.OrderText(in, m.Order) + " pattern (" + m.Pattern.text(m.Symbols) + ")"
	if m.Within > 0 {
		s += fmt.Sprintf(" within %d us", m.Within)
	}
	for i, d := range m.Define {
		if d != nil {
			s += " " + m.Symbols[i] + " AS " + expr.Print(d)
		}
	}
	s += " measures " + physical.Projection(m.Measures, m.cols[len(m.cols)-len(m.Measures):])
	if m.AllRows {
		s += " all rows"
	}
	s += " skip " + m.Skip.Kind
	for _, sym := range m.Skip.Symbols {
		s += " " + m.Symbols[sym]
	}
	return s
}

// refColumns is what the expressions of a pattern are over.
func (m *MatchRecognize) refColumns() []types.Field {
	out := make([]types.Field, len(m.Refs))
	for i, r := range m.Refs {
		out[i] = types.Field{Name: r.Name, Type: r.Type}
	}
	return out
}

func checkMatch(m *MatchRecognize) error {
	for _, r := range m.Refs {
		for _, e := range append([]expr.Expr{r.Expr}, r.Agg.Args...) {
			if e == nil {
				continue
			}
			if err := checkExpr(e, inputColumns(m)); err != nil {
				return err
			}
		}
	}
	refs := m.refColumns()
	for _, e := range append(append([]expr.Expr{}, m.Define...), m.Measures...) {
		if e == nil {
			continue
		}
		if err := checkExpr(e, refs); err != nil {
			return err
		}
	}
	return checkOrder(m.in[0], m.PartitionBy, m.Order)
}
