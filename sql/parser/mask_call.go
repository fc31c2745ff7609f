package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

func nameSet(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// windowable are the calls behind which TiDB takes OVER; onlyWindow the ones it takes in no other way.
	windowable = nameSet("COUNT SUM AVG MIN MAX BIT_AND BIT_OR BIT_XOR GROUP_CONCAT STD STDDEV STDDEV_POP STDDEV_SAMP VAR_POP VAR_SAMP " +
		"VARIANCE JSON_ARRAYAGG JSON_OBJECTAGG ROW_NUMBER RANK DENSE_RANK CUME_DIST PERCENT_RANK NTILE LEAD LAG FIRST_VALUE LAST_VALUE NTH_VALUE")
	onlyWindow = nameSet("ROW_NUMBER RANK DENSE_RANK CUME_DIST PERCENT_RANK NTILE LEAD LAG FIRST_VALUE LAST_VALUE NTH_VALUE")
	// distinctable are the aggregates in which TiDB takes DISTINCT.
	distinctable = nameSet("COUNT SUM AVG MIN MAX GROUP_CONCAT STDDEV_POP STDDEV_SAMP VAR_POP VAR_SAMP STD STDDEV VARIANCE")
	// ranks take no argument and look at no value.
	ranks = nameSet("ROW_NUMBER RANK DENSE_RANK CUME_DIST PERCENT_RANK")
	// clocks take no argument, or a number of digits, in TiDB.
	clocks = nameSet("NOW CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP SYSDATE CURDATE CURRENT_DATE CURTIME CURRENT_TIME UTC_DATE UTC_TIME UTC_TIMESTAMP CURRENT_USER CURRENT_ROLE")
	// arities are the numbers of arguments that TiDB takes, where it minds; with others, the binder shall say what is wrong.
	arities = func() map[string][2]int {
		m := map[string][2]int{"SUBSTRING": {2, 3}, "SUBSTR": {2, 3}, "MID": {2, 3}, "TRANSLATE": {3, 3}, "JSON_OBJECTAGG": {2, 2}, "NTILE": {1, 1},
			"FIRST_VALUE": {1, 1}, "LAST_VALUE": {1, 1}, "NTH_VALUE": {2, 2}, "LAG": {1, 3}, "LEAD": {1, 3}}
		for name := range ranks {
			m[name] = [2]int{0, 0}
		}
		for _, name := range strings.Fields("COUNT SUM AVG MIN MAX BIT_AND BIT_OR BIT_XOR STD STDDEV STDDEV_POP STDDEV_SAMP VAR_POP VAR_SAMP VARIANCE JSON_ARRAYAGG") {
			m[name] = [2]int{1, 1}
		}
		return m
	}()
	// glued are the names that TiDB, as MySQL, wants written without a blank before the bracket; we do not mind.
	glued = nameSet("NOW SYSDATE CURDATE CURTIME SUBSTRING SUBSTR MID")
	// dateMath take INTERVAL only as a keyword in TiDB; ours is a value.
	dateMath = nameSet("DATE_ADD DATE_SUB ADDDATE SUBDATE")
)

