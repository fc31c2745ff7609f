package main

import (
	"regexp"
	"strings"
)

// word is a text that must not stand in a file.
type word struct {
	re   *regexp.Regexp
	only string // suffix of the files looked at; empty is all
	why  string
}

var words = []word{
	{regexp.MustCompile(`\b(FIXME|XXX)\b`), ".go", "write TODO(#ISSUE), or mend it"},
	{regexp.MustCompile(`\bTODO\b(?:$|[^(]|\((?:[^#)]|#\D))`), ".go", "a TODO names its issue: TODO(#12)"},
	{regexp.MustCompile(`(^|[\s"'(=` + "`" + `:])/(work|home|root|Users|mnt)/[a-z0-9.]`), "", "a path of somebody's machine"},
	{regexp.MustCompile(`(^|[\s"'(=` + "`" + `])/tmp/`), ".md", "a path of somebody's machine: examples write to the current folder"},
	{regexp.MustCompile(`\b(proxy\.golang\.org|sum\.golang\.org|goproxy\.[a-z]+|pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|` +
		`repo1?\.maven\.(apache\.)?org|deb\.debian\.org|index\.crates\.io)\b`), "", "a registry's host: which one is used is the machine's affair"},
}

// wordsSpared may hold such words: this rule and its test; the services say where they keep their files.
var wordsSpared = []string{"cmd/tidy/words.go", "cmd/tidy/tidy_test.go", ".ci/services/"}

// checkWords looks for them in all text files that are no data.
func checkWords(t *tree) []offence {
	var found []offence
	for _, p := range t.files {
		text, ok := t.text[p]
		if !ok || sparedWords(p) {
			continue
		}
		for _, w := range words {
			if !strings.HasSuffix(p, w.only) || !w.re.MatchString(text) {
				continue
			}
			for i, line := range strings.Split(text, "\n") {
				if m := w.re.FindString(line); m != "" {
					found = append(found, offence{p, i + 1, strings.TrimSpace(m) + ": " + w.why})
				}
			}
		}
	}
	return found
}

func sparedWords(p string) bool {
	for _, s := range wordsSpared {
		if strings.HasPrefix(p, s) {
			return true
		}
	}
	return p == "go.sum" || strings.Contains(p, "/testdata/")
}
