package parser

import (
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

const (
	maxRepeat       = 1000 // of a quantifier {n, m}
	maxPatternParts = 1000 // variables of one pattern
)

// patternParser reads the row pattern of the tokens up to end.
type patternParser struct {
	p      *parser
	k, end int
	parts  int
}

// pattern parses the tokens [i, j) between the brackets of PATTERN.
func (p *parser) pattern(i, j int) ast.Pattern {
	p.dropParams(i, j)
	r := &patternParser{p: p, k: i, end: j}
	x := r.alternation()
	r.finish(j)
	return x
}

// alternation reads a | b | c.
func (r *patternParser) alternation() ast.Pattern {
	first := r.sequence()
	if !r.p.op(r.k, "|") || r.k >= r.end {
		return first
	}
	alt := ast.Pattern{Pos: first.Pos, Op: "ALT", Parts: []ast.Pattern{first}}
	for r.k < r.end && r.p.op(r.k, "|") {
		r.k++
		alt.Parts = append(alt.Parts, r.sequence())
	}
	return alt
}

// sequence reads a b c up to a bar, a comma or the end.
func (r *patternParser) sequence() ast.Pattern {
	seq := ast.Pattern{Pos: ast.Pos(r.p.toks[r.k].off), Op: "CONCAT"}
	for r.k < r.end && !r.p.op(r.k, "|") && !r.p.op(r.k, ",") {
		if r.parts++; r.parts > maxPatternParts {
			r.p.tooDeep(r.k, maxPatternParts)
		}
		seq.Parts = append(seq.Parts, r.quantified())
	}
	switch len(seq.Parts) {
	case 0:
		r.p.fail(tokenError(r.p.toks[r.k], diag.SyntaxError, "a pattern variable is expected before %s", r.p.describe(r.k)))
	case 1:
		return seq.Parts[0]
	}
	return seq
}

// quantified reads one primary and the quantifier behind it.
func (r *patternParser) quantified() ast.Pattern {
	x := r.primary()
	q := ast.Pattern{Pos: x.Pos, Op: "REPEAT", Parts: []ast.Pattern{x}, Max: -1}
	p := r.p
	switch {
	case r.k >= r.end:
		return x
	case p.op(r.k, "*"):
	case p.op(r.k, "+"):
		q.Min = 1
	case p.toks[r.k].kind == kParam:
		q.Max = 1
	case p.op(r.k, "{") && !p.op(r.k+1, "-"):
		r.bounds(&q)
	default:
		return x
	}
	if x.Op == "START" || x.Op == "END" {
		p.failAt(r.k, diag.SyntaxError, "unexpected %s behind an anchor", p.describe(r.k))
	}
	if r.k++; r.k < r.end && p.toks[r.k].kind == kParam {
		q.Reluctant = true
		r.k++
	}
	if r.k < r.end && (p.op(r.k, "*") || p.op(r.k, "+") || p.toks[r.k].kind == kParam || p.op(r.k, "{") && !p.op(r.k+1, "-")) {
		p.failAt(r.k, diag.SyntaxError, "a second quantifier %s", p.describe(r.k))
	}
	return q
}

// bounds reads {n}, {n,}, {,m}, {n,m} and leaves the cursor at the closing bracket.
func (r *patternParser) bounds(q *ast.Pattern) {
	p, open := r.p, r.k
	m := int(p.match[open])
	text := ""
	for _, t := range p.toks[open+1 : m] {
		text += p.src[t.off:t.end]
	}
	low, high, comma := strings.Cut(text, ",")
	var errLow, errHigh error
	if low != "" {
		q.Min, errLow = strconv.Atoi(low)
	}
	switch {
	case !comma:
		q.Max = q.Min
	case high != "":
		q.Max, errHigh = strconv.Atoi(high)
	}
	if errLow != nil || errHigh != nil || low == "" && high == "" {
		p.fail(tokenError(p.toks[open], diag.SyntaxError, "this is no quantifier").WithHint("write {2}, {2,}, {,5} or {2,5}"))
	}
	if q.Min < 0 || q.Max == 0 || q.Max > 0 && q.Max < q.Min || max(q.Min, q.Max) > maxRepeat {
		p.fail(tokenError(p.toks[open], diag.BadLiteral, "the quantifier {%s} is out of range", text).WithHint("0 to %d, the first number not above the second", maxRepeat))
	}
	r.k = m
}

// primary reads a variable, a group, an anchor, PERMUTE or an exclusion.
func (r *patternParser) primary() ast.Pattern {
	p, t := r.p, r.p.toks[r.k]
	at := ast.Pos(t.off)
	switch {
	case p.op(r.k, "("):
		return r.within(int(p.match[r.k]), r.k+1, (*patternParser).alternation)
	case p.op(r.k, "{") && p.op(r.k+1, "-"):
		m := int(p.match[r.k])
		if !p.op(m-1, "-") || m-1 <= r.k+1 {
			p.fail(tokenError(p.toks[m], diag.SyntaxError, "-} should close the exclusion").WithHint("write {- B+ -}"))
		}
		saved := r.end
		r.k, r.end = r.k+2, m-1
		x := r.alternation()
		r.finish(m - 1)
		r.k, r.end = m+1, saved
		return ast.Pattern{Pos: at, Op: "EXCLUDE", Parts: []ast.Pattern{x}}
	case p.op(r.k, "^"):
		r.k++
		return ast.Pattern{Pos: at, Op: "START"}
	case t.kind == kWord && t.up == "$":
		r.k++
		return ast.Pattern{Pos: at, Op: "END"}
	case p.word(r.k, "PERMUTE") && p.op(r.k+1, "("):
		x := r.within(int(p.match[r.k+1]), r.k+2, (*patternParser).permutation)
		x.Pos = at
		return x
	case t.kind == kWord && strings.HasSuffix(t.up, "$"):
		p.fail(tokenError(t, diag.SyntaxError, "unexpected %s", p.describe(r.k)).WithHint("put a blank before $"))
	}
	x := ast.Pattern{Pos: at, Op: "SYMBOL", Symbol: p.symbol(r.k)}
	r.k++
	return x
}

// within reads what stands between brackets: the tokens from k to the closing one at m.
func (r *patternParser) within(m, k int, read func(*patternParser) ast.Pattern) ast.Pattern {
	saved := r.end
	r.k, r.end = k, m
	x := read(r)
	r.finish(m)
	r.k, r.end = m+1, saved
	return x
}

func (r *patternParser) finish(m int) {
	if r.k != m {
		r.p.failAt(r.k, diag.SyntaxError, "unexpected %s", r.p.describe(r.k))
	}
}

// permutation reads the a, b, c of PERMUTE.
func (r *patternParser) permutation() ast.Pattern {
	x := ast.Pattern{Op: "PERMUTE"}
	for {
		x.Parts = append(x.Parts, r.alternation())
		if r.k >= r.end || !r.p.op(r.k, ",") {
			return x
		}
		r.k++
	}
}
