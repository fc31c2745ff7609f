package parser

import (
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/diag"
)

const maxQuoted = 40 // characters of a token that an error repeats

// describe names a token for a message.
func (p *parser) describe(k int) string {
	t := p.toks[k]
	text := p.src[t.off:t.end]
	if r := []rune(text); len(r) > maxQuoted {
		text = string(r[:maxQuoted]) + ".."
	}
	text = strings.ReplaceAll(text, "\n", " ")
	switch t.kind {
	case kEOF:
		return "the end"
	case kWord:
		if keywords[t.up] || extraKeywords[t.up] {
			return "keyword " + t.up
		}
		return "name " + text
	case kQuoted:
		return "name " + text
	case kString:
		return "string " + text
	case kNumber, kHex:
		return "number " + text
	}
	return text
}

// unclosed reports a bracket without a partner.
func (p *parser) unclosed(k int) {
	err := tokenError(p.toks[k], diag.UnexpectedEnd, "this %s is never closed", p.toks[k].up)
	p.fail(err.WithHint("add %s", partner(p.toks[k].up)))
}

// utf8Words are the character set introducers that change nothing.
var utf8Words = nameSet("_UTF8 _UTF8MB3 _UTF8MB4 _BINARY _ASCII")

// checkIdioms refuses habits from other languages that deserve an exact answer.
func (p *parser) checkIdioms() {
	for k, t := range p.toks {
		switch {
		case t.kind == kWord && t.up[0] == '_' && p.toks[k+1].kind == kString && p.toks[k+1].off == t.end && !utf8Words[t.up]:
			p.fail(tokenError(t, diag.NotSupported, "character set %s is not supported", p.src[t.off+1:t.end]).WithHint("texts are UTF-8"))
		case t.kind == kOp && t.up == "==":
			p.fail(tokenError(t, diag.SyntaxError, "unexpected ==").WithHint("equality is written ="))
		case t.kind == kString && p.src[t.off] == '"' && (p.op(k+1, ".") || k > 0 && p.op(k-1, ".")):
			name := strings.Trim(p.src[t.off:t.end], `"`)
			p.fail(tokenError(t, diag.SyntaxError, "unexpected string %s", p.src[t.off:t.end]).
				WithHint("\"..\" is a string; names are quoted with backquotes: `%s`", name))
		}
	}
}

// explain turns an error of the grammar into one of ours: never its text, only its place.
func (p *parser) explain(prefix string, i, j int, text string, cause error) {
	if badOffset(text, cause) < 0 {
		p.badValue(i, j, cause)
	}
	off := badOffset(text, cause) - len(prefix) + p.toks[i].off
	k := p.tokenAt(max(off, p.toks[i].off))
	if k >= j || off >= p.toks[j-1].end {
		k = j
	}
	t := p.toks[k]
	err := tokenError(t, endCode(t), "unexpected %s", p.describe(k))
	if t.kind == kEOF {
		err.Message = "the statement ends too early"
	}
	if hint := p.idiom(i, k); hint != "" {
		err.Hint = hint
	} else if k == j && p.wantsMore(j-1) {
		err.Hint = "something is missing behind " + p.describe(j-1)
	} else {
		pr := &prober{p: p, text: text, shift: p.toks[i].off - len(prefix), first: i, end: j, bad: k}
		err.Hint = pr.hint(len(text) - badOffset(text, cause))
		if c := pr.culprit; err.Hint != "" && c >= 0 && c != k {
			err.Code, err.Message = diag.SyntaxError, "unexpected "+p.describe(c)
			err.Offset, err.End = p.toks[c].off, p.toks[c].end
		}
	}
	p.fail(err.Wrap(cause))
}

// badValue reports what the grammar refuses without a place: a literal it cannot represent.
func (p *parser) badValue(i, j int, cause error) {
	for k := i; k < j; k++ {
		t := p.toks[k]
		text := p.src[t.off:t.end]
		switch {
		case t.kind == kNumber && strings.ContainsAny(text, "eE"):
			if _, err := strconv.ParseFloat(text, 64); err != nil {
				p.fail(tokenError(t, diag.BadLiteral, "number %s is out of range", text).Wrap(cause))
			}
		case t.up == "ESCAPE" && t.kind == kWord && p.toks[k+1].kind == kString && len(unquote(p.src[p.toks[k+1].off:p.toks[k+1].end])) > 1:
			p.fail(tokenError(p.toks[k+1], diag.BadLiteral, "ESCAPE wants one character").Wrap(cause))
		case t.kind == kWord && t.up == "COLLATE":
			p.fail(tokenError(p.toks[k+1], diag.NotSupported, "this collation is not supported").Wrap(cause))
		}
	}
	p.fail(tokenError(p.toks[i], diag.SyntaxError, "a literal or name of this statement is not valid").Wrap(cause))
}

