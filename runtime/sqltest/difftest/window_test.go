package difftest

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// TestWindowFunctions compares random queries with OVER.
func TestWindowFunctions(t *testing.T) {
	compareQueries(t, *queryCount/2, func(r *rand.Rand) (string, bool) { return (&queries{r: r}).windowed(), false })
}

// TestWindowViews keeps some of them as views: each new row changes results of others.
func TestWindowViews(t *testing.T) {
	compareViews(t, *queryCount/20, false, func(r *rand.Rand) string { return (&queries{r: r}).windowed() })
}

// alone finds the calls that MariaDB computes in a wrong order when another window of the query has another order.
var alone = regexp.MustCompile(`PERCENT_RANK|CUME_DIST|RANGE|OVER \(\)`)

// windowed draws a query with one to three calls with OVER over a table, or over the groups of one. MariaDB knows neither GROUPS, nor RANGE
// over dates, nor IGNORE NULLS, nor a default for LAG and LEAD.
func (q *queries) windowed() string {
	from, key := "FROM "+q.pick("a", "b")+q.pick("", "", " WHERE h > -2", " WHERE g IS NOT NULL"), "id"
	scope := []column{}
	for _, c := range queryColumns {
		scope = append(scope, column{c.name, c.kind})
	}
	if q.chance(15) {
		from, key = from+" GROUP BY g, s", "g, s"
		scope = []column{{"g", "int"}, {"s", "str"}, {"SUM(h)", "dec"}, {"COUNT(*)", "int"}, {"MAX(d)", "date"}, {"MIN(v)", "dec"}}
	}
	items := []string{"g AS c1"}
	for i := range 1 + q.r.IntN(3) {
		call := q.over(scope, key)
		if alone.MatchString(call) {
			items = append(items[:1], call+" AS c2")
			break
		}
		items = append(items, fmt.Sprintf("%s AS c%d", call, i+2))
	}
	return "SELECT " + key + ", " + strings.Join(items, ", ") + " " + from
}

// over draws a call. What depends on the order of rows that tie gets a total order.
func (q *queries) over(scope []column, key string) string {
	pickColumn := func(kinds string) string {
		for {
			if c := scope[q.r.IntN(len(scope))]; strings.Contains(kinds, c.kind) {
				return c.name
			}
		}
	}
	partition := ""
	if q.chance(60) {
		partition = "PARTITION BY " + pickColumn("int str") + " "
	}
	by := pickColumn("int dec str date") + q.pick("", " DESC")
	total := "ORDER BY " + by + ", " + key
	x := pickColumn("int dec date str")
	number := pickColumn("int dec")
	agg := q.pick("COUNT(*)", "COUNT("+x+")", "SUM("+number+")", "MIN("+x+")", "MAX("+x+")", "AVG("+number+")")
	switch q.r.IntN(9) {
	case 0:
		if q.chance(50) { // MariaDB gives ten decimals of these
			return fmt.Sprintf("ROUND(%s() OVER (%sORDER BY %s), 6)", q.pick("PERCENT_RANK", "CUME_DIST"), partition, by)
		}
		return fmt.Sprintf("%s() OVER (%sORDER BY %s)", q.pick("RANK", "DENSE_RANK"), partition, by)
	case 1:
		return fmt.Sprintf("%s OVER (%s%s)", q.pick("ROW_NUMBER()", "NTILE(3)", "NTILE(1)", "NTILE(20)"), partition, total)
	case 2:
		return fmt.Sprintf("%s(%s%s) OVER (%s%s)", q.pick("LAG", "LEAD"), x, q.pick("", ", 1", ", 2", ", 0"), partition, total)
	case 3:
		return fmt.Sprintf("%s(%s) OVER (%s%s %s)", q.pick("FIRST_VALUE", "LAST_VALUE"), x, partition, total, q.frame("ROWS"))
	case 4:
		return fmt.Sprintf("NTH_VALUE(%s, %d) OVER (%s%s %s)", x, 1+q.r.IntN(3), partition, total, q.frame("ROWS"))
	case 5:
		return fmt.Sprintf("%s OVER (%s%s %s)", agg, partition, total, q.frame("ROWS"))
	case 6:
		return fmt.Sprintf("%s OVER (%sORDER BY %s%s %s)", agg, partition, pickColumn("int dec"), q.pick("", " DESC"), q.frame("RANGE"))
	case 7:
		return fmt.Sprintf("%s OVER (%sORDER BY %s)", agg, partition, by)
	}
	return fmt.Sprintf("%s OVER (%s)", agg, partition)
}

func (q *queries) frame(unit string) string {
	start := q.pick("UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW", "1 FOLLOWING")
	end := q.pick("UNBOUNDED FOLLOWING", "3 FOLLOWING", "1 FOLLOWING")
	switch {
	case strings.HasSuffix(start, "PRECEDING") && q.chance(60):
		end = q.pick("CURRENT ROW", "CURRENT ROW", "1 PRECEDING")
	case start == "CURRENT ROW" && q.chance(30):
		end = start
	}
	return unit + " BETWEEN " + start + " AND " + end
}
