package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// languages are those in which functions may be written.
var languages = []string{"SQL", "WASM"}

// createFunction reads what follows CREATE FUNCTION. The clauses behind the parameters come in any order.
func (p *parser) createFunction(at ast.Pos, replace bool) ast.Statement {
	f := &ast.CreateFunction{Pos: at, OrReplace: replace, IfNotExists: p.ifNotExists(), Name: p.name("the name of the function"), Deterministic: true}
	f.Params = p.functionParams()
	p.expect("RETURNS")
	f.Returns = p.typ()
	f.Language = p.functionLanguage()
	bodyAt := -1
	for !p.atEnd() {
		switch {
		case p.accept("LANGUAGE"):
			if p.atEnd() {
				p.wanted(p.k, languages...)
			}
			p.k++
		case p.accept("DETERMINISTIC"):
		case p.accept("NOT"):
			p.expect("DETERMINISTIC")
			f.Deterministic = false
		case p.word(p.k, "COMMENT"):
			p.comment()
		case p.word(p.k, "WITH") && f.Options == nil:
			f.Options = p.options()
		case (p.word(p.k, "AS") || p.word(p.k, "RETURN")) && bodyAt < 0:
			bodyAt = p.k
			p.functionBody(f)
		default:
			p.wanted(p.k, "LANGUAGE", "AS", "RETURN", "WITH")
		}
	}
	if bodyAt < 0 {
		p.fail(tokenError(p.toks[p.k], endCode(p.toks[p.k]), "the function has no body").WithHint("write AS 'a + b', or LANGUAGE wasm AS 'file.wasm'"))
	}
	return f
}

// functionParams reads (a INT, b STRING), maybe empty.
func (p *parser) functionParams() []ast.FunctionParam {
	if p.op(p.k, "(") && p.op(p.k+1, ")") {
		p.k += 2
		return nil
	}
	p.expectOp("(")
	var out []ast.FunctionParam
	for {
		name := p.name("the name of a parameter")
		for _, prev := range out {
			if strings.EqualFold(prev.Name.Text, name.Text) {
				p.fail(diag.New(diag.DuplicateName, name.At(), "a second parameter %s", name.Text))
			}
		}
		if p.op(p.k, ",") || p.op(p.k, ")") {
			p.fail(tokenError(p.toks[p.k], diag.SyntaxError, "the type of parameter %s is missing", name.Text).WithHint("write %s BIGINT", name.Text))
		}
		out = append(out, ast.FunctionParam{Name: name, Type: p.typ()})
		if p.acceptOp(")") {
			return out
		}
		if !p.acceptOp(",") {
			p.wanted(p.k, ",", ")")
		}
	}
}

// functionLanguage looks ahead for LANGUAGE, which tells how to read the body; without it the body is SQL.
func (p *parser) functionLanguage() string {
	k := p.clause(p.k, p.end, "LANGUAGE")
	if k == p.end {
		return "sql"
	}
	t := p.toks[k+1]
	if t.kind != kWord {
		p.wanted(k+1, languages...)
	}
	for _, l := range languages {
		if t.up == l {
			return strings.ToLower(l)
		}
	}
	err := tokenError(t, diag.NotSupported, "functions in %s are not supported", p.src[t.off:t.end]).WithHint("LANGUAGE is sql or wasm; compile the function to WebAssembly")
	if s := diag.Suggest(t.up, languages); s != "" {
		err.WithHint("did you mean %s?", s)
	}
	p.fail(err)
	return ""
}

// clause finds the clause of CREATE FUNCTION that begins with a word which may also be a name: RETURN language has no clause.
func (p *parser) clause(i, j int, word string) int {
	for k := p.find(i, j, word); k < j; k = p.find(k+1, j, word) {
		if prev := p.toks[k-1]; (prev.kind != kOp || prev.up == ")" || prev.up == "]" || prev.up == ">") && prev.up != "RETURN" && prev.up != "AS" {
			return k
		}
	}
	return j
}

// functionBody reads AS 'text', AS expr or RETURN expr at the cursor.
func (p *parser) functionBody(f *ast.CreateFunction) {
	word := p.toks[p.k].up
	p.k++
	f.TextPos = ast.Pos(p.toks[p.k].off)
	if f.Language == "wasm" {
		if word == "RETURN" {
			p.wanted(p.k-1, "AS")
		}
		f.Text = p.stringLit("the path of a module")
		return
	}
	if p.toks[p.k].kind == kString && word == "AS" {
		f.Body = p.quotedExpr(p.k)
		p.k++
		return
	}
	end := p.end
	for _, w := range []string{"WITH", "LANGUAGE", "COMMENT"} {
		end = min(end, p.clause(p.k, p.end, w))
	}
	f.Body = p.expr(p.k, end)
	p.k = end
}

// quotedExpr parses the expression that the string at token k holds. Blanks in front of it give its nodes their offsets in the source.
func (p *parser) quotedExpr(k int) ast.Expr {
	t := p.toks[k]
	text := unquote(p.src[t.off:t.end])
	if strings.TrimSpace(text) == "" {
		p.failAt(k, diag.SyntaxError, "the function has no body")
	}
	e, err := ParseExpr(strings.Repeat(" ", t.off+1) + text)
	if d, ok := diag.As(err); ok {
		inner := *d
		inner.Offset, inner.End = min(d.Offset, t.end-1), min(d.End, t.end)
		p.fail(&inner)
	}
	return e
}
