package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// factor is one table, subquery or table function in FROM, in text order.
type factor struct {
	pos     int
	schema  ast.Name
	name    ast.Name // of a table
	alias   ast.Name
	columns []ast.Name
	asOf    ast.Expr
	table   ast.TableExpr // parsed island, nil otherwise
	join    join          // the join that has this factor leftmost on its right side
	used    bool
}

// maskFactor masks one factor and returns the token behind it, its alias included.
func (p *parser) maskFactor(rec *selectRec, k, j int) int {
	f := &factor{pos: p.toks[k].off}
	if len(rec.factors) > maxTreeDepth {
		p.tooDeep(k, maxTreeDepth)
	}
	lateral := p.word(k, "LATERAL")
	if lateral {
		k++
		if p.tableCallAt(k) || p.op(k, "(") && p.word(k+1, "VALUES") {
			p.blank(p.toks[k-1].off, p.toks[k-1].end) // a table function sees the tables to its left anyway
		}
	}
	switch w := p.matchEnd(k); {
	case w >= 0:
		f.table = p.matchRecognize(k, w)
		m := int(p.match[w+1])
		p.punch(k, m+1, hole{table: f.table})
		k = m + 1
	case p.op(k, "(") && p.word(k+1, "VALUES") && p.op(k+2, "("):
		m := int(p.match[k])
		f.table = &ast.DerivedTable{Pos: ast.Pos(f.pos), Query: p.valuesQuery(k+1, m), Lateral: lateral}
		p.punch(k, m+1, hole{table: f.table})
		k = m + 1
	case p.op(k, "(") && p.startsQuery(k):
		rec.factors = append(rec.factors, f)
		m := int(p.match[k])
		p.maskQuery(k+1, m, false)
		return p.maskAlias(f, m+1, j)
	case p.op(k, "("):
		m := int(p.match[k])
		p.maskFrom(rec, k+1, m)
		return m + 1
	case p.tableCallAt(k):
		var next int
		f.table, next = p.tableCall(k)
		p.punch(k, next, hole{table: f.table})
		k = next
	case p.toks[k].kind == kWord && !reserved[p.toks[k].up] || p.toks[k].kind == kQuoted:
		f.name = p.nameAt(k)
		if k++; p.op(k, ".") && p.anyName(k+1) {
			f.schema, f.name = f.name, p.nameAt(k+1)
			k += 2
			if p.op(k, ".") {
				p.fail(tokenError(p.toks[k], diag.NotSupported, "a relation has at most two names").WithHint("write schema.table"))
			}
		}
	default:
		return k
	}
	rec.factors = append(rec.factors, f)
	return p.maskAlias(f, k, j)
}

// maskAlias reads what follows a factor: FOR SYSTEM_TIME AS OF, its alias, the alias's columns.
func (p *parser) maskAlias(f *factor, k, j int) int {
	k = p.maskAsOf(f, k, j)
	if k < j && p.word(k, "MATCH_RECOGNIZE") && (f.asOf != nil || !p.op(k+1, "(")) {
		p.fail(tokenError(p.toks[k], diag.SyntaxError, "unexpected %s", p.describe(k)).WithHint("%s", matchForm))
	}
	as := k < j && p.word(k, "AS")
	if as {
		k++
	}
	if k < j && p.isName(k) && (as || !p.softWord(k)) {
		if !as {
			p.refuseJoinTypo(k)
		}
		f.alias = p.nameAt(k)
		if k++; p.op(k, "(") && k < j {
			m := int(p.match[k])
			f.columns = p.columnAliases(k)
			p.blank(p.toks[k].off, p.toks[m].end)
			k = m + 1
		}
	}
	return p.maskAsOf(f, k, j)
}

// softWord tells whether the word at k, though a legal name, begins a clause here; a name that looks like a misplaced clause is
// refused rather than silently taken for an alias.
func (p *parser) softWord(k int) bool {
	t := p.toks[k]
	if t.kind != kWord {
		return false
	}
	switch t.up {
	case "EMIT":
		if !p.emitAt(k) {
			err := tokenError(t, diag.SyntaxError, "EMIT wants CHANGES, FINAL or ON WINDOW CLOSE").WithHint("to name the table so, write AS `%s`", p.nameAt(k).Text)
			if p.toks[k+1].kind == kEOF {
				err.WithHint("write EMIT CHANGES or EMIT ON WINDOW CLOSE")
			}
			if s := diag.Suggest(p.toks[k+1].up, []string{"CHANGES", "FINAL"}); s != "" {
				err.WithHint("did you mean EMIT %s?", s)
			}
			if p.word(k+1, "WINDOW") {
				err.WithHint("write EMIT ON WINDOW CLOSE")
			}
			p.fail(err)
		}
		return true
	case "QUALIFY":
		if next := p.toks[k+1]; next.kind == kEOF || next.kind == kOp && next.up != "(" && next.up != "-" {
			p.fail(tokenError(t, diag.SyntaxError, "QUALIFY wants a condition").WithHint("to name the table so, write AS `%s`", p.nameAt(k).Text))
		}
		return true
	case "MATCH_RECOGNIZE", "MATCH_CONDITION":
		return p.op(k+1, "(")
	}
	return p.joinAt(k)
}

