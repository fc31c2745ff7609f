package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// create reads what follows CREATE.
func (p *parser) create(at ast.Pos) ast.Statement {
	replace := p.accept("OR")
	if replace {
		p.expect("REPLACE")
	}
	temporary := p.accept("TEMPORARY")
	t := p.toks[p.k]
	switch {
	case p.accept("SOURCE"), p.accept("TABLE"):
		return p.createRelation(at, t.up, replace)
	case p.accept("SINK"):
		if replace {
			p.fail(tokenError(t, diag.NotSupported, "OR REPLACE of a sink is not supported").WithHint("drop the sink first"))
		}
		return p.createSink(at)
	case p.accept("VIEW"):
		return p.createView(at, false, replace)
	case p.accept("MATERIALIZED"):
		p.expect("VIEW")
		return p.createView(at, true, replace)
	case p.accept("FUNCTION"):
		return p.createFunction(at, replace)
	case (p.word(p.k, "JOB") || p.word(p.k, "SAVEPOINT")) && replace:
		p.fail(tokenError(t, diag.NotSupported, "OR REPLACE of a %s is not supported", strings.ToLower(t.up)).WithHint("drop it first"))
	case p.accept("JOB"):
		return p.createJob(at)
	case p.accept("SAVEPOINT"):
		return p.createSavepoint(at)
	case t.kind == kWord && (t.up == "DATABASE" || t.up == "SCHEMA" || t.up == "INDEX" || t.up == "USER" ||
		t.up == "STREAM" || t.up == "CATALOG" || t.up == "PROCEDURE" || t.up == "TRIGGER" || t.up == "UNIQUE"):
		err := tokenError(t, diag.NotSupported, "CREATE %s is not supported", t.up)
		if t.up == "STREAM" {
			err.WithHint("write CREATE SOURCE, or CREATE MATERIALIZED VIEW for a query")
		}
		p.fail(err)
	}
	if temporary {
		p.wanted(p.k, "TABLE", "VIEW")
	}
	p.wanted(p.k, "SOURCE", "TABLE", "SINK", "VIEW", "MATERIALIZED", "FUNCTION", "JOB", "SAVEPOINT")
	return nil
}

func (p *parser) ifNotExists() bool {
	if !p.word(p.k, "IF") {
		return false
	}
	p.expect("IF", "NOT", "EXISTS")
	return true
}

func (p *parser) createRelation(at ast.Pos, kind string, replace bool) ast.Statement {
	r := &ast.CreateRelation{Pos: at, Kind: kind, OrReplace: replace, IfNotExists: p.ifNotExists()}
	r.Name = p.name("the name of the " + strings.ToLower(kind))
	if p.op(p.k, "(") {
		s := p.schema(true)
		r.Columns, r.PrimaryKey, r.Watermark = s.columns, s.key, s.watermark
	}
	p.comment()
	if p.word(p.k, "PARTITIONED") {
		p.failAt(p.k, diag.NotSupported, "PARTITIONED BY is not supported")
	}
	p.refuseQuery(kind)
	if p.word(p.k, "WITH") {
		r.Options = p.options()
		p.refuseQuery(kind)
	}
	if !p.atEnd() {
		p.wanted(p.k, "WITH")
	}
	return r
}

// refuseQuery refuses the query or the model of a relation that is read from.
func (p *parser) refuseQuery(kind string) {
	t := p.toks[p.k]
	switch {
	case p.word(p.k, "LIKE"):
		p.fail(tokenError(t, diag.NotSupported, "CREATE %s .. LIKE is not supported", kind).WithHint("SHOW CREATE %s gives the text to begin with", kind))
	case p.word(p.k, "AS"), p.word(p.k, "SELECT"):
		p.fail(tokenError(t, diag.NotSupported, "CREATE %s .. AS is not supported", kind).
			WithHint("write CREATE MATERIALIZED VIEW .. AS SELECT, or CREATE SINK .. WITH (..) AS SELECT"))
	}
}

// comment skips COMMENT 'text'.
func (p *parser) comment() {
	if p.accept("COMMENT") {
		p.acceptOp("=")
		p.stringLit("a comment")
	}
}

