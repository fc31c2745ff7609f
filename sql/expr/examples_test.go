package expr

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/vector"
)

// evalText evaluates an expression over one row and gives its text, or ERROR and the message of its row error.
func evalText(t *testing.T, src string) string {
	t.Helper()
	e, err := parseExpr(src)
	if err != nil {
		return "BIND " + err.Error()
	}
	var ctx function.Ctx
	out := Compile([]Expr{e}).Eval(&ctx, &vector.Batch{N: 1})[0]
	if len(ctx.Errs) > 0 {
		return "ERROR " + ctx.Errs[0].Err.Code.String()
	}
	return string(function.AppendText(nil, out, 0))
}

// TestFunctionExamples runs the examples in the records of all functions.
func TestFunctionExamples(t *testing.T) {
	for _, f := range function.All() {
		if len(f.Examples) == 0 && f.Deterministic {
			t.Errorf("%s has no example", f.Name)
		}
		for _, ex := range f.Examples {
			if got := evalText(t, ex.SQL); got != ex.Result {
				t.Errorf("%s\n got %s\nwant %s", ex.SQL, got, ex.Result)
			}
		}
	}
}

// TestNullArguments checks that every strict function of constants gives NULL, not an error, when an argument is NULL.
func TestNullArguments(t *testing.T) {
	for _, src := range []string{"upper(NULL)", "NULL + 1", "1 - NULL", "substring('a', NULL)", "round(NULL, 2)", "year(NULL)", "NULL LIKE 'a'",
		"json_extract(NULL, '$.a')", "CAST(NULL AS INT)", "NULL < 3", "greatest(1, NULL)", "date_add(NULL, INTERVAL 1 DAY)", "md5(NULL)", "-(NULL)",
		"NULL IN (1, 2)", "NULL BETWEEN 1 AND 2", "element_at(array(1), NULL)", "distance(NULL, 1, 2, 3)", "regexp_like(NULL, 'a')"} {
		if got := evalText(t, src); got != "NULL" {
			t.Errorf("%s = %s, want NULL", src, got)
		}
	}
}

// TestAggregateExamples runs the examples of aggregates: `sum(x) of 1, 2` feeds the values as rows of one group, `(a, b)` being a row of two.
func TestAggregateExamples(t *testing.T) {
	for _, a := range function.AllAggs() {
		for _, ex := range a.Examples {
			_, list, _ := strings.Cut(ex.SQL, " of ")
			cols := aggregateInput(t, list)
			args := make([]function.Arg, len(cols))
			for i, c := range cols {
				args[i].Type = c.Type
				if i > 0 && constantColumn(c) {
					args[i].Const = c
				}
			}
			bound, err := a.Bind(args)
			if err != nil {
				t.Errorf("%s: %v", ex.SQL, err)
				continue
			}
			for i, c := range cols {
				cast, err := NewCast(&Col{Index: i, Typ: c.Type}, bound.ArgTypes[i], false, -1)
				if err != nil {
					t.Fatal(err)
				}
				cols[i] = Compile([]Expr{cast}).Eval(&function.Ctx{}, &vector.Batch{Cols: cols, N: c.N})[0]
			}
			for _, retract := range []bool{false, true} {
				state := bound.NewState(retract)
				state.Grow(1)
				if err := state.Add(make([]int32, cols[0].N), nil, nil, cols); err != nil {
					t.Fatal(err)
				}
				out := vector.New(bound.Ret, 1)
				state.Emit(0, out)
				if got := string(function.AppendText(nil, out, 0)); got != ex.Result {
					t.Errorf("%s (retract %v)\n got %s\nwant %s", ex.SQL, retract, got, ex.Result)
				}
			}
		}
	}
}

func aggregateInput(t *testing.T, list string) []*vector.Vector {
	e, err := parseExpr("array(" + strings.NewReplacer("(", "row(").Replace(list) + ")")
	if err != nil {
		t.Fatalf("%s: %v", list, err)
	}
	rows := e.(*Const).Value.Child[0]
	if len(rows.Child) > 0 {
		return append([]*vector.Vector{}, rows.Child...)
	}
	return []*vector.Vector{rows}
}

// constantColumn tells whether all rows are equal: such an argument behind the first is given as a constant.
func constantColumn(c *vector.Vector) bool {
	for i := 1; i < c.N; i++ {
		if c.IsNull(i) != c.IsNull(0) || function.Compare(c, i, c, 0) != 0 {
			return false
		}
	}
	return c.N > 0
}
