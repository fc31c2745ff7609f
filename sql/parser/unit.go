package parser

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	tidb "github.com/pingcap/tidb/pkg/parser"
	tast "github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/mysql"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// Limits of one statement. Trees are walked recursively, by TiDB, by us and by all who read them; a client must not be able to
// exhaust the stack.
const (
	maxNesting   = 500     // brackets, CASEs, types, postfix operators within one another
	maxTreeDepth = 3000    // operators within operators, as in a + b + c + ..; joins and set operations, too
	maxSteps     = 100_000 // operands and operators of one expression, before TiDB sees it
	maxHoles     = holeLast - holeFirst
	maxText      = 16 << 20
)

// parser reads one statement. buf is the text that TiDB sees: comments blanked, islands overwritten.
type parser struct {
	tidb     *tidb.Parser // ours for the whole statement, see runGrammar
	src      string
	toks     []token
	match    []int32 // partner of the bracket at a token, -1 otherwise
	buf      []byte
	holes    []hole
	params   []int        // offsets of the question marks
	selects  []*selectRec // in text order
	withs    []*withRec
	named    []namedWindow // island calls with OVER name, not yet expanded
	k        int           // cursor of the statement heads
	end      int           // the token behind the statement
	half     int           // a >> of which one half has closed a type
	nested   int           // CASEs and types around the cursor
	matching int           // MATCH_RECOGNIZEs around the cursor
	single   bool          // one expression is being parsed, not a list
}

// hole is a parsed island whose placeholder stands in buf. Exactly one of expr and table is set.
type hole struct {
	off   int
	expr  ast.Expr
	table ast.TableExpr
	used  bool
}

// namedWindow is a call whose OVER names a window that its SELECT defines: OVER w, OVER (w ORDER BY ..).
type namedWindow struct {
	call *ast.Call
	name string
	off  int
}

// bail carries an error out of the recursive descent; it never leaves the package.
type bail struct{ err *diag.Error }

func (p *parser) fail(err *diag.Error) { panic(bail{err}) }

// descend counts a step into something nested; the returned function counts it back.
func (p *parser) descend(k int) func() {
	if p.nested++; p.nested > maxNesting {
		p.tooDeep(k, maxNesting)
	}
	return func() { p.nested-- }
}

func (p *parser) tooDeep(k, limit int) {
	p.failAt(k, diag.TooDeep, "the statement is nested more than %d deep here", limit)
}

func (p *parser) failAt(k int, code diag.Code, format string, args ...any) {
	t := p.toks[k]
	err := diag.New(code, t.off, format, args...)
	err.End = t.end
	p.fail(err)
}

// guard runs f with a grammar and returns what it bailed out with. A panic of the grammar itself becomes an error, too: a text of a
// client must not end the process; that grammar is dropped, not pooled.
func guard(text string, f func(g *tidb.Parser)) (err error) {
	g := grammars.Get().(*tidb.Parser)
	defer func() {
		switch r := recover().(type) {
		case nil:
			grammars.Put(g)
		case bail:
			grammars.Put(g)
			r.err.Source = text
			err = r.err
		default:
			e := diag.New(diag.Internal, 0, "the parser failed on this statement").Wrap(panicError(r))
			e.Source = text
			err = e
		}
	}()
	f(g)
	return nil
}

func panicError(r any) error {
	if e, ok := r.(error); ok {
		return e
	}
	return errors.New("panic while parsing")
}

// newParser cuts the text, pairs the brackets and blanks the comments.
func newParser(g *tidb.Parser, text string) *parser {
	p := &parser{tidb: g, src: text, half: -1}
	if len(text) > maxText {
		p.fail(diag.New(diag.SyntaxError, maxText, "the statement is longer than %d MB", maxText>>20))
	}
	l := lex(text, false)
	if l.err != nil {
		p.fail(l.err)
	}
	p.toks = l.toks
	p.buf = make([]byte, len(text))
	for i := range p.buf {
		p.buf[i] = ' '
	}
	for _, t := range p.toks {
		copy(p.buf[t.off:t.end], text[t.off:t.end])
		if t.kind == kParam {
			p.params = append(p.params, t.off)
		}
	}
	p.checkIdioms()
	p.pair()
	p.end = len(p.toks) - 1
	for p.end > 0 && p.op(p.end-1, ";") {
		p.end--
	}
	return p
}

