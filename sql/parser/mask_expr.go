package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// stopMode says where an expression ends; brackets always end it.
type stopMode uint8

const (
	stopClause   stopMode = 1 << iota // at the next clause of the query
	stopQualify                       // QUALIFY is such a clause here
	stopJoin                          // at the words of a join, at ON
	stopComma                         // at a comma
	stopCase                          // at WHEN, THEN, ELSE, END
	stopAdjacent                      // at a name that follows an operand: an alias
	sortKeys                          // nowhere: the keys of ORDER BY are masked
)

var clauseWords = map[string]bool{"FROM": true, "WHERE": true, "GROUP": true, "HAVING": true, "WINDOW": true, "ORDER": true, "LIMIT": true,
	"UNION": true, "EXCEPT": true, "INTERSECT": true, "FOR": true, "INTO": true, "LOCK": true, "FETCH": true, "SELECT": true}

// operandFollows are the words behind which an operand is expected.
var operandFollows = map[string]bool{"NOT": true, "BY": true, "AND": true, "OR": true, "XOR": true, "DIV": true, "MOD": true, "LIKE": true,
	"ILIKE": true, "RLIKE": true, "REGEXP": true, "IN": true, "BETWEEN": true, "WHEN": true, "THEN": true, "ELSE": true, "DISTINCT": true,
	"ALL": true, "EXISTS": true, "BINARY": true, "FROM": true, "FOR": true, "USING": true, "ON": true, "IS": true, "ESCAPE": true,
	"ORDER": true, "PARTITION": true, "ROWS": true, "RANGE": true, "LIMIT": true, "OFFSET": true, "SEPARATOR": true, "LEADING": true,
	"TRAILING": true, "BOTH": true, "HAVING": true, "WHERE": true, "GROUP": true, "DISTINCTROW": true, "WINDOW": true, "AS": true,
	"UNION": true, "EXCEPT": true, "INTERSECT": true, "FETCH": true, "AGAINST": true, "OF": true, "SOUNDS": true, "MEMBER": true}

// stops tells whether the expression ends before token k; operand tells that an operand is expected there.
func (p *parser) stops(k int, m stopMode, operand bool) bool {
	t := p.toks[k]
	if t.kind == kOp {
		return t.up == "," && m&stopComma != 0
	}
	if t.kind != kWord {
		return false
	}
	switch {
	case m&stopClause != 0 && (clauseWords[t.up] || !operand && (p.emitAt(k) || t.up == "EMIT" && p.toks[k+1].kind == kEOF)):
		return true
	case m&stopQualify != 0 && !operand && t.up == "QUALIFY":
		return true
	case m&stopCase != 0 && (t.up == "WHEN" || t.up == "THEN" || t.up == "ELSE" || t.up == "END"):
		return true
	case m&stopJoin != 0 && !operand && (t.up == "ON" || t.up == "AS" || t.up == "MATCH_CONDITION" || p.joinAt(k)):
		return true
	}
	return m&stopAdjacent != 0 && !operand && !operandFollows[t.up] && t.up != "COLLATE" && t.up != "NULL" && t.up != "TRUE" && t.up != "FALSE"
}

// maskExpr masks the islands of an expression, or of any text made of expressions and words, and returns where it stops. It follows
// the alternation of operands and operators and is tolerant: what it does not understand is left to TiDB to judge.
func (p *parser) maskExpr(k, j int, m stopMode) int {
	operand := true
	start := k
	for steps := 0; k < j; steps++ {
		if p.stops(k, m, operand) {
			return k
		}
		t := p.toks[k]
		if t.kind == kOp && t.up == "," {
			steps = 0
		} else if steps > maxSteps {
			p.tooDeep(k, maxSteps)
		}
		switch {
		case operand:
			start = k
			k, operand = p.operand(k, j)
			if !operand {
				k = p.postfix(start, k, j)
			}
		case t.kind == kOp && (t.up == "(" || t.up == "[" || t.up == "{"):
			p.brackets(k)
			k = int(p.match[k]) + 1
		case t.kind == kOp:
			k++
			operand = true
		case p.word(k, "IS"):
			k, operand = p.maskIs(k)
		case m&sortKeys != 0 && (p.word(k, "NULLS", "FIRST") || p.word(k, "NULLS", "LAST")):
			k = p.nullsOrder(k)
		case t.kind == kWord && operandFollows[t.up]:
			operand = t.up != "AS"
			if k++; t.up == "ORDER" {
				m |= sortKeys
			}
		case p.word(k, "COLLATE"):
			k += 2
		default:
			k++
		}
	}
	return min(k, j)
}

