package difftest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/parser"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// columns are those of the table that expressions are evaluated over.
var columns = []struct{ name, ours, theirs string }{
	{"id", "INT", "INT"}, {"i", "INT", "INT"}, {"k", "BIGINT", "BIGINT"}, {"b", "BIGINT", "BIGINT"}, {"u", "BIGINT UNSIGNED", "BIGINT UNSIGNED"},
	{"d", "DECIMAL(10,2)", "DECIMAL(10,2)"}, {"e", "DECIMAL(20,6)", "DECIMAL(20,6)"}, {"f", "DOUBLE", "DOUBLE"},
	{"s", "VARCHAR(100)", "VARCHAR(100)"}, {"w", "VARCHAR(100)", "VARCHAR(100)"}, {"n", "VARCHAR(100)", "VARCHAR(100)"},
	{"dt", "DATE", "DATE"}, {"ts", "DATETIME(6)", "DATETIME(6)"}, {"tm", "TIME", "TIME"}, {"bo", "BOOLEAN", "BOOLEAN"}, {"j", "VARCHAR(1000)", "VARCHAR(1000)"},
	{"q", "DECIMAL(65,20)", "DECIMAL(65,20)"}, {"g", "DECIMAL(50,0)", "DECIMAL(50,0)"}, {"y", "YEAR", "YEAR"},
	{"en", "ENUM('small','large','Medium')", "ENUM('small','large','Medium')"}, {"st", "SET('a','b','c')", "SET('a','b','c')"},
}

// cells are the rows: typical values, edges and NULLs.
var cells = [][]string{
	{"1", "0", "0", "0", "0", "0.00", "0.000000", "0", "''", "'a'", "'0'", "'2024-02-29'", "'2024-02-29 23:59:59.999999'", "'00:00:00'", "FALSE", `'{}'`, "0", "0", "2024", "'small'", "''"},
	{"2", "1", "7", "9223372036854775807", "1", "1.50", "0.000001", "0.6", "'abc'", "'b'", "'12'", "'2026-01-31'", "'2026-01-31 10:20:30'", "'10:20:30'", "TRUE", `'{"a": 1, "b": [1, 2, {"c": "x"}]}'`, "12345678901234567890.12345678901234567890", "99999999999999999999999999999999999999999999999999", "1999", "'large'", "'a'"},
	{"3", "-1", "-7", "-9223372036854775807", "18446744073709551615", "-1.50", "-0.000001", "-2.3", "'ABC'", "'abc'", "'-3.5'", "'1999-12-31'", "'1999-12-31 00:00:00'", "'23:59:59'", "TRUE", `'[1, "two", null, 4.5, true]'`, "-99999999999999999999.5", "-12345678901234567890123456789012345678901234567890", "2000", "'Medium'", "'c,a'"},
	{"4", "NULL", "3", "1000", "1000", "2.50", "12345678901234.567891", "1e10", "'héllo wörld'", "'ö'", "'007'", "'2000-03-01'", "'2000-03-01 12:00:00.5'", "'12:00:00'", "NULL", `'{"a": null, "b": "q\\"uote", "c": {"d": []}}'`, "NULL", "7", "0000", "NULL", "'b'"},
	{"5", "2147483647", "NULL", "-1", "255", "99999999.99", "3.141593", "3.141592653589793", "'a%b_c\\\\d'", "'%'", "'1e3'", "'1970-01-01'", "'1970-01-01 00:00:01'", "'01:02:03'", "FALSE", `'"text"'`, "0.00000000000000000001", "-1", "1901", "'small'", "NULL"},
	{"6", "-2147483648", "12", "NULL", "65536", "-99999999.99", "-99999999999999.999999", "-1e-3", "'it''s'", "'x,y,z'", "' 5 '", "'2023-12-31'", "'2023-12-31 23:59:59'", "'00:00:01'", "NULL", "'17'", "3.14159265358979323846", "NULL", "2155", "'large'", "'a,b,c'"},
	{"7", "42", "100", "86400", "NULL", "0.05", "0.500000", "1234.5678", "'  padded  '", "'a,b,c'", "'0.1'", "'2024-12-30'", "'2024-12-30 06:07:08.009'", "'06:07:08'", "TRUE", `'{"b": {"a": [10, 20, 30]}, "a": "z"}'`, "1000000000000000000000000000000000000000", "1000000000000000000000000000000000000000", "1970", "'Medium'", "'b,c'"},
	{"8", "-13", "2", "255", "12", "NULL", "7.000000", "2", "'日本語'", "'日'", "'999'", "'2021-01-03'", "'2021-01-03 15:30:00'", "'15:30:00'", "FALSE", "NULL", "-0.5", "3", "2069", "'small'", "'c'"},
	{"9", "3", "5", "65537", "3", "1.25", "NULL", "-0.1", "NULL", "'the quick brown fox'", "'-1'", "'2020-02-28'", "'2020-02-28 18:45:12.123456'", "'18:45:12'", "TRUE", `'[]'`, "99999999999999999999999999999999999999999999.99999999999999999999", "123456789012345678901234567890", "NULL", "'large'", "'a'"},
	{"10", "10", "-3", "-86400", "7", "-0.05", "-2.718282", "NULL", "'aaa bbb aaa'", "NULL", "'3'", "NULL", "NULL", "NULL", "NULL", `'{"a": [{"b": 1}, {"b": 2}]}'`, "2.5", "-250", "2026", "NULL", "'a,c'"},
	{"11", "NULL", "1", "17", "2", "10.00", "100.000000", "1e3", "'0'", "''", "NULL", "'1900-02-28'", "'9999-12-31 23:59:59'", "'00:59:59'", "TRUE", "'true'", "-7", "2", "2001", "'Medium'", "''"},
	{"12", "5", "-1", "4611686018427387904", "9223372036854775808", "12.34", "1.000000", "0.3", "'😀 emoji'", "'Zebra'", "'25'", "'2026-03-29'", "'2026-03-29 02:30:00'", "'02:30:00'", "FALSE", `'null'`, "1", "10", "1985", "'small'", "'b'"},
}

