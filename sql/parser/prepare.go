package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// prepare reads what follows PREPARE (MySQL 8.0 manual, 15.5.1).
func (p *parser) prepare(at ast.Pos) ast.Statement {
	s := &ast.Prepare{Pos: at, Name: p.name("a name for the prepared statement")}
	p.expect("FROM")
	t := p.toks[p.k]
	s.TextPos = ast.Pos(t.off)
	if t.kind == kVar {
		s.Variable = p.userVariable()
		return s
	}
	if t.kind != kString {
		p.fail(tokenError(t, endCode(t), "a text or a variable is expected before %s", p.describe(p.k)).WithHint("write PREPARE %s FROM 'SELECT ..'", s.Name.Text))
	}
	s.Text = p.stringLit("the text of a statement")
	return s
}

// userVariable reads @x at the cursor.
func (p *parser) userVariable() *ast.Variable {
	v, ok := p.expr(p.k, p.k+1).(*ast.Variable)
	if !ok || v.System {
		p.failAt(p.k, diag.SyntaxError, "a variable is expected before %s", p.describe(p.k))
	}
	p.k++
	return v
}

// execute reads what follows EXECUTE.
func (p *parser) execute(at ast.Pos) ast.Statement {
	s := &ast.Execute{Pos: at, Name: p.name("the name of a prepared statement")}
	if p.accept("USING") {
		s.Using = p.exprs(p.k, p.end)
		p.k = p.end
	} else if !p.atEnd() {
		p.wanted(p.k, "USING")
	}
	return s
}

// kill reads what follows KILL.
func (p *parser) kill(at ast.Pos) ast.Statement {
	s := &ast.Kill{Pos: at, Query: p.accept("QUERY")}
	if !s.Query {
		p.accept("CONNECTION")
	}
	t := p.toks[p.k]
	if t.kind != kNumber && t.kind != kParam && t.kind != kVar || strings.Contains(p.src[t.off:t.end], ".") {
		p.fail(tokenError(t, endCode(t), "the number of a connection is expected before %s", p.describe(p.k)).
			WithHint("SHOW PROCESSLIST lists the connections; a job is stopped with STOP JOB name"))
	}
	s.ID = p.expr(p.k, p.k+1)
	p.k++
	return s
}