// brackets masks what stands between the brackets at k: a query or expressions.
func (p *parser) brackets(k int) {
	m := int(p.match[k])
	if p.op(k, "(") && p.startsQuery(k) {
		p.maskQuery(k+1, m, false)
		return
	}
	p.maskExpr(k+1, m, 0)
}

// maskIs steps over IS; `IS [NOT] DISTINCT FROM` becomes <=>, and the negated form gets a marker that the conversion finds at the
// left edge of the right operand: `x <=> marker ^ y`.
func (p *parser) maskIs(k int) (next int, operand bool) {
	not := p.word(k+1, "NOT")
	d := k + 1
	if not {
		d++
	}
	if !p.word(d, "DISTINCT") {
		return d, true
	}
	if !p.word(d+1, "FROM") {
		p.wanted(d+1, "FROM")
	}
	from, to := p.toks[k].off, p.toks[d+1].end
	p.blank(from, to)
	copy(p.buf[from:], "<=>")
	if !not {
		p.punch(d, d+2, hole{expr: &distinctMark{}})
		p.buf[to-1] = '^'
	}
	return d + 2, true
}

// distinctMark stands in a tree under construction for the word DISTINCT of IS DISTINCT FROM.
type distinctMark struct{ ast.Literal }

// operand masks the operand at k. Behind a prefix operator the operand is still to come.
func (p *parser) operand(k, j int) (next int, more bool) {
	t := p.toks[k]
	switch t.kind {
	case kString:
		for k < j && p.toks[k].kind == kString {
			k++
		}
		return k, false
	case kQuoted:
		return p.path(k, j), false
	case kWord:
		return p.wordOperand(k, j)
	case kOp:
		switch t.up {
		case "(", "[", "{":
			p.brackets(k)
			return int(p.match[k]) + 1, false
		case "*":
			return k + 1, false
		}
		return k + 1, true
	}
	return k + 1, false
}

// wordOperand is operand for words: calls, casts, intervals, CASE, typed literals, paths.
func (p *parser) wordOperand(k, j int) (next int, more bool) {
	t := p.toks[k]
	paren := p.op(k+1, "(") && k+1 < j
	switch t.up {
	case "INTERVAL":
		if n, ok := p.interval(k, j); ok {
			return n, false
		}
	case "CAST", "TRY_CAST":
		if paren {
			return p.cast(k), false
		}
	case "EXTRACT", "TIMESTAMPDIFF", "TIMESTAMPADD":
		if paren {
			if n, ok := p.unitCall(k); ok {
				return n, false
			}
		}
	case "JSON_VALUE":
		if paren {
			if n, ok := p.jsonValue(k); ok {
				return n, false
			}
		}
	case "FINAL", "RUNNING":
		if p.matching > 0 && p.anyName(k+1) && p.op(k+2, "(") && k+2 < j {
			return p.runningCall(k, j), false
		}
	case "CONVERT":
		if paren {
			return p.convert(k), false
		}
	case "MAP":
		if p.op(k+1, "[") && k+1 < j {
			if n, ok := p.mapLit(k); ok {
				return n, false
			}
		}
	case "STRUCT", "ROW":
		if paren && p.rowAt(k) {
			return p.row(k), false
		}
	case "ARRAY":
		if p.op(k+1, "[") || p.op(k+1, "(") && !p.startsQuery(k+2) {
			m := int(p.match[k+1])
			lit := &ast.ArrayLit{Pos: ast.Pos(t.off)}
			if m > k+2 {
				lit.Elems = p.exprs(k+2, m)
			}
			p.punch(k, m+1, hole{expr: lit})
			return m + 1, false
		}
	case "CASE":
		return p.maskCase(k, j), false
	case "DATE", "TIME", "TIMESTAMP", "DATETIME":
		if k+1 < j && p.toks[k+1].kind == kString {
			if t.up == "DATETIME" {
				p.fail(tokenError(t, diag.SyntaxError, "unexpected keyword DATETIME").WithHint("write TIMESTAMP '..'"))
			}
			return k + 2, false
		}
	}
	if paren && (!operandFollows[t.up] || t.up == "MOD" || p.regexpCall(k)) {
		p.windowZone(k)
		if p.islandCall(k) {
			return p.call(k), false
		}
		if m := int(p.match[k+1]); p.startsQuery(k + 2) {
			p.brackets(k + 1)
		} else {
			p.maskArgs(k+2, m)
		}
		return p.over(int(p.match[k+1])+1, j), false
	}
	if operandFollows[t.up] {
		return k + 1, t.up != "AS"
	}
	return p.path(k, j), false
}

