package parser

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace/millrace/sql/diag"
)

// TestGolden runs testdata: parse and expr print trees, error prints what the user sees, script and split what a text is cut into.
// Several texts of one error block are separated by lines of a single dot.
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
