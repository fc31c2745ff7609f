package parser

// operatorIdiom recognises misspelt operators around the bad token k of a text that begins at i.
func (p *parser) operatorIdiom(i, k int) string {
	t := p.toks[k]
	back := func(n int) token { return p.toks[max(i, k-n)] }
	switch {
	case t.kind == kOp && t.up == "<" && back(1).up == "=" && back(1).end == t.off:
		return "less or equal is written <="
	case t.kind == kOp && t.up == "<" && back(1).up == ">" && back(1).end == t.off:
		return "not equal is written <>"
	case t.kind == kOp && t.up == "=>":
		if prev := p.toks[max(i, k-2)]; k-2 >= i && prev.kind == kOp && (prev.up == "(" || prev.up == ",") {
			return "named arguments are for table functions"
		}
		return "greater or equal is written >="
	case back(1).up == "IS" && back(1).kind == kWord && k > i:
		return "IS takes NULL, TRUE, FALSE or DISTINCT FROM; other values are compared with ="
	case back(1).up == "IN" && back(1).kind == kWord && k > i:
		return "a list stands in brackets: IN (1, 2)"
	case t.up == ")" && back(1).up == "(" && back(2).up == "IN":
		return "the list of IN is empty"
	case t.up == "," && (back(2).up == "BETWEEN" || back(3).up == "BETWEEN"):
		return "write BETWEEN 1 AND 2"
	case back(1).up == "IF" && back(1).kind == kWord && k > i:
		return "write IF(condition, x, y), or CASE WHEN condition THEN x ELSE y END"
	}
	return ""
}

// clauseIdiom recognises clauses that miss a part, around the bad token k of a text that begins at i.
func (p *parser) clauseIdiom(i, k int) string {
	t := p.toks[k]
	word := func(n int, w string) bool { return k-n >= i && p.word(k-n, w) }
	switch {
	case word(1, "OVER"):
		return "a window stands in brackets: OVER (PARTITION BY a ORDER BY b)"
	case word(0, "ON") && word(1, "DISTINCT"):
		return "write DISTINCT ON (a, b)"
	case word(0, "FROM") && word(1, "SELECT"):
		return "the select list is empty: write SELECT * FROM"
	case word(2, "SELECT") && p.op(k-1, "*") && p.anyName(k):
		return "FROM may be missing before " + p.describe(k)
	case word(1, "LIMIT") && t.kind != kEOF:
		return "LIMIT wants a number"
	case word(0, "SELECT") && word(1, "AS"):
		return "a query stands in brackets: WITH a AS (SELECT ..)"
	case word(0, "SELECT") && word(3, "WITH") && p.op(k-1, "("):
		return "AS may be missing before ("
	case word(0, "USING"):
		return "USING (a, b) stands behind JOIN t"
	case word(0, "ON") && word(1, "JOIN"):
		return "a table is missing before keyword ON"
	case t.kind == kWord && joinWords[t.up]:
		if w := p.wordBack(i, k, "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT"); w != "" {
			return "JOIN comes before " + w
		}
	case p.outerJoinBefore(i, k):
		return "an outer join needs ON or USING"
	}
	return ""
}

// wordBack returns the last of the words before k at its level, "" if there is none.
func (p *parser) wordBack(i, k int, words ...string) string {
	for k--; k >= i; k-- {
		if m := p.match[k]; m >= 0 && int(m) < k {
			k = int(m)
			continue
		}
		if p.op(k, "(") || p.word(k, "SELECT") {
			return ""
		}
		for _, w := range words {
			if p.word(k, w) {
				return w
			}
		}
	}
	return ""
}

// maxJoinTokens is how far behind JOIN an absent ON is still noticed: a name with schema and alias.
const maxJoinTokens = 6

// outerJoinBefore tells whether the tokens before k are an outer join whose ON is missing.
func (p *parser) outerJoinBefore(i, k int) bool {
	for n := k - 1; n > i && n > k-maxJoinTokens; n-- {
		switch {
		case p.word(n, "ON"), p.word(n, "USING"):
			return false
		case p.word(n, "JOIN"):
			return n < k-1 && (p.word(n-1, "LEFT") || p.word(n-1, "RIGHT") || p.word(n-1, "OUTER") || p.word(n-1, "FULL"))
		}
	}
	return false
}
