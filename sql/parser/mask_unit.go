package parser

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

var timeUnits = func() map[string]string {
	m := map[string]string{}
	for _, u := range strings.Fields("MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR") {
		m[u], m[u+"S"] = u, u
	}
	for _, u := range strings.Fields("SECOND_MICROSECOND MINUTE_MICROSECOND MINUTE_SECOND HOUR_MICROSECOND HOUR_SECOND HOUR_MINUTE " +
		"DAY_MICROSECOND DAY_SECOND DAY_MINUTE DAY_HOUR YEAR_MONTH") {
		m[u] = u
	}
	return m
}()

// fieldUnits are parts of a time that are no spans: EXTRACT(EPOCH FROM ts).
var fieldUnits = nameSet("EPOCH DOW DOY ISODOW ISOYEAR DECADE CENTURY MILLENNIUM MILLISECOND MILLISECONDS")

func unitNames() []string {
	out := make([]string, 0, len(timeUnits))
	for u := range timeUnits {
		out = append(out, u)
	}
	slices.Sort(out)
	return out
}

// unitCall deals with the unit of EXTRACT(u FROM x), TIMESTAMPDIFF(u, a, b) and TIMESTAMPADD at k: plurals lose their S for the
// grammar, units that it lacks make the call an island, which ok tells.
func (p *parser) unitCall(k int) (next int, ok bool) {
	u := p.toks[k+2]
	extract := p.word(k, "EXTRACT")
	if u.kind != kWord || extract != p.word(k+3, "FROM") || !extract && !p.op(k+3, ",") {
		return k, false
	}
	unit := timeUnits[u.up]
	switch {
	case fieldUnits[u.up] && (extract || unit != ""):
		m := int(p.match[k+1])
		lit := &ast.Literal{Pos: ast.Pos(u.off), Kind: ast.LitString, Text: strings.ToLower(u.up)}
		if unit != "" {
			lit.Text = strings.ToLower(unit)
		}
		c := &ast.Call{Pos: ast.Pos(p.toks[k].off), Name: strings.ToLower(p.toks[k].up), Args: []ast.Expr{lit}}
		c.Args = append(c.Args, p.exprs(k+4, m)...)
		p.punch(k, m+1, hole{expr: c})
		return m + 1, true
	case unit != "" && unit != u.up:
		p.blank(u.off, u.end)
		copy(p.buf[u.off:], unit)
	case unit == "" && !strings.HasPrefix(u.up, "SQL_TSI_"):
		err := tokenError(u, diag.SyntaxError, "%s is no unit of time", p.src[u.off:u.end])
		if s := diag.Suggest(u.up, unitNames()); s != "" {
			err.WithHint("did you mean %s?", s)
		} else {
			err.WithHint("SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR ..")
		}
		p.fail(err)
	}
	return k, false
}

// nullsOrder reads NULLS FIRST or NULLS LAST at k behind an ORDER BY key. NULLs sort first, and last with DESC: saying so changes nothing.
func (p *parser) nullsOrder(k int) int {
	desc := p.word(k-1, "DESC")
	if p.word(k+1, "LAST") != desc {
		word := "first"
		hint := "write ORDER BY x IS NULL, x"
		if desc {
			word, hint = "last with DESC", "write ORDER BY x IS NOT NULL, x DESC"
		}
		p.fail(tokenError(p.toks[k], diag.NotSupported, "NULLS %s is not supported here: NULLs sort %s", p.toks[k+1].up, word).WithHint("%s", hint))
	}
	p.blank(p.toks[k].off, p.toks[k+1].end)
	return k + 2
}
