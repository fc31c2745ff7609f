package expr

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/sql/types"
)

// The tests of this package write expressions as SQL. This is a small precedence-climbing reader for them: the real parser lives
// above this package.
type reader struct {
	src    string
	tokens []token
	at     int
	cols   []Expr // named columns
	onCall func(name string, args []Expr)
	vars   []*Var // parameters of the lambdas around, innermost last
	level  int
}

type token struct {
	text  string
	kind  byte // n number, s string, w word, o operator, e end
	start int
}

func parseExpr(src string, cols ...Expr) (e Expr, err error) {
	defer func() {
		if p := recover(); p != nil {
			if perr, ok := p.(error); ok {
				err = perr
				return
			}
			panic(p)
		}
	}()
	r := &reader{src: src, cols: cols}
	r.scan()
	e = r.expr(0)
	if r.peek().kind != 'e' {
		return nil, fmt.Errorf("unexpected %q in %q", r.peek().text, src)
	}
	return e, nil
}

func (r *reader) scan() {
	s := r.src
	for i := 0; i < len(s); {
		c := s[i]
		start := i
		switch {
		case c == ' ':
			i++
			continue
		case c == '\'':
			var b strings.Builder
			for i++; i < len(s); i++ {
				if s[i] == '\'' {
					if i+1 < len(s) && s[i+1] == '\'' {
						i++
					} else {
						break
					}
				}
				b.WriteByte(s[i])
			}
			i++
			r.tokens = append(r.tokens, token{b.String(), 's', start})
			continue
		case c >= '0' && c <= '9':
			for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' || s[i] == 'e') {
				i++
			}
			r.tokens = append(r.tokens, token{s[start:i], 'n', start})
			continue
		case isWord(c):
			for i < len(s) && (isWord(s[i]) || s[i] >= '0' && s[i] <= '9') {
				i++
			}
			r.tokens = append(r.tokens, token{s[start:i], 'w', start})
			continue
		}
		width := 1
		for _, op := range []string{"<=>", "->>", "->", "<=", ">=", "<>", "!=", "||", "<<", ">>"} {
			if strings.HasPrefix(s[i:], op) {
				width = len(op)
				break
			}
		}
		r.tokens = append(r.tokens, token{s[i : i+width], 'o', start})
		i += width
	}
	r.tokens = append(r.tokens, token{"", 'e', len(s)})
}

