package parser

import (
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/diag"
)

// kind is what a token is.
type kind uint8

const (
	kEOF kind = iota
	kWord
	kQuoted // `name`
	kString
	kNumber
	kHex // 0x1F, x'1f', b'01', 0b01
	kParam
	kVar // @x, @@x
	kOp
	kComment
)

// token is one token; up is a word's upper case or an operator's text.
type token struct {
	kind     kind
	off, end int
	up       string
}

// The private-use runes stand for islands in the text that TiDB sees; users may not write them in names.
const (
	holeFirst = '\uE000'
	holeLast  = '\uF8FF'
	holeWidth = 3 // bytes of such a rune
)

// lexer cuts text into tokens. It never stops: the first error is kept in err and the rest is still cut, for colouring.
type lexer struct {
	text     string
	pos      int
	comments bool // keep comments
	toks     []token
	err      *diag.Error
	open     byte // quote in which the text ends: ' " ` or * for a comment; 0 otherwise
}

func lex(text string, comments bool) *lexer {
	l := &lexer{text: text, comments: comments, toks: make([]token, 0, len(text)/5+4)}
	for l.pos < len(text) {
		l.next()
	}
	l.toks = append(l.toks, token{kind: kEOF, off: len(text), end: len(text)})
	return l
}

func (l *lexer) fail(code diag.Code, at int, format string, args ...any) *diag.Error {
	e := diag.New(code, at, format, args...)
	if l.err == nil {
		l.err = e
	}
	return e
}

func (l *lexer) add(k kind, off int, up string) {
	l.toks = append(l.toks, token{kind: k, off: off, end: l.pos, up: up})
}

func (l *lexer) peek(n int) byte {
	if l.pos+n < len(l.text) {
		return l.text[l.pos+n]
	}
	return 0
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// next cuts one token, comment or run of blanks.
func (l *lexer) next() {
	c := l.text[l.pos]
	switch {
	case isSpace(c):
		l.pos++
	case l.comment(c):
	case c == '\'' || c == '"':
		l.quoted(c, kString)
	case c == '`':
		l.quoted(c, kQuoted)
	case isDigit(c) || c == '.' && isDigit(l.peek(1)) && !l.afterName():
		l.number()
	case isWordByte(c):
		l.word()
	case c == '@':
		l.variable()
	case c == '?':
		l.pos++
		l.add(kParam, l.pos-1, "?")
	default:
		l.operator()
	}
}

// afterName tells that a dot here continues a path (`t.1`) rather than beginning a number.
func (l *lexer) afterName() bool {
	if len(l.toks) == 0 {
		return false
	}
	last := l.toks[len(l.toks)-1]
	return last.end == l.pos && (last.kind == kWord || last.kind == kQuoted)
}

// comment skips a comment at the cursor and tells whether there was one.
func (l *lexer) comment(c byte) bool {
	start := l.pos
	switch {
	case c == '#':
	case c == '-' && l.peek(1) == '-' && (l.pos+2 >= len(l.text) || l.peek(2) <= ' '):
	case c == '/' && l.peek(1) == '*':
		n := strings.Index(l.text[l.pos+2:], "*/")
		if n < 0 {
			l.pos = len(l.text)
			l.open = '*'
			l.fail(diag.UnclosedString, start, "this comment is never closed").WithHint("close it with */")
		} else {
			l.pos += n + 4
		}
		if l.comments {
			l.add(kComment, start, "")
		}
		return true
	default:
		return false
	}
	if n := strings.IndexByte(l.text[l.pos:], '\n'); n < 0 {
		l.pos = len(l.text)
	} else {
		l.pos += n + 1
	}
	if l.comments {
		l.add(kComment, start, "")
	}
	return true
}

// quoted cuts a string or a backquoted name; a doubled quote stands for itself, a backslash escapes in strings.
func (l *lexer) quoted(q byte, k kind) {
	start := l.pos
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch c := l.text[l.pos]; {
		case c == '\\' && k == kString:
			l.pos++
		case c == q && l.peek(1) == q:
			l.pos++
		case c == q:
			l.pos++
			l.add(k, start, "")
			l.checkText(k, start)
			return
		}
	}
	l.pos = len(l.text)
	l.open = q
	what := "string"
	if k == kQuoted {
		what = "quoted name"
	}
	l.fail(diag.UnclosedString, start, "this %s is never closed", what).WithHint("add a closing %c", q)
	l.add(k, start, "")
}

