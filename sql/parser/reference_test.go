package parser

import (
	"flag"
	"os"
	"testing"
)

// TestStatements parses every example, and compares the reference page with the table.
func TestStatements(t *testing.T) {
	for _, s := range Statements() {
		if s.Doc == "" || s.Syntax == "" || len(s.Examples) == 0 {
			t.Errorf("%s: incomplete", s.Name)
		}
		for _, e := range s.Examples {
			if _, err := Parse(e); err != nil {
				t.Errorf("%s: %s\n%v", s.Name, e, err)
			}
		}
	}
	want := Reference()
	if f := flag.Lookup("rewrite"); f != nil && f.Value.String() == "true" { // datadriven's
		if err := os.WriteFile("STATEMENTS.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile("STATEMENTS.md"); err != nil || string(have) != want {
		t.Errorf("STATEMENTS.md is not that of the table (%v): make docs", err)
	}
}

func TestFindStatements(t *testing.T) {
	for words, want := range map[string]int{"create job": 1, "create": 9, "alter job": 1, "nothing": 0, "": len(statements)} {
		if got := FindStatements(words); len(got) != want {
			t.Errorf("%q: %d, want %d", words, len(got), want)
		}
	}
}
