package parser

import (
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// selectRec is what the tokens of one SELECT tell and TiDB's tree does not: positions of the things in FROM, and the clauses that were
// blanked out. It is found again by the offset of the first item.
type selectRec struct {
	pos, end   int // from SELECT to behind the last clause
	items      [][2]int
	factors    []*factor
	usings     []ast.Name // of all USING clauses, in text order
	distinctOn []ast.Expr
	qualify    ast.Expr
	grouping   *ast.GroupingSets // GROUP BY ()
	used       bool
}

// withRec is one WITH clause; it is found again by the names it defines.
type withRec struct {
	names   []ast.Name
	columns [][]ast.Name
	used    bool
}

// emit is the EMIT clause of a query.
type emit struct {
	mode ast.EmitMode
	pos  int
}

var setOps = map[string]bool{"UNION": true, "EXCEPT": true, "INTERSECT": true}

// query parses the query of the tokens [i, j).
func (p *parser) query(i, j int) *ast.Query {
	mark := len(p.holes)
	if p.word(i, "VALUES") && p.op(i+1, "(") {
		return p.valuesQuery(i, j)
	}
	if i == j {
		p.failAt(j, endCode(p.toks[j]), "a query is missing before %s", p.describe(j))
	}
	end, em := p.maskQuery(i, j, true)
	stmt, base := p.grammar("", i, end, "")
	c := &conv{p: p, base: base}
	q := c.query(stmt, ast.Pos(p.toks[i].off))
	q.Emit, q.EmitPos = em.mode, ast.Pos(em.pos)
	p.settle(mark)
	return q
}

// startsQuery tells whether a query begins at token k, in brackets or not.
func (p *parser) startsQuery(k int) bool {
	for p.op(k, "(") {
		if k++; p.op(k, "(") && !p.goesOn(int(p.match[k])+1) {
			return false // ((SELECT 1) a JOIN b), ((SELECT 1) + 2)
		}
	}
	return p.word(k, "SELECT") || p.word(k, "WITH") || p.word(k, "VALUES") && (p.op(k+1, "(") || p.word(k+1, "ROW"))
}

// goesOn tells whether a bracketed query may be followed by token k within a query expression.
func (p *parser) goesOn(k int) bool {
	t := p.toks[k]
	return t.kind == kEOF || t.kind == kOp && t.up == ")" || t.kind == kWord && (setOps[t.up] || t.up == "ORDER" || t.up == "LIMIT" || p.emitAt(k))
}

// maskQuery masks the islands of a query expression and returns where its text for TiDB ends; EMIT stands only at the end of the
// outermost query.
func (p *parser) maskQuery(i, j int, top bool) (int, emit) {
	k, last := i, -1
	defer func() {
		if last >= 0 { // ORDER BY sees the windows of a lone or last SELECT
			p.selects[last].end = p.toks[j-1].end
		}
	}()
	if p.word(k, "WITH") {
		k = p.maskWith(k, j)
	}
	for k < j {
		switch {
		case p.op(k, "("):
			p.maskQuery(k+1, int(p.match[k]), false)
			k = int(p.match[k]) + 1
		case p.word(k, "SELECT"):
			last = len(p.selects)
			k = p.maskSelect(k, j)
		case p.emitAt(k):
			if !top {
				p.fail(tokenError(p.toks[k], diag.NotSupported, "EMIT inside a subquery").WithHint("EMIT belongs at the end of the whole query"))
			}
			return k, p.emit(k, j)
		case p.toks[k].kind == kWord && setOps[p.toks[k].up]:
			if k++; p.word(k, "ALL") || p.word(k, "DISTINCT") {
				k++
			}
		case p.word(k, "ORDER", "BY"):
			k = p.maskExpr(k+2, j, stopClause|sortKeys)
		default:
			k = max(k+1, p.maskExpr(k+1, j, stopClause))
		}
	}
	return j, emit{}
}

func (p *parser) maskWith(k, j int) int {
	w := &withRec{}
	p.withs = append(p.withs, w)
	if k++; p.word(k, "RECURSIVE") {
		k++
	}
	for k < j && p.isName(k) {
		w.names = append(w.names, p.nameAt(k))
		var cols []ast.Name
		if k++; p.op(k, "(") {
			cols = p.nameList(k)
			k = int(p.match[k]) + 1
		}
		w.columns = append(w.columns, cols)
		if p.word(k, "AS") && p.op(k+1, "(") {
			p.maskQuery(k+2, int(p.match[k+1]), false)
			k = int(p.match[k+1]) + 1
		}
		if !p.op(k, ",") {
			break
		}
		k++
	}
	return k
}

// nameList reads the names between the bracket at k and its partner; TiDB or the caller judges whether they are names only.
func (p *parser) nameList(k int) []ast.Name {
	var out []ast.Name
	for m := int(p.match[k]); k < m; k++ {
		if t := p.toks[k]; t.kind == kWord || t.kind == kQuoted {
			out = append(out, p.nameAt(k))
		}
	}
	return out
}

var selectModifiers = map[string]bool{"ALL": true, "DISTINCT": true, "DISTINCTROW": true, "HIGH_PRIORITY": true, "STRAIGHT_JOIN": true,
	"SQL_SMALL_RESULT": true, "SQL_BIG_RESULT": true, "SQL_BUFFER_RESULT": true, "SQL_CACHE": true, "SQL_NO_CACHE": true, "SQL_CALC_FOUND_ROWS": true}

// maskSelect masks one SELECT and returns the token behind its last clause: a set operator, ORDER BY, LIMIT or the like.
func (p *parser) maskSelect(k, j int) int {
	rec := &selectRec{pos: p.toks[k].off}
	p.selects = append(p.selects, rec)
	for k++; k < j && p.toks[k].kind == kWord && selectModifiers[p.toks[k].up]; k++ {
		if p.word(k, "DISTINCT", "ON") && p.op(k+2, "(") {
			m := int(p.match[k+2])
			rec.distinctOn = p.exprs(k+3, m)
			p.blank(p.toks[k].off, p.toks[m].end)
			k = m
		}
	}
	k = p.maskItems(rec, k, j)
	from := false
	for k < j {
		switch t := p.toks[k]; {
		case t.kind == kWord && t.up == "FROM":
			k = p.maskFrom(rec, k+1, j)
			from = true
		case p.word(k, "QUALIFY") && from:
			k = p.maskQualify(rec, k, j)
		case p.word(k, "GROUP", "BY"):
			k = p.maskGrouping(rec, k, j)
		case p.word(k, "WHERE"), p.word(k, "HAVING"), p.word(k, "WINDOW"):
			k = p.maskExpr(k+1, j, stopClause|stopQualify)
		default:
			rec.end = p.toks[k].off
			return k
		}
	}
	rec.end = p.toks[j-1].end
	return k
}

// maskItems masks a select list and records the tokens of each item.
func (p *parser) maskItems(rec *selectRec, k, j int) int {
	for {
		start := k
		k = p.maskExpr(k, j, stopClause|stopComma)
		rec.items = append(rec.items, [2]int{start, k})
		if k >= j || !p.op(k, ",") {
			return k
		}
		k++
	}
}

func (p *parser) maskQualify(rec *selectRec, k, j int) int {
	end := p.endOfExpr(k+1, j)
	rec.qualify = p.expr(k+1, end)
	p.blank(p.toks[k].off, p.toks[end-1].end)
	return end
}

// endOfExpr finds where the clause at k ends without masking anything for good: masking is done when the expression is parsed.
func (p *parser) endOfExpr(k, j int) int {
	for ; k < j; k++ {
		if p.match[k] > int32(k) {
			k = int(p.match[k])
		} else if p.stops(k, stopClause, false) {
			return k
		}
	}
	return j
}

// emitAt tells whether an EMIT clause begins at k.
func (p *parser) emitAt(k int) bool {
	return p.word(k, "EMIT") && (p.word(k+1, "CHANGES") || p.word(k+1, "FINAL") || p.word(k+1, "ON"))
}

// emit reads the EMIT clause at k, which must end at j.
func (p *parser) emit(k, j int) emit {
	e := emit{pos: p.toks[k].off}
	switch {
	case p.word(k+1, "CHANGES"):
		e.mode, k = ast.EmitChanges, k+2
	case p.word(k+1, "FINAL"):
		e.mode, k = ast.EmitOnWindowClose, k+2
	case p.word(k+1, "ON", "WINDOW", "CLOSE"):
		e.mode, k = ast.EmitOnWindowClose, k+4
	default:
		for i, w := range []string{"ON", "WINDOW", "CLOSE"} {
			if !p.word(k+1+i, w) {
				p.wanted(k+1+i, w)
			}
		}
	}
	if k < j {
		p.fail(tokenError(p.toks[k], diag.SyntaxError, "unexpected %s behind EMIT", p.describe(k)).WithHint("EMIT is the last clause of a query"))
	}
	return e
}

// valuesQuery parses VALUES (..), (..), which TiDB knows only with ROW.
func (p *parser) valuesQuery(i, j int) *ast.Query {
	at := ast.Pos(p.toks[i].off)
	q := &ast.Query{Pos: at}
	end := j
	for k := i; k < j; k++ {
		if p.match[k] > int32(k) {
			k = int(p.match[k])
		} else if p.emitAt(k) {
			end = k
			em := p.emit(k, j)
			q.Emit, q.EmitPos = em.mode, ast.Pos(em.pos)
			break
		}
	}
	q.Body = &ast.Values{Pos: at, Rows: p.rows(i+1, end)}
	return q
}
