package format

import (
	"strings"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// Width is the column behind which lines are broken, where they can be.
const Width = 100

const indentStep = 2

// SQL lays out a script. It fails, with a *diag.Error that has its place, only for a string or comment that is never closed.
func SQL(text string) (string, error) {
	if q := parser.InQuote(text); q != 0 {
		toks := parser.Tokens(text)
		at := 0
		if len(toks) > 0 {
			at = toks[len(toks)-1].Off
		}
		e := diag.New(diag.UnclosedString, at, "this string, name or comment is never closed")
		e.Source = text
		return "", e
	}
	p := &printer{}
	list := statements(lexed(text))
	for i, s := range list {
		if i > 0 && s.blankBefore() {
			p.blankLine()
		}
		p.statement(s)
	}
	return p.String(), nil
}

// token is one token with its comments.
type token struct {
	kind   parser.TokenKind
	text   string // as it will be printed
	up     string // upper case, of words
	glued  bool   // to the token before it
	blank  bool   // an empty line stood before it, or before its first comment
	apart  bool   // an empty line stood between its comments and it
	before []comment
	after  []comment // on the token's line
}

// comment is one comment; inline ones stand between tokens of a line.
type comment struct {
	text  string
	line  bool // it ends its line: -- and #
	own   bool // it has its line for itself
	blank bool // an empty line stood before it
}

func (t *token) isWord() bool { return t.kind == parser.TokenName || t.kind == parser.TokenKeyword }

// bare tells whether the token is a word without backquotes.
func (t *token) is(words ...string) bool {
	for _, w := range words {
		if t.up == w {
			return t.isWord()
		}
	}
	return false
}

func (t *token) op(s string) bool { return t.kind == parser.TokenOperator && t.text == s }

// lexed cuts the text and hangs the comments on the tokens: one that stands on a token's line belongs to that token, others to the
// token behind them. Comments behind the last token hang on a token of no text.
func lexed(text string) []*token {
	var out []*token
	var waiting []comment
	end := 0
	blank := false
	for _, t := range parser.Tokens(text) {
		gap := text[end:t.Off]
		lines := strings.Count(gap, "\n")
		s := text[t.Off:t.End]
		if t.Kind == parser.TokenComment {
			c := comment{text: strings.TrimRight(s, " \t\r\n"), line: !strings.HasPrefix(s, "/*"), own: lines > 0 || end == 0 || len(waiting) > 0, blank: lines > 1 && end > 0}
			if end = t.Off + len(c.text); len(waiting) == 0 && !c.own && len(out) > 0 {
				out[len(out)-1].after = append(out[len(out)-1].after, c)
			} else {
				if len(waiting) == 0 {
					blank = lines > 1
				}
				waiting = append(waiting, c)
			}
			continue
		}
		tok := &token{kind: t.Kind, text: s, glued: gap == "" && end > 0, blank: lines > 1, before: waiting}
		if len(waiting) > 0 {
			tok.blank, tok.apart = blank, tok.blank
		}
		if tok.kind == parser.TokenName && s[0] == '`' {
			tok.kind = parser.TokenVariable // never a keyword
		}
		if tok.isWord() {
			tok.kind, tok.up = parser.TokenName, strings.ToUpper(s) // which words are keywords, keywords tells
		}
		out = append(out, tok)
		waiting, end = nil, t.End
	}
	if len(waiting) > 0 {
		out = append(out, &token{kind: parser.TokenOperator, before: waiting, blank: blank})
	}
	return out
}

// statement is the tokens up to a semicolon.
type statement struct {
	toks []*token
}

func (s *statement) blankBefore() bool { return len(s.toks) > 0 && s.toks[0].blank }

// statements cuts at semicolons outside brackets.
func statements(toks []*token) []*statement {
	var out []*statement
	first, depth := 0, 0
	for i, t := range toks {
		switch {
		case t.op("(") || t.op("["):
			depth++
		case t.op(")") || t.op("]"):
			depth--
		case t.op(";") && depth <= 0:
			out = append(out, &statement{toks: toks[first : i+1]})
			first, depth = i+1, 0
		}
	}
	if first < len(toks) {
		out = append(out, &statement{toks: toks[first:]})
	}
	return out
}
