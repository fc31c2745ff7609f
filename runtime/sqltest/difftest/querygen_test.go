package difftest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// queryColumns are those of the tables a, b and c.
var queryColumns = []struct{ name, typ, kind string }{
	{"id", "INT", "int"}, {"g", "INT", "int"}, {"h", "BIGINT", "int"}, {"v", "DECIMAL(8,2)", "dec"}, {"f", "DOUBLE", "dbl"}, {"s", "VARCHAR(20)", "str"}, {"d", "DATE", "date"},
}

// queryRules make the small expressions within queries.
var queryRules = map[string][]string{
	"int":  {"({int} + {int})", "({int} * 2)", "({int} % 3)", "ifnull({int}, 0)", "CASE WHEN {bool} THEN {int} ELSE 1 END", "coalesce({int}, {int})", "length({str})", "month({date})", "nullif({int}, 1)", "abs({int})"},
	"dec":  {"({dec} + {int})", "({dec} * {dec})", "round({dec})", "if({bool}, {dec}, 0.50)", "ifnull({dec}, {int})"},
	"dbl":  {"({dbl} * 2)", "({dbl} + {dec})", "abs({dbl})"},
	"str":  {"concat({str}, '-', {int})", "upper({str})", "substring({str}, 1, 1)", "coalesce({str}, 'none')", "CASE {int} WHEN 1 THEN 'one' WHEN 2 THEN {str} END"},
	"date": {"({date} + INTERVAL 1 MONTH)", "last_day({date})", "coalesce({date}, DATE '2026-01-01')"},
	"bool": {"{int} {cmp} {int}", "{int} {cmp} {dec}", "{str} {cmp} {str}", "{date} {cmp} {date}", "{dec} {cmp} {dbl}", "{int} IN (1, 2, 5)", "{int} NOT IN (1, 3)", "{str} LIKE '%a%'", "{str} IS NULL", "{int} IS NOT NULL",
		"({bool} AND {bool})", "({bool} OR {bool})", "NOT ({bool})", "{int} BETWEEN 1 AND {int}", "{str} IN ('a', 'b', {str})", "({bool}) IS TRUE"},
}

// queryLeaves are what does not come from a table.
var queryLeaves = map[string][]string{
	"int": {"1", "2", "NULL"}, "dec": {"1.50", "0.25"}, "dbl": {"0.5e0"}, "str": {"'a'", "'bc'"}, "date": {"DATE '2026-01-31'"}, "bool": {"TRUE"}, "cmp": leaves["cmp"],
}

var queryKinds = []string{"int", "int", "dec", "dbl", "str", "date"}

// column is a name and its kind.
type column struct{ name, kind string }

// queries draws queries.
type queries struct {
	r       *rand.Rand
	aliases int
	depth   int
}

func (q *queries) chance(percent int) bool { return q.r.IntN(100) < percent }

func (q *queries) pick(of ...string) string { return of[q.r.IntN(len(of))] }

// value draws an expression of a kind over columns.
func (q *queries) value(kind string, scope []column, depth int) string {
	l := map[string][]string{}
	for k, v := range queryLeaves {
		l[k] = v
	}
	for _, c := range scope {
		if len(l[c.kind]) == len(queryLeaves[c.kind]) {
			l[c.kind] = nil // columns alone, once there is one
		}
		l[c.kind] = append(l[c.kind], c.name)
	}
	for _, k := range slices.Sorted(maps.Keys(queryLeaves)) { // in one order, so that a seed means the same queries
		if len(l[k]) == 0 || q.chance(10) {
			l[k] = append(l[k], queryLeaves[k]...)
		}
	}
	return (&generator{q.r, l, queryRules}).expression(kind, depth).ours
}

// from draws what stands behind FROM, and its columns.
func (q *queries) from() (string, []column) {
	left, scope := q.relation()
	for joins := 0; joins < 2 && q.chance(45); joins++ {
		right, more := q.relation()
		kind := q.pick("JOIN", "LEFT JOIN", "RIGHT JOIN")
		on := q.equality(scope, more)
		if q.chance(10) {
			scope = append(scope, more...)
			left += q.pick(" CROSS JOIN ", ", ") + right
			continue
		}
		if kind == "JOIN" && q.chance(15) {
			on = more[0].name + q.pick(" < ", " <> ", " >= ") + scope[0].name
		}
		scope = append(scope, more...)
		if q.chance(30) {
			on += " AND " + q.value("bool", scope, 1)
		}
		left += " " + kind + " " + right + " ON " + on
	}
	return left, scope
}

