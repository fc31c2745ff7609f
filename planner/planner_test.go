package planner

import (
	"os"
	"strings"
	"testing"

	"github.com/millrace/millrace/planner/bind"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

func testEnv(t testing.TB) Env {
	t.Helper()
	env := Env{Catalog: catalog.New(), Connectors: fakeConnectors{}}
	schema, err := os.ReadFile("testdata/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := define(string(schema), env); err != nil {
		t.Fatal(err)
	}
	return env
}

func mustPlan(t testing.TB, text string, env Env) *physical.Plan {
	t.Helper()
	stmt, err := parser.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(stmt, env)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func walk(n physical.Node, fn func(physical.Node)) {
	fn(n)
	for _, c := range n.Inputs() {
		walk(c, fn)
	}
}

// identities lists the IDs of a plan's nodes by description.
func identities(t *testing.T, p *physical.Plan) map[string][]uint64 {
	out, seen := map[string][]uint64{}, map[uint64]bool{}
	for _, r := range p.Roots {
		walk(r, func(n physical.Node) {
			if n.ID() == 0 || seen[n.ID()] {
				t.Errorf("%s: identity %x is zero or taken", physical.Describe(n), n.ID())
			}
			seen[n.ID()] = true
			name := strings.Fields(physical.Describe(n))[0]
			out[name] = append(out[name], n.ID())
		})
	}
	return out
}

// An edit above a stateful operator, or of the text alone, leaves its identity as it is; an edit of what it computes does not.
func TestIdentitySurvivesEdits(t *testing.T) {
	env := testEnv(t)
	plan := func(query string) map[string][]uint64 {
		return identities(t, mustPlan(t, "CREATE MATERIALIZED VIEW v AS "+query, env))
	}
	before := plan("SELECT zone, COUNT(*) AS n FROM trips WHERE speed > 3 GROUP BY zone")["GroupAggregate"]
	for query, same := range map[string]bool{
		"SELECT zone, COUNT(*) AS n FROM trips\n\n WHERE 3 < 4 AND speed > 3 GROUP BY zone HAVING n > 7": true,
		"SELECT count(*) * 2 AS twice, zone AS z FROM trips AS x WHERE x.speed > 3 GROUP BY z":           true,
		"SELECT zone, COUNT(*) AS n FROM trips WHERE speed > 4 GROUP BY zone":                            false,
		"SELECT zone, COUNT(*) AS n FROM trips WHERE speed > 3 GROUP BY zone, driver":                    false,
	} {
		after := plan(query)["GroupAggregate"]
		if got := after[0] == before[0]; got != same {
			t.Errorf("%s: same identity %v, want %v", query, got, same)
		}
	}
}

// The sides of a self-join keep their states apart, and columns of the same name are told apart.
func TestIdentityIsUnique(t *testing.T) {
	env := testEnv(t)
	identities(t, mustPlan(t, "CREATE MATERIALIZED VIEW v AS SELECT a.id AS x, b.id AS y FROM users a JOIN users b ON a.id = b.id", env))
	sum := func(col string) uint64 {
		q := "CREATE MATERIALIZED VIEW v AS SELECT a.zone AS z, MAX(" + col + ") AS m FROM raw a JOIN raw b ON a.zone = b.zone GROUP BY a.zone"
		return identities(t, mustPlan(t, q, env))["Project"][1]
	}
	if sum("a.id") == sum("b.id") {
		t.Error("MAX(a.id) and MAX(b.id) share an identity")
	}
}

// A plan's root is the catalog's own entry, so that what the engine keeps beside it is found.
func TestRootRefersToTheCatalog(t *testing.T) {
	env := testEnv(t)
	plan := mustPlan(t, "CREATE MATERIALIZED VIEW per_zone AS SELECT zone, COUNT(*) AS n FROM trips GROUP BY zone", env)
	if got := plan.Roots[0].(*physical.ViewWrite).View; got != env.Catalog.Get("per_zone") {
		t.Errorf("another entry: %v", got)
	}
	plan = mustPlan(t, "INSERT INTO idx SELECT zone, id FROM raw", env)
	if got := plan.Roots[0].(*physical.SinkWrite).Relation; got != env.Catalog.Get("idx") {
		t.Errorf("another entry: %v", got)
	}
}

func TestErrorPolicy(t *testing.T) {
	env := testEnv(t)
	policy := func(p *physical.Plan) (out []physical.ErrorPolicy) {
		walk(p.Roots[0], func(n physical.Node) {
			if f, ok := n.(*physical.Filter); ok {
				out = append(out, f.Policy)
			}
		})
		return out
	}
	if got := policy(mustPlan(t, "INSERT INTO changes SELECT zone, id FROM raw WHERE id > 1", env)); got[0] != physical.DeadLetter {
		t.Errorf("job: %v", got)
	}
	env.Variables = map[string]string{"error_policy": "skip"}
	if got := policy(mustPlan(t, "INSERT INTO changes SELECT zone, id FROM raw WHERE id > 1", env)); got[0] != physical.Skip {
		t.Errorf("job of a session that skips: %v", got)
	}
	env.AdHoc = true
	if got := policy(mustPlan(t, "SELECT id FROM raw WHERE id > 1 EMIT CHANGES", env)); got[0] != physical.Fail {
		t.Errorf("ad hoc: %v", got)
	}
}

func TestStatementSetHasARootPerInsert(t *testing.T) {
	env := testEnv(t)
	stmt := &ast.StatementSet{}
	for _, text := range []string{"INSERT INTO changes SELECT zone, id FROM raw", "INSERT INTO idx SELECT zone, id FROM raw"} {
		s, err := parser.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		stmt.Inserts = append(stmt.Inserts, s.(*ast.Insert))
	}
	plan, err := Plan(stmt, env)
	if err != nil || len(plan.Roots) != 2 {
		t.Fatalf("%v roots, %v", len(plan.Roots), err)
	}
	ids := map[uint64]bool{}
	for _, r := range plan.Roots {
		walk(r, func(n physical.Node) {
			if ids[n.ID()] {
				t.Errorf("%s: identity shared between roots", physical.Describe(n))
			}
			ids[n.ID()] = true
		})
	}
}

// Hostile nesting ends in an error that names the limit, never in a stack overflow. The trees are made by hand: the parser has limits of
// its own.
func TestLimits(t *testing.T) {
	env := testEnv(t)
	deep := ast.Expr(&ast.Literal{Kind: ast.LitInt, Text: "1"})
	for range bind.MaxNesting + 1 {
		deep = &ast.Unary{Op: "NOT", X: deep}
	}
	var from ast.TableExpr = &ast.Table{Name: ast.Name{Text: "raw"}}
	for range bind.MaxJoins + 1 {
		from = &ast.Join{Kind: ast.JoinCross, Left: from, Right: &ast.Table{Name: ast.Name{Text: "drivers"}}}
	}
	items := []ast.SelectItem{{Expr: &ast.Literal{Kind: ast.LitInt, Text: "1"}, Text: "1"}}
	for name, q := range map[string]*ast.Select{
		"nesting": {Items: []ast.SelectItem{{Expr: deep}}},
		"joins":   {Items: items, From: from},
		"columns": {Items: make([]ast.SelectItem, bind.MaxColumns+1)},
	} {
		for i := range q.Items {
			if q.Items[i].Expr == nil {
				q.Items[i] = items[0]
			}
		}
		_, err := Plan(&ast.QueryStmt{Query: &ast.Query{Body: q}}, env)
		if d, ok := diag.As(err); !ok || d.Code != diag.TooDeep {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An error inside a view is shown where the statement names the view: its own text is not at hand.
func TestErrorInsideView(t *testing.T) {
	env := testEnv(t)
	env.Catalog.Drop("trips")
	text := "SELECT id FROM fast WHERE id > 1 EMIT CHANGES"
	stmt, err := parser.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Plan(stmt, env)
	d, ok := diag.As(err)
	if !ok || d.Code != diag.UnknownTable || d.Offset != strings.Index(text, "fast") || !strings.Contains(d.Message, "in fast: unknown table 'trips'") {
		t.Errorf("%+v", d)
	}
}

// A chain of views that doubles its column at each step must not explode when projections are merged.
func TestDoublingViews(t *testing.T) {
	env := testEnv(t)
	text := "SELECT id AS x FROM raw"
	for range 40 {
		text = "SELECT d.x + d.x AS x FROM (" + text + ") AS d"
	}
	mustPlan(t, "CREATE MATERIALIZED VIEW v AS "+text, env)
}

const typicalQuery = `CREATE SINK dashboard WITH (connector = 'opensearch', mode = 'upsert') AS
WITH priced AS (
  SELECT t.id, t.zone, t.ts, t.pos.city.name AS city,
         t.fare * r.rate AS price, z.name AS zone_name, d.name AS driver_name
  FROM trips AS t
  JOIN tariffs FOR SYSTEM_TIME AS OF t.ts AS r ON t.zone = r.zone
  LEFT JOIN zones AS z ON t.zone = z.id
  LEFT JOIN drivers AS d ON t.driver = d.id
  WHERE t.speed BETWEEN 1 AND 200 AND z.borough IN ('Queens', 'Bronx')
)
SELECT window_start, window_end, zone, zone_name,
       COUNT(*) AS trips,
       COUNT(DISTINCT driver_name) AS drivers,
       SUM(price) AS revenue,
       AVG(price) AS mean,
       MAX(CASE WHEN price > 100 THEN price ELSE 0 END) AS top
FROM HOP(TABLE priced, DESCRIPTOR(ts), INTERVAL 1 MINUTE, INTERVAL 10 MINUTE)
GROUP BY window_start, window_end, zone, zone_name
HAVING trips > 3`

func BenchmarkPlan(b *testing.B) {
	env := testEnv(b)
	b.ReportAllocs()
	for b.Loop() {
		mustPlan(b, typicalQuery, env)
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parser.Parse(typicalQuery); err != nil {
			b.Fatal(err)
		}
	}
}
