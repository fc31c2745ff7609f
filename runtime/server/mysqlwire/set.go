package mysqlwire

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// set runs SET. Variables that mean something to the engine are set there; MySQL's are remembered, so that clients read what they set.
func (c *conn) set(ctx context.Context, w *words) (*reply, error) {
	switch {
	case w.is(1, "NAMES"), w.is(1, "CHARACTER", "SET"), w.is(1, "CHARSET"):
		return c.setNames(w)
	case w.is(1, "TRANSACTION"), w.is(1, "SESSION", "TRANSACTION"), w.is(1, "GLOBAL", "TRANSACTION"), w.is(1, "LOCAL", "TRANSACTION"):
		return done(""), nil
	case w.is(1, "PASSWORD"), w.is(1, "ROLE"), w.is(1, "DEFAULT", "ROLE"):
		return nil, diag.New(diag.NotSupported, w.toks[1].Off, "there are no users and roles yet")
	}
	w.k = 1
	for {
		if err := c.assign(ctx, w); err != nil {
			return nil, err
		}
		if !w.accept(",") {
			break
		}
	}
	return done(""), nil
}

// setNames is SET NAMES: results are utf8mb4, whose subset other sets of Unicode are.
func (c *conn) setNames(w *words) (*reply, error) {
	w.k = 2
	w.accept("SET")
	at := w.k
	name := strings.ToLower(w.value())
	switch name {
	case "utf8mb4", "utf8", "utf8mb3", "ascii", "default", "binary", "latin1":
		if name == "default" {
			name = "utf8mb4"
		}
	case "":
		return nil, diag.New(diag.UnexpectedEnd, -1, "SET NAMES wants a character set")
	default:
		return nil, wireError{1115, "42000", fmt.Sprintf("Unknown character set: '%s' (results are utf8mb4)", clip(w.raw(at), 40))}
	}
	for _, v := range []string{"character_set_client", "character_set_connection", "character_set_results"} {
		c.vars[v] = name
	}
	return done(""), nil
}

// assign reads one `variable = value`.
func (c *conn) assign(ctx context.Context, w *words) error {
	from := w.k
	for _, scope := range []string{"SESSION", "GLOBAL", "LOCAL", "PERSIST"} {
		if w.is(w.k, scope) && w.raw(w.k+1) != "=" && w.raw(w.k+1) != ":=" && w.raw(w.k+1) != "." {
			w.k++
			break
		}
	}
	first := w.k
	for !w.ended() && w.raw(w.k) != "=" && w.raw(w.k) != ":=" && w.at(w.k) != "TO" && w.raw(w.k) != "," {
		w.k++
	}
	if w.ended() || w.raw(w.k) == "," || w.k == first {
		return syntax(w, w.k, "= is expected")
	}
	name := variableName(w.text[w.toks[first].Off:w.toks[w.k-1].End])
	w.k++
	start := w.k
	for depth := 0; !w.ended() && (depth > 0 || w.raw(w.k) != ","); w.k++ {
		switch w.raw(w.k) {
		case "(":
			depth++
		case ")":
			depth--
		}
	}
	if w.k == start {
		return syntax(w, w.k, "a value is expected")
	}
	value := w.text[w.toks[start].Off:w.toks[w.k-1].End]
	_, known := mysqlVariables[name]
	if !known && !strings.HasPrefix(name, "@") {
		return c.setEngine(ctx, name, value, w.toks[from].Off, w.text)
	}
	return c.remember(name, c.evaluate(value))
}

func syntax(w *words, k int, message string) error {
	at := len(w.text)
	if k < len(w.toks) {
		at = w.toks[k].Off
	}
	e := diag.New(diag.SyntaxError, at, "%s", message)
	e.Source = w.text
	return e
}

// setEngine sets a variable of the engine's session.
func (c *conn) setEngine(ctx context.Context, name, value string, offset int, text string) error {
	if strings.HasPrefix(value, "@") {
		value = ast.QuoteText(c.evaluate(value))
	}
	if up := strings.ToUpper(value); up == "DEFAULT" {
		_, err := c.session.Exec(ctx, "RESET "+name)
		return err
	}
	_, err := c.session.Exec(ctx, "SET "+name+" = "+value)
	if e, ok := diag.As(err); ok {
		moved := *e
		moved.Offset, moved.End, moved.Source = offset, 0, text
		return &moved
	}
	return err
}

// evaluate gives the text of a value: a literal, a word, another variable, or the expression as it stands.
func (c *conn) evaluate(value string) string {
	if strings.HasPrefix(value, "@") {
		if toks := parser.Tokens(value); len(toks) == 1 {
			v, _ := c.variable(value)
			return v
		}
	}
	switch strings.ToUpper(value) {
	case "ON", "TRUE":
		return "1"
	case "OFF", "FALSE":
		return "0"
	}
	return unquote(value)
}

// remember keeps a variable of this connection.
func (c *conn) remember(name, value string) error {
	if strings.EqualFold(value, "DEFAULT") || strings.EqualFold(value, "NULL") {
		delete(c.vars, name)
		return nil
	}
	if len(value) > maxVariableBytes {
		return wireError{1105, "HY000", fmt.Sprintf("the value of %s is longer than %d bytes", clip(name, 64), maxVariableBytes)}
	}
	if _, there := c.vars[name]; !there && len(c.vars) >= maxUserVariables {
		return wireError{1105, "HY000", fmt.Sprintf("a connection keeps at most %d variables", maxUserVariables)}
	}
	c.vars[name] = value
	if strings.HasPrefix(name, "@") { // EXECUTE .. USING reads it in the engine
		literal := &ast.Literal{Kind: ast.LitString, Text: value}
		if _, err := strconv.ParseFloat(value, 64); err == nil {
			literal = engine.NumberLiteral(value)
		}
		return c.session.SetUserVariable(name, literal)
	}
	return nil
}
