package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// alterActions tells what each kind of object can undergo, in the words that begin the action.
var alterActions = map[string][]string{
	"SOURCE":            {"SET", "RESET", "RENAME", "ADD", "DROP"},
	"TABLE":             {"SET", "RESET", "RENAME", "ADD", "DROP"},
	"SINK":              {"SET", "RESET", "RENAME", "ADD", "DROP", "AS"},
	"VIEW":              {"SET", "RESET", "RENAME", "AS"},
	"MATERIALIZED VIEW": {"SET", "RESET", "RENAME", "AS"},
	"JOB":               {"SET", "RESET", "RENAME", "RESCALE"},
}

// alter reads what follows ALTER.
func (p *parser) alter(at ast.Pos) ast.Statement {
	a := &ast.Alter{Pos: at}
	switch t := p.toks[p.k]; {
	case p.accept("MATERIALIZED"):
		p.expect("VIEW")
		a.Kind = "MATERIALIZED VIEW"
	case p.accept("SOURCE"), p.accept("TABLE"), p.accept("SINK"), p.accept("VIEW"), p.accept("JOB"):
		a.Kind = t.up
	case t.kind == kWord && (t.up == "DATABASE" || t.up == "USER" || t.up == "SYSTEM" || t.up == "SESSION" || t.up == "FUNCTION" || t.up == "SCHEMA"):
		err := tokenError(t, diag.NotSupported, "ALTER %s is not supported", t.up)
		if t.up == "SYSTEM" || t.up == "SESSION" {
			err.WithHint("write SET name = value")
		} else if t.up == "FUNCTION" {
			err.WithHint("write CREATE OR REPLACE FUNCTION")
		}
		p.fail(err)
	default:
		p.wanted(p.k, "SOURCE", "TABLE", "SINK", "VIEW", "MATERIALIZED", "JOB")
	}
	a.Name = p.name("the name of the " + strings.ToLower(a.Kind))
	p.alterAction(a)
	return a
}

// alterAction reads the action at the cursor.
func (p *parser) alterAction(a *ast.Alter) {
	allowed := alterActions[a.Kind]
	t := p.toks[p.k]
	known := false
	for _, word := range allowed {
		known = known || p.word(p.k, word)
	}
	if !known {
		if t.kind == kWord && (t.up == "MODIFY" || t.up == "CHANGE" || t.up == "ALTER") {
			p.fail(tokenError(t, diag.NotSupported, "ALTER %s .. %s is not supported", a.Kind, t.up).WithHint("drop the column and add it anew"))
		}
		p.wanted(p.k, allowed...)
	}
	p.k++
	switch a.Action = t.up; a.Action {
	case "SET":
		p.alterSet(a)
	case "RESET":
		a.Keys = p.optionKeys()
	case "RENAME":
		if p.word(p.k, "COLUMN") {
			p.fail(tokenError(p.toks[p.k], diag.NotSupported, "renaming a column is not supported").WithHint("name the columns anew in a view"))
		}
		p.accept("TO")
		a.NewName = p.name("the new name")
	case "RESCALE":
		p.accept("TO")
		a.Value = p.expr(p.k, p.end)
		p.k = p.end
	case "ADD":
		p.alterAdd(a)
	case "DROP":
		if p.word(p.k, "WATERMARK") || p.word(p.k, "PRIMARY") {
			p.fail(tokenError(p.toks[p.k], diag.NotSupported, "dropping the %s is not supported", strings.ToLower(p.toks[p.k].up)))
		}
		p.accept("COLUMN")
		a.Action, a.NewName = "DROP COLUMN", p.name("the name of a column")
	case "AS":
		a.Query = p.query(p.k, p.end)
		a.Text = p.src[p.toks[min(p.k, p.end)].off:p.toks[p.end-1].end]
		p.k = p.end
	}
}

// alterSet reads (k = v, ..), k = v, .. or WATERMARK FOR c AS e behind SET.
func (p *parser) alterSet(a *ast.Alter) {
	switch {
	case p.word(p.k, "WATERMARK", "FOR"):
		p.alterWatermark(a)
	case p.op(p.k, "("):
		a.Options = p.optionList()
	default:
		a.Options = append(a.Options, p.option())
		for p.acceptOp(",") {
			a.Options = append(a.Options, p.option())
		}
	}
}

func (p *parser) alterWatermark(a *ast.Alter) {
	if a.Kind != "SOURCE" && a.Kind != "TABLE" {
		p.failAt(p.k, diag.NotSupported, "a %s has no watermark", strings.ToLower(a.Kind))
	}
	s := &schema{keyAt: -1}
	p.watermark(s)
	a.Action, a.Watermark = "WATERMARK", s.watermark
}

// alterAdd reads a column or a watermark behind ADD.
func (p *parser) alterAdd(a *ast.Alter) {
	switch {
	case p.word(p.k, "WATERMARK", "FOR"):
		p.alterWatermark(a)
		return
	case p.word(p.k, "PRIMARY"), p.word(p.k, "CONSTRAINT"):
		p.fail(tokenError(p.toks[p.k], diag.NotSupported, "adding a key is not supported").WithHint("drop the object and create it anew"))
	}
	p.accept("COLUMN")
	s := &schema{keyAt: -1}
	at := p.k
	p.column(s)
	switch {
	case a.Kind == "SINK" && s.columns[0].Computed != nil:
		p.failAt(at, diag.NotSupported, "a sink has no computed columns")
	case s.key != nil:
		p.failAt(at, diag.NotSupported, "adding a key is not supported")
	}
	a.Action, a.Column = "ADD COLUMN", &s.columns[0]
}

// optionKeys reads (k, a.b, ..) or a lone list without brackets.
func (p *parser) optionKeys() []ast.Name {
	bracket := p.acceptOp("(")
	var out []ast.Name
	for {
		at := ast.Pos(p.toks[p.k].off)
		key := ""
		if p.toks[p.k].kind == kString {
			key = strings.ToLower(p.stringLit("an option"))
		} else {
			key = p.dotted("an option")
		}
		out = append(out, ast.Name{Pos: at, Text: key})
		if p.acceptOp(",") {
			continue
		}
		if bracket && !p.acceptOp(")") {
			p.wanted(p.k, ",", ")")
		}
		return out
	}
}
