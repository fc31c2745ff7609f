package function

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// WindowKind says how a function with OVER is computed.
type WindowKind uint8

// The window functions; WindowAggregate is an aggregate with OVER.
const (
	WindowAggregate WindowKind = iota
	RowNumber
	Rank
	DenseRank
	PercentRank
	CumeDist
	Ntile
	Lag
	Lead
	FirstValue
	LastValue
	NthValue
)

// Framed tells whether the frame matters. MySQL lets the others have one and ignores it (manual, 14.20.3).
func (k WindowKind) Framed() bool {
	return k == WindowAggregate || k == FirstValue || k == LastValue || k == NthValue
}

// BoundWindow is a window function resolved for given arguments. Columns are the arguments that vary from row to row, by their place in
// the call, ArgTypes the types they are wanted in: first the value, then the default of LAG and LEAD. N is the constant: rows of LAG and
// LEAD, buckets of NTILE, the place of NTH_VALUE.
type BoundWindow struct {
	Kind     WindowKind
	Ret      types.Type
	Columns  []int
	ArgTypes []types.Type
	N        int64
}

// WindowFunc is the record of a function that needs OVER; its evaluation is the window operators'. Examples read `call OVER (..) of
// values`, the call being over a column x that holds the values, one a row; the result lists the answers in the order of the rows.
type WindowFunc struct {
	Name       string
	Signatures []string
	Doc        string
	Examples   []Example
	Nulls      bool // takes IGNORE NULLS
	Bind       func(args []Arg) (BoundWindow, error)
}

var (
	windowFuncs  []*WindowFunc
	windowByName = map[string]*WindowFunc{}
)

// windowFunctions is the table of window functions (MySQL 8.0 manual, 14.20.1).
func windowFunctions() []*WindowFunc {
	over := func(signature, doc string, bind func([]Arg) (BoundWindow, error), examples ...string) *WindowFunc {
		f := def(signature, doc, nil, examples...)
		return &WindowFunc{Name: f.Name, Signatures: f.Signatures, Doc: doc, Examples: f.Examples, Bind: bind}
	}
	nulls := func(f *WindowFunc) *WindowFunc { f.Nulls = true; return f }
	return []*WindowFunc{
		over("row_number()", "The row's place in the order of its partition, from 1; ties are broken by the rows' values.", numbering(RowNumber, tInt), "row_number() OVER (ORDER BY x) of 7, 7, 9", "1, 2, 3"),
		over("rank()", "The row's place, the same for rows that tie; the places behind a tie are left out.", numbering(Rank, tInt), "rank() OVER (ORDER BY x) of 7, 7, 9", "1, 1, 3"),
		over("dense_rank()", "The row's place, the same for rows that tie; none is left out.", numbering(DenseRank, tInt), "dense_rank() OVER (ORDER BY x) of 7, 7, 9", "1, 1, 2"),
		over("percent_rank()", "(rank - 1) / (rows - 1): the share of the other rows that come before this one; 0 in a partition of one row.", numbering(PercentRank, tFloat), "percent_rank() OVER (ORDER BY x) of 1, 2, 3", "0, 0.5, 1"),
		over("cume_dist()", "The share of the partition's rows that come before this one or tie with it.", numbering(CumeDist, tFloat), "cume_dist() OVER (ORDER BY x) of 1, 2, 2, 3", "0.25, 0.75, 0.75, 1"),
		over("ntile(n)", "Cuts the partition into n buckets of the same size, the first ones a row larger where it does not come out even, and gives the row's bucket.", bindNtile, "ntile(2) OVER (ORDER BY x) of 1, 2, 3", "1, 1, 2"),
		nulls(over("lag(x [, n [, default]])", "The x of the row n (1) rows before this one; the default (NULL) when there is none. With IGNORE NULLS only rows where x is not NULL count.", bindNeighbour(Lag), "lag(x) OVER (ORDER BY x) of 1, 2, 3", "NULL, 1, 2", "lag(x, 2, 0) OVER (ORDER BY x) of 1, 2, 3", "0, 0, 1")),
		nulls(over("lead(x [, n [, default]])", "The x of the row n (1) rows behind this one; the default (NULL) when there is none.", bindNeighbour(Lead), "lead(x) OVER (ORDER BY x) of 1, 2, 3", "2, 3, NULL")),
		nulls(over("first_value(x)", "The x of the frame's first row.", bindValue(FirstValue), "first_value(x) OVER (ORDER BY x DESC) of 1, 2, 3", "3, 3, 3")),
		nulls(over("last_value(x)", "The x of the frame's last row: of the present row, unless a frame says otherwise. With IGNORE NULLS it fills gaps.", bindValue(LastValue), "last_value(x) OVER (ORDER BY x ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) of 1, 2, 3", "3, 3, 3")),
		nulls(over("nth_value(x, n)", "The x of the frame's n-th row, from 1; NULL when the frame has fewer.", bindNth, "nth_value(x, 2) OVER (ORDER BY x) of 1, 2, 3", "NULL, 2, 2")),
	}
}

