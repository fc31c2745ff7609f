package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// showable are the things SHOW can list, longest first where one begins another.
var showable = []string{"MATERIALIZED VIEWS", "CREATE MATERIALIZED VIEW", "CREATE TABLE", "CREATE SOURCE", "CREATE SINK", "CREATE VIEW",
	"CREATE JOB", "CREATE FUNCTION", "CREATE DATABASE", "TABLE STATUS", "TABLES", "SOURCES", "SINKS", "VIEWS", "JOBS", "FUNCTIONS", "CONNECTORS", "FORMATS",
	"TOPICS", "COLUMNS", "FIELDS", "VARIABLES", "DATABASES", "SCHEMAS", "ERRORS", "LATE", "CHECKPOINTS", "SAVEPOINTS", "METRICS", "WARNINGS",
	"STATUS", "COLLATION", "CHARACTER SET", "ENGINES", "PROCESSLIST", "INDEXES", "INDEX", "KEYS", "PLUGINS", "GRANTS", "EVENTS", "TRIGGERS",
	"NODES", "PARTITIONS", "LOCKS"}

// show reads what follows SHOW.
func (p *parser) show(at ast.Pos) ast.Statement {
	s := &ast.Show{Pos: at}
	for {
		switch {
		case p.accept("FULL"), p.accept("EXTENDED"):
			s.Full = true
			continue
		case p.accept("SESSION"), p.accept("GLOBAL"), p.accept("ALL"):
			continue
		}
		break
	}
	for _, what := range showable {
		if words := strings.Fields(what); p.word(p.k, words...) {
			s.What = what
			p.k += len(words)
			break
		}
	}
	switch s.What {
	case "":
		p.unknownShow()
	case "FIELDS":
		s.What = "COLUMNS"
	case "SCHEMAS":
		s.What = "DATABASES"
	}
	if strings.HasPrefix(s.What, "CREATE ") {
		s.From = p.showName()
	}
	for p.accept("FROM") || p.accept("IN") || p.accept("FOR") {
		p.accept("JOB")
		if name := p.showName(); s.From.Text == "" {
			s.From = name
		}
	}
	if p.accept("LIKE") {
		s.Like = p.stringLit("a pattern")
	}
	if s.Like == "" && p.accept("WHERE") {
		s.Where = p.expr(p.k, p.end)
		p.k = p.end
	}
	p.expectEnd()
	return s
}

func (p *parser) unknownShow() {
	var words []string
	for _, w := range showable {
		words = append(words, strings.Fields(w)...)
	}
	if p.word(p.k, "CREATE") {
		p.k++
		words = []string{"SOURCE", "TABLE", "SINK", "VIEW", "MATERIALIZED", "JOB", "FUNCTION"}
	}
	t := p.toks[p.k]
	err := tokenError(t, endCode(t), "SHOW cannot show %s", p.describe(p.k))
	if t.kind == kEOF {
		err.Message = "SHOW wants to know what"
	}
	if s := diag.Suggest(t.up, words); s != "" && t.kind == kWord {
		err.WithHint("did you mean %s?", s)
	} else {
		err.WithHint("SHOW TABLES, SOURCES, SINKS, VIEWS, MATERIALIZED VIEWS, JOBS, FUNCTIONS, CONNECTORS, TOPICS, COLUMNS FROM x, CREATE TABLE x, VARIABLES")
	}
	p.fail(err)
}

// showName reads a name, the last of a path.
func (p *parser) showName() ast.Name {
	if p.toks[p.k].kind == kString {
		at := ast.Pos(p.toks[p.k].off)
		return ast.Name{Pos: at, Text: p.stringLit("a name")}
	}
	n := p.name("a name")
	for p.acceptOp(".") {
		n = p.name("a name")
	}
	return n
}

var describable = []string{"FUNCTION", "CONNECTOR", "FORMAT", "JOB", "TOPIC", "SAVEPOINT"}

func (p *parser) describeStmt(at ast.Pos) ast.Statement {
	d := &ast.Describe{Pos: at}
	d.Extended = p.accept("EXTENDED")
	for _, kind := range describable {
		if p.word(p.k, kind) && p.k+1 < p.end && !p.op(p.k+1, ".") && !p.word(p.k+1, "EXTENDED") {
			p.k++
			d.Kind = kind
			break
		}
	}
	if d.Kind == "" && (p.k+1 < p.end || p.word(p.k, "TABLE")) {
		_ = p.accept("TABLE") || p.accept("SOURCE") || p.accept("SINK") || p.accept("VIEW") || p.accept("MATERIALIZED", "VIEW")
	}
	if t := p.toks[p.k]; d.Kind != "" && t.kind == kWord {
		p.k++ // functions and connectors may have reserved names
		d.Name = p.nameAt(p.k - 1)
	} else {
		d.Name = p.showName()
	}
	d.Extended = p.accept("EXTENDED") || d.Extended
	p.expectEnd()
	return d
}

