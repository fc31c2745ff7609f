package parser

import (
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// createJob reads what follows CREATE JOB.
func (p *parser) createJob(at ast.Pos) ast.Statement {
	j := &ast.CreateJob{Pos: at, IfNotExists: p.ifNotExists(), Name: p.name("the name of the job")}
	p.comment()
	if p.word(p.k, "WITH") {
		j.Options = p.options()
	}
	if !p.accept("AS") {
		p.wanted(p.k, "AS")
	}
	if !p.word(p.k, "INSERT") && !p.word(p.k, "BEGIN", "STATEMENT") && !p.word(p.k, "EXECUTE", "STATEMENT") {
		t := p.toks[p.k]
		err := tokenError(t, endCode(t), "a job runs INSERT or a statement set, not %s", p.describe(p.k)).WithHint("write CREATE JOB j AS INSERT INTO sink SELECT ..")
		if s := diag.Suggest(t.up, []string{"INSERT", "BEGIN"}); s != "" && t.kind == kWord {
			err.WithHint("did you mean %s?", s)
		}
		p.fail(err)
	}
	j.Statement = p.statement()
	return j
}

// createSavepoint reads what follows CREATE SAVEPOINT.
func (p *parser) createSavepoint(at ast.Pos) ast.Statement {
	if p.word(p.k, "FOR") {
		p.fail(tokenError(p.toks[p.k], diag.SyntaxError, "the name of the savepoint is expected before keyword FOR").WithHint("write CREATE SAVEPOINT name FOR JOB job"))
	}
	s := &ast.CreateSavepoint{Pos: at, Name: p.name("the name of the savepoint")}
	p.expect("FOR", "JOB")
	s.Job = p.name("the name of a job")
	return s
}

// jobControl reads what follows PAUSE JOB, RESUME JOB, STOP JOB or DROP JOB.
func (p *parser) jobControl(at ast.Pos, verb string) ast.Statement {
	j := &ast.JobControl{Pos: at, Verb: verb, Name: p.name("the name of a job")}
	switch {
	case verb == "STOP" && p.accept("WITH"), verb == "RESUME" && p.accept("FROM"):
		p.expect("SAVEPOINT")
		j.Savepoint = p.name("the name of a savepoint")
	case !p.atEnd() && verb == "STOP":
		p.wanted(p.k, "WITH SAVEPOINT")
	case !p.atEnd() && verb == "RESUME":
		p.wanted(p.k, "FROM SAVEPOINT")
	}
	return j
}