// equality draws the condition that joins: columns of one kind from both sides.
func (q *queries) equality(left, right []column) string {
	for range 50 {
		x, y := left[q.r.IntN(len(left))], right[q.r.IntN(len(right))]
		if x.kind == y.kind && x.kind != "dbl" {
			if x.kind == "int" && q.chance(20) {
				return x.name + " + 1 = " + y.name
			}
			return x.name + " = " + y.name
		}
	}
	return "1 = 1"
}

// relation draws a table or a derived table.
func (q *queries) relation() (string, []column) {
	q.aliases++
	alias := "t" + strconv.Itoa(q.aliases)
	var scope []column
	if q.depth > 1 || q.chance(75) {
		for _, c := range queryColumns {
			scope = append(scope, column{alias + "." + c.name, c.kind})
		}
		return q.pick("a", "b", "c") + " AS " + alias, scope
	}
	text, kinds := q.query()
	for i, k := range kinds {
		scope = append(scope, column{fmt.Sprintf("%s.c%d", alias, i+1), k})
	}
	if order := q.order(text, kinds); order != "" && q.chance(25) {
		text += order + fmt.Sprintf(" LIMIT %d", q.r.IntN(7))
	}
	return "(" + text + ") AS " + alias, scope
}

// where draws a condition, or none.
func (q *queries) where(scope []column) string {
	if !q.chance(60) {
		return ""
	}
	conds := []string{q.value("bool", scope, 2)}
	if q.chance(20) {
		c := scope[q.r.IntN(len(scope))]
		if sub := q.column(c.kind); sub != "" && c.kind != "dbl" {
			conds = append(conds, c.name+" IN "+"("+sub+")")
		}
	}
	if q.chance(5) {
		conds = append(conds, "("+q.value("bool", scope, 1)+" OR "+q.value("bool", scope, 1)+")", q.value("bool", scope, 1))
	}
	if q.chance(8) {
		conds = append(conds, q.pick("", "NOT ")+"EXISTS (SELECT 1 FROM c WHERE "+q.value("bool", []column{{"c.id", "int"}, {"c.s", "str"}}, 1)+")")
	}
	if q.chance(8) {
		conds = append(conds, q.value("int", scope, 0)+" "+q.pick("<", ">=", "<>")+" (SELECT "+q.pick("MAX", "MIN", "COUNT")+"(g) FROM "+q.pick("a", "b", "c")+")")
	}
	for q.depth <= 2 && len(conds) < 3 && q.chance(25) {
		conds = append(conds, q.test(scope, 1))
	}
	if len(conds) > 1 && q.chance(15) {
		conds = []string{"(" + conds[0] + " OR NOT (" + conds[1] + "))"}
	}
	return " WHERE " + strings.Join(conds, " AND ")
}

// inner draws FROM and WHERE of a subquery that reads columns of scope, and its own columns.
func (q *queries) inner(scope []column, nesting int) (string, []column) {
	q.aliases++
	alias := "s" + strconv.Itoa(q.aliases)
	var own []column
	for _, c := range queryColumns {
		own = append(own, column{alias + "." + c.name, c.kind})
	}
	text := " FROM " + q.pick("a", "b", "c") + " AS " + alias
	if q.chance(12) {
		q.aliases++
		more := "s" + strconv.Itoa(q.aliases)
		text += q.pick(" JOIN ", " LEFT JOIN ") + q.pick("b", "c") + " AS " + more + " ON " + alias + ".g = " + more + ".g"
		for _, c := range queryColumns {
			own = append(own, column{more + "." + c.name, c.kind})
		}
	}
	var conds []string
	if q.chance(75) {
		conds = append(conds, q.equality(scope, own))
	}
	if q.chance(25) {
		k := q.pick("int", "dec", "str", "date")
		conds = append(conds, q.value(k, own, 0)+" "+q.pick("<", ">=", "<>", "<=>")+" "+q.value(k, scope, 0))
	}
	if q.chance(20) {
		conds = append(conds, "("+q.value("bool", own, 1)+" OR "+q.value("bool", scope, 1)+")")
	}
	if nesting > 0 && q.chance(20) {
		conds = append(conds, q.test(append(slices.Clone(scope), own...), nesting-1))
	}
	if len(conds) > 0 {
		text += " WHERE " + strings.Join(conds, " AND ")
	}
	return text, own
}