// pair finds the partner of every bracket.
func (p *parser) pair() {
	p.match = make([]int32, len(p.toks))
	var open []int
	for k, t := range p.toks {
		p.match[k] = -1
		if t.kind != kOp {
			continue
		}
		switch t.up {
		case "(", "[", "{":
			if open = append(open, k); len(open) > maxNesting {
				p.failAt(k, diag.TooDeep, "more than %d brackets within one another", maxNesting)
			}
		case ")", "]", "}":
			if len(open) == 0 {
				p.fail(tokenError(t, diag.SyntaxError, "%s has no opening bracket", t.up).WithHint("remove it, or add %s before", partner(t.up)))
			}
			last := open[len(open)-1]
			if want := partner(p.toks[last].up); want != t.up {
				p.fail(tokenError(t, diag.SyntaxError, "%s where %s should close the %s at %s", t.up, want, p.toks[last].up, p.place(p.toks[last].off)))
			}
			open = open[:len(open)-1]
			p.match[k], p.match[last] = int32(last), int32(k)
		}
	}
	if len(open) > 0 {
		p.unclosed(open[len(open)-1])
	}
}

func tokenError(t token, code diag.Code, format string, args ...any) *diag.Error {
	e := diag.New(code, t.off, format, args...)
	e.End = t.end
	return e
}

func partner(bracket string) string {
	const pairs = "()[]{}"
	return pairs[strings.Index(pairs, bracket)^1:][:1]
}

func (p *parser) place(off int) string {
	line, col := diag.Position(p.src, off)
	return strconv.Itoa(line) + ":" + strconv.Itoa(col)
}

// blank overwrites a stretch of the text that TiDB must not see.
func (p *parser) blank(from, to int) {
	for i := from; i < to; i++ {
		p.buf[i] = ' '
	}
}

// punch puts a placeholder over the tokens [i, j).
func (p *parser) punch(i, j int, h hole) {
	h.off = p.toks[i].off
	if len(p.holes) >= maxHoles {
		p.failAt(i, diag.SyntaxError, "the statement has more than %d extensions of the grammar", maxHoles)
	}
	end := p.toks[j-1].end
	p.blank(h.off, end)
	if end-h.off < holeWidth {
		p.failAt(i, diag.SyntaxError, "unexpected %s", p.describe(i))
	}
	utf8.EncodeRune(p.buf[h.off:end], holeFirst+rune(len(p.holes)))
	p.holes = append(p.holes, h)
}

// fill returns the hole whose placeholder is name, nil when name is an ordinary name.
func (p *parser) fill(name string, base int) *hole {
	r, n := utf8.DecodeRuneInString(name)
	if n != holeWidth || n != len(name) || r < holeFirst || r > holeLast {
		return nil
	}
	i := int(r - holeFirst)
	if i >= len(p.holes) {
		p.fail(diag.New(diag.SyntaxError, base, "unexpected name"))
	}
	h := &p.holes[i]
	if h.used {
		p.fail(diag.New(diag.SyntaxError, h.off, "unexpected %s", p.describe(p.tokenAt(h.off))))
	}
	h.used = true
	return h
}

// settle refuses a unit that left one of its holes unconsumed: the grammar took the placeholder for something else.
func (p *parser) settle(mark int) {
	for _, h := range p.holes[mark:] {
		if !h.used {
			k := p.tokenAt(h.off)
			p.failAt(k, diag.SyntaxError, "unexpected %s", p.describe(k))
		}
	}
}