// islandCall tells whether the call at k must be parsed by us.
func (p *parser) islandCall(k int) bool {
	name := p.toks[k].up
	open := k + 1
	m := int(p.match[open])
	after := m + 1
	if p.word(after, "FILTER") && p.op(after+1, "(") || p.word(after, "WITHIN", "GROUP") {
		return true
	}
	over := p.hasOver(after)
	switch {
	case m == open+2 && p.op(open+1, "*") && !windowable[name]:
		return true // which functions take *, the binder knows
	case p.matching > 0 && p.variableStar(open+1, m):
		return true // COUNT(A.*)
	case (name == "ANY" || name == "SOME") && p.startsQuery(open+1):
		return false // x > ANY (subquery)
	case (windowable[name] || glued[name]) && p.toks[k].end != p.toks[open].off && p.find(open+1, m, "FROM") == m:
		return true // count (*), which MySQL wants written without the blank
	case name == "RLIKE" || name == "REGEXP" || clocks[name] && p.strangeClock(open, m) || p.strangeArity(name, open+1, m):
		return true
	case (ranks[name] || name == "NTILE") && (p.word(after, "IGNORE") || p.word(after, "RESPECT")):
		return true
	case refusedNames[name], dateMath[name], over && !windowable[name], !over && onlyWindow[name]:
		return true
	case (p.word(open+1, "DISTINCT") || p.word(open+1, "ALL")) && (!distinctable[name] || over):
		return true
	}
	return name != "GROUP_CONCAT" && p.find(open+1, m, "ORDER", "BY") < m || p.find(open+1, m, "NULLS") < m ||
		!over && (p.word(after, "IGNORE", "NULLS") || p.word(after, "RESPECT", "NULLS"))
}

// strangeClock tells whether TiDB would refuse what stands between the brackets of NOW (..) and its kin.
func (p *parser) strangeClock(open, m int) bool {
	return m > open+2 || m == open+2 && p.toks[open+1].kind != kNumber
}

// strangeArity tells whether TiDB would refuse the number of arguments [i, m).
func (p *parser) strangeArity(name string, i, m int) bool {
	a, ok := arities[name]
	if !ok || p.word(i, "DISTINCT") || p.word(i, "ALL") || p.find(i, m, "FROM") < m || p.find(i, m, "IN") < m {
		return false
	}
	n, start := 0, i
	for ; i < m; i = p.comma(i, m) + 1 {
		n++
	}
	return n < a[0] || n > a[1] || n > 1 && onlyWindow[name] && p.toks[p.comma(start, m)+1].kind != kNumber
}

func (p *parser) hasOver(k int) bool {
	for p.word(k, "IGNORE", "NULLS") || p.word(k, "RESPECT", "NULLS") || p.word(k, "FROM", "FIRST") || p.word(k, "FROM", "LAST") {
		k += 2
	}
	return p.word(k, "OVER")
}

// find returns the first place of [i, j), outside brackets, where these keywords stand; j when there is none.
func (p *parser) find(i, j int, words ...string) int {
	for k := i; k < j; k++ {
		if p.match[k] > int32(k) {
			k = int(p.match[k])
		} else if p.word(k, words...) {
			return k
		}
	}
	return j
}

// call parses `name([DISTINCT] args [ORDER BY ..] [SEPARATOR s]) [IGNORE NULLS] [FILTER (WHERE e)] [OVER ..]` at k.
func (p *parser) call(k int) int {
	open := k + 1
	m := int(p.match[open])
	c := &ast.Call{Pos: ast.Pos(p.toks[k].off), Name: strings.ToLower(p.toks[k].up)}
	p.callArgs(c, open+1, m)
	k0 := k
	k = m + 1
	k = p.nullTreatment(c, k)
	if p.word(k, "WITHIN", "GROUP") {
		k = p.withinGroup(c, k)
	}
	if p.word(k, "FILTER") && p.op(k+1, "(") {
		end := int(p.match[k+1])
		from := k + 2
		if !p.word(from, "WHERE") {
			p.fail(tokenError(p.toks[from], diag.SyntaxError, "WHERE is expected before %s", p.describe(from)).WithHint("write FILTER (WHERE condition)"))
		}
		c.Filter = p.expr(from+1, end)
		k = p.nullTreatment(c, end+1)
	}
	if p.word(k, "OVER") {
		k = p.callOver(c, k)
	}
	p.punch(k0, k, hole{expr: c})
	return k
}