// regexpCall tells whether the word at k, where an operand may stand, is the function RLIKE(a, b) and not the operator of NOT RLIKE (b).
func (p *parser) regexpCall(k int) bool {
	m := int(p.match[k+1])
	return (p.word(k, "RLIKE") || p.word(k, "REGEXP")) && (!p.word(k-1, "NOT") || p.comma(k+2, m) < m)
}

// over masks an OVER (..) behind a call that TiDB parses itself.
func (p *parser) over(k, j int) int {
	for k < j && (p.word(k, "IGNORE", "NULLS") || p.word(k, "RESPECT", "NULLS") || p.word(k, "FROM", "FIRST") || p.word(k, "FROM", "LAST")) {
		k += 2
	}
	if k < j && p.word(k, "OVER") {
		if p.op(k+1, "(") {
			m := int(p.match[k+1])
			p.maskExpr(k+2, m, sortKeys)
			return m + 1
		}
		return k + 2
	}
	return k
}

// path steps over a dotted name; longer ones than TiDB knows become a hole.
func (p *parser) path(k, j int) int {
	start := k
	parts := []ast.Name{p.nameAt(k)}
	for k++; k+1 < j && p.op(k, "."); k += 2 {
		if p.op(k+1, "*") {
			return k + 2
		}
		if t := p.toks[k+1]; t.kind != kWord && t.kind != kQuoted {
			return k + 1
		}
		parts = append(parts, p.nameAt(k+1))
	}
	if len(parts) > 3 {
		p.punch(start, k, hole{expr: &ast.Column{Pos: parts[0].Pos, Parts: parts}})
	} else if p.op(k, "(") && k < j && len(parts) > 1 {
		p.failAt(start, diag.NotSupported, "functions have no schema: %s", p.src[p.toks[start].off:p.toks[k-1].end])
	}
	return k
}

// postfixes is a chain of postfix operators behind one operand: x[i], x::T, x -> 'path', x.field, x AT TIME ZONE z.
type postfixes struct {
	p     *parser
	start int      // the operand's first token
	e     ast.Expr // what has been eaten; nil: the operand is still only masked
}

// postfix parses the postfix operators behind the operand [start, k); a chain of them becomes one hole.
func (p *parser) postfix(start, k, j int) int {
	if k >= j || p.toks[k].kind != kOp && !p.word(k, "AT", "TIME", "ZONE") {
		return k
	}
	c := postfixes{p: p, start: start}
	for n := 0; k < j; n++ {
		if n > maxNesting {
			p.tooDeep(k, maxNesting)
		}
		next := c.step(k, j)
		if next == k {
			break
		}
		k = next
	}
	if c.e != nil {
		p.punch(start, k, hole{expr: c.e})
	}
	return k
}

// operand returns what stands in front of token k.
func (c *postfixes) operand(k int) ast.Expr {
	if c.e == nil {
		c.e = c.p.masked(c.start, k, c.p.openHoles(c.start))
	}
	return c.e
}

