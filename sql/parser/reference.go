package parser

import (
	"fmt"
	"slices"
	"strings"
)

// Statement is the record of a kind of statement: the reference page and the shell's help are made of it.
type Statement struct {
	Name     string // its first words
	Group    string
	Syntax   string // in the notation of the MySQL manual
	Doc      string
	Examples []string // each parses
}

// Statements lists what can be said, in the order of the reference page.
func Statements() []Statement { return statements }

// FindStatements finds the records whose name holds the given words in their order; none given: all.
func FindStatements(words string) []Statement {
	want := strings.Fields(strings.ToUpper(words))
	var out []Statement
	for _, s := range statements {
		rest := strings.Fields(s.Name)
		found := true
		for _, w := range want {
			i := slices.Index(rest, w)
			if found = found && i >= 0; found {
				rest = rest[i+1:]
			}
		}
		if found {
			out = append(out, s)
		}
	}
	return out
}

// Reference gives the reference page of statements, STATEMENTS.md.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Statements\n\nMade from the table in statements.go by `make docs`; every example is parsed by a test. `\\h WORDS` in the shell shows the same.\n" +
		"Names are identifiers, in backquotes where they are reserved words; options are `key = 'value'`. Errors have a code, a place and a hint.\n")
	group := ""
	for _, s := range statements {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		fmt.Fprintf(&b, "\n### %s\n\n```\n%s\n```\n\n%s\n", s.Name, s.Syntax, s.Doc)
		if len(s.Examples) > 0 {
			fmt.Fprintf(&b, "\n```sql\n%s;\n```\n", strings.Join(s.Examples, ";\n"))
		}
	}
	return b.String()
}
