package parser

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/diag"
)

// Limits of the search for a hint; beyond them an error has none.
const (
	maxProbeText = 16 << 10
	maxProbes    = 120
	maxSpellings = 8 // keywords tried for one word
)

// prober finds a hint for a syntax error. The grammar cannot say what it would have liked, but it can be asked: a repair after which it
// gets further is probably what was meant.
type prober struct {
	p          *parser
	text       string // what the grammar refused
	shift      int    // offset in text + shift = offset in the source
	first, end int    // tokens of the text
	bad        int    // token at which the grammar stopped
	probes     int
	best       string
	bestLeft   int
	culprit    int // token that the best hint replaces, -1 if none
}

// extensionWords are the words of our clauses: misspelt, they hide an island from us, and the grammar does not know them.
var extensionWords = []string{"FILTER", "QUALIFY", "EMIT", "CHANGES", "DESCRIPTOR", "ORDINALITY", "UNNEST", "SYSTEM_TIME", "TRY_CAST", "INTERVAL",
	"PARTITION", "WATERMARK", "ROLLUP", "CUBE", "GROUPING", "MATCH_CONDITION", "MATCH_RECOGNIZE", "WITHIN", "IGNORE", "RESPECT", "ZONE"}

// fixedWords are never names in disguise and never inserted or replaced names.
var fixedWords = nameSet("SELECT FROM WHERE GROUP ORDER HAVING LIMIT UNION AND OR NOT ON JOIN BY AS IN IS WHEN THEN ELSE CASE LIKE BETWEEN INTO SET VALUES WITH USING " +
	"INNER LEFT RIGHT CROSS EXCEPT INTERSECT DISTINCT ALL EXISTS NULL")

// insertable are the words and signs whose absence is worth a try.
var insertable = []string{"FROM", "AS", "BY", "THEN", "AND", "ON", "JOIN", "SELECT", "="}

// hint returns the best hint; left is how much of the text the grammar left unread.
func (pr *prober) hint(left int) string {
	if len(pr.text) > maxProbeText {
		return ""
	}
	pr.bestLeft, pr.culprit = left, -1
	if pr.spellings() {
		return pr.best
	}
	for n := 0; n <= 2; n++ {
		if s := pr.extension(pr.bad - n); s != "" {
			pr.culprit = pr.bad - n
			return s
		}
	}
	for _, step := range []func() bool{pr.reservedNames, pr.dropComma, pr.insertComma, pr.insertWords} {
		if step() {
			break
		}
	}
	return pr.best
}

// extension looks for a misspelt word of our own clauses.
func (pr *prober) extension(k int) string {
	if !pr.inside(k) {
		return ""
	}
	t := pr.p.toks[k]
	if t.kind != kWord || keywords[t.up] || extraKeywords[t.up] || len(t.up) < 4 {
		return ""
	}
	words := extensionWords
	if pr.p.matching > 0 {
		words = append(matchWords(), words...)
	}
	if s := diag.Suggest(t.up, words); s != "" {
		return "did you mean " + s + " instead of " + pr.p.src[t.off:t.end] + "?"
	}
	return ""
}

// inside tells whether the grammar saw token k as it is written.
func (pr *prober) inside(k int) bool {
	if k < pr.first || k >= pr.end {
		return false
	}
	t := pr.p.toks[k]
	at := t.off - pr.shift
	return at >= 0 && at+t.end-t.off <= len(pr.text) && pr.text[at:at+t.end-t.off] == pr.p.src[t.off:t.end]
}

// try parses a repaired text and keeps the hint if the grammar gets further than ever: past the repaired place, by more than slack
// bytes. It returns true when nothing is left to improve.
func (pr *prober) try(text string, slack int, hint string) bool {
	if pr.probes++; pr.probes > maxProbes {
		return true
	}
	_, err := pr.tryGrammar(text)
	if err == nil {
		pr.best, pr.culprit = hint, -1
		return true
	}
	off := badOffset(text, err)
	if off < 0 {
		return false
	}
	if left := len(text) - off; left+slack < pr.bestLeft {
		pr.bestLeft, pr.best, pr.culprit = left, hint, -1
	}
	return false
}

// tryGrammar is runGrammar that survives a panic of the grammar.
func (pr *prober) tryGrammar(text string) (ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			ok, err = false, panicError(r)
		}
	}()
	_, err = runGrammar(pr.p.tidb, text)
	return err == nil, err
}

