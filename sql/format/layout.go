package format

import (
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/parser"
)

// printer writes statements. Lines are begun lazily, so that a comment can end one.
type printer struct {
	out     strings.Builder
	col     int
	indent  int
	prev    *token // last token written on this line
	prev2   *token // the one before it
	newline bool   // the next token begins a line
	sets    int    // statement sets around
	first   *token // of the statement
	keep    map[*token]bool
}

// String ends the text with one newline.
func (p *printer) String() string {
	s := strings.TrimRight(p.out.String(), " \n")
	if s == "" {
		return ""
	}
	return s + "\n"
}

func (p *printer) blankLine() {
	p.endLine()
	if p.out.Len() > 0 {
		p.out.WriteString("\n")
	}
}

// endLine ends the line that is being written, if there is one.
func (p *printer) endLine() {
	if p.col > 0 {
		p.out.WriteString("\n")
	}
	p.col, p.prev, p.prev2, p.newline = 0, nil, nil, false
}

func (p *printer) write(s string) {
	if p.col == 0 {
		p.out.WriteString(strings.Repeat(" ", p.indent))
		p.col = p.indent
	}
	p.out.WriteString(s)
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		p.col = utf8.RuneCountInString(s[i+1:])
		return
	}
	p.col += utf8.RuneCountInString(s)
}

// token writes one token with its comments.
func (p *printer) token(t *token) {
	for _, c := range t.before {
		p.comment(c, true)
	}
	if t.apart && t == p.first {
		p.blankLine()
	}
	if p.newline {
		p.endLine()
	}
	if t.text != "" {
		if p.col > 0 && p.prev != nil && p.space(t) {
			p.write(" ")
		}
		p.write(t.text)
		p.prev2, p.prev = p.prev, t
	}
	for _, c := range t.after {
		p.comment(c, false)
	}
}

func (p *printer) space(t *token) bool {
	if p.keep[t] {
		return !t.glued
	}
	return spaced(p.prev2, p.prev, t)
}

func (p *printer) comment(c comment, before bool) {
	switch {
	case before && c.own || p.newline:
		p.endLine()
		if c.blank && p.out.Len() > 0 && !strings.HasSuffix(p.out.String(), "\n\n") {
			p.out.WriteString("\n")
		}
	case p.col > 0:
		p.write(" ")
	}
	p.write(c.text)
	p.newline = c.line || before && c.own
	p.prev2, p.prev = nil, &token{kind: parser.TokenComment, text: c.text}
}

// statement writes one statement on lines of its own.
func (p *printer) statement(s *statement) {
	keywords(s.toks)
	typeNames(s.toks)
	seq := tree(s.toks)
	matchKeywords(seq)
	p.keep = map[*token]bool{}
	markVerbatim(seq, p.keep)
	p.first = s.toks[0]
	if p.first.is("END") && p.sets > 0 {
		p.sets--
	}
	p.indent = p.sets * indentStep
	p.endLine()
	p.sequence(seq, true)
	p.endLine()
	for i := range s.toks {
		if _, ok := matches(s.toks[i:], []string{"BEGIN", "STATEMENT", "SET"}); ok {
			p.sets++
			break
		}
	}
}

// flatWidth is the width of a sequence on one line, -1 if it cannot be on one: a comment needs a line's end.
func (p *printer) flatWidth(seq []element) int {
	toks := flatten(seq, nil)
	n := 0
	var prev, prev2 *token
	for _, t := range toks {
		if len(t.before) > 0 || strings.Contains(t.text, "\n") {
			return -1
		}
		n += utf8.RuneCountInString(t.text)
		if prev != nil && (p.keep[t] && !t.glued || !p.keep[t] && spaced(prev2, prev, t)) {
			n++
		}
		for _, c := range t.after {
			if c.line || strings.Contains(c.text, "\n") {
				return -1
			}
			n += utf8.RuneCountInString(c.text) + 2
		}
		prev2, prev = prev, t
	}
	return n
}