// columnAliases reads `(a, b)` strictly.
func (p *parser) columnAliases(k int) []ast.Name {
	save := p.k
	defer func() { p.k = save }()
	p.k = k
	return p.names("a column name")
}

// maskAsOf reads FOR SYSTEM_TIME AS OF e, and TiDB's AS OF TIMESTAMP e.
func (p *parser) maskAsOf(f *factor, k, j int) int {
	start := k
	switch {
	case k >= j:
		return k
	case p.word(k, "FOR", "SYSTEM_TIME", "AS", "OF"):
		k += 4
	case p.word(k, "AS", "OF", "TIMESTAMP"):
		k += 3
	case p.word(k, "FOR", "SYSTEM_TIME"), p.word(k, "FOR", "VERSION"):
		p.wanted(k+2, "AS OF")
	default:
		return k
	}
	if f.asOf != nil {
		p.failAt(start, diag.SyntaxError, "a second AS OF for the same table")
	}
	mark := len(p.holes)
	end := p.maskExpr(k, j, stopClause|stopJoin|stopComma|stopAdjacent|stopQualify)
	f.asOf = p.masked(k, end, mark)
	p.blank(p.toks[start].off, p.toks[end-1].end)
	return end
}

// tableCallAt tells whether a table function begins at k: f(..) or TABLE(f(..)).
func (p *parser) tableCallAt(k int) bool {
	if p.word(k, "TABLE") && p.op(k+1, "(") {
		return true
	}
	t := p.toks[k]
	return (t.kind == kWord && (!reserved[t.up] || t.up == "UNNEST")) && p.op(k+1, "(")
}

// tableCall parses a table function and returns the token behind it.
func (p *parser) tableCall(k int) (ast.TableExpr, int) {
	if p.word(k, "TABLE") {
		m := int(p.match[k+1])
		if !p.tableCallAt(k + 2) {
			p.failAt(k+2, diag.SyntaxError, "a table function is expected before %s", p.describe(k+2))
		}
		f, end := p.tableCall(k + 2)
		if end != m {
			p.failAt(end, diag.SyntaxError, "unexpected %s", p.describe(end))
		}
		return f, m + 1
	}
	if p.word(k, "JSON_TABLE") {
		return p.jsonTable(k), int(p.match[k+1]) + 1
	}
	open := k + 1
	m := int(p.match[open])
	f := &ast.TableFunc{Pos: ast.Pos(p.toks[k].off), Name: strings.ToLower(p.toks[k].up)}
	window := windowFuncs[f.Name]
	for i := open + 1; i < m; {
		end := p.comma(i, m)
		for p.partitionGoesOn(i, end, m) {
			end = p.comma(end+1, m)
		}
		f.Args = append(f.Args, p.tableArg(i, end, window, len(f.Args)))
		if end == m-1 {
			p.failAt(m, diag.SyntaxError, "an argument is missing before )")
		}
		i = end + 1
	}
	if k = m + 1; p.word(k, "WITH", "ORDINALITY") {
		f.Ordinality = true
		k += 2
	} else if t := p.toks[min(k+1, p.end)]; p.word(k, "WITH") && t.kind == kWord && diag.Suggest(t.up, []string{"ORDINALITY"}) != "" {
		p.fail(tokenError(t, diag.SyntaxError, "unexpected %s", p.describe(k+1)).WithHint("did you mean ORDINALITY?"))
	}
	return f, k
}

// partitionGoesOn tells whether the comma at end continues the PARTITION BY list of the argument that begins at i: a plain column
// follows it, and a DESCRIPTOR is still to come.
func (p *parser) partitionGoesOn(i, end, m int) bool {
	next := p.comma(end+1, m)
	return end < m && next < m && p.find(i, end, "PARTITION", "BY") < end && p.isPath(end+1, next) && p.find(next, m, "DESCRIPTOR") < m
}