func (p *parser) drop(at ast.Pos) ast.Statement {
	d := &ast.Drop{Pos: at}
	switch t := p.toks[p.k]; {
	case p.accept("PREPARE"):
		return &ast.Deallocate{Pos: at, Name: p.name("the name of a prepared statement")}
	case p.accept("MATERIALIZED"):
		p.expect("VIEW")
		d.Kind = "MATERIALIZED VIEW"
	case p.accept("SOURCE"), p.accept("TABLE"), p.accept("SINK"), p.accept("VIEW"), p.accept("JOB"), p.accept("FUNCTION"),
		p.accept("SAVEPOINT"):
		d.Kind = t.up
	default:
		p.wanted(p.k, "SOURCE", "TABLE", "SINK", "VIEW", "MATERIALIZED", "JOB", "FUNCTION", "SAVEPOINT")
	}
	if p.word(p.k, "IF") {
		p.expect("IF", "EXISTS")
		d.IfExists = true
	}
	if d.Kind == "JOB" && p.word(p.k+1, "WITH") {
		return p.jobControl(at, "STOP")
	}
	d.Name = p.showName()
	if p.word(p.k, "CASCADE") || p.op(p.k, ",") {
		p.failAt(p.k, diag.NotSupported, "DROP takes one name, without CASCADE")
	}
	p.accept("RESTRICT")
	p.expectEnd()
	return d
}

// variableName reads a setting: x, a.b, 'a.b', @@x, @@session.x, @x.
func (p *parser) variableName() string {
	t := p.toks[p.k]
	switch t.kind {
	case kString:
		return strings.ToLower(p.stringLit("a setting"))
	case kVar:
		p.k++
		s := strings.ToLower(strings.NewReplacer("`", "", "'", "", `"`, "").Replace(p.src[t.off:t.end]))
		if name, ok := strings.CutPrefix(s, "@@"); ok {
			for _, scope := range []string{"session.", "global.", "local.", "persist."} {
				name = strings.TrimPrefix(name, scope)
			}
			return name
		}
		return s
	}
	if p.word(p.k+1, "TO") || !p.op(p.k+1, "=") {
		_ = p.accept("SESSION") || p.accept("GLOBAL") || p.accept("LOCAL")
	}
	return p.dotted("a setting")
}

// set reads what follows SET, several assignments included.
func (p *parser) set(at ast.Pos) ast.Statement {
	if p.word(p.k, "NAMES") && !p.op(p.k+1, ".") && !p.op(p.k+1, "=") || p.word(p.k, "CHARACTER", "SET") || p.word(p.k, "TRANSACTION") ||
		p.word(p.k, "SESSION", "TRANSACTION") {
		return p.setWords(at)
	}
	s := p.assignment()
	for p.acceptOp(",") {
		s.More = append(s.More, p.assignment())
	}
	return s
}

// assignment reads `setting = value`; a lone word is a string. Its place is the setting's name.
func (p *parser) assignment() *ast.Set {
	at := ast.Pos(p.toks[p.k].off)
	s := &ast.Set{Pos: at, Name: p.variableName()}
	if !p.acceptOp("=") && !p.acceptOp(":=") && !p.accept("TO") {
		p.wanted(p.k, "=")
	}
	end := p.comma(p.k, p.end)
	if p.word(p.k, "DEFAULT") && end == p.k+1 {
		p.k, s.Reset = end, true
		return s
	}
	if t := p.toks[p.k]; end == p.k+1 && t.kind == kWord && t.up != "NULL" && t.up != "TRUE" && t.up != "FALSE" {
		s.Value = &ast.Literal{Pos: ast.Pos(t.off), Kind: ast.LitString, Text: p.src[t.off:t.end]}
	} else {
		s.Value = p.expr(p.k, end)
	}
	p.k = end
	return s
}

// setWords reads SET NAMES x and its kin: the first words are the setting, the rest its value.
func (p *parser) setWords(at ast.Pos) ast.Statement {
	s := &ast.Set{Pos: at}
	p.accept("SESSION")
	if s.Name = strings.ToLower(p.toks[p.k].up); s.Name == "character" {
		s.Name = "character set"
		p.k++
	}
	p.k++
	if p.k >= p.end {
		p.failAt(p.k, endCode(p.toks[p.k]), "a value is expected at the end")
	}
	var words []string
	at = ast.Pos(p.toks[p.k].off)
	for ; p.k < p.end; p.k++ {
		t := p.toks[p.k]
		text := p.src[t.off:t.end]
		if t.kind == kString {
			text = unquote(text)
		}
		words = append(words, text)
	}
	s.Value = &ast.Literal{Pos: at, Kind: ast.LitString, Text: strings.Join(words, " ")}
	return s
}
