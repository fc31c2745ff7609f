package format

// starters begin a clause, which begins a line. Those with a second word need it.
var starters = [][]string{{"SELECT"}, {"FROM"}, {"WHERE"}, {"GROUP", "BY"}, {"HAVING"}, {"QUALIFY"}, {"WINDOW"}, {"ORDER", "BY"}, {"LIMIT"}, {"EMIT", "CHANGES"},
	{"EMIT", "FINAL"}, {"EMIT", "ON"}, {"UNION"}, {"EXCEPT"}, {"INTERSECT"}, {"VALUES"}, {"JOIN"}, {"LEFT", "JOIN"}, {"LEFT", "OUTER"}, {"RIGHT", "JOIN"}, {"RIGHT", "OUTER"},
	{"INNER", "JOIN"}, {"CROSS", "JOIN"}, {"FULL", "JOIN"}, {"FULL", "OUTER"}, {"NATURAL"}, {"ASOF", "JOIN"}, {"ASOF", "LEFT"}, {"STRAIGHT_JOIN"}, {"PARTITION", "BY"},
	{"MEASURES"}, {"ONE", "ROW"}, {"ALL", "ROWS"}, {"AFTER", "MATCH"}, {"PATTERN", "("}, {"WITHIN", "INTERVAL"}, {"SUBSET"}, {"DEFINE"}, {"ROWS", "BETWEEN"}, {"RANGE", "BETWEEN"}}

// heads of clauses whose list begins on the next line when it is broken.
var listHeads = [][]string{{"SELECT", "DISTINCT"}, {"SELECT", "ALL"}, {"SELECT"}, {"GROUP", "BY"}, {"ORDER", "BY"}, {"PARTITION", "BY"}, {"VALUES"}, {"MEASURES"}, {"DEFINE"},
	{"SUBSET"}, {"SET"}, {"WITH", "RECURSIVE"}, {"WITH"}, {"FROM"}, {"WINDOW"}}

// startsClause tells whether a clause begins at element i.
func startsClause(seq []element, i int, top bool) bool {
	t := seq[i].tok
	if seq[i].closing != nil || !t.isWord() || i > 0 && (seq[i-1].tok.op(".") || joined(seq, i)) {
		return false
	}
	for _, s := range starters {
		if begins(seq[i:], s) {
			return true
		}
	}
	if !top || i == 0 {
		return false
	}
	return seq[i-1].tok.is("AS") && t.is("INSERT", "WITH", "BEGIN") || t.is("RETURN") && seq[0].tok.is("CREATE")
}

// joined tells whether the word at i continues a clause that has begun: LEFT JOIN, VALUES within INSERT are no second clauses.
func joined(seq []element, i int) bool {
	prev := seq[i-1].tok
	switch {
	case seq[i].tok.is("JOIN"):
		return prev.is("LEFT", "RIGHT", "INNER", "CROSS", "FULL", "NATURAL", "ASOF", "OUTER")
	case seq[i].tok.is("LEFT", "RIGHT", "INNER", "FULL"):
		return prev.is("NATURAL", "ASOF")
	case seq[i].tok.is("FROM"):
		return prev.is("DISTINCT") && i > 1 && seq[i-2].tok.is("IS", "NOT") || prev.is("SHOW", "TABLES", "COLUMNS", "DELETE")
	case seq[i].tok.is("WINDOW"):
		return prev.is("ON")
	case seq[i].tok.is("VALUES"):
		return false
	}
	return false
}

func begins(seq []element, words []string) bool {
	for i, w := range words {
		if i >= len(seq) || w == "(" && !seq[i].tok.op("(") || w != "(" && (seq[i].closing != nil || !seq[i].tok.is(w)) {
			return false
		}
	}
	return true
}

// clauses cuts a sequence where clauses begin.
func clauses(seq []element, top bool) [][]element {
	if len(seq) == 0 {
		return [][]element{seq}
	}
	var out [][]element
	first := 0
	for i := 1; i < len(seq); i++ {
		if startsClause(seq, i, top) && !onlyHead(seq[first:i]) {
			out = append(out, seq[first:i])
			first = i
		}
	}
	return append(out, seq[first:])
}

// onlyHead tells whether a would-be clause is but words that belong in front of the next: EXPLAIN SELECT.
func onlyHead(seq []element) bool {
	return len(seq) <= 2 && seq[0].tok.is("EXPLAIN")
}

// headLength is how many words of a clause stand before its list.
func headLength(seq []element) int {
	for _, h := range listHeads {
		if begins(seq, h) {
			return len(h)
		}
	}
	return 0
}