func isWord(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func (r *reader) peek() token { return r.tokens[r.at] }
func (r *reader) next() token { t := r.tokens[r.at]; r.at++; return t }

func (r *reader) accept(text string) bool {
	if t := r.peek(); t.kind != 's' && strings.EqualFold(t.text, text) && t.kind != 'e' {
		r.at++
		return true
	}
	return false
}

func (r *reader) expect(text string) {
	if !r.accept(text) {
		panic(fmt.Errorf("expected %q at %q in %q", text, r.peek().text, r.src))
	}
}

func must(e Expr, err error) Expr {
	if err != nil {
		panic(err)
	}
	return e
}

var readerPrecedence = map[string]int{"->": 20, "->>": 20, "div": 11, "mod": 11, "is": 6, "between": 6, "in": 6}

func (r *reader) expr(min int) Expr {
	left := r.unary()
	for {
		t := r.peek()
		op := strings.ToLower(t.text)
		p := precedence[op]
		if q := readerPrecedence[op]; q > 0 {
			p = q
		}
		if t.kind == 's' || p == 0 || p <= min || op == "not" {
			return left
		}
		r.next()
		left = r.infix(op, t.start, left, p)
	}
}

func (r *reader) infix(op string, pos int, left Expr, p int) Expr {
	switch op {
	case "is":
		not := r.accept("not")
		name := "is_"
		if not {
			name += "not_"
		}
		return must(NewCall(name+strings.ToLower(r.next().text), pos, left))
	case "between":
		lo := r.expr(6)
		r.expect("and")
		return must(NewCall("between", pos, left, lo, r.expr(6)))
	case "in":
		r.expect("(")
		return must(NewCall("in", pos, append([]Expr{left}, r.list()...)...))
	}
	return must(NewCall(op, pos, left, r.expr(p)))
}

func (r *reader) unary() Expr {
	t := r.peek()
	switch {
	case r.accept("not"):
		return must(NewCall("not", t.start, r.expr(4)))
	case r.accept("-"):
		return must(NewCall("negate", t.start, r.expr(15)))
	case r.accept("~"):
		return must(NewCall("~", t.start, r.expr(15)))
	}
	return r.primary()
}

func (r *reader) primary() Expr {
	t := r.next()
	switch t.kind {
	case 'n':
		return must(NewNumber(t.text, t.start))
	case 's':
		c := NewString(t.text)
		c.Pos = t.start
		return c
	case 'w':
		return r.word(t)
	}
	if t.text == "(" {
		e := r.expr(0)
		r.expect(")")
		return e
	}
	panic(fmt.Errorf("unexpected %q in %q", t.text, r.src))
}

func (r *reader) word(t token) Expr {
	for i := len(r.vars) - 1; i >= 0; i-- {
		if strings.EqualFold(r.vars[i].Name, t.text) {
			return r.vars[i]
		}
	}
	for _, c := range r.cols {
		if strings.EqualFold(c.(*Col).Name, t.text) {
			return c
		}
	}
	switch strings.ToUpper(t.text) {
	case "NULL":
		return NewNull()
	case "TRUE", "FALSE":
		return NewBool(strings.EqualFold(t.text, "true"))
	case "DATE", "TIMESTAMP", "TIME":
		if r.peek().kind == 's' {
			kind := map[string]types.Kind{"DATE": types.Date, "TIMESTAMP": types.Timestamp, "TIME": types.Time}[strings.ToUpper(t.text)]
			return must(NewLiteral(types.Of(kind), r.next().text, t.start))
		}
	case "INTERVAL":
		if r.accept("(") {
			args := r.list()
			if len(args) > 1 {
				return must(NewCall("interval", t.start, args...))
			}
			return must(NewInterval(args[0], r.next().text, t.start))
		}
		x := r.expr(15)
		return must(NewInterval(x, r.next().text, t.start))
	case "CASE":
		return r.caseWhen(t)
	case "CAST", "TRY_CAST":
		r.expect("(")
		x := r.expr(0)
		r.expect("as")
		typ := r.typ()
		r.expect(")")
		return must(NewCast(x, typ, strings.EqualFold(t.text, "try_cast"), t.start))
	}
	r.expect("(")
	args := r.list()
	if r.onCall != nil {
		r.onCall(t.text, args)
	}
	return must(NewCall(t.text, t.start, args...))
}

func (r *reader) list() []Expr {
	var args []Expr
	if r.accept(")") {
		return nil
	}
	for {
		if l := r.lambda(); l != nil {
			args = append(args, l)
		} else {
			args = append(args, r.expr(0))
		}
		if r.accept(")") {
			return args
		}
		r.expect(",")
	}
}

// lambda reads `x -> body` or `(x, y) -> body` and leaves the body for later; nil when there is none.
func (r *reader) lambda() Expr {
	start := r.at
	var names []string
	if r.accept("(") {
		for r.peek().kind == 'w' {
			names = append(names, r.next().text)
			if !r.accept(",") {
				break
			}
		}
		if !r.accept(")") {
			names = nil
		}
	} else if r.peek().kind == 'w' {
		names = []string{r.next().text}
	}
	if names == nil || !r.accept("->") {
		r.at = start
		return nil
	}
	body, level := r.at, r.level
	for depth := 0; depth > 0 || r.peek().text != "," && r.peek().text != ")"; r.at++ {
		switch r.peek().text {
		case "(":
			depth++
		case ")":
			depth--
		}
	}
	return &Unbound{Level: level, Names: names, Pos: r.tokens[start].start, Bind: func(params []*Var) (e Expr, err error) {
		at, vars := r.at, r.vars
		defer func() { r.at, r.vars, r.level = at, vars, level }()
		r.at, r.vars, r.level = body, append(vars[:len(vars):len(vars)], params...), level+1
		return r.expr(0), nil
	}}
}

func (r *reader) caseWhen(t token) Expr {
	var args []Expr
	for r.accept("when") {
		args = append(args, r.expr(0))
		r.expect("then")
		args = append(args, r.expr(0))
	}
	if r.accept("else") {
		args = append(args, r.expr(0))
	}
	r.expect("end")
	return must(NewCall("case", t.start, args...))
}

func (r *reader) typ() types.Type {
	name := strings.ToUpper(r.next().text)
	kinds := map[string]types.Kind{"INT": types.Int32, "BIGINT": types.Int64, "TINYINT": types.Int8, "VARCHAR": types.String, "DOUBLE": types.Float64,
		"DATE": types.Date, "TIME": types.Time, "DATETIME": types.Datetime, "TIMESTAMP": types.Timestamp, "BOOLEAN": types.Bool, "JSON": types.JSON,
		"UNSIGNED": types.Uint64, "FLOAT": types.Float32, "DECIMAL": types.Decimal}
	t := types.Of(kinds[name])
	if t.Kind == types.Null {
		panic(fmt.Errorf("unknown type %s", name))
	}
	var args []int
	if r.accept("(") {
		for !r.accept(")") {
			n := 0
			fmt.Sscan(r.next().text, &n)
			args = append(args, n)
			r.accept(",")
		}
	}
	switch {
	case t.Kind == types.Decimal && len(args) == 2:
		return types.DecimalOf(args[0], args[1])
	case t.Kind == types.String && len(args) == 1:
		t.Precision = args[0]
	}
	return t
}
