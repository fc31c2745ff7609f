package parser

import "strings"

// Split cuts text at the semicolons that end statements, for a line-wise reader: complete are the finished statements without their
// semicolons, rest is the text behind the last one. Strings, comments and statement sets are respected; empty statements are dropped.
func Split(text string) (complete []string, rest string) {
	parts, end := cut(text)
	for _, part := range parts {
		complete = append(complete, part.Text)
	}
	return complete, text[end:]
}

// InQuote tells in which quote text ends: ' " ` or * for a comment, 0 for none.
func InQuote(text string) byte { return lex(text, false).open }

// Pieces cuts a script into its statements without parsing them: Stmt is nil.
func Pieces(text string) []Parsed { return pieces(text, true) }

// pieces is Split with offsets; the rest is a statement, too, when there is anything in it.
func pieces(text string, tail bool) []Parsed {
	out, end := cut(text)
	if rest := text[end:]; tail {
		if l := lex(rest, false); len(l.toks) > 1 || l.err != nil {
			off := 0
			if len(l.toks) > 1 {
				off = l.toks[0].off
			}
			out = append(out, Parsed{Text: strings.TrimRight(rest[off:], " \t\r\n"), Offset: end + off})
		}
	}
	return out
}

// cut finds the finished statements and where the last one ends.
func cut(text string) (out []Parsed, end int) {
	toks := lex(text, false).toks
	first := 0
	set := false
	for k, t := range toks {
		if k == first {
			set = opensSet(toks, k) >= 0
		}
		if t.kind != kOp || t.up != ";" || set && !closesSet(toks, first, k) {
			continue
		}
		if k > first {
			from := toks[first].off
			out = append(out, Parsed{Text: text[from:toks[k-1].end], Offset: from})
		}
		first, end = k+1, t.end
	}
	return out, end
}

func isWord(toks []token, k int, w string) bool {
	return k < len(toks) && toks[k].kind == kWord && toks[k].up == w
}

// maxSetHead is how many tokens may stand in front of a statement set: EXPLAIN, or CREATE JOB with its options.
const maxSetHead = 200

// opensSet returns the token at which a statement set begins in the statement at token k: its first, or behind EXPLAIN or CREATE JOB;
// -1 if it has none.
func opensSet(toks []token, k int) int {
	end := k + 1
	if isWord(toks, k, "EXPLAIN") || isWord(toks, k, "CREATE") && isWord(toks, k+1, "JOB") {
		end = min(len(toks), k+maxSetHead)
	}
	for ; k < end && toks[k].up != ";"; k++ {
		if (isWord(toks, k, "BEGIN") || isWord(toks, k, "EXECUTE")) && isWord(toks, k+1, "STATEMENT") && isWord(toks, k+2, "SET") {
			return k
		}
	}
	return -1
}

// closesSet tells whether the semicolon at token k follows the END of the set that begins at first.
func closesSet(toks []token, first, k int) bool {
	return k > first+3 && isWord(toks, k-1, "END") && (toks[k-2].up == ";" || toks[k-2].up == "BEGIN" || toks[k-2].up == "SET")
}

// TokenKind is the class of a Token.
type TokenKind uint8

// The classes, for colouring and completion.
const (
	TokenName TokenKind = iota
	TokenKeyword
	TokenString
	TokenNumber
	TokenOperator
	TokenParam
	TokenVariable
	TokenComment
)

// Token is one token of a text, as far as colouring wants to know. Text[Off:End] is it.
type Token struct {
	Kind     TokenKind
	Off, End int
}

// extraKeywords are words of our grammar that TiDB does not know.
var extraKeywords = nameSet("SOURCE SOURCES SINK SINKS MATERIALIZED WATERMARK METADATA ENFORCED EMIT CHANGES QUALIFY TUMBLE HOP CUMULATE SESSION " +
	"DESCRIPTOR UNNEST ORDINALITY SYSTEM_TIME TRY_CAST STRING BYTES STRUCT MAP STRUCT JOB JOBS CONNECTORS TOPICS STATEMENT PAUSE RESUME STOP FILTER")

// Tokens cuts any text, broken or not.
func Tokens(text string) []Token {
	var out []Token
	for _, t := range lex(text, true).toks {
		tok := Token{Off: t.off, End: t.end}
		switch t.kind {
		case kEOF:
			continue
		case kWord:
			if reserved[t.up] || keywords[t.up] || extraKeywords[t.up] {
				tok.Kind = TokenKeyword
			}
		case kString:
			tok.Kind = TokenString
		case kNumber, kHex:
			tok.Kind = TokenNumber
		case kParam:
			tok.Kind = TokenParam
		case kVar:
			tok.Kind = TokenVariable
		case kOp:
			tok.Kind = TokenOperator
		case kComment:
			tok.Kind = TokenComment
		}
		out = append(out, tok)
	}
	return out
}
