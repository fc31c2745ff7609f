package format

import "github.com/millrace/millrace/sql/parser"

// element is a token, or brackets with what they hold.
type element struct {
	tok      *token // the token, or the opening bracket
	inner    []element
	closing  *token // nil: no brackets
	verbatim bool   // keeps its spacing: the pattern of MATCH_RECOGNIZE, ${..}
}

// tree nests the tokens by their brackets. A bracket without a partner is a token like others.
func tree(toks []*token) []element {
	match := map[int]int{}
	var open []int
	for i, t := range toks {
		switch {
		case t.op("(") || t.op("["):
			open = append(open, i)
		case (t.op(")") || t.op("]")) && len(open) > 0:
			match[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	return nest(toks, 0, len(toks), match)
}

func nest(toks []*token, i, j int, match map[int]int) []element {
	var out []element
	for ; i < j; i++ {
		e := element{tok: toks[i]}
		if m, ok := match[i]; ok && m < j {
			e.inner, e.closing = nest(toks, i+1, m, match), toks[m]
			e.verbatim = i > 0 && toks[i-1].is("PATTERN", "PERMUTE")
			i = m
		}
		out = append(out, e)
	}
	return out
}

// first is the outermost token of an element on the left.
func (e *element) first() *token { return e.tok }

// flatten lists the tokens of a sequence.
func flatten(seq []element, out []*token) []*token {
	for i := range seq {
		out = append(out, seq[i].tok)
		if seq[i].closing != nil {
			out = flatten(seq[i].inner, out)
			out = append(out, seq[i].closing)
		}
	}
	return out
}

// markVerbatim notes which tokens keep their distance to the one before: those of patterns, of ${..} and of angle brackets.
func markVerbatim(seq []element, keep map[*token]bool) {
	toks := flatten(seq, nil)
	for i := 0; i < len(toks); i++ {
		switch {
		case toks[i].isWord() && len(toks[i].text) > 0 && toks[i].text[len(toks[i].text)-1] == '$' && i+1 < len(toks) && toks[i+1].op("{") && toks[i+1].glued:
			for i++; i < len(toks); i++ {
				keep[toks[i]] = true
				if toks[i].op("}") {
					if i+1 < len(toks) && toks[i+1].glued {
						keep[toks[i+1]] = true
					}
					break
				}
			}
		case toks[i].isWord() && angles[toks[i].up] && i+1 < len(toks) && toks[i+1].op("<"):
			i = markAngles(toks, i+1, keep)
		}
	}
	markPatterns(seq, keep)
}

// markAngles keeps the spacing around < and > of a type that opens at i and returns its last token.
func markAngles(toks []*token, i int, keep map[*token]bool) int {
	depth := 0
	for ; i < len(toks); i++ {
		t := toks[i]
		switch {
		case t.op("<"):
			depth++
			keep[t] = true
			if i+1 < len(toks) {
				keep[toks[i+1]] = true
			}
		case t.op(">"), t.op(">>"):
			depth -= len(t.text)
			keep[t] = true
		case t.kind == parser.TokenOperator && !t.op(",") && !t.op("(") && !t.op(")") && !t.op(":"):
			return i
		}
		if depth <= 0 {
			return i
		}
	}
	return i
}

func markPatterns(seq []element, keep map[*token]bool) {
	for i := range seq {
		if seq[i].verbatim {
			for _, t := range flatten(seq[i].inner, nil) {
				keep[t] = true
			}
			keep[seq[i].closing] = true
		}
		markPatterns(seq[i].inner, keep)
	}
}