// replace returns the text with token k replaced.
func (pr *prober) replace(k int, by string) string {
	t := pr.p.toks[k]
	return pr.text[:t.off-pr.shift] + by + pr.text[t.end-pr.shift:]
}

// spellings tries the nearest keywords for the bad token and the two before it.
func (pr *prober) spellings() bool {
	for n := 0; n <= 2; n++ {
		k := pr.bad - n
		if !pr.inside(k) {
			continue
		}
		t := pr.p.toks[k]
		if t.kind != kWord || reserved[t.up] || len(t.up) < 2 {
			continue
		}
		for _, w := range nearWords(t.up) {
			hint := "did you mean " + w + " instead of " + pr.p.src[t.off:t.end] + "?"
			done := pr.try(pr.replace(k, w), len(t.up), hint)
			if pr.best == hint {
				pr.culprit = k
			}
			if done {
				return true
			}
		}
	}
	return false
}

// nearWords returns the reserved words near to a misspelt one, nearest first.
func nearWords(word string) []string {
	type near struct {
		word string
		dist int
	}
	var list []near
	limit := 2
	if len(word) <= 3 {
		limit = 1
	}
	for w := range keywords {
		if !reserved[w] && !fixedWords[w] && w != "OFFSET" && w != "END" {
			continue
		}
		if d := diag.Distance(word, w, limit); d <= limit && w != word {
			list = append(list, near{w, d})
		}
	}
	slices.SortFunc(list, func(a, b near) int {
		if a.dist != b.dist {
			return a.dist - b.dist
		}
		if fixedWords[a.word] != fixedWords[b.word] {
			if fixedWords[a.word] {
				return -1
			}
			return 1
		}
		return strings.Compare(a.word, b.word)
	})
	out := make([]string, 0, maxSpellings)
	for i := 0; i < len(list) && i < maxSpellings; i++ {
		out = append(out, list[i].word)
	}
	return out
}

// reservedNames tries a reserved word as a name.
func (pr *prober) reservedNames() bool {
	for n := 0; n <= 1; n++ {
		k := pr.bad - n
		if !pr.inside(k) {
			continue
		}
		t := pr.p.toks[k]
		asName := (t.up == "ORDER" || t.up == "GROUP") && !pr.p.word(k+1, "BY")
		if t.kind != kWord || !reserved[t.up] || fixedWords[t.up] && !asName {
			continue
		}
		word := pr.p.src[t.off:t.end]
		if pr.try(pr.replace(k, "`"+word+"`"), len(word)+1, t.up+" is a reserved word: to use it as a name write `"+word+"`") {
			return true
		}
	}
	return false
}

// dropComma tries without the comma at or before the bad token.
func (pr *prober) dropComma() bool {
	for n := 0; n <= 1; n++ {
		if k := pr.bad - n; pr.inside(k) && pr.p.op(k, ",") {
			if pr.try(pr.replace(k, " "), 1, "remove the comma before "+pr.p.describe(k+1)) {
				return true
			}
		}
	}
	return false
}

// insert returns the text with something in front of the bad token, or at the end.
func (pr *prober) insert(what string) (string, bool) {
	if pr.bad >= pr.end {
		t := pr.p.toks[pr.end-1]
		at := t.end - pr.shift
		if at > len(pr.text) {
			return "", false
		}
		return pr.text[:at] + what + pr.text[at:], true
	}
	at := pr.p.toks[pr.bad].off - pr.shift
	if at < 0 || at > len(pr.text) {
		return "", false
	}
	return pr.text[:at] + what + pr.text[at:], true
}

func (pr *prober) insertComma() bool {
	text, ok := pr.insert(" , ")
	if !ok || pr.bad >= pr.end || pr.p.single {
		return false
	}
	t := pr.p.toks[pr.bad]
	return pr.try(text, t.end-t.off, "a comma may be missing before "+pr.p.describe(pr.bad))
}

// insertWords tries the absence of a keyword; only a large step ahead counts.
func (pr *prober) insertWords() bool {
	slack := 0
	if pr.bad < pr.end {
		last := min(pr.bad+2, pr.end-1)
		slack = pr.p.toks[last].end - pr.p.toks[pr.bad].off
	}
	for _, w := range insertable {
		text, ok := pr.insert(" " + w + " ")
		if ok && pr.try(text, slack, w+" may be missing before "+pr.p.describe(pr.bad)) {
			return true
		}
	}
	return false
}
