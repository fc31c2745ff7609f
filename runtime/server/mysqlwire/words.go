package mysqlwire

import (
	"strings"

	"github.com/millrace/millrace/sql/parser"
)

// words are the tokens of a statement, without its semicolon and its comments.
type words struct {
	text string
	toks []parser.Token
	k    int // the next token, for the readers below
}

func scan(text string) *words {
	w := &words{text: text}
	for _, t := range parser.Tokens(text) {
		if t.Kind != parser.TokenComment {
			w.toks = append(w.toks, t)
		}
	}
	for len(w.toks) > 0 && w.raw(len(w.toks)-1) == ";" {
		w.toks = w.toks[:len(w.toks)-1]
	}
	return w
}

// raw is the text of token i, "" outside.
func (w *words) raw(i int) string {
	if i < 0 || i >= len(w.toks) {
		return ""
	}
	return w.text[w.toks[i].Off:w.toks[i].End]
}

// at is raw in upper case.
func (w *words) at(i int) string { return strings.ToUpper(w.raw(i)) }

// is tells whether the given words begin at token i.
func (w *words) is(i int, words ...string) bool {
	for n, x := range words {
		if w.at(i+n) != x {
			return false
		}
	}
	return true
}

// accept takes the words if they come next.
func (w *words) accept(words ...string) bool {
	if !w.is(w.k, words...) {
		return false
	}
	w.k += len(words)
	return true
}

func (w *words) ended() bool { return w.k >= len(w.toks) }

// name takes a name, the last of a path, or a string; "" when there is none.
func (w *words) name() string {
	if w.ended() {
		return ""
	}
	n := unquote(w.raw(w.k))
	for w.k++; w.raw(w.k) == "." && w.k+1 < len(w.toks); w.k += 2 {
		n = unquote(w.raw(w.k + 1))
	}
	return n
}

// value takes a string, number or word.
func (w *words) value() string {
	v := unquote(w.raw(w.k))
	w.k++
	return v
}

// unquote removes the quotes of a string or name.
func unquote(s string) string {
	if len(s) < 2 {
		return s
	}
	q := s[0]
	if q != '\'' && q != '"' && q != '`' || s[len(s)-1] != q {
		return s
	}
	s = strings.ReplaceAll(s[1:len(s)-1], string([]byte{q, q}), string(q))
	if q != '`' && strings.Contains(s, `\`) {
		s = unescape(s)
	}
	return s
}

// unescape resolves the backslashes of a string, but for \% and \_, which mean something to LIKE.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case '0':
			b.WriteByte(0)
		case '%', '_':
			b.WriteByte('\\')
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// openComments makes the text of /*!40101 .. */ part of the statement, as it is for MySQL; offsets stay.
func openComments(text string) string {
	if !strings.Contains(text, "/*!") {
		return text
	}
	out := []byte(text)
	for _, t := range parser.Tokens(text) {
		part := out[t.Off:t.End]
		if t.Kind != parser.TokenComment || len(part) < 5 || string(part[:3]) != "/*!" || string(part[len(part)-2:]) != "*/" {
			continue
		}
		n := 3
		for n < len(part)-2 && part[n] >= '0' && part[n] <= '9' {
			n++
		}
		for i := range part {
			if i < n || i >= len(part)-2 {
				part[i] = ' '
			}
		}
	}
	return string(out)
}
