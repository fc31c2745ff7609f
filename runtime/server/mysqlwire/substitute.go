package mysqlwire

import (
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// edit is a piece of a statement that was replaced.
type edit struct{ off, end, length int }

// edits are in the order of the text.
type edits []edit

// substitute replaces what only this package knows: variables, functions of the session, and the names of information_schema's tables.
// A lone one in a select list keeps its text as its column's name.
func (c *conn) substitute(w *words) (string, edits) {
	if !w.is(0, "SELECT") && !w.is(0, "WITH") && !w.is(0, "(") && !w.is(0, "EXPLAIN") {
		return w.text, nil
	}
	var (
		out   strings.Builder
		done  edits
		from  int
		depth int
	)
	for i := 0; i < len(w.toks); i++ {
		switch w.raw(i) {
		case "(":
			depth++
		case ")":
			depth--
		}
		text, n := c.replacement(w, i)
		if n == 0 {
			continue
		}
		off, end := w.toks[i].Off, w.toks[i+n-1].End
		if w.raw(i+1) != "." && depth == 0 && w.alone(i, i+n) {
			text += " AS `" + strings.ReplaceAll(w.text[off:end], "`", "``") + "`"
		}
		out.WriteString(w.text[from:off])
		out.WriteString(text)
		done = append(done, edit{off, end, len(text)})
		from = end
		i += n - 1
	}
	if done == nil {
		return w.text, nil
	}
	out.WriteString(w.text[from:])
	return out.String(), done
}

// alone tells whether tokens i to j are a whole item of a select list, without a name.
func (w *words) alone(i, j int) bool {
	switch w.at(i - 1) {
	case "SELECT", ",", "DISTINCT":
	default:
		return false
	}
	switch w.at(j) {
	case "", ",", "FROM", "LIMIT", "WHERE", "ORDER", "GROUP", "UNION":
		return true
	}
	return false
}

// replacement gives the text for the n tokens at i; n is 0 when they stay.
func (c *conn) replacement(w *words, i int) (text string, n int) {
	switch t := w.toks[i]; t.Kind {
	case parser.TokenVariable:
		v, ok := c.variable(w.raw(i))
		if !ok {
			return "NULL", 1
		}
		return literalOf(v), 1
	case parser.TokenName, parser.TokenKeyword:
		if w.is(i, "INFORMATION_SCHEMA", ".") || w.is(i, "`INFORMATION_SCHEMA`", ".") {
			if i+2 < len(w.toks) {
				return "`information_schema." + strings.ToLower(unquote(w.raw(i+2))) + "`", 3
			}
			return "", 0
		}
		if w.raw(i-1) == "." {
			return "", 0
		}
		if w.raw(i+1) == "." && i+2 < len(w.toks) && strings.EqualFold(unquote(w.raw(i)), databaseName) {
			return w.raw(i + 2), 3 // `millrace`.`t`.`c` is `t`.`c`
		}
		if w.is(i+1, "(", ")") {
			if v := c.sessionFunction(w.at(i)); v != "" {
				return v, 3
			}
		} else if w.at(i) == "CURRENT_USER" {
			return literalOf(c.account()), 1
		}
	}
	return "", 0
}

// sessionFunction gives the value of a function that only this connection knows, as a literal; "" for others.
func (c *conn) sessionFunction(name string) string {
	switch name {
	case "DATABASE", "SCHEMA":
		return literalOf(c.database)
	case "VERSION":
		return literalOf(serverVersion)
	case "USER", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER":
		return literalOf(c.account())
	case "CURRENT_ROLE":
		return "'NONE'"
	case "CONNECTION_ID":
		return strconv.Itoa(int(c.id))
	case "LAST_INSERT_ID", "ROW_COUNT", "FOUND_ROWS":
		return "0"
	}
	return ""
}

// literalOf writes digits as a number and everything else as a string.
func literalOf(v string) string {
	if _, err := strconv.ParseInt(v, 10, 64); err == nil && v[0] != '+' && v[0] != '-' {
		return v
	}
	return ast.QuoteText(v)
}

// restore moves an error's place to the text that the client sent.
func (e edits) restore(err error, text string) error {
	d, ok := diag.As(err)
	if !ok || len(e) == 0 {
		return err
	}
	moved := *d
	moved.Source, moved.Offset, moved.End = text, e.origin(d.Offset), 0
	return &moved
}

func (e edits) origin(at int) int {
	shift := 0 // of the rewritten text against the sent one, before the edit
	for _, x := range e {
		switch begin := x.off + shift; {
		case at < begin:
			return at - shift
		case at < begin+x.length:
			return x.off
		}
		shift += x.length - (x.end - x.off)
	}
	if at < 0 {
		return at
	}
	return at - shift
}