var windowFuncs = map[string]bool{"tumble": true, "hop": true, "session": true, "cumulate": true}

// tableArg parses one argument of a table function: the tokens [i, j), the n-th of them.
func (p *parser) tableArg(i, j int, window bool, n int) ast.TableFuncArg {
	a := ast.TableFuncArg{Pos: ast.Pos(p.toks[i].off)}
	if i == j {
		p.failAt(i, diag.SyntaxError, "an argument is missing before %s", p.describe(i))
	}
	if p.op(i+1, "=>") && i+1 < j {
		a.Name = strings.ToLower(p.nameAt(i).Text)
		if i += 2; i == j {
			p.failAt(i, diag.SyntaxError, "a value is missing behind =>")
		}
	}
	first := n == 0 && a.Name == "" || a.Name == "data"
	switch {
	case p.word(i, "TIME", "ZONE"):
		a.Name = "time zone"
		a.Expr = p.expr(i+2, j)
	case p.word(i, "DESCRIPTOR") && p.op(i+1, "("):
		m := int(p.match[i+1])
		if m != i+3 || !(p.toks[i+2].kind == kWord || p.toks[i+2].kind == kQuoted) {
			p.failAt(i+2, diag.SyntaxError, "DESCRIPTOR wants one column name")
		}
		name := p.nameAt(i + 2)
		a.Descriptor = &name
		if m+1 != j {
			p.missingComma(m + 1)
		}
	case window && n == 1 && p.toks[i].kind == kWord && p.op(i+1, "(") && diag.Suggest(p.toks[i].up, []string{"DESCRIPTOR"}) != "":
		p.fail(tokenError(p.toks[i], diag.SyntaxError, "unexpected %s", p.describe(i)).WithHint("did you mean DESCRIPTOR?"))
	case p.word(i, "TABLE") || window && first:
		p.tableOfArg(&a, i, j)
	case window && (n == 1 && a.Name == "" || a.Name == "timecol") && p.isPath(i, j):
		name := p.nameAt(j - 1)
		a.Descriptor = &name
	case p.op(i, "(") && p.startsQuery(i+1) && int(p.match[i]) == j-1 && first:
		a.Table = &ast.DerivedTable{Pos: a.Pos, Query: p.query(i+1, j-1)}
	default:
		a.Expr = p.exprs(i, j)[0] // one, but a comma may be missing
	}
	return a
}

func (p *parser) missingComma(k int) {
	p.fail(tokenError(p.toks[k], diag.SyntaxError, "unexpected %s", p.describe(k)).WithHint("a comma may be missing before it"))
}

// isPath tells whether the tokens [i, j) are a name or a dotted path.
func (p *parser) isPath(i, j int) bool {
	for k := i; k < j; k++ {
		if t := p.toks[k]; (k-i)%2 == 1 != (t.kind == kOp && t.up == ".") || (k-i)%2 == 0 && t.kind != kWord && t.kind != kQuoted {
			return false
		}
	}
	return (j-i)%2 == 1
}

// tableOfArg parses `[TABLE] t|(query)|f(..) [PARTITION BY e, ..]`.
func (p *parser) tableOfArg(a *ast.TableFuncArg, i, j int) {
	if p.word(i, "TABLE") && !p.op(i+1, "(") || p.word(i, "TABLE") && p.startsQuery(i+1) {
		i++
	}
	at := ast.Pos(p.toks[i].off)
	switch {
	case i == j:
		p.failAt(i, diag.SyntaxError, "a relation is missing before %s", p.describe(i))
	case p.op(i, "("):
		m := int(p.match[i])
		a.Table = &ast.DerivedTable{Pos: at, Query: p.query(i+1, m)}
		i = m + 1
	case p.tableCallAt(i):
		a.Table, i = p.tableCall(i)
	default:
		save := p.k
		p.k = i
		t := &ast.Table{Pos: at, Name: p.name("a relation")}
		if p.acceptOp(".") {
			t.Schema, t.Name = t.Name, p.name("a relation")
		}
		a.Table, i = t, p.k
		p.k = save
	}
	if i < j && p.word(i, "PARTITION", "BY") {
		// PARTITION BY k, l: the commas belong to the list only inside brackets, since the next argument follows a comma, too.
		list := p.exprs(i+2, j)
		if row, ok := list[0].(*ast.Row); ok && len(list) == 1 {
			list = row.Elems
		}
		a.PartitionBy = list
		i = j
	}
	if i != j {
		p.missingComma(i)
	}
}
