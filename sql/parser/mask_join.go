package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// join is what the tokens of a join tell and the grammar does not know.
type join struct {
	full  bool     // FULL, which the grammar sees as LEFT
	asOf  bool     // ASOF, which it does not see
	match ast.Expr // MATCH_CONDITION
	blind bool     // the ON that the grammar sees is not the user's

	natural bool // only while the tokens are read
}

var joinWords = map[string]bool{"JOIN": true, "INNER": true, "CROSS": true, "LEFT": true, "RIGHT": true, "NATURAL": true, "STRAIGHT_JOIN": true}

// joinAt tells whether the word at k begins a join.
func (p *parser) joinAt(k int) bool {
	t := p.toks[k]
	return t.kind == kWord && (joinWords[t.up] || t.up == "FULL" && (p.word(k+1, "JOIN") || p.word(k+1, "OUTER", "JOIN")) || p.asOfJoin(k) || p.oddJoin(k))
}

// asOfJoin tells whether ASOF [LEFT] JOIN begins at k.
func (p *parser) asOfJoin(k int) bool {
	if !p.word(k, "ASOF") {
		return false
	}
	for k++; p.word(k, "LEFT") || p.word(k, "INNER") || p.word(k, "OUTER") || p.word(k, "RIGHT") || p.word(k, "FULL") || p.word(k, "CROSS"); {
		k++
	}
	return p.word(k, "JOIN")
}

// oddJoin tells whether k begins a join that would be read as an alias: SEMI JOIN and its kin.
func (p *parser) oddJoin(k int) bool {
	switch p.toks[k].up {
	case "SEMI", "ANTI", "POSITIONAL", "ANY":
		return p.toks[k].kind == kWord && p.word(k+1, "JOIN")
	}
	return false
}

// joinKinds are the words in front of JOIN.
var joinKinds = []string{"INNER", "CROSS", "LEFT", "RIGHT", "FULL", "OUTER", "NATURAL", "ASOF"}

// refuseJoinTypo refuses an alias that looks like a misspelt kind of join: `a FUL JOIN b` must not become an inner join.
func (p *parser) refuseJoinTypo(k int) {
	t := p.toks[k]
	if t.kind != kWord || len(t.up) < 3 || !p.word(k+1, "JOIN") && !p.word(k+1, "OUTER", "JOIN") || strings.ContainsAny(t.up, "0123456789_$") {
		return
	}
	limit := 1
	if len(t.up) > 5 {
		limit = 2
	}
	for _, w := range joinKinds {
		if diag.Distance(t.up, w, limit) <= limit {
			p.fail(tokenError(t, diag.SyntaxError, "unexpected %s before JOIN", p.describe(k)).
				WithHint("did you mean %s? To name the table so, write AS %s", w, p.src[t.off:t.end]))
		}
	}
}

// maskFrom masks the FROM clause that begins at k, or the inside of a bracketed join.
func (p *parser) maskFrom(rec *selectRec, k, j int) int {
	var kind join
	for k < j {
		n := len(rec.factors)
		k = p.maskFactor(rec, k, j)
		if n < len(rec.factors) && (kind.full || kind.asOf) {
			k = p.maskMatch(&kind, k, j)
			rec.factors[n].join = kind
		}
		natural := kind.natural
		kind = join{}
	glue:
		for k < j {
			switch {
			case natural && (p.word(k, "ON") || p.word(k, "USING")):
				p.fail(tokenError(p.toks[k], diag.SyntaxError, "unexpected %s behind NATURAL JOIN", p.describe(k)).
					WithHint("NATURAL JOIN joins on the columns of the same name: leave out NATURAL, or %s", p.toks[k].up))
			case p.op(k, ","):
				k++
				break glue
			case p.word(k, "ON"):
				k = p.maskExpr(k+1, j, stopClause|stopJoin|stopComma|stopQualify)
			case p.word(k, "USING") && p.op(k+1, "("):
				rec.usings = append(rec.usings, p.nameList(k+1)...)
				k = int(p.match[k+1]) + 1
			case p.joinAt(k):
				k, kind = p.maskJoin(k)
				break glue
			case p.stops(k, stopClause|stopQualify, false):
				return k
			case p.word(k, "MATCH_CONDITION") && p.op(k+1, "("):
				p.fail(tokenError(p.toks[k], diag.SyntaxError, "unexpected %s", p.describe(k)).
					WithHint("write a ASOF JOIN b MATCH_CONDITION (a.ts >= b.ts) ON a.k = b.k"))
			default:
				k++ // an error, which the grammar will place
			}
		}
	}
	return k
}

// maskJoin steps over the words of a join; FULL becomes LEFT for TiDB, ASOF a blank.
func (p *parser) maskJoin(k int) (next int, kind join) {
	for ; p.joinAt(k) || p.word(k, "OUTER"); k++ {
		switch {
		case p.oddJoin(k) || p.toks[k].up == "LEFT" && p.oddJoin(k+1):
			if !p.oddJoin(k) {
				k++
			}
			p.fail(tokenError(p.toks[k], diag.NotSupported, "%s JOIN is not supported", p.toks[k].up).WithHint("semi joins are written with EXISTS or IN"))
		case p.word(k, "ASOF"):
			if kind.asOf = true; !p.word(k+1, "JOIN") && !p.word(k+1, "LEFT") && !p.word(k+1, "INNER") {
				p.fail(tokenError(p.toks[k+1], diag.NotSupported, "ASOF %s JOIN is not supported", p.toks[k+1].up).WithHint("write ASOF JOIN or ASOF LEFT JOIN"))
			}
			p.blank(p.toks[k].off, p.toks[k].end)
		case p.word(k, "FULL"):
			copy(p.buf[p.toks[k].off:], "LEFT")
			kind.full = true
		case p.word(k, "NATURAL"):
			kind.natural = true
		case p.word(k, "INNER") && kind.natural: // the grammar knows NATURAL JOIN only
			p.blank(p.toks[k].off, p.toks[k].end)
		case p.word(k, "JOIN"):
			return k + 1, kind
		}
	}
	return k, kind
}

// maskMatch reads MATCH_CONDITION (..) behind the right side of an ASOF join. Where no ON or USING follows, the grammar gets an ON
// in its place: an outer join wants one.
func (p *parser) maskMatch(kind *join, k, j int) int {
	if !kind.asOf {
		return k
	}
	if !p.word(k, "MATCH_CONDITION") {
		if !p.word(k, "ON") && !p.word(k, "USING") {
			p.fail(tokenError(p.toks[k], endCode(p.toks[k]), "MATCH_CONDITION or ON is expected before %s", p.describe(k)).
				WithHint("write a ASOF JOIN b MATCH_CONDITION (a.ts >= b.ts) ON a.k = b.k"))
		}
		return k
	}
	if !p.op(k+1, "(") {
		p.wanted(k+1, "(")
	}
	at, m := p.toks[k].off, int(p.match[k+1])
	kind.match = p.expr(k+2, m)
	p.blank(at, p.toks[m].end)
	if k = m + 1; k >= j || !p.word(k, "ON") && !p.word(k, "USING") {
		kind.blind = true
		copy(p.buf[at:], "ON 1")
	}
	return k
}