func registerWindow(family ...*WindowFunc) {
	for _, f := range family {
		if f.Doc == "" || f.Bind == nil || len(f.Examples) == 0 || windowByName[f.Name] != nil {
			panic("function: incomplete window function " + f.Name)
		}
		windowFuncs = append(windowFuncs, f)
		windowByName[f.Name] = f
	}
}

// LookupWindow finds a window function by name, in any case; nil when there is none.
func LookupWindow(name string) *WindowFunc { return windowByName[strings.ToLower(name)] }

// AllWindows returns the window functions. The caller must not change the slice.
func AllWindows() []*WindowFunc { return windowFuncs }

func numbering(kind WindowKind, ret types.Type) func([]Arg) (BoundWindow, error) {
	return func(args []Arg) (BoundWindow, error) {
		if len(args) > 0 {
			return BoundWindow{}, countError("no arguments", len(args))
		}
		return BoundWindow{Kind: kind, Ret: ret}, nil
	}
}

func bindNtile(args []Arg) (BoundWindow, error) {
	if len(args) != 1 {
		return BoundWindow{}, countError("the number of buckets", len(args))
	}
	n, err := countArg(args[0], "the number of buckets", 1)
	return BoundWindow{Kind: Ntile, Ret: tInt, N: n}, err
}

// countArg reads a constant integer that is at least least.
func countArg(a Arg, what string, least int64) (int64, error) {
	if a.Const == nil || !a.Type.Kind.IsInteger() || a.Const.IsNull(0) {
		return 0, fmt.Errorf("needs a constant integer as %s", what)
	}
	if n := a.Const.I64[0]; n >= least {
		return n, nil
	}
	return 0, fmt.Errorf("needs at least %d as %s, got %d", least, what, a.Const.I64[0])
}

// bindNeighbour binds LAG and LEAD.
func bindNeighbour(kind WindowKind) func([]Arg) (BoundWindow, error) {
	return func(args []Arg) (BoundWindow, error) {
		if len(args) < 1 || len(args) > 3 {
			return BoundWindow{}, countError("one to three arguments", len(args))
		}
		b := BoundWindow{Kind: kind, Ret: args[0].Type, Columns: []int{0}, N: 1}
		if len(args) > 1 {
			var err error
			if b.N, err = countArg(args[1], "the number of rows", 0); err != nil {
				return b, err
			}
		}
		if len(args) == 3 && !isNullConst(args[2]) {
			t, ok := types.CommonType(args[0].Type, args[2].Type)
			if !ok {
				return b, diag.New(diag.TypeMismatch, -1, "has a default of %s for values of %s", args[2].Type, args[0].Type)
			}
			b.Ret, b.Columns = t, []int{0, 2}
		}
		for range b.Columns {
			b.ArgTypes = append(b.ArgTypes, b.Ret)
		}
		return b, nil
	}
}

func isNullConst(a Arg) bool { return a.Const != nil && a.Const.IsNull(0) }

func bindValue(kind WindowKind) func([]Arg) (BoundWindow, error) {
	return func(args []Arg) (BoundWindow, error) {
		if len(args) != 1 {
			return BoundWindow{}, countError("one argument", len(args))
		}
		return BoundWindow{Kind: kind, Ret: args[0].Type, Columns: []int{0}, ArgTypes: []types.Type{args[0].Type}}, nil
	}
}

func bindNth(args []Arg) (BoundWindow, error) {
	if len(args) != 2 {
		return BoundWindow{}, countError("two arguments", len(args))
	}
	b, err := bindValue(NthValue)(args[:1])
	if err == nil {
		b.N, err = countArg(args[1], "the place", 1)
	}
	return b, err
}