// step parses the operator at k and returns the token behind it, k itself if there is none.
func (c *postfixes) step(k, j int) int {
	p := c.p
	at := ast.Pos(p.toks[c.start].off)
	switch {
	case p.op(k, "["):
		m := int(p.match[k])
		x := c.operand(k)
		c.e = &ast.Subscript{Pos: at, X: x, Index: p.expr(k+1, m)}
		return m + 1
	case p.op(k, "::"):
		x := c.operand(k)
		t, next := p.typeName(k + 1)
		c.e = &ast.Cast{Pos: at, X: x, Type: t}
		return next
	case p.op(k, "->"), p.op(k, "->>"):
		if lit := p.toks[k+1]; k+1 >= j || lit.kind != kString && lit.kind != kNumber {
			p.fail(tokenError(p.toks[k+1], endCode(p.toks[k+1]), "%s wants a JSON path or key, got %s", p.toks[k].up, p.describe(k+1)).
				WithHint("a path is written j -> '$.a'; a lambda is an argument of a function: transform(a, x -> x + 1)"))
		}
		x := c.operand(k)
		c.e = &ast.Binary{Pos: at, Op: p.toks[k].up, X: x, Y: p.expr(k+1, k+2), OpPos: ast.Pos(p.toks[k].off)}
		return k + 2
	case p.op(k, ".") && (c.e != nil || p.op(k-1, ")") || p.op(k-1, "]")):
		if k+1 >= j || !p.anyName(k+1) {
			p.failAt(k+1, endCode(p.toks[k+1]), "the name of a field is expected before %s", p.describe(k+1))
		}
		x := c.operand(k)
		c.e = &ast.Field{Pos: at, X: x, Name: p.nameAt(k + 1)}
		return k + 2
	case p.word(k, "AT", "TIME", "ZONE"):
		x := c.operand(k)
		if k+3 >= j {
			p.fail(tokenError(p.toks[j], endCode(p.toks[j]), "a time zone is expected before %s", p.describe(j)).WithHint("write x AT TIME ZONE 'Europe/Berlin'"))
		}
		mark := len(p.holes)
		end, more := p.operand(k+3, j)
		if more {
			p.failAt(k+3, diag.SyntaxError, "a time zone is expected before %s", p.describe(k+3))
		}
		c.e = &ast.Call{Pos: at, Name: "at_time_zone", Args: []ast.Expr{x, p.masked(k+3, end, mark)}}
		return end
	}
	return k
}

// openHoles returns the index of the first hole that was punched at or behind token start: those of the operand being eaten.
func (p *parser) openHoles(start int) int {
	n := len(p.holes)
	for n > 0 && p.holes[n-1].off >= p.toks[start].off {
		n--
	}
	return n
}

// maskCase masks CASE .. END and returns the token behind END.
func (p *parser) maskCase(k, j int) int {
	defer p.descend(k)()
	for k++; k < j; k++ {
		k = p.maskExpr(k, j, stopCase|stopClause|stopComma)
		if k >= j || p.word(k, "END") {
			break
		}
		if !p.word(k, "WHEN") && !p.word(k, "THEN") && !p.word(k, "ELSE") {
			err := tokenError(p.toks[k], diag.SyntaxError, "unexpected %s within CASE", p.describe(k))
			p.fail(err.WithHint("END may be missing before %s", p.describe(k)))
		}
	}
	if k >= j {
		p.fail(tokenError(p.toks[j], endCode(p.toks[j]), "END of CASE is missing before %s", p.describe(j)))
	}
	return k + 1
}

// interval parses INTERVAL x UNIT at k. In a frame it stays TiDB's. ok is false for the function INTERVAL(a, b, ..).
func (p *parser) interval(k, j int) (next int, ok bool) {
	u := k + 2
	if p.op(k+1, "(") {
		u = int(p.match[k+1]) + 1
		if u >= j || p.toks[u].kind != kWord || timeUnits[p.toks[u].up] == "" {
			if p.comma(k+2, u-1) < u-1 {
				return 0, false
			}
		}
	}
	for ; u < j; u++ {
		t := p.toks[u]
		if p.match[u] > int32(u) {
			u = int(p.match[u])
			continue
		}
		if t.kind == kWord && timeUnits[t.up] != "" && p.endsOperand(u-1) {
			break
		}
		if t.kind == kOp && (t.up == "," || t.up == ")") || t.kind == kWord && clauseWords[t.up] {
			u = j
		}
	}
	if u >= j || k+1 >= j {
		p.badInterval(k, j)
	}
	unit := timeUnits[p.toks[u].up]
	if p.word(u+1, "PRECEDING") || p.word(u+1, "FOLLOWING") {
		p.maskExpr(k+1, u, 0)
		p.blank(p.toks[u].off, p.toks[u].end)
		copy(p.buf[p.toks[u].off:], unit)
		return u + 1, true
	}
	if p.word(u+1, "TO") {
		p.fail(tokenError(p.toks[u+1], diag.NotSupported, "INTERVAL .. %s TO .. is not supported", unit).WithHint("use a unit such as DAY_HOUR or MINUTE_SECOND"))
	}
	iv := &ast.Interval{Pos: ast.Pos(p.toks[k].off), X: p.intervalValue(k+1, u), Unit: unit}
	p.milliseconds(iv, u)
	p.punch(k, u+1, hole{expr: iv})
	return u + 1, true
}

