package parser

import (
	"slices"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// matchClauses are the clauses of MATCH_RECOGNIZE in their order.
var matchClauses = [][]string{{"PARTITION", "BY"}, {"ORDER", "BY"}, {"MEASURES"}, {"ONE", "ROW"}, {"ALL", "ROWS"}, {"AFTER", "MATCH"}, {"PATTERN"},
	{"WITHIN"}, {"SUBSET"}, {"DEFINE"}}

const matchForm = "MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES A.x AS x PATTERN (A B+) DEFINE B AS B.y > A.y)"

// matchEnd returns the token MATCH_RECOGNIZE behind the factor at k, -1 if there is none.
func (p *parser) matchEnd(k int) int {
	switch {
	case p.op(k, "("):
		if k = int(p.match[k]) + 1; p.word(k, "AS") {
			k++
		}
		if p.isName(k) && p.word(k+1, "MATCH_RECOGNIZE") {
			k++ // the alias of the subquery names nothing: MATCH_RECOGNIZE has its own
		}
	case p.tableCallAt(k):
		k = int(p.match[k+1]) + 1
	case p.anyName(k):
		for k++; p.op(k, ".") && p.anyName(k+1); {
			k += 2
		}
	default:
		return -1
	}
	if p.word(k, "MATCH_RECOGNIZE") && p.op(k+1, "(") {
		return k
	}
	if t := p.toks[k]; t.kind == kWord && p.op(k+1, "(") && len(t.up) > 9 && diag.Suggest(t.up, []string{"MATCH_RECOGNIZE"}) != "" {
		p.fail(tokenError(t, diag.SyntaxError, "unexpected %s", p.describe(k)).WithHint("did you mean MATCH_RECOGNIZE?"))
	}
	return -1
}

// matchRecognize parses the factor at k whose MATCH_RECOGNIZE stands at w.
func (p *parser) matchRecognize(k, w int) *ast.MatchRecognize {
	p.matching++
	defer func() { p.matching-- }()
	m := &ast.MatchRecognize{Pos: ast.Pos(p.toks[k].off), After: ast.AfterMatch{Kind: "PAST LAST ROW"}}
	var in ast.TableFuncArg
	from := w
	if p.op(k, "(") {
		from = int(p.match[k]) + 1 // without the alias
	}
	p.tableOfArg(&in, k, from)
	m.Input = in.Table
	end := int(p.match[w+1])
	last := -1
	seen := map[string]bool{}
	for i := w + 2; i < end; {
		c := p.matchClause(i)
		if c < 0 {
			p.noMatchClause(i)
		}
		word := matchClauses[c][0]
		rows := word == "ONE" || word == "ALL"
		switch {
		case seen[word] || rows && (seen["ONE"] || seen["ALL"]):
			p.failAt(i, diag.SyntaxError, "a second %s in MATCH_RECOGNIZE", word)
		case c < last:
			p.failAt(i, diag.SyntaxError, "%s comes before %s in MATCH_RECOGNIZE", word, matchClauses[last][0])
		}
		seen[word], last = true, c
		body := i + len(matchClauses[c])
		next := body
		for next < end && p.matchClause(next) < 0 {
			if next++; p.match[next-1] > int32(next-1) {
				next = int(p.match[next-1]) + 1
			}
		}
		p.matchPart(m, word, body, next)
		i = next
	}
	for _, word := range []string{"PATTERN", "DEFINE"} {
		if !seen[word] {
			p.missingMatchClause(word, w+2, end)
		}
	}
	return m
}

// matchClause returns the number of the clause that begins at k, -1 if none does.
func (p *parser) matchClause(k int) int {
	for c, words := range matchClauses {
		if !p.word(k, words...) || p.word(k-1, "AS") && words[0] != "PATTERN" {
			continue
		}
		switch words[0] {
		case "PATTERN":
			if !p.op(k+1, "(") {
				continue
			}
		case "WITHIN", "SUBSET", "DEFINE", "MEASURES": // names, unless something follows
			if next := p.toks[k+1]; next.kind == kOp && next.up != "(" {
				continue
			}
		}
		return c
	}
	return -1
}

func matchWords() []string {
	var out []string
	for _, words := range matchClauses {
		out = append(out, words[0])
	}
	return out
}

func (p *parser) noMatchClause(k int) {
	t := p.toks[k]
	err := tokenError(t, diag.SyntaxError, "no clause of MATCH_RECOGNIZE begins with %s", p.describe(k)).WithHint("%s", matchForm)
	if s := diag.Suggest(t.up, matchWords()); s != "" && t.kind == kWord {
		err.WithHint("did you mean %s?", s)
	}
	p.fail(err)
}

// missingMatchClause reports the absence of a clause at a word that looks like it, or at the closing bracket.
func (p *parser) missingMatchClause(word string, i, end int) {
	for k := i; k < end; k++ {
		if t := p.toks[k]; t.kind == kWord && diag.Suggest(t.up, []string{word}) != "" {
			p.fail(tokenError(t, diag.SyntaxError, "unexpected %s", p.describe(k)).WithHint("did you mean %s?", word))
		}
		if p.match[k] > int32(k) {
			k = int(p.match[k])
		}
	}
	p.fail(tokenError(p.toks[end], diag.SyntaxError, "%s of MATCH_RECOGNIZE is missing before )", word).WithHint("%s", matchForm))
}

// matchPart parses the tokens [i, j) behind the first words of a clause.
func (p *parser) matchPart(m *ast.MatchRecognize, word string, i, j int) {
	if i == j && word != "ONE" && word != "ALL" {
		p.failAt(j, diag.SyntaxError, "%s is empty before %s", word, p.describe(j))
	}
	switch word {
	case "PARTITION":
		m.PartitionBy = p.exprs(i, j)
	case "ORDER":
		m.OrderBy = p.orderItems(i, j)
	case "MEASURES":
		p.eachItem(i, j, func(i, j int) { m.Measures = append(m.Measures, p.measure(i, j)) })
	case "ONE", "ALL":
		m.AllRows = word == "ALL"
		p.words(i, j, "PER", "MATCH")
	case "AFTER":
		p.afterMatch(&m.After, i, j)
	case "PATTERN":
		end := int(p.match[i])
		m.Pattern = p.pattern(i+1, end)
		p.words(end+1, j)
	case "WITHIN":
		m.Within = p.expr(i, j)
	case "SUBSET":
		p.eachItem(i, j, func(i, j int) { m.Subsets = append(m.Subsets, p.subset(i, j)) })
	case "DEFINE":
		p.eachItem(i, j, func(i, j int) { m.Define = append(m.Define, p.define(i, j)) })
	}
}

// eachItem calls f for each of the items between commas.
func (p *parser) eachItem(i, j int, f func(i, j int)) {
	for {
		end := p.comma(i, j)
		if i == end {
			p.failAt(end, diag.SyntaxError, "something is missing before %s", p.describe(end))
		}
		if f(i, end); end >= j {
			return
		}
		i = end + 1
	}
}

// words requires that the tokens [i, j) are these words.
func (p *parser) words(i, j int, words ...string) {
	for _, w := range words {
		if !p.word(i, w) || i >= j {
			p.wanted(i, w)
		}
		i++
	}
	if i < j {
		if t := p.toks[i]; t.kind == kWord && (t.up == "SHOW" || t.up == "OMIT" || t.up == "WITH") {
			p.failAt(i, diag.NotSupported, "%s behind PER MATCH is not supported", t.up)
		}
		if s := diag.Suggest(p.toks[i].up, matchWords()); s != "" && p.toks[i].kind == kWord {
			p.fail(tokenError(p.toks[i], diag.SyntaxError, "unexpected %s", p.describe(i)).WithHint("did you mean %s?", s))
		}
		p.failAt(i, diag.SyntaxError, "unexpected %s", p.describe(i))
	}
}

func (p *parser) measure(i, j int) ast.SelectItem {
	as := p.find(i, j, "AS")
	if as+2 != j || !p.isName(as+1) {
		at := min(as+1, j)
		if p.word(at, "AS") || as+2 < j && p.isName(as+1) {
			at = as + 2
		}
		p.fail(tokenError(p.toks[at], diag.SyntaxError, "AS and a name are expected before %s", p.describe(at)).WithHint("write MEASURES LAST(A.x) AS x, .."))
	}
	return ast.SelectItem{Pos: ast.Pos(p.toks[i].off), Expr: p.expr(i, as), Alias: p.nameAt(as + 1), Text: p.src[p.toks[i].off:p.toks[as-1].end]}
}

func (p *parser) afterMatch(a *ast.AfterMatch, i, j int) {
	a.Pos = ast.Pos(p.toks[i-2].off)
	if !p.word(i, "SKIP") {
		p.wanted(i, "SKIP")
	}
	switch k := i + 1; {
	case p.word(k, "PAST"):
		p.words(k, j, "PAST", "LAST", "ROW")
	case p.word(k, "TO", "NEXT", "ROW"):
		a.Kind = "TO NEXT ROW"
		p.words(k+3, j)
	case p.word(k, "TO"):
		a.Kind = "TO LAST"
		if k++; k+1 < j && (p.word(k, "FIRST") || p.word(k, "LAST")) {
			a.Kind = "TO " + p.toks[k].up
			k++
		}
		if k >= j {
			p.failAt(k, diag.SyntaxError, "a pattern variable is expected before %s", p.describe(k))
		}
		a.Symbol = p.symbol(k)
		p.words(k+1, j)
	default:
		p.fail(tokenError(p.toks[k], diag.SyntaxError, "PAST LAST ROW, TO NEXT ROW, TO FIRST or TO LAST is expected before %s", p.describe(k)).
			WithHint("write AFTER MATCH SKIP PAST LAST ROW"))
	}
}

// symbol reads token k as a pattern variable.
func (p *parser) symbol(k int) ast.Name {
	save := p.k
	p.k = k
	n := p.name("a pattern variable")
	p.k = save
	return n
}

func (p *parser) subset(i, j int) ast.PatternSubset {
	s := ast.PatternSubset{Name: p.symbol(i)}
	if !p.op(i+1, "=") || !p.op(i+2, "(") || int(p.match[i+2]) != j-1 {
		p.fail(tokenError(p.toks[i+1], diag.SyntaxError, "= and variables in brackets are expected before %s", p.describe(i+1)).WithHint("write SUBSET %s = (A, B)", s.Name.Text))
	}
	p.eachItem(i+3, j-1, func(i, j int) {
		s.Symbols = append(s.Symbols, p.symbol(i))
		p.words(i+1, j)
	})
	return s
}

func (p *parser) define(i, j int) ast.PatternDefine {
	d := ast.PatternDefine{Symbol: p.symbol(i)}
	if !p.word(i+1, "AS") {
		p.wanted(i+1, "AS")
	}
	d.Cond = p.expr(i+2, j)
	return d
}

// runningCall parses FINAL f(..) and RUNNING f(..) at k as final(f(..)), running(f(..)).
func (p *parser) runningCall(k, j int) int {
	name := map[string]string{"FINAL": "final", "RUNNING": "running"}[p.toks[k].up]
	mark := len(p.holes)
	end, _ := p.wordOperand(k+1, j)
	c := &ast.Call{Pos: ast.Pos(p.toks[k].off), Name: name, Args: []ast.Expr{p.masked(k+1, end, mark)}}
	p.punch(k, end, hole{expr: c})
	return end
}

// dropParams forgets the question marks among the tokens [i, j): quantifiers of a pattern are no parameters.
func (p *parser) dropParams(i, j int) {
	from, to := p.toks[i].off, p.toks[j].off
	p.params = slices.DeleteFunc(p.params, func(off int) bool { return off >= from && off < to })
}