// withinGroup parses WITHIN GROUP (ORDER BY ..) at k.
func (p *parser) withinGroup(c *ast.Call, k int) int {
	if !p.op(k+2, "(") {
		p.wanted(k+2, "(")
	}
	m := int(p.match[k+2])
	if !p.word(k+3, "ORDER", "BY") {
		p.fail(tokenError(p.toks[k+3], diag.SyntaxError, "ORDER BY is expected before %s", p.describe(k+3)).WithHint("write WITHIN GROUP (ORDER BY x)"))
	}
	if c.OrderBy != nil {
		p.failAt(k, diag.SyntaxError, "a second ORDER BY in the same aggregate")
	}
	c.OrderBy, c.WithinGroup = p.orderItems(k+5, m), true
	return m + 1
}

func (p *parser) nullTreatment(c *ast.Call, k int) int {
	if p.word(k, "FROM", "LAST") {
		p.failAt(k, diag.NotSupported, "FROM LAST is not supported")
	}
	if p.word(k, "FROM", "FIRST") && (p.word(k+2, "OVER") || p.word(k+3, "NULLS")) {
		k += 2
	}
	if p.word(k, "IGNORE", "NULLS") || p.word(k, "RESPECT", "NULLS") {
		c.IgnoreNulls = c.IgnoreNulls || p.toks[k].up == "IGNORE"
		k += 2
	}
	return k
}

// callArgs parses what stands between the brackets of an island call.
func (p *parser) callArgs(c *ast.Call, i, j int) {
	if p.word(i, "DISTINCT") || p.word(i, "ALL") {
		c.Distinct = p.toks[i].up == "DISTINCT"
		i++
	}
	end := j
	if s := p.find(i, j, "SEPARATOR"); s < j && c.Name == "group_concat" {
		if s+2 != j || p.toks[s+1].kind != kString {
			p.failAt(s+1, diag.SyntaxError, "a string is expected behind SEPARATOR")
		}
		c.Separator = p.simple(s+1, s+2).(*ast.Literal).Text
		end = s
	} else if c.Name == "group_concat" {
		c.Separator = ","
	}
	if o := p.find(i, end, "ORDER", "BY"); o < end {
		if p.word(end-2, "IGNORE", "NULLS") || p.word(end-2, "RESPECT", "NULLS") {
			end = p.nullTreatment(c, end-2) - 2
		}
		c.OrderBy = p.orderItems(o+2, end)
		end = o
	}
	if n := end - 2; n > i && (p.word(n, "IGNORE", "NULLS") || p.word(n, "RESPECT", "NULLS")) {
		p.nullTreatment(c, n)
		end = n
	}
	switch {
	case p.op(i, "*") && i+1 == end:
		c.Star = true
	case p.matching > 0 && p.variableStar(i, end):
		c.Args = []ast.Expr{&ast.Star{Pos: ast.Pos(p.toks[i].off), Table: p.nameAt(i).Text}}
	case i < end:
		mark := len(p.holes)
		p.maskArgs(i, end)
		c.Args = p.maskedExprs(i, end, mark, false)
	}
}

// variableStar tells whether the tokens [i, j) are A.*.
func (p *parser) variableStar(i, j int) bool {
	return j == i+3 && p.anyName(i) && p.op(i+1, ".") && p.op(i+2, "*")
}

// callOver parses OVER (..) or OVER name.
func (p *parser) callOver(c *ast.Call, k int) int {
	if p.op(k+1, "(") {
		m := int(p.match[k+1])
		w, extends := p.window(k+2, m)
		w.Pos = ast.Pos(p.toks[k+1].off)
		if c.Over = w; extends != "" {
			p.named = append(p.named, namedWindow{call: c, name: extends, off: w.At()})
		}
		return m + 1
	}
	if !p.isName(k + 1) {
		p.failAt(k+1, endCode(p.toks[k+1]), "a window is expected before %s", p.describe(k+1))
	}
	n := p.nameAt(k + 1)
	c.Over = &ast.Window{Pos: n.Pos}
	p.named = append(p.named, namedWindow{call: c, name: strings.ToLower(n.Text), off: n.At()})
	return k + 2
}