func (p *parser) createSink(at ast.Pos) ast.Statement {
	s := &ast.CreateSink{Pos: at, IfNotExists: p.ifNotExists(), Name: p.name("the name of the sink")}
	if p.op(p.k, "(") {
		sch := p.schema(false)
		s.Columns, s.PrimaryKey = sch.columns, sch.key
	}
	p.comment()
	if p.word(p.k, "WITH") && p.op(p.k+1, "(") {
		s.Options = p.options()
	}
	switch {
	case p.accept("AS"):
		end := p.find(p.k, p.end, "WITH")
		for end < p.end && !p.op(end+1, "(") {
			end = p.find(end+1, p.end, "WITH")
		}
		s.Query = p.query(p.k, end)
		p.k = end
	case p.accept("FROM"):
		s.Query = p.allOf(p.name("a relation"))
	}
	if p.word(p.k, "WITH") && s.Options == nil {
		s.Options = p.options()
	}
	if !p.atEnd() {
		if s.Query == nil {
			p.wanted(p.k, "WITH", "AS", "FROM")
		}
		p.expectEnd()
	}
	return s
}

// allOf is SELECT * FROM name.
func (p *parser) allOf(name ast.Name) *ast.Query {
	return &ast.Query{Pos: name.Pos, Body: &ast.Select{
		Pos:   name.Pos,
		Items: []ast.SelectItem{{Pos: name.Pos, Expr: &ast.Star{Pos: name.Pos}, Text: "*"}},
		From:  &ast.Table{Pos: name.Pos, Name: name},
	}}
}

func (p *parser) createView(at ast.Pos, materialized, replace bool) ast.Statement {
	v := &ast.CreateView{Pos: at, Materialized: materialized, OrReplace: replace, IfNotExists: p.ifNotExists(), Name: p.name("the name of the view")}
	if p.op(p.k, "(") {
		v.Columns = p.names("a column name")
	}
	p.comment()
	if p.word(p.k, "WITH") {
		v.Options = p.options()
	}
	if !p.accept("AS") {
		p.wanted(p.k, "AS")
	}
	v.Query = p.query(p.k, p.end)
	v.Text = p.src[p.toks[min(p.k, p.end)].off:p.toks[p.end-1].end]
	p.k = p.end
	return v
}

// options reads WITH (k = v, ..).
func (p *parser) options() []ast.Option {
	p.expect("WITH")
	return p.optionList()
}

// optionList reads (k = v, ..).
func (p *parser) optionList() []ast.Option {
	p.expectOp("(")
	out := []ast.Option{}
	for !p.acceptOp(")") {
		o := p.option()
		for _, prev := range out {
			if prev.Key == o.Key {
				p.fail(diag.New(diag.DuplicateName, o.At(), "option '%s' stands twice", o.Key))
			}
		}
		out = append(out, o)
		if !p.op(p.k, ")") {
			if !p.acceptOp(",") {
				err := tokenError(p.toks[p.k], endCode(p.toks[p.k]), "unexpected %s", p.describe(p.k))
				p.fail(err.WithHint("a comma may be missing before it"))
			}
			if p.op(p.k, ")") {
				p.failAt(p.k, diag.SyntaxError, "an option is expected before )")
			}
		}
	}
	return out
}

func (p *parser) option() ast.Option {
	t := p.toks[p.k]
	o := ast.Option{Pos: ast.Pos(t.off)}
	if t.kind == kString {
		o.Key = p.stringLit("an option")
	} else {
		o.Key = p.dotted("an option")
	}
	if !p.acceptOp("=") {
		err := tokenError(p.toks[p.k], endCode(p.toks[p.k]), "= is expected before %s", p.describe(p.k))
		p.fail(err.WithHint("write %s = 'value'", o.Key))
	}
	v := p.toks[p.k]
	o.ValuePos = ast.Pos(v.off)
	switch {
	case v.kind == kString:
		o.Value = p.stringLit("a value")
	case v.kind == kNumber || v.kind == kWord:
		o.Value = p.src[v.off:v.end]
		p.k++
	case p.op(p.k, "-") && p.toks[p.k+1].kind == kNumber:
		o.Value = "-" + p.src[p.toks[p.k+1].off:p.toks[p.k+1].end]
		p.k += 2
	default:
		p.failAt(p.k, endCode(v), "a value is expected before %s", p.describe(p.k))
	}
	return o
}

// dotted reads a bare key, a.b or a-b, in lower case; reserved words are fine.
func (p *parser) dotted(what string) string {
	var sb strings.Builder
	for {
		t := p.toks[p.k]
		if t.kind != kWord && t.kind != kQuoted {
			p.failAt(p.k, endCode(t), "%s is expected before %s", what, p.describe(p.k))
		}
		sb.WriteString(strings.ToLower(p.nameAt(p.k).Text))
		p.k++
		switch {
		case p.acceptOp("."):
			sb.WriteByte('.')
		case p.acceptOp("-"):
			sb.WriteByte('-')
		default:
			return sb.String()
		}
	}
}