// fakeConnectors let the planner believe in the table.
type fakeConnectors struct{}

func (fakeConnectors) Check(*catalog.Relation, bool) error                { return nil }
func (fakeConnectors) Schema(*catalog.Relation) []types.Field             { return nil }
func (fakeConnectors) Metadata(*catalog.Relation) map[string]types.Type   { return nil }
func (fakeConnectors) Bounded(*catalog.Relation) bool                     { return true }
func (fakeConnectors) SourceChanges(*catalog.Relation) physical.Changelog { return physical.AppendOnly }
func (fakeConnectors) SinkMode(*catalog.Relation, bool) physical.Changelog {
	return physical.AppendOnly
}

// table evaluates expressions over the rows.
type table struct {
	env  planner.Env
	rows *vector.Batch
}

func newTable(t *testing.T) *table {
	t.Helper()
	tab := &table{env: planner.Env{Catalog: catalog.New(), Connectors: fakeConnectors{}, Variables: map[string]string{}, AdHoc: true}}
	var defs []string
	for _, c := range columns {
		defs = append(defs, c.name+" "+c.ours)
	}
	stmt, err := parser.Parse("CREATE SOURCE t (" + strings.Join(defs, ", ") + ") WITH (connector = 'x')")
	if err != nil {
		t.Fatal(err)
	}
	rel, err := planner.BindRelation(stmt, tab.env)
	if err != nil {
		t.Fatal(err)
	}
	tab.env.Catalog.Add(rel, false)
	fields := make([]types.Field, len(columns))
	for i := range columns {
		fields[i] = types.Field{Name: columns[i].name, Type: rel.Columns[i].Type}
	}
	tab.rows = vector.NewBatch(fields, len(cells))
	one := &vector.Batch{N: 1}
	for _, row := range cells {
		for i, c := range columns {
			e, _, err := tab.bind("CAST(" + row[i] + " AS " + c.ours + ")")
			if err != nil {
				t.Fatalf("%s: %v", row[i], err)
			}
			var ctx function.Ctx
			v := expr.Compile([]expr.Expr{e}).Eval(&ctx, one)[0]
			if len(ctx.Errs) > 0 {
				t.Fatalf("%s: %v", row[i], ctx.Errs[0].Err)
			}
			tab.rows.Cols[i].AppendFrom(v, 0)
		}
		tab.rows.EndRow(vector.Insert)
	}
	return tab
}

// statements make the same table in MariaDB.
func (*table) statements() []string {
	var defs []string
	for _, c := range columns {
		defs = append(defs, c.name+" "+c.theirs)
	}
	out := []string{"DROP TABLE IF EXISTS t", "CREATE TABLE t (" + strings.Join(defs, ", ") + ")"}
	for _, row := range cells {
		out = append(out, "INSERT INTO t VALUES ("+strings.Join(row, ", ")+")")
	}
	return out
}

// bind plans SELECT e FROM t; the columns are those that the expression's references count.
func (tab *table) bind(e string) (expr.Expr, []types.Field, error) {
	stmt, err := parser.Parse("SELECT " + e + " AS x FROM t")
	if err != nil {
		return nil, nil, err
	}
	plan, err := planner.Plan(stmt, tab.env)
	if err != nil {
		return nil, nil, err
	}
	for n := plan.Roots[0].Inputs()[0]; ; n = n.Inputs()[0] {
		if p, ok := n.(*physical.Project); ok {
			return p.Exprs[0], p.Inputs()[0].Properties().Fields, nil
		}
		if len(n.Inputs()) == 0 { // a bare column
			f := n.Properties().Fields
			if len(f) != 1 {
				return nil, nil, fmt.Errorf("no projection above %T", n)
			}
			return &expr.Col{Index: 0, Typ: f[0].Type}, f, nil
		}
	}
}

// answer is the value of an expression in one row.
type answer struct {
	text string
	null bool
	err  *diag.Error
}

// eval evaluates an expression over all rows; the error is that of binding.
func (tab *table) eval(e string) (types.Type, []answer, error) {
	x, fields, err := tab.bind(e)
	if err != nil {
		return types.Type{}, nil, err
	}
	in := &vector.Batch{N: tab.rows.N}
	for _, f := range fields {
		for i, c := range columns {
			if c.name == f.Name {
				in.Cols = append(in.Cols, tab.rows.Cols[i])
			}
		}
	}
	var ctx function.Ctx
	v := expr.Compile([]expr.Expr{x}).Eval(&ctx, in)[0]
	out := make([]answer, tab.rows.N)
	for i := range out {
		out[i].null = v.IsNull(i)
		out[i].text = string(function.AppendText(nil, v, i))
	}
	for _, re := range ctx.Errs {
		if out[re.Row].err == nil {
			out[re.Row].err = re.Err
		}
	}
	return v.Type, out, nil
}