// wantsMore tells whether a text cannot end with token k.
func (p *parser) wantsMore(k int) bool {
	t := p.toks[k]
	return t.kind == kOp && !strings.Contains(")]}*", t.up) || t.kind == kWord && (operandFollows[t.up] || clauseWords[t.up]) && fixedWords[t.up]
}

// clauseOrder ranks the clauses of a SELECT.
var clauseOrder = map[string]int{"FROM": 1, "WHERE": 2, "GROUP": 3, "HAVING": 4, "QUALIFY": 5, "WINDOW": 6, "ORDER": 7, "LIMIT": 8, "EMIT": 9}

// idiom recognises habits from other dialects, and clauses in the wrong order, around the bad token k of a text that begins at i.
func (p *parser) idiom(i, k int) string {
	t := p.toks[k]
	back := func(n int) token { return p.toks[max(i, k-n)] }
	switch {
	case t.up == "NULLS" || back(1).up == "NULLS":
		return "NULLS FIRST and NULLS LAST stand behind a key of ORDER BY"
	case back(1).up == "TOP" && t.kind == kNumber:
		return "write LIMIT " + p.src[t.off:t.end] + " at the end of the query"
	case t.up == "TUMBLING" || t.up == "HOPPING" || back(1).up == "TUMBLING" || back(1).up == "HOPPING":
		return "write FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL 10 MINUTE) .. GROUP BY window_start, window_end"
	case t.up == "JSON" && back(1).up == "IS":
		return "write JSON_VALID(x)"
	case t.up == "LIKE" && back(1).up == "SOUNDS":
		return "write SOUNDEX(a) = SOUNDEX(b)"
	case t.up == "PLACING":
		return "write INSERT(s, position, length, new)"
	case t.kind == kOp && t.up == "~":
		return "matching a regular expression is written REGEXP"
	case t.up == "EMIT" || back(1).up == "EMIT":
		return "EMIT CHANGES, EMIT FINAL or EMIT ON WINDOW CLOSE is the last clause of a query"
	case (t.up == "SIMILAR" || back(1).up == "SIMILAR") && p.find(i, len(p.toks)-1, "SIMILAR", "TO") < len(p.toks)-1:
		return "write REGEXP instead of SIMILAR TO"
	case t.up == "SELECT" && back(1).up == "=" || t.up == "SELECT" && back(1).up == "IN":
		return "a subquery stands in brackets"
	case t.kind == kWord && t.up == "ISNULL" || t.up == "NOTNULL":
		return "write IS NULL or IS NOT NULL"
	case t.up == "NULL" && back(1).up == "NOT" && back(2).up != "IS":
		return "write IS NOT NULL"
	case t.up == "THEN" && t.kind == kWord:
		return "WHEN is missing before keyword THEN"
	case t.kind == kOp && t.up == back(1).up && back(1).kind == kOp && k > i && !strings.Contains("()[],", t.up):
		return t.up + " stands twice"
	case p.word(k, "TO") && p.toks[k+1].kind == kWord && timeUnits[p.toks[k+1].up] != "":
		return "write DATE_TRUNC('" + strings.ToLower(timeUnits[p.toks[k+1].up]) + "', x)"
	}
	if hint := p.operatorIdiom(i, k); hint != "" {
		return hint
	}
	if hint := p.clauseIdiom(i, k); hint != "" {
		return hint
	}
	for n := 0; n <= 3; n++ {
		if f := max(i, k-n); p.word(f, "FILTER") {
			return "write FILTER (WHERE condition)"
		}
	}
	return p.misplacedClause(i, k)
}

// misplacedClause tells when the bad token begins a clause that belongs before one that has gone by.
func (p *parser) misplacedClause(i, k int) string {
	rank := clauseOrder[p.toks[k].up]
	if rank == 0 || p.toks[k].kind != kWord {
		return ""
	}
	for b := k - 1; b >= i; b-- {
		if m := p.match[b]; m >= 0 && int(m) < b {
			b = int(m)
			continue
		}
		t := p.toks[b]
		if t.kind == kOp && t.up == "(" || t.kind == kWord && (t.up == "SELECT" || setOps[t.up]) {
			return ""
		}
		if prev := clauseOrder[t.up]; t.kind == kWord && prev >= rank && b+1 < k {
			if prev == rank {
				return "a second " + t.up + " in the same query"
			}
			return p.toks[k].up + " comes before " + t.up
		}
	}
	return ""
}
