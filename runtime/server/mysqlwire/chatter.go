package mysqlwire

import (
	"context"
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
)

// chatter answers what clients say without meaning the engine: transactions, databases, KILL, SET, and SHOW in MySQL's form. Both results
// are nil when the statement is the engine's.
func (c *conn) chatter(ctx context.Context, w *words) (*reply, error) {
	switch w.at(0) {
	case "BEGIN":
		if w.at(1) == "" || w.at(1) == "WORK" {
			return done(""), nil
		}
	case "START":
		if w.at(1) == "TRANSACTION" {
			return done(""), nil
		}
	case "COMMIT", "ROLLBACK", "SAVEPOINT", "LOCK", "UNLOCK", "FLUSH":
		return done(""), nil // every statement stands for itself
	case "RELEASE":
		if w.at(1) == "SAVEPOINT" {
			return done(""), nil
		}
	case "USE":
		w.k = 1
		return done("Database changed"), c.use(w.name())
	case "KILL":
		return c.killStatement(w)
	case "SET":
		return c.set(ctx, w)
	case "SHOW":
		return c.show(ctx, w)
	case "DESCRIBE", "DESC", "EXPLAIN":
		w.k = 1
		if name := c.pathName(w); w.ended() && c.relation(name) != nil {
			return c.showColumns(name, false).reply(), nil
		}
	}
	return nil, nil
}

func (c *conn) killStatement(w *words) (*reply, error) {
	w.k = 1
	_ = w.accept("HARD") || w.accept("SOFT")
	query := w.accept("QUERY")
	w.accept("CONNECTION")
	at := w.k
	id, err := strconv.ParseUint(w.value(), 10, 32)
	if err != nil || !w.ended() {
		return nil, syntax(w, at, "KILL [QUERY] wants the number of a connection; SHOW PROCESSLIST lists them")
	}
	return done(""), c.killOther(uint32(id), query)
}

// condition is one comparison of SHOW .. WHERE.
type condition struct {
	column int
	op     string
	values []string
}

// holds tells whether the row's text meets the condition.
func (x condition) holds(text string) bool {
	for _, v := range x.values {
		switch x.op {
		case "=", "IN":
			if strings.EqualFold(text, v) {
				return true
			}
		case "<>", "!=", "NOT IN":
			if strings.EqualFold(text, v) {
				return false
			}
		case "LIKE":
			return function.MatchName(v, text)
		case "NOT LIKE":
			return !function.MatchName(v, text)
		}
	}
	return x.op == "<>" || x.op == "!=" || x.op == "NOT IN"
}

// filter applies LIKE 'p' to the first column, or WHERE with comparisons joined by AND and OR, without brackets.
func (t *table) filter(w *words) (*reply, error) {
	if w.accept("LIKE") {
		if w.ended() {
			return nil, syntax(w, w.k, "a pattern is expected")
		}
		pattern := w.value()
		if pattern == "" {
			return newTable(t.names()...).reply(), w.mustEnd()
		}
		return t.keep([][]condition{{{0, "LIKE", []string{pattern}}}}), w.mustEnd()
	}
	if !w.accept("WHERE") {
		return t.reply(), w.mustEnd()
	}
	var any [][]condition
	all := []condition{}
	for {
		x, err := t.condition(w)
		if err != nil {
			return nil, err
		}
		all = append(all, x)
		if w.accept("AND") {
			continue
		}
		any, all = append(any, all), nil
		if !w.accept("OR") {
			break
		}
	}
	return t.keep(any), w.mustEnd()
}

func (w *words) mustEnd() error {
	if w.ended() {
		return nil
	}
	e := diag.New(diag.NotSupported, w.toks[w.k].Off, "this part of SHOW is not supported").
		WithHint("LIKE 'pattern', or WHERE with =, <>, LIKE and IN joined by AND and OR")
	e.Source = w.text
	return e
}

// condition reads one comparison.
func (t *table) condition(w *words) (condition, error) {
	at := w.k
	x := condition{column: -1}
	name := w.name()
	for i, f := range t.fields {
		if strings.EqualFold(f.Name, name) {
			x.column = i
		}
	}
	if x.column < 0 {
		e := diag.New(diag.UnknownColumn, -1, "unknown column '%s' of this SHOW", clip(name, 64))
		if at < len(w.toks) {
			e.Offset, e.Source = w.toks[at].Off, w.text
		}
		return x, e
	}
	not := w.accept("NOT")
	switch {
	case w.accept("LIKE"):
		x.op = "LIKE"
	case w.accept("IN"):
		x.op = "IN"
	case !not && (w.is(w.k, "=") || w.is(w.k, "<>") || w.is(w.k, "!=")):
		x.op = w.value()
	default:
		return x, syntax(w, w.k, "=, <>, LIKE or IN is expected")
	}
	if not {
		x.op = "NOT " + x.op
	}
	brackets := w.accept("(")
	for !w.ended() {
		x.values = append(x.values, w.value())
		if !brackets || !w.accept(",") {
			break
		}
	}
	if len(x.values) == 0 || brackets && !w.accept(")") {
		return x, syntax(w, w.k, "a value is expected")
	}
	return x, nil
}

func (t *table) names() []string {
	var out []string
	for _, f := range t.fields {
		out = append(out, f.Name)
	}
	return out
}

// keep gives the rows that meet all conditions of any list.
func (t *table) keep(any [][]condition) *reply {
	var sel []int32
	var text []byte
	for i := range t.batch.N {
		for _, all := range any {
			met := true
			for _, x := range all {
				v := t.batch.Cols[x.column]
				text = appendText(text[:0], v, i)
				met = met && !v.IsNull(i) && x.holds(string(text))
			}
			if met {
				sel = append(sel, int32(i))
				break
			}
		}
	}
	if sel == nil {
		sel = []int32{}
	}
	t.batch.Sel = sel
	return t.reply()
}
