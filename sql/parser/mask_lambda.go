package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// maskArgs masks the arguments [i, j) of a call: expressions, and lambdas, which stand nowhere else.
func (p *parser) maskArgs(i, j int) {
	defer p.descend(i)()
	for k := i; k < j; k++ {
		if p.op(k, ",") {
			continue
		}
		if !p.lambdaAt(k, j) {
			k = p.maskExpr(k, j, stopComma)
			continue
		}
		end := p.comma(k, j)
		p.punch(k, end, hole{expr: p.lambda(k, end)})
		k = end
	}
}

// lambdaAt tells whether `x -> ..` or `(x, y) -> ..` begins at k. A text behind the arrow that begins with $
// is a path into JSON.
func (p *parser) lambdaAt(k, j int) bool {
	arrow := k + 1
	several := false
	if p.op(k, "(") {
		m := int(p.match[k])
		arrow = m + 1
		for i := k + 1; i < m; i++ {
			if name := (i-k)%2 == 1; name && !p.anyName(i) || !name && !p.op(i, ",") {
				return false
			}
		}
		several = m > k+2
	} else if !p.anyName(k) {
		return false
	}
	if arrow >= j || !p.op(arrow, "->") {
		return false
	}
	if several || arrow+1 >= j {
		return true
	}
	body := p.toks[arrow+1]
	return body.kind != kString || p.src[body.off+1] != '$'
}

// anyName tells whether token k is a word or a quoted name, reserved or not.
func (p *parser) anyName(k int) bool {
	return k < len(p.toks) && (p.toks[k].kind == kWord || p.toks[k].kind == kQuoted)
}

// lambda parses the lambda of the tokens [k, end).
func (p *parser) lambda(k, end int) *ast.Lambda {
	l := &ast.Lambda{Pos: ast.Pos(p.toks[k].off)}
	save := p.k
	p.k = k
	if p.op(k, "(") {
		l.Params = p.names("a parameter")
	} else {
		if t := p.toks[k]; t.kind == kWord && reserved[t.up] {
			p.fail(tokenError(t, diag.SyntaxError, "a parameter is expected before %s", p.describe(k)).
				WithHint("%s is a reserved word: to use it as a name write `%s`", t.up, p.src[t.off:t.end]))
		}
		l.Params = []ast.Name{p.name("a parameter")}
	}
	for i, n := range l.Params {
		for _, prev := range l.Params[:i] {
			if strings.EqualFold(prev.Text, n.Text) {
				p.fail(diag.New(diag.DuplicateName, n.At(), "a second parameter %s", n.Text))
			}
		}
	}
	body := p.k + 1
	p.k = save
	if body >= end {
		p.fail(tokenError(p.toks[end], endCode(p.toks[end]), "the body of the lambda is missing before %s", p.describe(end)))
	}
	l.Body = p.expr(body, end)
	return l
}

// mapLit parses MAP[k, v, ..] at k. A bracket with one expression is a subscript of a column called map: then ok is false.
func (p *parser) mapLit(k int) (next int, ok bool) {
	m := int(p.match[k+1])
	if m > k+2 && p.comma(k+2, m) == m {
		return k, false
	}
	lit := &ast.MapLit{Pos: ast.Pos(p.toks[k].off)}
	var list []ast.Expr
	if m > k+2 {
		list = p.exprs(k+2, m)
	}
	if len(list)%2 == 1 {
		p.fail(tokenError(p.toks[m], diag.SyntaxError, "a value is missing before ]").WithHint("write MAP[key, value, ..]"))
	}
	for i := 0; i < len(list); i += 2 {
		lit.Keys, lit.Values = append(lit.Keys, list[i]), append(lit.Values, list[i+1])
	}
	p.punch(k, m+1, hole{expr: lit})
	return m + 1, true
}

// rowAt tells whether STRUCT(..) or ROW(a AS x, ..) begins at k; a plain ROW(a, b) is the grammar's.
func (p *parser) rowAt(k int) bool {
	return p.op(k+1, "(") && (p.word(k, "STRUCT") || p.word(k, "ROW") && p.find(k+2, int(p.match[k+1]), "AS") < int(p.match[k+1]))
}

// row parses STRUCT(a AS x, ..) at k and returns the token behind it.
func (p *parser) row(k int) int {
	m := int(p.match[k+1])
	r := &ast.Row{Pos: ast.Pos(p.toks[k].off)}
	var names []ast.Name
	named := false
	for i := k + 2; ; {
		end := p.comma(i, m)
		if i == end {
			p.failAt(end, diag.SyntaxError, "a field is missing before %s", p.describe(end))
		}
		as := p.find(i, end, "AS")
		var name ast.Name
		if as < end {
			if as+2 != end || !p.anyName(as+1) {
				p.failAt(min(as+1, end), diag.SyntaxError, "the name of a field is expected before %s", p.describe(min(as+1, end)))
			}
			name, named = p.nameAt(as+1), true
		}
		r.Elems = append(r.Elems, p.expr(i, as))
		names = append(names, name)
		if end == m {
			break
		}
		i = end + 1
	}
	if named {
		r.Names = names
	}
	p.punch(k, m+1, hole{expr: r})
	return m + 1
}
