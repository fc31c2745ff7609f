package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// schema is the bracketed part of CREATE SOURCE, TABLE and SINK.
type schema struct {
	columns   []ast.ColumnDef
	key       []ast.Name
	keyAt     int
	watermark *ast.WatermarkDef
}

// schema reads ( column, .., PRIMARY KEY (..), WATERMARK FOR .. ); computed columns and watermarks are for relations that are read.
func (p *parser) schema(readable bool) *schema {
	s := &schema{keyAt: -1}
	p.expectOp("(")
	for {
		start := p.k
		p.schemaItem(s)
		if !readable {
			if s.watermark != nil {
				p.failAt(start, diag.NotSupported, "a sink has no watermark")
			}
			if n := len(s.columns); n > 0 && s.columns[n-1].Computed != nil {
				p.failAt(start, diag.NotSupported, "a sink has no computed columns")
			}
		}
		if p.acceptOp(")") {
			return s
		}
		if !p.acceptOp(",") {
			err := tokenError(p.toks[p.k], endCode(p.toks[p.k]), "unexpected %s", p.describe(p.k))
			if p.word(p.k, "NOT") {
				err.WithHint("write NOT NULL")
			} else if sug := p.columnWord(); sug != "" {
				err.WithHint("did you mean %s?", sug)
			} else {
				err.WithHint("a comma may be missing before it")
			}
			p.fail(err)
		}
		if p.op(p.k, ")") {
			p.failAt(p.k, diag.SyntaxError, "a column is expected before )")
		}
	}
}

func (p *parser) columnWord() string {
	t := p.toks[p.k]
	if t.kind != kWord {
		return ""
	}
	return diag.Suggest(t.up, []string{"NOT", "NULL", "PRIMARY", "METADATA", "VIRTUAL", "COMMENT", "UNSIGNED"})
}

func (p *parser) schemaItem(s *schema) {
	switch {
	case p.word(p.k, "CONSTRAINT"):
		p.k++
		p.name("the name of the constraint")
		if !p.word(p.k, "PRIMARY") {
			p.wanted(p.k, "PRIMARY KEY")
		}
		p.primaryKey(s)
	case p.word(p.k, "PRIMARY"):
		p.primaryKey(s)
	case p.word(p.k, "WATERMARK", "FOR"):
		p.watermark(s)
	case p.word(p.k, "WATERMARK") && p.word(p.k+2, "AS") && typeWords[p.toks[p.k+1].up] == "":
		p.fail(tokenError(p.toks[p.k+1], diag.SyntaxError, "FOR is expected before %s", p.describe(p.k+1)).
			WithHint("write WATERMARK FOR %s AS %[1]s - INTERVAL 5 SECOND", p.src[p.toks[p.k+1].off:p.toks[p.k+1].end]))
	case p.word(p.k+1, "FOR") && p.toks[p.k].kind == kWord && diag.Suggest(p.toks[p.k].up, []string{"WATERMARK"}) != "":
		p.fail(tokenError(p.toks[p.k], diag.SyntaxError, "unexpected %s", p.describe(p.k)).WithHint("did you mean WATERMARK?"))
	case (p.word(p.k, "UNIQUE") || p.word(p.k, "INDEX") || p.word(p.k, "KEY") || p.word(p.k, "FOREIGN") || p.word(p.k, "CHECK")) &&
		(p.op(p.k+1, "(") || p.toks[p.k+1].up == "KEY" || p.op(p.k+2, "(")):
		p.failAt(p.k, diag.NotSupported, "%s is not supported", p.toks[p.k].up)
	default:
		p.column(s)
	}
}

func (p *parser) setKey(s *schema, at int, key []ast.Name) {
	if s.keyAt >= 0 {
		p.failAt(at, diag.DuplicateName, "a second PRIMARY KEY")
	}
	s.keyAt, s.key = at, key
}

func (p *parser) primaryKey(s *schema) {
	at := p.k
	p.expect("PRIMARY", "KEY")
	p.setKey(s, at, p.names("a column name"))
	p.notEnforced()
}

func (p *parser) notEnforced() {
	if p.word(p.k, "NOT", "ENFORCED") {
		p.k += 2
	}
}

func (p *parser) watermark(s *schema) {
	w := &ast.WatermarkDef{Pos: ast.Pos(p.toks[p.k].off)}
	if s.watermark != nil {
		p.failAt(p.k, diag.DuplicateName, "a second WATERMARK")
	}
	p.k += 2
	w.Column = p.name("a column name")
	p.expect("AS")
	w.Expr = p.itemExpr()
	s.watermark = w
}

// itemExpr parses an expression that ends at a comma or at the end of the bracket around it.
func (p *parser) itemExpr() ast.Expr {
	end := p.k
	for ; end < p.end; end++ {
		if p.match[end] > int32(end) {
			end = int(p.match[end])
		} else if p.op(end, ",") || p.op(end, ")") || p.word(end, "COMMENT") || p.word(end, "VIRTUAL") || p.word(end, "STORED") || p.word(end, "PERSISTED") {
			break
		}
	}
	e := p.expr(p.k, end)
	p.k = end
	return e
}

// column reads one column definition.
func (p *parser) column(s *schema) {
	name := p.name("a column name")
	c := ast.ColumnDef{Pos: name.Pos, Name: name}
	switch {
	case p.accept("AS"):
		c.Computed = p.itemExpr()
	case p.op(p.k, ",") || p.op(p.k, ")"):
		p.failAt(p.k, diag.SyntaxError, "the type of column %s is missing", c.Name.Text)
	default:
		t, next := p.typeName(p.k)
		c.Type = &t
		p.k = next
	}
	for p.columnAttribute(s, &c) {
	}
	for _, prev := range s.columns {
		if strings.EqualFold(prev.Name.Text, c.Name.Text) {
			p.fail(diag.New(diag.DuplicateName, c.At(), "a second column %s", c.Name.Text))
		}
	}
	s.columns = append(s.columns, c)
}

// columnAttribute reads one thing behind the type and tells whether there was one.
func (p *parser) columnAttribute(s *schema, c *ast.ColumnDef) bool {
	at := p.k
	switch {
	case p.accept("NOT", "NULL"):
		c.NotNull = true
	case p.accept("NULL"), p.accept("VIRTUAL"), p.accept("STORED"), p.accept("PERSISTED"), p.accept("ZEROFILL"):
	case p.accept("PRIMARY"):
		p.expect("KEY")
		p.setKey(s, at, []ast.Name{c.Name})
		p.notEnforced()
	case p.word(p.k, "METADATA"):
		p.k++
		c.Metadata, c.MetadataKey = true, c.Name.Text
		if p.accept("FROM") {
			c.MetadataKey = p.stringLit("a metadata key")
		}
	case p.accept("GENERATED"):
		p.expect("ALWAYS", "AS")
		c.Computed = p.itemExpr()
	case p.accept("AS"):
		c.Computed = p.itemExpr()
	case p.word(p.k, "COMMENT"):
		p.comment()
	case p.accept("CHARACTER", "SET"), p.accept("CHARSET"), p.accept("COLLATE"):
		p.k++
	case p.word(p.k, "DEFAULT"), p.word(p.k, "AUTO_INCREMENT"), p.word(p.k, "UNIQUE"), p.word(p.k, "REFERENCES"), p.word(p.k, "CHECK"):
		p.failAt(p.k, diag.NotSupported, "%s of a column is not supported", p.toks[p.k].up)
	default:
		return false
	}
	return true
}