// intervalValue reads the number; a bare one needs no grammar.
func (p *parser) intervalValue(i, j int) ast.Expr {
	if t := p.toks[i]; j == i+1 && t.kind == kNumber && strings.Trim(p.src[t.off:t.end], "0123456789") == "" {
		return &ast.Literal{Pos: ast.Pos(t.off), Kind: ast.LitInt, Text: p.src[t.off:t.end]}
	}
	return p.expr(i, j)
}

// milliseconds rewrites INTERVAL n MILLISECOND, which MySQL lacks, in microseconds.
func (p *parser) milliseconds(iv *ast.Interval, unit int) {
	if iv.Unit != "MILLISECOND" {
		return
	}
	lit, ok := iv.X.(*ast.Literal)
	if !ok || strings.Trim(lit.Text, "0123456789") != "" {
		p.failAt(unit, diag.NotSupported, "an interval in milliseconds wants a whole number")
	}
	lit.Text += "000"
	iv.Unit = "MICROSECOND"
}

func (p *parser) endsOperand(k int) bool {
	t := p.toks[k]
	return t.kind == kNumber || t.kind == kString || t.kind == kParam || t.kind == kVar || t.kind == kQuoted ||
		t.kind == kWord && !operandFollows[t.up] && t.up != "INTERVAL" || t.kind == kOp && t.up == ")"
}

// badInterval reports an INTERVAL without a unit at the word that stands in the unit's place.
func (p *parser) badInterval(k, j int) {
	if next := p.toks[min(k+1, j)]; next.kind == kOp && next.up != "(" && next.up != "-" || next.kind == kWord && clauseWords[next.up] {
		err := tokenError(p.toks[k], diag.SyntaxError, "unexpected keyword INTERVAL")
		p.fail(err.WithHint("INTERVAL is a reserved word: to use it as a name write `%s`", p.nameAt(k).Text))
	}
	at := min(k+2, j)
	t := p.toks[at]
	err := tokenError(t, endCode(t), "a unit of INTERVAL is expected before %s", p.describe(at)).WithHint("write INTERVAL 10 SECOND")
	if t.kind == kWord {
		if s := diag.Suggest(t.up, unitNames()); s != "" {
			err.WithHint("did you mean %s?", s)
		}
	}
	p.fail(err)
}

// cast parses CAST(x AS T) and TRY_CAST at k.
func (p *parser) cast(k int) int {
	m := int(p.match[k+1])
	as := m
	for i := k + 2; i < m; i++ {
		if p.match[i] > int32(i) {
			i = int(p.match[i])
		} else if p.word(i, "AS") {
			as = i
		}
	}
	if as == m {
		p.fail(tokenError(p.toks[m], diag.SyntaxError, "AS and a type are expected before )").WithHint("write %s(x AS BIGINT)", p.toks[k].up))
	}
	t, end := p.typeName(as + 1)
	p.closeCast(end, m)
	c := &ast.Cast{Pos: ast.Pos(p.toks[k].off), X: p.expr(k+2, as), Type: t, Try: p.toks[k].up == "TRY_CAST"}
	p.punch(k, m+1, hole{expr: c})
	return m + 1
}

// closeCast steps over a character set behind a type and requires the bracket.
func (p *parser) closeCast(end, m int) {
	if p.word(end, "CHARACTER", "SET") {
		end += 3
	}
	if end != m {
		p.failAt(end, diag.SyntaxError, "unexpected %s behind the type", p.describe(end))
	}
}

// convert parses CONVERT(x, T) and CONVERT(x USING charset) at k.
func (p *parser) convert(k int) int {
	m := int(p.match[k+1])
	c := &ast.Cast{Pos: ast.Pos(p.toks[k].off)}
	if sep := p.comma(k+2, m); sep < m {
		t, end := p.typeName(sep + 1)
		p.closeCast(end, m)
		c.X, c.Type = p.expr(k+2, sep), t
	} else if p.word(m-2, "USING") {
		c.X = p.expr(k+2, m-2)
		c.Type = ast.TypeName{Pos: ast.Pos(p.toks[m-1].off), Name: "STRING"}
	} else {
		p.fail(tokenError(p.toks[m], diag.SyntaxError, "a comma and a type are expected before )").WithHint("write CONVERT(x, CHAR)"))
	}
	p.punch(k, m+1, hole{expr: c})
	return m + 1
}