// test draws a condition with a subquery, most often a correlated one.
func (q *queries) test(scope []column, nesting int) string {
	from, own := q.inner(scope, nesting)
	k := q.pick("int", "int", "dec", "str", "date")
	switch q.r.IntN(6) {
	case 0, 1:
		return q.pick("", "NOT ") + "EXISTS (SELECT " + q.value(k, own, 0) + from + ")"
	case 2:
		return q.value(k, scope, 0) + q.pick(" IN ", " NOT IN ") + "(SELECT " + q.value(k, own, 0) + from + ")"
	case 3:
		return q.value(k, scope, 0) + q.pick(" < ", " >= ", " = ", " <> ") + q.pick("ANY", "ALL") + " (SELECT " + q.value(k, own, 0) + from + ")"
	case 4:
		return "(" + q.value("int", scope, 0) + ", " + q.value("str", scope, 0) + ")" + q.pick(" IN ", " NOT IN ") + "(SELECT " + q.value("int", own, 0) + ", " + q.value("str", own, 0) + from + ")"
	}
	return q.value("dec", scope, 0) + q.pick(" < ", " >= ", " <> ") + "(SELECT " + q.pick("MAX", "MIN", "SUM", "COUNT") + "(" + q.value(q.pick("int", "dec"), own, 0) + ")" + from + ")"
}