// tokenAt returns the index of the first token that ends behind the offset.
func (p *parser) tokenAt(off int) int {
	lo, hi := 0, len(p.toks)-1
	for lo < hi {
		if mid := (lo + hi) / 2; p.toks[mid].end > off {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

var grammars = sync.Pool{New: func() any {
	g := tidb.New()
	mode, _ := mysql.GetSQLMode(mysql.DefaultSQLMode)
	g.SetSQLMode(mode | mysql.ModePipesAsConcat)
	return g
}}

// grammar runs TiDB over prefix + tokens [i, j) + suffix and returns its tree and the number to add to its offsets.
func (p *parser) grammar(prefix string, i, j int, suffix string) (tast.StmtNode, int) {
	if i >= j {
		p.failAt(j, endCode(p.toks[j]), "an expression is missing before %s", p.describe(j))
	}
	from, to := p.toks[i].off, p.toks[j-1].end
	text := prefix + string(p.buf[from:to]) + suffix
	stmt, err := runGrammar(p.tidb, text)
	if err != nil {
		p.explain(prefix, i, j, text, err)
	}
	return stmt, from - len(prefix)
}

// runGrammar parses one statement. The tree is valid until the grammar's next run: a run may write to nodes of the one before.
func runGrammar(g *tidb.Parser, text string) (tast.StmtNode, error) {
	stmts, _, err := g.ParseSQL(text)
	if err != nil {
		return nil, err
	}
	if len(stmts) != 1 {
		return nil, errors.New("no single statement")
	}
	return stmts[0], nil
}

// badOffset finds where in text the grammar stopped: it says how much of the text is left. It is -1 for the few errors without a place.
func badOffset(text string, err error) int {
	msg := err.Error()
	if i := strings.LastIndex(msg, "(total length "); i >= 0 {
		if n, e := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(msg[i+len("(total length "):]), ")")); e == nil {
			return max(0, len(text)-n)
		}
	}
	i := strings.Index(msg, "near \"")
	j := strings.LastIndexByte(msg, '"')
	if i < 0 || j < i+6 {
		return -1
	}
	return max(0, len(text)-(j-i-6))
}

// exprs parses a list of expressions.
func (p *parser) exprs(i, j int) []ast.Expr {
	mark := len(p.holes)
	p.maskExpr(i, j, 0)
	return p.maskedExprs(i, j, mark, false)
}

// maskedExprs parses the already masked expressions [i, j), whose holes begin at mark; single tells that one is wanted, for hints.
func (p *parser) maskedExprs(i, j, mark int, single bool) []ast.Expr {
	p.single = single
	stmt, base := p.grammar("DO ", i, j, "")
	p.single = false
	do, ok := stmt.(*tast.DoStmt)
	if !ok {
		p.failAt(i, diag.SyntaxError, "an expression is expected")
	}
	c := &conv{p: p, base: base}
	out := c.exprs(do.Exprs)
	p.settle(mark)
	return out
}

// masked is maskedExprs for exactly one.
func (p *parser) masked(i, j, mark int) ast.Expr {
	list := p.maskedExprs(i, j, mark, true)
	if len(list) != 1 {
		p.failAt(i, diag.SyntaxError, "one expression is expected")
	}
	return list[0]
}

// expr parses exactly one expression.
func (p *parser) expr(i, j int) ast.Expr {
	if e := p.simple(i, j); e != nil {
		return e
	}
	mark := len(p.holes)
	p.maskExpr(i, j, 0)
	list := p.maskedExprs(i, j, mark, true)
	if len(list) != 1 {
		k := p.comma(i, j)
		p.failAt(k, diag.SyntaxError, "unexpected %s", p.describe(k))
	}
	return list[0]
}

// simple parses an expression of one token without asking the grammar.
func (p *parser) simple(i, j int) ast.Expr {
	if j != i+1 {
		return nil
	}
	switch t := p.toks[i]; t.kind {
	case kString:
		return &ast.Literal{Pos: ast.Pos(t.off), Kind: ast.LitString, Text: unquote(p.src[t.off:t.end])}
	case kQuoted:
		return &ast.Column{Pos: ast.Pos(t.off), Parts: []ast.Name{p.nameAt(i)}}
	case kWord:
		if !keywords[t.up] {
			return &ast.Column{Pos: ast.Pos(t.off), Parts: []ast.Name{p.nameAt(i)}}
		}
	}
	return nil
}

// comma returns the first comma of [i, j) outside brackets, j when there is none.
func (p *parser) comma(i, j int) int {
	for k := i; k < j; k++ {
		if p.match[k] > int32(k) {
			k = int(p.match[k])
		} else if p.toks[k].up == "," && p.toks[k].kind == kOp {
			return k
		}
	}
	return j
}

// orderItems parses the keys of ORDER BY.
func (p *parser) orderItems(i, j int) []ast.OrderItem {
	mark := len(p.holes)
	p.maskExpr(i, j, sortKeys)
	stmt, base := p.grammar("SELECT 1 ORDER BY ", i, j, "")
	sel, ok := stmt.(*tast.SelectStmt)
	if !ok || sel.OrderBy == nil || sel.Limit != nil || sel.LockInfo != nil || sel.SelectIntoOpt != nil {
		p.failAt(i, diag.SyntaxError, "ORDER BY keys are expected")
	}
	c := &conv{p: p, base: base}
	out := c.orderBy(sel.OrderBy)
	p.settle(mark)
	return out
}

// window parses what stands between the brackets of OVER (..).
// The name is that of the window which it extends.
func (p *parser) window(i, j int) (w *ast.Window, extends string) {
	at := ast.Pos(p.toks[i].off)
	if i == j {
		return &ast.Window{Pos: at}, ""
	}
	mark := len(p.holes)
	p.maskExpr(i, j, 0)
	stmt, base := p.grammar("SELECT count(1) OVER (", i, j, ")")
	sel, ok := stmt.(*tast.SelectStmt)
	if !ok || len(sel.Fields.Fields) != 1 {
		p.failAt(i, diag.SyntaxError, "a window is expected")
	}
	call, ok := sel.Fields.Fields[0].Expr.(*tast.WindowFuncExpr)
	if !ok || sel.From != nil {
		p.failAt(i, diag.SyntaxError, "a window is expected")
	}
	c := &conv{p: p, base: base}
	w = c.windowSpec(&call.Spec, at)
	p.settle(mark)
	return w, call.Spec.Ref.L
}
