package planner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
	"pgregory.net/rapid"
)

// queries draws random queries over testdata/schema.sql. With -tags invariants the optimizer checks its output after every rule, and
// that no rule changes the columns.
type queries struct {
	t     *rapid.T
	depth int
	n     int // aliases given out
}

func (q *queries) pick(options ...string) string {
	return rapid.SampledFrom(options).Draw(q.t, "pick")
}

func (q *queries) chance(percent int) bool {
	return rapid.IntRange(0, 99).Draw(q.t, "chance") < percent
}

// table draws something for FROM and gives its alias; all have columns id and zone.
func (q *queries) table() (text, alias string) {
	q.n++
	alias = fmt.Sprintf("t%d", q.n)
	if q.depth > 3 || q.chance(50) {
		return q.pick("trips", "raw", "history", "fast") + " AS " + alias, alias
	}
	switch q.pick("derived", "derived", "users", "zones", "window") {
	case "users":
		return "(SELECT id, id AS zone FROM users) AS " + alias, alias
	case "zones":
		return "(SELECT id, id AS zone, name FROM zones) AS " + alias, alias
	case "window":
		return "HOP(TABLE " + q.pick("trips", "history", "fast") + ", DESCRIPTOR(ts), INTERVAL 5 SECOND, INTERVAL 20 SECOND) AS " + alias, alias
	}
	return "(" + q.query() + ") AS " + alias, alias
}

func (q *queries) condition(alias string) string {
	col := alias + "." + q.pick("id", "zone")
	switch q.pick("=", "<", "in", "null", "or", "and") {
	case "in":
		return col + " IN (1, 2, 3)"
	case "null":
		return col + " IS NOT NULL"
	case "or":
		return "(" + col + " = 1 OR " + alias + ".zone > 2)"
	case "and":
		return col + " + 1 > 2 AND " + alias + ".id <> 7"
	case "<":
		return col + " < " + alias + ".id * 2"
	}
	return col + " = 3"
}

// query draws a SELECT whose output has columns id and zone.
func (q *queries) query() string {
	q.depth++
	defer func() { q.depth-- }()
	from, alias := q.table()
	where := []string{}
	other := ""
	if q.chance(35) {
		var right string
		right, other = q.table()
		join := q.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
		on := q.pick(alias+".id = "+other+".id", alias+".zone + 1 = "+other+".zone AND "+other+".id > 3", alias+".id = "+other+".zone AND "+alias+".zone < "+other+".id")
		from += " " + join + " " + right + " ON " + on
		if q.chance(40) {
			where = append(where, q.condition(other))
		}
	}
	if q.chance(50) {
		where = append(where, q.condition(alias))
	}
	cond := ""
	if len(where) > 0 {
		cond = " WHERE " + strings.Join(where, " AND ")
	}
	from = " FROM " + from + cond
	id, zone := alias+".id", q.pick(alias+".zone", alias+".id + 1", "CASE WHEN "+alias+".zone > 1 THEN 1 END")
	switch q.pick("plain", "plain", "group", "distinct", "rank", "union", "limit", "global") {
	case "group":
		return "SELECT " + zone + " AS zone, COUNT(DISTINCT " + id + ") AS id, MAX(" + alias + ".zone) FILTER (WHERE " + id + " > 1) AS m" + from + " GROUP BY " + zone
	case "global":
		return "SELECT COUNT(*) AS id, SUM(" + id + ") + 1 AS zone" + from
	case "distinct":
		return "SELECT DISTINCT " + id + ", " + zone + " AS zone" + from
	case "rank":
		return "SELECT " + id + ", " + zone + " AS zone" + from + " QUALIFY ROW_NUMBER() OVER (PARTITION BY " + zone + " ORDER BY " + id + " DESC) <= " + q.pick("1", "3")
	case "union":
		return "SELECT " + id + ", " + zone + " AS zone" + from + " UNION " + q.pick("", "ALL ") + q.query()
	case "limit":
		return "SELECT " + id + ", " + zone + " AS zone" + from + " ORDER BY " + id + " LIMIT 5"
	}
	return "SELECT " + id + ", " + zone + " AS zone" + from
}

// TestRandomQueries: planning never panics, errors point into the text, and every plan holds what Check asks for. Most queries must
// be accepted, else the test tests nothing.
func TestRandomQueries(t *testing.T) {
	env := testEnv(t)
	planned, refused := 0, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		q := queries{t: t}
		text := q.query()
		env := env
		switch q.pick("job", "adhoc", "changes") {
		case "job":
			text = "CREATE SINK s WITH (connector = 'x', mode = 'retract') AS SELECT id, zone FROM (" + text + ") AS q"
		case "adhoc":
			env.AdHoc = true
		case "changes":
			env.AdHoc = true
			text += " EMIT CHANGES"
		}
		stmt, err := parser.Parse(text)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		_, err = Plan(stmt, env)
		if err == nil {
			planned++
			return
		}
		d, ok := diag.As(err)
		if !ok || d.Code == diag.Internal || d.Offset < 0 || d.Offset > len(text) {
			t.Fatalf("%s\n%v", text, err)
		}
		refused[d.Error()]++
	})
	t.Logf("%d planned, refused: %v", planned, refused)
	if least := map[bool]int{false: 20, true: 5}[testing.Short()]; planned < least {
		t.Error("too few queries were planned to mean anything")
	}
}
