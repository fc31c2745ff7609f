package parser

import (
	tidb "github.com/pingcap/tidb/pkg/parser"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// Parsed is one statement of a script: its text without the semicolon, where that text begins in the script, and its tree, whose
// offsets count from the beginning of Text.
type Parsed struct {
	Stmt   ast.Statement
	Text   string
	Offset int
}

// Parse parses one statement; a semicolon behind it is allowed. Errors are *diag.Error. It is safe for concurrent use.
func Parse(text string) (ast.Statement, error) {
	var stmt ast.Statement
	err := guard(text, func(g *tidb.Parser) {
		p := newParser(g, text)
		p.checkSingle()
		stmt = p.statement()
		p.expectEnd()
		p.finish()
	})
	if err != nil {
		return nil, err
	}
	return stmt, nil
}

// ParseExpr parses a scalar expression.
func ParseExpr(text string) (ast.Expr, error) {
	var e ast.Expr
	err := guard(text, func(g *tidb.Parser) {
		p := newParser(g, text)
		if p.end == 0 {
			p.failAt(0, diag.UnexpectedEnd, "there is no expression")
		}
		p.checkSingle()
		e = p.expr(0, p.end)
		p.finish()
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// ParseScript parses every statement of a script and stops at the first error, whose offset counts from the beginning of the script;
// the statements before it are returned, too.
func ParseScript(text string) ([]Parsed, error) {
	var out []Parsed
	for _, part := range pieces(text, true) {
		if err := part.parse(text); err != nil {
			return out, err
		}
		out = append(out, part)
	}
	return out, nil
}

// ParseAll parses every statement of a script: it returns those that are right, and the errors of the others.
func ParseAll(text string) (out []Parsed, errs []error) {
	for _, part := range pieces(text, true) {
		if err := part.parse(text); err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, part)
	}
	return out, errs
}

// parse parses one statement of a script; an error is placed in the script.
func (p *Parsed) parse(script string) (err error) {
	if p.Stmt, err = Parse(p.Text); err == nil {
		return nil
	}
	d, ok := diag.As(err)
	if !ok {
		return err
	}
	shifted := *d
	shifted.Source = script
	if d.Offset >= 0 {
		shifted.Offset += p.Offset
	}
	if d.End > 0 {
		shifted.End += p.Offset
	}
	return &shifted
}

// checkSingle refuses a second statement behind a semicolon; a statement set keeps its semicolons.
func (p *parser) checkSingle() {
	first := p.k
	if opensSet(p.toks, first) >= 0 {
		return
	}
	for k := first; k < p.end; k++ {
		if p.op(k, ";") {
			next := k + 1
			p.fail(tokenError(p.toks[next], diag.SyntaxError, "unexpected %s behind the statement", p.describe(next)).WithHint("one statement at a time"))
		}
	}
}

// finish checks that nothing which was seen in the tokens got lost in the conversion.
func (p *parser) finish() {
	p.settle(0)
	for _, n := range p.named {
		p.fail(diag.New(diag.SyntaxError, n.off, "unknown window '%s'", n.name).WithHint("define it: WINDOW %s AS (PARTITION BY ..)", n.name))
	}
	for _, w := range p.withs {
		if !w.used && len(w.names) > 0 {
			k := p.tokenAt(w.names[0].At())
			p.failAt(k, diag.SyntaxError, "unexpected %s", p.describe(k))
		}
	}
	for _, s := range p.selects {
		if !s.used {
			k := p.tokenAt(s.pos)
			p.failAt(k, diag.SyntaxError, "unexpected %s", p.describe(k))
		}
	}
}
