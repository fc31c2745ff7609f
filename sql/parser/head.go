package parser

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// word tells whether the tokens from k on are these keywords.
func (p *parser) word(k int, words ...string) bool {
	for i, w := range words {
		if k+i >= len(p.toks) || p.toks[k+i].kind != kWord || p.toks[k+i].up != w {
			return false
		}
	}
	return true
}

// op tells whether token k is this operator.
func (p *parser) op(k int, op string) bool {
	return k < len(p.toks) && p.toks[k].kind == kOp && p.toks[k].up == op
}

// accept moves the cursor over these keywords if they are next.
func (p *parser) accept(words ...string) bool {
	if p.word(p.k, words...) {
		p.k += len(words)
		return true
	}
	return false
}

func (p *parser) acceptOp(op string) bool {
	if p.op(p.k, op) {
		p.k++
		return true
	}
	return false
}

func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.accept(w) {
			p.wanted(p.k, w)
		}
	}
}

func (p *parser) expectOp(op string) {
	if !p.acceptOp(op) {
		p.wanted(p.k, op)
	}
}

// wanted fails: token k stands where one of these should.
func (p *parser) wanted(k int, want ...string) {
	t := p.toks[k]
	list := strings.Join(want, " or ")
	if len(want) > 2 {
		list = strings.Join(want[:len(want)-1], ", ") + " or " + want[len(want)-1]
	}
	err := tokenError(t, endCode(t), "%s is expected before %s", list, p.describe(k))
	if t.kind == kEOF {
		err.Message = list + " is expected at the end"
	}
	if t.kind == kWord {
		if s := diag.Suggest(t.up, want); s != "" {
			err.Message = "unexpected " + p.describe(k)
			err.WithHint("did you mean %s?", s)
		}
	}
	if len(want) > 0 && err.Hint == "" {
		err.Hint = p.wantedIdiom(k, want)
	}
	p.fail(err)
}

// wantedIdiom says how a clause is written that was begun in another way.
func (p *parser) wantedIdiom(k int, want []string) string {
	has := func(w string) bool { return slices.Contains(want, w) }
	switch {
	case has("AS") && p.startsQuery(k):
		return "AS may be missing before " + p.describe(k)
	case has("WITH") && p.op(k, "("):
		return "options are written WITH (key = 'value', ..)"
	case has("(") && p.word(k-1, "WITH"):
		return "options are written WITH (key = 'value', ..)"
	case has("(") && p.word(k-1, "KEY"):
		return "write PRIMARY KEY (" + p.src[p.toks[k].off:p.toks[k].end] + ")"
	case has("AS OF"):
		return "write FOR SYSTEM_TIME AS OF t.ts"
	case has("NOT") && p.word(k-1, "IF"):
		return "write IF NOT EXISTS"
	case has("EXISTS") && p.word(k-1, "IF"):
		return "write IF EXISTS"
	}
	return ""
}

func endCode(t token) diag.Code {
	if t.kind == kEOF {
		return diag.UnexpectedEnd
	}
	return diag.SyntaxError
}

// atEnd tells whether the statement is used up.
func (p *parser) atEnd() bool { return p.k >= p.end }

func (p *parser) expectEnd() {
	if !p.atEnd() {
		p.failAt(p.k, diag.SyntaxError, "unexpected %s", p.describe(p.k))
	}
}

// nameAt reads token k as a name; the caller knows that it is one.
func (p *parser) nameAt(k int) ast.Name {
	t := p.toks[k]
	s := p.src[t.off:t.end]
	if t.kind == kQuoted {
		s = strings.ReplaceAll(s[1:len(s)-1], "``", "`")
	}
	return ast.Name{Pos: ast.Pos(t.off), Text: s}
}

// isName tells whether token k may be a name in a statement head, where only reserved words are in the way.
func (p *parser) isName(k int) bool {
	t := p.toks[k]
	return t.kind == kQuoted && t.end > t.off+2 || t.kind == kWord && !reserved[t.up]
}

// goesOnWords are the reserved words that rather continue a statement than name something.
var goesOnWords = nameSet("AS FROM SELECT WITH ON BY INTO VALUES USING SET WHERE FOR IS AND OR IN")

// name reads a name at the cursor; what says what it names, for the error.
func (p *parser) name(what string) ast.Name {
	if !p.isName(p.k) {
		t := p.toks[p.k]
		err := tokenError(t, endCode(t), "%s is expected before %s", what, p.describe(p.k))
		switch {
		case t.kind == kEOF:
			err.Message = what + " is expected at the end"
		case t.kind == kWord && reserved[t.up] && !goesOnWords[t.up]:
			err.WithHint("%s is a reserved word: to use it as a name write `%s`", t.up, p.src[t.off:t.end])
		case t.kind == kString && p.src[t.off] == '"':
			err.WithHint("names are quoted with backquotes: `%s`", strings.Trim(p.src[t.off:t.end], `"`))
		case t.kind == kString:
			err.WithHint("write the name without quotes, or in backquotes")
		}
		p.fail(err)
	}
	p.k++
	return p.nameAt(p.k - 1)
}

// names reads `(a, b, ..)`.
func (p *parser) names(what string) []ast.Name {
	p.expectOp("(")
	var out []ast.Name
	for {
		out = append(out, p.name(what))
		if p.acceptOp(")") {
			return out
		}
		if !p.acceptOp(",") {
			p.wanted(p.k, ",", ")")
		}
	}
}

// stringLit reads a string at the cursor.
func (p *parser) stringLit(what string) string {
	t := p.toks[p.k]
	if t.kind != kString {
		p.fail(tokenError(t, endCode(t), "%s is expected before %s", what, p.describe(p.k)))
	}
	p.k++
	return unquote(p.src[t.off:t.end])
}

// unquote removes the quotes of a string literal and resolves its escapes as MySQL does.
func unquote(s string) string {
	if len(s) < 2 {
		return ""
	}
	q := s[0]
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, q) < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == q {
			i++ // doubled
		} else if c == '\\' && i+1 < len(s) {
			i++
			switch c = s[i]; c {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'r':
				c = '\r'
			case '0':
				c = 0
			case 'b':
				c = '\b'
			case 'Z':
				c = 26
			case '%', '_':
				out = append(out, '\\')
			}
		}
		out = append(out, c)
	}
	return string(out)
}
