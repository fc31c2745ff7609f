package parser

import (
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// jsonTable parses JSON_TABLE(doc, 'path' COLUMNS (..)) at k (MySQL 8.0 manual, 14.17.6).
func (p *parser) jsonTable(k int) *ast.JSONTable {
	m := int(p.match[k+1])
	save := p.k
	defer func() { p.k = save }()
	j := &ast.JSONTable{Pos: ast.Pos(p.toks[k].off)}
	sep := p.comma(k+2, m)
	if sep == m {
		p.fail(tokenError(p.toks[m], diag.SyntaxError, "a comma and a path are expected before )").WithHint("write JSON_TABLE(doc, '$[*]' COLUMNS (a INT PATH '$.a'))"))
	}
	j.Doc = p.expr(k+2, sep)
	p.k = sep + 1
	j.Path, j.PathPos = p.jsonPath()
	j.Columns = p.jsonColumns()
	if p.k != m {
		p.failAt(p.k, diag.SyntaxError, "unexpected %s", p.describe(p.k))
	}
	return j
}

func (p *parser) jsonPath() (string, ast.Pos) {
	at := ast.Pos(p.toks[p.k].off)
	return p.stringLit("a JSON path"), at
}

// jsonColumns reads COLUMNS (..) at the cursor.
func (p *parser) jsonColumns() []ast.JSONColumn {
	defer p.descend(p.k)()
	p.expect("COLUMNS")
	p.expectOp("(")
	var out []ast.JSONColumn
	for {
		out = append(out, p.jsonColumn())
		if p.acceptOp(")") {
			return out
		}
		if !p.acceptOp(",") {
			p.wanted(p.k, ",", ")")
		}
	}
}

func (p *parser) jsonColumn() ast.JSONColumn {
	c := ast.JSONColumn{Pos: ast.Pos(p.toks[p.k].off)}
	if p.word(p.k, "NESTED") && (p.word(p.k+1, "PATH") || p.toks[p.k+1].kind == kString) {
		p.k++
		p.accept("PATH")
		c.Path, c.PathPos = p.jsonPath()
		c.Nested = p.jsonColumns()
		return c
	}
	c.Name = p.name("a column name")
	if p.accept("FOR") {
		p.expect("ORDINALITY")
		c.Ordinality = true
		return c
	}
	if p.word(p.k, "PATH") || p.word(p.k, "EXISTS") {
		p.fail(tokenError(p.toks[p.k], diag.SyntaxError, "the type of column %s is missing", c.Name.Text).WithHint("write %s INT PATH '$.%s'", c.Name.Text, c.Name.Text))
	}
	t := p.typ()
	c.Type = &t
	c.Exists = p.accept("EXISTS")
	p.expect("PATH")
	c.Path, c.PathPos = p.jsonPath()
	seen := map[string]bool{}
	for p.word(p.k, "NULL") || p.word(p.k, "DEFAULT") || p.word(p.k, "ERROR") {
		p.jsonFallback(&c, seen)
	}
	return c
}

// jsonFallback reads {NULL | ERROR | DEFAULT value} ON {EMPTY | ERROR}.
func (p *parser) jsonFallback(c *ast.JSONColumn, seen map[string]bool) {
	at := p.k
	f := ast.JSONFallback{Error: p.word(p.k, "ERROR")}
	p.k++
	if p.word(at, "DEFAULT") {
		end := p.find(p.k, int(p.match[p.enclosing(p.k)]), "ON")
		f.Default = p.expr(p.k, end)
		p.k = end
	}
	p.expect("ON")
	what := p.toks[p.k].up
	if !p.accept("EMPTY") && !p.accept("ERROR") {
		p.wanted(p.k, "EMPTY", "ERROR")
	}
	if seen[what] {
		p.failAt(at, diag.SyntaxError, "a second ON %s of the same column", what)
	}
	if seen[what] = true; what == "EMPTY" {
		c.OnEmpty = f
	} else {
		c.OnError = f
	}
}

// enclosing returns the opening bracket around token k.
func (p *parser) enclosing(k int) int {
	for k--; k > 0; k-- {
		if m := p.match[k]; m > int32(k) {
			return k
		} else if m >= 0 {
			k = int(m)
		}
	}
	return 0
}