// correlated draws values of subqueries in the select list.
func (q *queries) correlated() (string, []string) {
	from, scope := q.from()
	var items, kinds []string
	for i := range 1 + q.r.IntN(2) {
		inner, own := q.inner(scope, 1)
		var item, kind string
		switch q.r.IntN(6) {
		case 0:
			item, kind = "(SELECT COUNT(*)"+q.pick("", " + 1", " + "+q.value("int", scope, 0))+inner+")", "int"
		case 1:
			item, kind = "(SELECT SUM("+q.value("int", own, 0)+")"+inner+")", "dec"
		case 2:
			item, kind = "("+q.test(scope, 1)+")", "int"
		case 3:
			item, kind = "CASE WHEN "+q.test(scope, 1)+" THEN "+q.value("int", scope, 0)+" ELSE -1 END", "int"
		case 4:
			o := own[0].name
			item, kind = "(SELECT "+o+inner+" ORDER BY "+o+q.pick("", " DESC")+" LIMIT 1"+q.pick("", "", " OFFSET 1")+")", "int"
		default:
			item, kind = "(SELECT MAX("+q.value("str", own, 0)+")"+inner+")", "str"
		}
		items, kinds = append(items, fmt.Sprintf("%s AS c%d", item, i+1)), append(kinds, kind)
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM " + from + q.where(scope), kinds
}

// rollup draws totals of totals. MariaDB sorts no such query, so that it stands in another.
func (q *queries) rollup() (string, []string) {
	from, scope := q.from()
	n := 1 + q.r.IntN(2)
	var items, keys, kinds []string
	for len(keys) < n {
		c := scope[q.r.IntN(len(scope))]
		if c.kind == "dbl" || slices.Contains(keys, c.name) {
			if q.chance(10) {
				break // there may be no other
			}
			continue
		}
		keys, kinds = append(keys, c.name), append(kinds, c.kind)
		items = append(items, fmt.Sprintf("%s AS c%d", c.name, len(keys)))
	}
	if n = len(keys); n == 0 {
		return q.grouped()
	}
	agg, k := q.aggregate(scope)
	items, kinds = append(items, fmt.Sprintf("%s AS c%d", agg, n+1)), append(kinds, k)
	return "SELECT * FROM (SELECT " + strings.Join(items, ", ") + " FROM " + from + q.where(scope) + " GROUP BY " + strings.Join(keys, ", ") + " WITH ROLLUP) AS r", kinds
}

// natural draws NATURAL joins and USING of several columns.
func (q *queries) natural() (string, []string) {
	left, right := q.pick("a", "b", "c"), q.pick("a", "b", "c")
	how := q.pick(" NATURAL JOIN ", " NATURAL LEFT JOIN ", " NATURAL RIGHT JOIN ")
	using := ""
	if q.chance(50) {
		how, using = q.pick(" JOIN ", " LEFT JOIN ", " RIGHT JOIN "), " USING ("+q.pick("g, s", "g", "s, g")+")"
	}
	switch {
	case using == " USING (g)":
		return "SELECT g AS c1, x.s AS c2, y.s AS c3, v AS c4 FROM (SELECT g, s, v FROM " + left + ") AS x" + how + "(SELECT s, g FROM " + right + ") AS y" + using, []string{"int", "str", "str", "dec"}
	case q.chance(50):
		return "SELECT g AS c1, s AS c2, v AS c3, f + 0 AS c4, x.g AS c5, y.s AS c6 FROM (SELECT g, s, v FROM " + left + ") AS x" + how + "(SELECT f, s, g FROM " + right + ") AS y" + using, []string{"int", "str", "dec", "dbl", "int", "str"}
	}
	return "SELECT * FROM (SELECT g, s, v FROM " + left + ") AS x" + how + "(SELECT d, s, g FROM " + right + ") AS y" + using, []string{"dbl"}
}

// column draws a subquery of one column of a kind.
func (q *queries) column(kind string) string {
	for _, c := range queryColumns {
		if c.kind == kind {
			return "SELECT " + c.name + " FROM " + q.pick("a", "b", "c") + q.pick("", " WHERE "+c.name+" IS NOT NULL", " WHERE id > 3", " WHERE g = 2")
		}
	}
	return ""
}

// query draws a query whose columns are c1, c2, .. of the kinds returned.
func (q *queries) query() (string, []string) {
	q.depth++
	defer func() { q.depth-- }()
	var kinds []string
	for range 1 + q.r.IntN(3) {
		kinds = append(kinds, queryKinds[q.r.IntN(len(queryKinds))])
	}
	switch q.r.IntN(17) {
	case 11, 12:
		return q.correlated()
	case 13:
		return q.rollup()
	case 14:
		return q.natural()
	case 15:
		if q.depth == 1 && q.chance(60) {
			return q.recursive()
		}
		return q.having()
	case 0, 1, 2:
		return q.grouped()
	case 3:
		return q.plain(kinds, "DISTINCT "), kinds
	case 4:
		op := q.pick(" UNION ", " UNION ALL ", " UNION ALL ", " EXCEPT ", " INTERSECT ", " EXCEPT ALL ", " INTERSECT ALL ")
		other := slices.Clone(kinds)
		if op == " UNION " || op == " UNION ALL " { // sides of two types have a common one
			for i, k := range other {
				if (k == "int" || k == "dec") && q.chance(30) {
					other[i] = q.pick("int", "dec")
					kinds[i] = k
				}
			}
		}
		text := q.plain(kinds, "") + op + q.plain(other, "")
		for i := range kinds {
			if other[i] == "dec" {
				kinds[i] = "dec"
			}
		}
		if q.chance(20) {
			text += op + q.plain(kinds, "")
		}
		return text, kinds
	case 5:
		return q.ranked()
	case 6:
		if q.depth == 1 {
			return q.cte()
		}
	case 7:
		return q.star()
	}
	return q.plain(kinds, ""), kinds
}

func (q *queries) plain(kinds []string, distinct string) string {
	from, scope := q.from()
	var items []string
	for i, k := range kinds {
		items = append(items, fmt.Sprintf("%s AS c%d", q.value(k, scope, 1), i+1))
	}
	return "SELECT " + distinct + strings.Join(items, ", ") + " FROM " + from + q.where(scope)
}

// aggregate draws an aggregate and the kind of its result.
func (q *queries) aggregate(scope []column) (string, string) {
	distinct := q.pick("", "", "", "DISTINCT ")
	switch q.r.IntN(9) {
	case 0:
		return q.pick("COUNT(*)", "COUNT(*)", "BIT_OR("+q.value("int", scope, 0)+" & 7)", "SUM("+q.value("int", scope, 0)+" IS NULL)"), "int"
	case 1:
		return "COUNT(" + distinct + q.value(q.pick(queryKinds...), scope, 0) + ")", "int"
	case 2:
		return "SUM(" + distinct + q.value(q.pick("int", "dec"), scope, 1) + ")", "dec"
	case 3:
		return "AVG(" + distinct + q.value(q.pick("int", "dec"), scope, 0) + ")", "dec"
	case 4, 5:
		k := q.pick(queryKinds...)
		return q.pick("MIN", "MAX") + "(" + q.value(k, scope, 1) + ")", k
	case 6:
		return "SUM(CASE WHEN " + q.value("bool", scope, 1) + " THEN " + q.value("int", scope, 0) + q.pick(" END", " ELSE 0 END") + ")", "dec"
	case 7:
		return q.pick("STDDEV_POP", "VAR_POP", "VAR_SAMP", "STDDEV_SAMP") + "(1e0 * " + q.value(q.pick("int", "dec"), scope, 0) + ")", "dbl"
	}
	return "COUNT(DISTINCT " + q.value("int", scope, 0) + ", " + q.value("str", scope, 0) + ")", "int"
}

func (q *queries) grouped() (string, []string) {
	from, scope := q.from()
	text := " FROM " + from + q.where(scope)
	var items, keys, kinds []string
	for range q.r.IntN(3) {
		k := q.pick("int", "int", "str", "date", "dec")
		e := q.value(k, scope, q.r.IntN(2))
		if !strings.ContainsAny(e, ".(") || strings.HasPrefix(e, "'") || strings.HasPrefix(e, "DATE '") || strings.Trim(e, "0123456789.") == "" { // a constant, which may mean a column's number
			continue
		}
		keys, items, kinds = append(keys, e), append(items, e), append(kinds, k)
	}
	for range 1 + q.r.IntN(2) {
		agg, k := q.aggregate(scope)
		if (k == "int" || k == "dec") && q.chance(15) {
			agg += " + 1"
		}
		items, kinds = append(items, agg), append(kinds, k)
	}
	var plain []column
	for i, k := range keys {
		if !strings.ContainsAny(k, "( ") {
			plain = append(plain, column{k, kinds[i]})
		}
	}
	if len(plain) > 0 && q.chance(25) {
		inner, own := q.inner(plain, 0)
		items, kinds = append(items, "(SELECT "+q.pick("COUNT(*)", "COUNT("+q.value("int", own, 0)+")")+inner+")"), append(kinds, "int")
	}
	if len(keys) > 0 {
		text += " GROUP BY " + strings.Join(keys, ", ")
	}
	if len(plain) > 0 && q.chance(20) {
		text += " HAVING " + q.pick("", "COUNT(*) < 3 OR ") + q.test(plain, 0)
	} else if q.chance(25) {
		agg, k := q.aggregate(scope)
		if k == "int" || k == "dec" {
			text += " HAVING " + agg + " " + q.pick("> 1", "< 5", "<> 2", "IS NOT NULL")
		}
	}
	for i := range items {
		items[i] += fmt.Sprintf(" AS c%d", i+1)
	}
	return "SELECT " + strings.Join(items, ", ") + text, kinds
}

// ranked draws a top-N query: ROW_NUMBER in an inner query and a bound on it outside. The order is total, by all columns.
func (q *queries) ranked() (string, []string) {
	table := q.pick("a", "b", "c")
	partition := q.pick("", "PARTITION BY g ", "PARTITION BY s ", "PARTITION BY g, s ")
	order := q.pick("v", "v DESC", "d", "s DESC", "h", "f DESC") + ", id" + q.pick("", " DESC")
	inner := "SELECT id, g, v, s, ROW_NUMBER() OVER (" + partition + "ORDER BY " + order + ") AS n FROM " + table + q.pick("", " WHERE g IS NOT NULL")
	return "SELECT id AS c1, v AS c2, s AS c3" + q.pick("", ", n + 0 AS c4") + " FROM (" + inner + ") AS r WHERE n " + q.pick("= 1", "<= 2", "<= 3", "< 3"), []string{"int", "dec", "str"}
}

// star draws SELECT * over a join, and GROUP BY and HAVING by the names of the select list.
func (q *queries) star() (string, []string) {
	if q.chance(50) {
		return "SELECT id AS c1, x.s AS c2, z.v AS c3 FROM " + q.pick("a", "b") + " AS x " + q.pick("JOIN", "LEFT JOIN") + " (SELECT id, v FROM " + q.pick("b", "c") + ") AS z USING (id)", []string{"int", "str", "dec"}
	}
	from, scope := q.from()
	k := q.pick("int", "str", "date")
	agg, ak := q.aggregate(scope)
	text := "SELECT " + q.value(k, scope, 2) + " AS c1, " + agg + " AS c2 FROM " + from + q.where(scope) + " GROUP BY c1"
	if ak == "int" || ak == "dec" {
		text += q.pick("", " HAVING c2 > 1", " HAVING COUNT(*) > 1 AND MIN("+q.value("int", scope, 0)+") < 4")
	}
	return text, []string{k, ak}
}

// having draws HAVING with a name that is a grouped column and an alias, too: the column wins.
func (q *queries) having() (string, []string) {
	table := q.pick("a", "b", "c")
	return "SELECT COUNT(" + q.pick("h", "s", "d") + ") AS g, MAX(g) AS c2 FROM " + table + " GROUP BY g HAVING g " + q.pick("> 1", "< 2", "IS NULL", "<> 0"), []string{"dbl", "dbl"}
}

// recursive draws WITH RECURSIVE over the rows of a table, or over numbers.
func (q *queries) recursive() (string, []string) {
	t := q.pick("a", "b", "c")
	union := q.pick("UNION", "UNION ALL")
	limit := strconv.Itoa(2 + q.r.IntN(4))
	switch q.r.IntN(3) {
	case 0:
		return "WITH RECURSIVE n AS (SELECT 1 AS c1, 5 AS c2 " + union + " SELECT c1 + 1, c2 * 2 FROM n WHERE c1 < " + limit + ") SELECT c1, c2 FROM n" + q.pick("", " WHERE c2 > 10", " WHERE c1 IN (SELECT g FROM "+t+")"), []string{"int", "int"}
	case 1:
		return "WITH RECURSIVE n AS (SELECT id AS c1, 0 AS c2 FROM " + t + " WHERE g " + q.pick("= 1", "IS NULL", "> 1") + " " + union + " SELECT x.id, n.c2 + 1 FROM n JOIN " + q.pick("a", "b", "c") + " AS x ON x.g = n.c1 WHERE n.c2 < " + limit + ") SELECT c1, c2 FROM n", []string{"int", "int"}
	}
	return "WITH RECURSIVE n AS (SELECT g AS c1 FROM " + t + " UNION SELECT x.id FROM " + q.pick("a", "b", "c") + " AS x, n WHERE x.g + 1 = n.c1) SELECT COUNT(*) AS c1, SUM(c1) AS c2 FROM n", []string{"int", "dec"}
}

func (q *queries) cte() (string, []string) {
	inner, kinds := q.query()
	var scope []column
	for i, k := range kinds {
		scope = append(scope, column{fmt.Sprintf("w.c%d", i+1), k})
	}
	k := q.pick(queryKinds...)
	agg, ak := q.aggregate(scope)
	if q.chance(50) {
		return "WITH w AS (" + inner + ") SELECT " + agg + " AS c1 FROM w" + q.where(scope), []string{ak}
	}
	return "WITH w AS (" + inner + ") SELECT " + q.value(k, scope, 1) + " AS c1 FROM w" + q.where(scope), []string{k}
}

// top draws a whole query; ordered tells that the order of its rows is defined.
func (q *queries) top() (text string, ordered bool) {
	text, kinds := q.query()
	if !q.chance(35) {
		return text, false
	}
	order := q.order(text, kinds)
	if order == "" {
		return text, false
	}
	text += order
	if q.chance(60) {
		text += fmt.Sprintf(" LIMIT %d", 1+q.r.IntN(6))
		if q.chance(30) && !strings.Contains(text, "DISTINCT ") { // MariaDB forgets the OFFSET of SELECT DISTINCT of constants
			text += fmt.Sprintf(" OFFSET %d", q.r.IntN(4))
		}
	}
	return text, true
}

// order draws an ORDER BY of all columns, so that ties are equal rows; none where the last digits of a DOUBLE could decide.
func (q *queries) order(text string, kinds []string) string {
	var keys []string
	for i, k := range kinds {
		if k == "dbl" {
			return ""
		}
		keys = append(keys, fmt.Sprintf("%s%s", q.pick(fmt.Sprintf("c%d", i+1), strconv.Itoa(i+1)), q.pick("", "", " DESC")))
	}
	if strings.HasPrefix(text, "SELECT id AS c1") && strings.Contains(text, " AS c4 ") {
		keys = append(keys, "c4")
	}
	q.r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return " ORDER BY " + strings.Join(keys, ", ")
}