// checkText refuses what must not reach the grammar: bytes that are no UTF-8, NUL, and our private runes in names.
func (l *lexer) checkText(k kind, start int) {
	s := l.text[start:l.pos]
	for i, r := range s {
		if r < utf8.RuneSelf && r != 0 {
			continue
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			l.fail(diag.SyntaxError, start+i, "this byte is not UTF-8").WithHint("save the text as UTF-8")
			return
		case r == 0 && k != kString, r >= holeFirst && r <= holeLast && k != kString:
			l.fail(diag.SyntaxError, start+i, "character %U is not allowed in a name", r)
			return
		}
	}
}

// number cuts a number; digits glued to letters are a name, as in MySQL.
func (l *lexer) number() {
	start := l.pos
	if l.text[l.pos] == '0' && (l.peek(1) == 'x' || l.peek(1) == 'b') && isHex(l.peek(2)) {
		l.pos += 2
		for l.pos < len(l.text) && isHex(l.text[l.pos]) {
			l.pos++
		}
		l.add(kHex, start, "")
		return
	}
	digits := func() {
		for l.pos < len(l.text) && isDigit(l.text[l.pos]) {
			l.pos++
		}
	}
	digits()
	dot := l.pos < len(l.text) && l.text[l.pos] == '.'
	if dot {
		l.pos++
		digits()
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		n := 1
		if s := l.peek(1); s == '+' || s == '-' {
			n = 2
		}
		if isDigit(l.peek(n)) {
			l.pos += n
			digits()
		}
	}
	if l.pos < len(l.text) && isWordByte(l.text[l.pos]) && !dot {
		l.word()
		l.toks[len(l.toks)-1].off = start
		return
	}
	l.add(kNumber, start, "")
}

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func (l *lexer) word() {
	start := l.pos
	for l.pos < len(l.text) && isWordByte(l.text[l.pos]) {
		l.pos++
	}
	if n := l.pos - start; n == 1 && l.peek(0) == '\'' && strings.ContainsRune("xXbB", rune(l.text[start])) {
		if m := strings.IndexByte(l.text[l.pos+1:], '\''); m >= 0 {
			l.pos += m + 2
			l.add(kHex, start, "")
			return
		}
	}
	l.add(kWord, start, strings.ToUpper(l.text[start:l.pos]))
	l.checkText(kWord, start)
}

func (l *lexer) variable() {
	start := l.pos
	l.pos++
	if l.peek(0) == '@' {
		l.pos++
	}
	if c := l.peek(0); c == '`' || c == '\'' || c == '"' {
		l.quoted(c, kQuoted)
		l.toks = l.toks[:len(l.toks)-1]
	}
	for l.pos < len(l.text) && (isWordByte(l.text[l.pos]) || l.text[l.pos] == '.') {
		l.pos++
	}
	l.add(kVar, start, "")
	l.checkText(kVar, start)
}

// operators, longest first.
var operators = []string{"<=>", "->>", "<=", ">=", "<>", "!=", "==", "<<", ">>", "||", "&&", "::", ":=", "->", "=>"}

func (l *lexer) operator() {
	rest := l.text[l.pos:]
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			l.pos += len(op)
			l.add(kOp, l.pos-len(op), op)
			return
		}
	}
	l.pos++
	op := rest[:1]
	if !strings.Contains("()[]{},;.=<>+-*/%&|^~!:", op) {
		l.fail(diag.SyntaxError, l.pos-1, "unexpected character %q", rest[0])
	}
	l.add(kOp, l.pos-1, op)
}
