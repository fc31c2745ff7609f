package parser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace/millrace/sql/diag"
)

// TestGolden runs testdata: parse and expr print trees, error prints what the user sees, accept counts the texts that parse, script
// and split show what a text is cut into. Texts of one accept or error block are separated by lines of a single dot.
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Ext(path) != ".test" {
			t.Skip("no golden") // a finding of the fuzzer
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "parse":
				s, err := Parse(d.Input)
				if err != nil {
					return render(err, d.Input)
				}
				checkTree(t, d.Input, s)
				return dump(s)
			case "expr":
				e, err := ParseExpr(d.Input)
				if err != nil {
					return render(err, d.Input)
				}
				checkTree(t, d.Input, e)
				return dump(e)
			case "accept":
				return accepted(t, d.Input)
			case "error":
				return errorsOf(d.Input)
			case "script":
				return script(d.Input)
			case "split":
				complete, rest := Split(d.Input)
				return fmt.Sprintf("complete: %q\nrest: %q\nquote: %q\n", complete, rest, string(InQuote(d.Input)))
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

// TestErrorGoldens counts the broken texts whose message, place and hint are fixed.
func TestErrorGoldens(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.test")
	n := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(b), "\nERROR MR-")
	}
	if n < 350 {
		t.Errorf("only %d broken texts in testdata", n)
	}
	t.Logf("%d broken texts", n)
}

// accepted parses statements that are separated by lines of a single dot and counts those that pass.
func accepted(t *testing.T, input string) string {
	var sb strings.Builder
	texts := strings.Split(input, "\n.\n")
	n := 0
	for _, text := range texts {
		s, err := Parse(text)
		if err != nil {
			sb.WriteString(render(err, text))
			continue
		}
		checkTree(t, text, s)
		n++
	}
	return sb.String() + fmt.Sprintf("%d of %d accepted\n", n, len(texts))
}

func errorsOf(input string) string {
	var sb strings.Builder
	for _, text := range strings.Split(input, "\n.\n") {
		if s, err := Parse(text); err != nil {
			sb.WriteString(render(err, text))
		} else {
			sb.WriteString("ACCEPTED " + text + "\n" + dump(s))
		}
	}
	return sb.String()
}

func render(err error, text string) string {
	d, ok := diag.As(err)
	if !ok {
		return "NOT A DIAGNOSTIC: " + err.Error() + "\n"
	}
	return diag.Render(d, text, false)
}

func script(input string) string {
	var sb strings.Builder
	list, err := ParseScript(input)
	for _, p := range list {
		kind, _, _ := strings.Cut(dump(p.Stmt), "\n")
		fmt.Fprintf(&sb, "%d %q %s\n", p.Offset, p.Text, kind)
	}
	if err != nil {
		sb.WriteString(render(err, input))
	}
	return sb.String()
}
