package parser

import (
	"strings"

	"github.com/millrace/millrace/sql/diag"
)

const maxQuoted = 40 // characters of a token that an error repeats

// describe names a token for a message.
func (p *parser) describe(k int) string {
	t := p.toks[k]
	text := p.src[t.off:t.end]
	if r := []rune(text); len(r) > maxQuoted {
		text = string(r[:maxQuoted]) + ".."
	}
	text = strings.ReplaceAll(text, "\n", " ")
	switch t.kind {
	case kEOF:
		return "the end"
	case kWord:
		if keywords[t.up] || extraKeywords[t.up] {
			return "keyword " + t.up
		}
		return "name " + text
	case kQuoted:
		return "name " + text
	case kString:
		return "string " + text
	case kNumber, kHex:
		return "number " + text
	}
	return text
}

// unclosed reports a bracket without a partner.
func (p *parser) unclosed(k int) {
	err := tokenError(p.toks[k], diag.UnexpectedEnd, "this %s is never closed", p.toks[k].up)
	p.fail(err.WithHint("add %s", partner(p.toks[k].up)))
}

// checkIdioms refuses habits from other languages that deserve an exact answer.
func (p *parser) checkIdioms() {
	for k, t := range p.toks {
		switch {
		case t.kind == kOp && t.up == "==":
			p.fail(tokenError(t, diag.SyntaxError, "unexpected ==").WithHint("equality is written ="))
		case t.kind == kString && p.src[t.off] == '"' && (p.op(k+1, ".") || k > 0 && p.op(k-1, ".")):
			name := strings.Trim(p.src[t.off:t.end], `"`)
			p.fail(tokenError(t, diag.SyntaxError, "unexpected string %s", p.src[t.off:t.end]).
				WithHint("\"..\" is a string; names are quoted with backquotes: `%s`", name))
		}
	}
}

// explain turns an error of the grammar into one of ours: never its text, only its place.
func (p *parser) explain(prefix string, i, j int, suffix, text string, cause error) {
	off := badOffset(text, cause) - len(prefix) + p.toks[i].off
	k := p.tokenAt(max(off, p.toks[i].off))
	if k >= j || off >= p.toks[j-1].end {
		k = j
	}
	t := p.toks[k]
	err := tokenError(t, endCode(t), "unexpected %s", p.describe(k))
	if t.kind == kEOF {
		err.Message = "the statement ends too early"
	}
	p.hint(err, prefix, i, j, suffix, k)
	p.fail(err.Wrap(cause))
}

func (p *parser) hint(err *diag.Error, prefix string, i, j int, suffix string, k int) {}
