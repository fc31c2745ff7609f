package parser

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// heads are the first words of statements.
var heads = []string{"SELECT", "WITH", "VALUES", "CREATE", "INSERT", "EXPLAIN", "SHOW", "DESCRIBE", "DESC", "DROP", "SET", "RESET", "PAUSE",
	"RESUME", "STOP", "USE", "BEGIN", "EXECUTE", "ALTER", "PREPARE", "DEALLOCATE", "KILL"}

// statement reads one statement from the cursor to p.end.
func (p *parser) statement() ast.Statement {
	if p.k >= p.end {
		p.failAt(p.k, diag.UnexpectedEnd, "there is no statement")
	}
	at := ast.Pos(p.toks[p.k].off)
	if p.startsQuery(p.k) {
		q := p.query(p.k, p.end)
		p.k = p.end
		return &ast.QueryStmt{Pos: at, Query: q}
	}
	t := p.toks[p.k]
	p.k++
	if t.kind == kWord {
		switch t.up {
		case "CREATE":
			return p.create(at)
		case "INSERT":
			return p.insert(at)
		case "EXPLAIN":
			return p.explainStmt(at)
		case "SHOW":
			return p.show(at)
		case "DESCRIBE", "DESC":
			return p.describeStmt(at)
		case "DROP":
			return p.drop(at)
		case "SET":
			return p.set(at)
		case "RESET":
			return &ast.Set{Pos: at, Name: p.variableName(), Reset: true}
		case "PAUSE", "RESUME", "STOP":
			p.expect("JOB")
			return p.jobControl(at, t.up)
		case "ALTER":
			return p.alter(at)
		case "PREPARE":
			return p.prepare(at)
		case "DEALLOCATE":
			p.expect("PREPARE")
			return &ast.Deallocate{Pos: at, Name: p.name("the name of a prepared statement")}
		case "KILL":
			return p.kill(at)
		case "USE":
			return &ast.Use{Pos: at, Name: p.name("the name of a database")}
		case "BEGIN":
			if p.word(p.k, "STATEMENT") {
				p.expect("STATEMENT", "SET")
				p.acceptOp(";")
				return p.statementSet(at)
			}
		case "EXECUTE":
			if !p.word(p.k, "STATEMENT", "SET") {
				return p.execute(at)
			}
			p.expect("STATEMENT", "SET", "BEGIN")
			p.acceptOp(";")
			return p.statementSet(at)
		}
	}
	p.k--
	p.unknownStatement()
	return nil
}

// foreign are statements of MySQL and of other stream engines that we refuse with a word of advice.
var foreign = map[string]string{
	"UPDATE": "tables are changed by the streams that feed them; write changes into a topic", "DELETE": "tables are changed by the streams that feed them; write changes into a topic",
	"MERGE": "write INSERT INTO; a table with a PRIMARY KEY keeps the last row of a key", "RENAME": "write ALTER .. RENAME TO", "SAVEPOINT": "write CREATE SAVEPOINT name FOR JOB job",
	"REPLACE":  "write INSERT INTO; a table with a PRIMARY KEY keeps the last row of a key",
	"TRUNCATE": "drop the object and create it anew", "GRANT": "", "REVOKE": "", "BEGIN": "there are no transactions", "START": "there are no transactions",
	"COMMIT": "there are no transactions", "ROLLBACK": "there are no transactions", "LOCK": "there are no transactions", "CALL": "", "LOAD": "create a SOURCE with the file connector",
	"CANCEL": "write STOP JOB name", "TERMINATE": "write STOP JOB name", "PRINT": "write SELECT * FROM source EMIT CHANGES LIMIT 3",
	"LIST": "write SHOW", "TABLE": "write SELECT * FROM", "REFRESH": "materialized views are always up to date", "ANALYZE": "write EXPLAIN ANALYZE",
}

func (p *parser) unknownStatement() {
	t := p.toks[p.k]
	if hint, ok := foreign[t.up]; ok && t.kind == kWord {
		err := tokenError(t, diag.NotSupported, "%s is not supported", t.up)
		if hint != "" {
			err.WithHint("%s", hint)
		}
		p.fail(err)
	}
	err := tokenError(t, diag.UnknownStatement, "no statement begins with %s", p.describe(p.k))
	if s := diag.Suggest(t.up, heads); s != "" && t.kind == kWord {
		err.WithHint("did you mean %s?", s)
	}
	p.fail(err)
}