// fits tells whether a sequence fits on the rest of the line; more is what must follow it there.
func (p *printer) fits(seq []element, more int) bool {
	w := p.flatWidth(seq)
	col := p.col
	if p.newline || col == 0 {
		col = p.indent
	}
	return w >= 0 && col+w+1+more <= Width
}

func (p *printer) flat(seq []element) {
	for _, t := range flatten(seq, nil) {
		p.token(t)
	}
}

// sequence writes the inside of a statement or of brackets that are broken over lines: one clause a line. The clauses of a statement
// have lines of their own even if they would fit on one.
func (p *printer) sequence(seq []element, top bool) {
	list := clauses(seq, top)
	if len(list) == 1 {
		p.clause(list[0])
		return
	}
	for i, c := range list {
		if i > 0 {
			p.endLineBefore(c[0].first())
		}
		p.clause(c)
	}
}

// endLineBefore begins a new line; its comments come first.
func (p *printer) endLineBefore(*token) { p.newline = p.col > 0 || p.newline }

// clause writes one clause, broken at its commas or at AND and OR when it does not fit.
func (p *printer) clause(seq []element) {
	if p.fits(seq, 0) {
		p.flat(seq)
		return
	}
	head := headLength(seq)
	items := split(seq[head:])
	switch {
	case len(items) > 1 && seq[0].tok.is("WITH"):
		p.flat(seq[:head])
		p.items(items)
	case len(items) > 1 && head > 0:
		p.flat(seq[:head])
		p.indent += indentStep
		p.newline = true
		p.items(items)
		p.indent -= indentStep
	case len(items) > 1:
		p.items(items)
	default:
		p.operands(seq)
	}
}

// items writes the items of a list, one a line; each still has its comma.
func (p *printer) items(items [][]element) {
	for i, item := range items {
		if i > 0 {
			p.newline = true
		}
		p.operands(item)
	}
}

// operands writes an expression: on one line, or broken before its ANDs and ORs; brackets that do not fit are broken open.
func (p *printer) operands(seq []element) {
	if p.fits(seq, 0) {
		p.flat(seq)
		return
	}
	parts := conjuncts(seq)
	p.elements(parts[0])
	p.indent += indentStep
	for _, part := range parts[1:] {
		p.newline = true
		p.elements(part)
	}
	p.indent -= indentStep
}

// elements writes elements one behind the other, breaking brackets open that do not fit.
func (p *printer) elements(seq []element) {
	for i := range seq {
		e := &seq[i]
		if e.closing == nil || len(e.inner) == 0 || e.verbatim || p.fits(seq[i:i+1], 0) {
			p.flat(seq[i : i+1])
			continue
		}
		p.token(e.tok)
		p.indent += indentStep
		p.newline = true
		p.sequence(e.inner, false)
		p.indent -= indentStep
		for _, c := range e.closing.before { // comments at the end belong to what they follow
			p.indent += indentStep
			p.comment(c, true)
			p.indent -= indentStep
		}
		p.newline = true
		closing := *e.closing
		closing.before = nil
		p.token(&closing)
	}
}

// split cuts a sequence behind its commas.
func split(seq []element) [][]element {
	var out [][]element
	first, angle := 0, 0
	for i := range seq {
		switch t := seq[i].tok; {
		case t.op("<") && i > 0 && angles[seq[i-1].tok.up]:
			angle++
		case angle > 0 && (t.op(">") || t.op(">>")):
			angle -= len(t.text)
		case t.op(",") && angle <= 0:
			out = append(out, seq[first:i+1])
			first = i + 1
		}
	}
	if first < len(seq) {
		out = append(out, seq[first:])
	}
	return out
}

// conjuncts cuts a sequence before its ANDs and ORs, but for the AND of BETWEEN.
func conjuncts(seq []element) [][]element {
	var out [][]element
	first := 0
	between := false
	for i := range seq {
		t := seq[i].tok
		switch {
		case seq[i].closing != nil:
		case t.is("BETWEEN"):
			between = true
		case t.is("AND") && between:
			between = false
		case t.is("AND", "OR") && i > first:
			out = append(out, seq[first:i])
			first = i
		}
	}
	return append(out, seq[first:])
}
