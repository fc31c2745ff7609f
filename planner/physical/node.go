package physical

import (
	"time"

	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// Changelog is the kind of changes that travel along an edge.
type Changelog uint8

// The changelogs, weakest first. On an Upsert edge there is no -U, and a +U or +I replaces the row of the same key.
const (
	AppendOnly Changelog = iota
	Upsert
	Retract
)

var changelogNames = [...]string{"append", "upsert", "retract"}

// String names the changelog as EXPLAIN prints it.
func (c Changelog) String() string { return changelogNames[c] }

// Props is what is known of a node's output.
type Props struct {
	Fields    []types.Field
	Changelog Changelog
	Keys      [][]int // sets of columns that identify a row; nil: none known
	EventTime []int   // columns that carry event time under the watermark (a window's columns too)
	Bounded   bool    // the input ends by itself
}

// Node is an operator of the plan.
type Node interface {
	Properties() *Props
	Inputs() []Node
	// ID identifies the node's state across restarts: derived from the meaning of its subtree.
	ID() uint64
}

// Base is embedded by every node.
type Base struct {
	Props Props
	In    []Node
	State uint64 // the ID
}

// Properties returns what is known of the output.
func (b *Base) Properties() *Props { return &b.Props }

// Inputs returns the children.
func (b *Base) Inputs() []Node { return b.In }

// ID returns the state identity.
func (b *Base) ID() uint64 { return b.State }

// ErrorPolicy says what becomes of rows with an error.
type ErrorPolicy uint8

// The error policies.
const (
	DeadLetter ErrorPolicy = iota // into the table errors
	Fail
	Skip
)

// WindowKind is the shape of windows.
type WindowKind uint8

// The windows.
const (
	Tumble WindowKind = iota
	Hop
	Session
	Cumulate
)

// WindowSpec describes windows over an event-time column. Times are microseconds; Zone moves calendar days (nil: UTC).
type WindowSpec struct {
	Kind                     WindowKind
	TimeCol                  int // column of the input
	Size, Slide, Offset, Gap int64
	Zone                     *time.Location
}

// JoinKind is the kind of a join.
type JoinKind uint8

// The joins that operators execute (RIGHT becomes LEFT with inputs swapped and a projection). Semi keeps the left rows that have a partner,
// Anti those that have none; Mark keeps all of them and appends a BOOLEAN that tells whether there is one.
const (
	Inner JoinKind = iota
	Left
	Full
	Semi
	Anti
	Mark
)

// LeftOnly tells whether the output holds no columns of the right side.
func (k JoinKind) LeftOnly() bool { return k >= Semi }

// AggCall is one aggregate of an aggregation. Args are columns of the input; Filter is a BOOLEAN column (-1: none).
type AggCall struct {
	Name   string // as EXPLAIN prints it
	Bound  function.BoundAgg
	Args   []int
	Filter int
}

// SortKey is one key of an order; NULLs come first in ascending order.
type SortKey struct {
	Col  int
	Desc bool
}

// Ordinality as the argument of an ExpandColumn: the number of the row among those made of one input row, from 1.
const Ordinality = -1

// ExpandColumn is a column that Expand makes: of the elements of argument Arg the field Part of a STRUCT, the key (0) or value (1)
// of a MAP, or the element itself (-1).
type ExpandColumn struct {
	Arg, Part int
	Type      types.Type
}

type (
	// SourceScan reads a source or table from its connector. Columns index Relation.Columns (never computed ones) and make up
	// the output in that order; Types are their types, possibly narrowed STRUCTs. No children.
	SourceScan struct {
		Base
		Relation *catalog.Relation
		Columns  []int
		Types    []types.Type
	}
	// AssignWatermark computes the watermark of each split: the largest value of Expr so far. TimeCol is the event-time column.
	// Rows whose event time lies further ahead than MaxFuture are errors. It always sits in the source's fragment.
	AssignWatermark struct {
		Base
		TimeCol   int
		Expr      expr.Expr
		MaxFuture time.Duration
		Policy    ErrorPolicy
		Relation  string
	}
	// Values is constant rows.
	Values struct {
		Base
		Rows [][]expr.Expr
	}
	// ViewScan reads the current rows of a materialised view, once (a snapshot); Follow goes on with its changes.
	ViewScan struct {
		Base
		View   *catalog.Relation
		Follow bool
	}
	// SystemScan reads a table that the engine fills: errors, late, jobs.
	SystemScan struct {
		Base
		Relation *catalog.Relation
	}
	// Filter keeps the rows where Pred is TRUE.
	Filter struct {
		Base
		Pred   expr.Expr
		Policy ErrorPolicy
	}
	// Project computes the output columns.
	Project struct {
		Base
		Exprs  []expr.Expr
		Policy ErrorPolicy
	}
	// Expand makes a row of each element of ARRAYs and MAPs, side by side: the input columns Keep, then Made. Outer: an input row
	// without elements gives one row, whose made columns are NULL.
	Expand struct {
		Base
		Args   []expr.Expr
		Keep   []int
		Made   []ExpandColumn
		Outer  bool
		Policy ErrorPolicy
	}
	// WindowAssign appends window_start, window_end, window_time to each row, one copy per window it falls into. (SESSION
	// windows exist only under WindowAggregate.)
	WindowAssign struct {
		Base
		Window WindowSpec
	}
	// WindowAggregate groups by window and Keys and emits each window once, when the watermark passes its end: append-only.
	// Its input is the unwindowed rows. Output: keys, then window_start, window_end, window_time, then aggregates.
	WindowAggregate struct {
		Base
		Window WindowSpec
		Keys   []int
		Aggs   []AggCall
	}
	// GroupAggregate groups by Keys (none: one global row) and emits changes. Output: keys, then aggregates. RetractInput says
	// whether rows are taken back. WindowEnd is the index in Keys of a window's end whose groups die when the watermark passes it (-1: none): the
	// state of EMIT CHANGES over windows. FinalOnly emits each group once, at the end of a bounded input, as +I.
	GroupAggregate struct {
		Base
		Keys         []int
		Aggs         []AggCall
		RetractInput bool
		WindowEnd    int
		FinalOnly    bool
	}
	// Join is the regular join: both sides are kept, unless TTL. LeftKeys[i] equals RightKeys[i]; where NullEqual[i] (nil: nowhere)
	// NULL equals NULL. Residual is over left columns then right columns (nil: none). Output: left columns, right columns; of Semi and
	// Anti the left columns, of Mark those and the mark.
	Join struct {
		Base
		Kind                JoinKind
		LeftKeys, RightKeys []int
		NullEqual           []bool
		Residual            expr.Expr
		// Windowed names, when set, columns (left, right) of event time after which rows can no longer match: both sides carry
		// the same window_end as join key. State is dropped when the watermark passes. -1: none.
		LeftWindowEnd, RightWindowEnd int
	}
	// TemporalJoin joins each left row with the version of the right row of the same key that was valid at the left row's
	// LeftTime. Right is a changelog with event time RightTime; rows wait until both watermarks have passed. Kind is Inner or Left.
	TemporalJoin struct {
		Base
		Kind                JoinKind
		LeftKeys, RightKeys []int
		LeftTime, RightTime int
		Residual            expr.Expr
	}
	// LookupJoin joins each left row with a bounded table that is read whole before the first row is let through. Right is
	// the plan that reads the table. Kind is any but Full.
	LookupJoin struct {
		Base
		Kind                JoinKind
		LeftKeys, RightKeys []int
		NullEqual           []bool
		Residual            expr.Expr
	}
	// Recursive emits the rows of its first input and all that its second makes of them, step by step: the rows of a step are fed
	// to the RecursiveRefs of the same Link in the second input, which has no exchange between them and here. It runs in one task, without
	// durable state.
	Recursive struct {
		Base
		Link     int
		Distinct bool
		MaxDepth int
		Limit    int64 // rows after which it may stop; < 0: none
		Pos      int   // of the table expression, for errors
	}
	// RecursiveRef is fed by the Recursive above it. No children.
	RecursiveRef struct {
		Base
		Link int
	}
	// Union passes all inputs on; columns agree in types.
	Union struct{ Base }
	// Normalize turns an upsert changelog into a retract one by remembering the last row of each key.
	Normalize struct {
		Base
		Key []int
	}
	// Deduplicate keeps the first row of each key (First) or the last (a retract changelog).
	Deduplicate struct {
		Base
		Key   []int
		First bool
	}
	// TopN keeps per partition the first Limit rows of an order, as a changelog. RankCol says whether row_number is appended.
	TopN struct {
		Base
		PartitionBy []int
		Order       []SortKey
		Limit       int64
		WithRank    bool
	}
	// Sort orders the final rows of a bounded input (ad hoc queries); Limit < 0: all.
	Sort struct {
		Base
		Order         []SortKey
		Offset, Limit int64
	}
	// Limit passes the first rows and then ends the query.
	Limit struct {
		Base
		Offset, Limit int64
	}
	// Materialize collects a bounded changelog and emits its final rows as inserts at the end.
	Materialize struct{ Base }
	// Exchange moves rows between tasks by the hash of Keys; no keys: all to one task, or with Broadcast a copy to every task.
	// Exchanges stand below every keyed operator (both inputs of Join and TemporalJoin), below global ones (no keys), and with
	// Broadcast below the right input of LookupJoin.
	Exchange struct {
		Base
		Keys      []int
		Broadcast bool
	}
	// SinkWrite ends a plan in a sink: Columns of the relation, in order, are the input's columns.
	SinkWrite struct {
		Base
		Relation *catalog.Relation
		Key      []int
		Policy   ErrorPolicy
	}
	// ViewWrite ends a plan in a materialised view: Key identifies rows (empty: the whole row, counted).
	ViewWrite struct {
		Base
		View *catalog.Relation
		Key  []int
	}
	// Result ends a plan at the client that asked.
	Result struct{ Base }
)

// Plan is the physical plan of one statement.
type Plan struct {
	Roots    []Node // SinkWrite, ViewWrite or Result; several for a statement set
	Warnings []string
	// Functions of the user's and relations that the statement names, itself or through views; lower case.
	Functions, Relations []string
}