func (p *parser) explainStmt(at ast.Pos) ast.Statement {
	e := &ast.Explain{Pos: at}
	p.accept("PLAN", "FOR")
	for {
		switch {
		case p.planDetail():
			continue
		case !e.Live && p.accept("ANALYZE"):
			e.Analyze = true
			continue
		case !e.Analyze && p.word(p.k, "LIVE") && p.k+1 < p.end:
			p.k++
			e.Live = true
			continue
		case p.accept("FORMAT"):
			p.explainFormat(e)
			continue
		}
		break
	}
	switch {
	case p.word(p.k, "JOB") && p.k+2 == p.end && p.isName(p.k+1):
		p.k++
		e.Job = p.name("the name of a job")
		return e
	case !e.Analyze && !e.Live && e.Format == "" && p.isName(p.k) && p.k+1 == p.end:
		return &ast.Describe{Pos: at, Name: p.name("a relation")}
	case p.word(p.k, "EXPLAIN"):
		p.failAt(p.k, diag.NotSupported, "EXPLAIN of EXPLAIN is not supported")
	}
	if t := p.toks[p.k]; t.kind == kWord && !slices.Contains(heads, t.up) {
		if s := diag.Suggest(t.up, []string{"ANALYZE", "LIVE", "FORMAT"}); s != "" {
			p.fail(tokenError(t, diag.SyntaxError, "unexpected %s", p.describe(p.k)).WithHint("did you mean %s?", s))
		}
	}
	e.Statement = p.statement()
	return e
}

// planDetail steps over a detail of Flink's EXPLAIN and the comma behind it: our plans show costs and changes in any case.
func (p *parser) planDetail() bool {
	if !p.accept("CHANGELOG_MODE") && !p.accept("ESTIMATED_COST") && !p.accept("PLAN_ADVICE") {
		return false
	}
	p.acceptOp(",")
	return true
}

func (p *parser) explainFormat(e *ast.Explain) {
	p.acceptOp("=")
	t := p.toks[p.k]
	if t.kind == kString {
		e.Format = strings.ToLower(p.stringLit("a format"))
	} else {
		e.Format = strings.ToLower(p.name("a format").Text)
	}
	if e.Format != "text" && e.Format != "json" {
		err := tokenError(t, diag.BadOption, "unknown format '%s'", e.Format).WithHint("EXPLAIN knows text and json")
		if s := diag.Suggest(e.Format, []string{"text", "json"}); s != "" {
			err.WithHint("did you mean %s?", s)
		}
		p.fail(err)
	}
}

// insert reads INSERT INTO; the word INSERT is behind the cursor.
func (p *parser) insert(at ast.Pos) *ast.Insert {
	if p.word(p.k, "IGNORE") || p.word(p.k, "OVERWRITE") {
		p.failAt(p.k, diag.NotSupported, "INSERT %s is not supported", p.toks[p.k].up)
	}
	p.expect("INTO")
	p.accept("TABLE")
	ins := &ast.Insert{Pos: at, Target: p.name("the name of a sink or table")}
	if p.op(p.k, ".") {
		p.failAt(p.k, diag.NotSupported, "a target has one name")
	}
	if p.op(p.k, "(") && !p.startsQuery(p.k) {
		ins.Columns = p.names("a column name")
	}
	if !p.startsQuery(p.k) {
		if p.accept("VALUES") {
			p.wanted(p.k, "(")
		}
		p.wanted(p.k, "SELECT", "VALUES")
	}
	if d := p.find(p.k, p.end, "ON", "DUPLICATE"); d < p.end {
		p.fail(tokenError(p.toks[d], diag.NotSupported, "ON DUPLICATE KEY is not supported").WithHint("a table with a PRIMARY KEY keeps the last row of a key"))
	}
	ins.Query = p.query(p.k, p.end)
	p.k = p.end
	return ins
}

// statementSet reads the INSERTs between BEGIN STATEMENT SET; and END.
func (p *parser) statementSet(at ast.Pos) ast.Statement {
	set := &ast.StatementSet{Pos: at}
	end := p.end
	for p.k < end && !p.word(p.k, "END") {
		start := ast.Pos(p.toks[p.k].off)
		if !p.accept("INSERT") {
			p.wanted(p.k, "INSERT", "END")
		}
		p.end = p.k
		for p.end < end && !p.op(p.end, ";") {
			p.end++
		}
		if p.end == end {
			p.missingEnd(end)
		}
		set.Inserts = append(set.Inserts, p.insert(start))
		p.k++
		p.end = end
	}
	if p.k >= end {
		p.missingEnd(end)
	}
	p.k++
	if len(set.Inserts) == 0 {
		p.failAt(p.k-1, diag.SyntaxError, "the statement set is empty")
	}
	return set
}

func (p *parser) missingEnd(k int) {
	p.fail(tokenError(p.toks[k], diag.UnexpectedEnd, "END is expected at the end").WithHint("write BEGIN STATEMENT SET; INSERT ..; INSERT ..; END;"))
}

// chunkRows bounds the rows of VALUES that TiDB reads at a time.
const chunkRows = 256

// rows parses `(..), (..)` over the tokens [i, j).
func (p *parser) rows(i, j int) [][]ast.Expr {
	var out [][]ast.Expr
	for k := i; ; {
		start, n := k, 0
		for {
			if !p.op(k, "(") || k >= j {
				p.wanted(k, "(")
			}
			if k = int(p.match[k]) + 1; k == start+2 {
				p.failAt(start+1, diag.SyntaxError, "a row has no values")
			}
			if n++; n == chunkRows || k >= j || !p.op(k, ",") {
				break
			}
			k++
		}
		out = p.chunk(out, start, k)
		if k >= j {
			return out
		}
		if !p.op(k, ",") {
			p.failAt(k, diag.SyntaxError, "unexpected %s", p.describe(k))
		}
		k++
	}
}
