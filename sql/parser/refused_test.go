package parser

import (
	"sort"
	"strings"
	"testing"

	tidb "github.com/pingcap/tidb/pkg/parser"
)

// callShapes are the argument lists in which a function name is tried.
var callShapes = []string{"()", "(a)", "(1)", "('x')", "(a, b)", "(a, 1, 'x')", "(*)", "(DISTINCT a)", "(a) OVER ()", "() OVER ()", "(a, 1) OVER ()", "(DAY FROM a)", "(a IN b)", "(DAY, a, b)", "(DATE, 'EUR')"}

// probeRefused finds the non-reserved keywords that the grammar takes as no function's name, in any shape.
func probeRefused() []string {
	g := grammars.Get().(*tidb.Parser)
	var out []string
	for w := range keywords {
		if reserved[w] {
			continue
		}
		ok := false
		for _, shape := range callShapes {
			if _, err := runGrammar(g, "DO "+w+shape); err == nil {
				ok = true
				break
			}
		}
		if !ok {
			out = append(out, w)
		}
	}
	sort.Strings(out)
	return out
}

func TestRefusedNames(t *testing.T) {
	got := probeRefused()
	for _, w := range got {
		if !refusedNames[w] {
			t.Errorf("the grammar refuses %s as a function's name; refused.go does not list it:\n%s", w, strings.Join(got, " "))
			break
		}
	}
	if len(got) != len(refusedNames) {
		t.Errorf("refused.go lists %d names, the grammar refuses %d", len(refusedNames), len(got))
	}
}
