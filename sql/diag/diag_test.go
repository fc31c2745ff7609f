package diag

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	tests := []struct {
		name, source string
		err          *Error
		want         string
	}{
		{"plain", "SELECT zonne FROM trips", &Error{Code: UnknownColumn, Message: "unknown column 'zonne'", Hint: "did you mean zone?", Offset: 7, End: 12},
			"ERROR MR-2107: unknown column 'zonne'\n  1:8\n  SELECT zonne FROM trips\n         ^^^^^\n  hint: did you mean zone?\n"},
		{"no position", "SELECT 1", New(Cancelled, -1, "cancelled"), "ERROR MR-3102: cancelled\n"},
		{"tabs and later line", "SELECT\n\ta,\tb", New(SyntaxError, 11, "x"), "ERROR MR-1001: x\n  2:5\n  \ta,\tb\n  \t  \t^\n"},
		{"wide characters", "SELECT '漢字' x", New(SyntaxError, 16, "x"), "ERROR MR-1001: x\n  1:13\n  SELECT '漢字' x\n                ^\n"},
		{"at the end", "SELECT", New(UnexpectedEnd, 6, "x"), "ERROR MR-1002: x\n  1:7\n  SELECT\n        ^\n"},
		{"outside", "SELECT", New(UnexpectedEnd, 60, "x"), "ERROR MR-1002: x\n  1:7\n  SELECT\n        ^\n"},
		{"control characters", "a\x1b[31mb", New(SyntaxError, 0, "x"), "ERROR MR-1001: x\n  1:1\n  a [31mb\n  ^\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Render(tt.err, tt.source, false); got != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

func TestRenderCropsLongLines(t *testing.T) {
	source := strings.Repeat("a, ", 400) + "OOPS" + strings.Repeat(", b", 400)
	got := Render(&Error{Code: SyntaxError, Message: "x", Offset: 1200, End: 1204}, source, false)
	lines := strings.Split(got, "\n")
	if len(lines[2]) > maxLine+12 {
		t.Errorf("line of %d characters", len(lines[2]))
	}
	if at := strings.Index(lines[3], "^^^^"); at < 0 || !strings.HasPrefix(lines[2][at:], "OOPS") {
		t.Errorf("carets are not under OOPS:\n%s", got)
	}
}

func TestRenderColour(t *testing.T) {
	got := Render(&Error{Code: SyntaxError, Message: "x", Hint: "y"}, "abc", true)
	if !strings.Contains(got, styleError) || strings.Count(got, styleOff) != 4 {
		t.Errorf("%q", got)
	}
}

func TestJSON(t *testing.T) {
	e := &Error{Code: UnknownColumn, Message: "m", Hint: "h", Offset: 9, End: 10, Source: "SELECT\n  x"}
	b, err := json.Marshal(e)
	want := `{"code":"MR-2107","title":"unknown column","message":"m","hint":"h","line":2,"column":3,"offset":9,"end":10}`
	if err != nil || string(b) != want {
		t.Errorf("got %s, %v\nwant %s", b, err, want)
	}
	if b, _ = json.Marshal(New(Internal, -1, "m")); string(b) != `{"code":"MR-5999","title":"internal error","message":"m"}` {
		t.Errorf("got %s", b)
	}
}

func TestSuggest(t *testing.T) {
	tests := []struct{ word, want string }{
		{"zonne", "zone"}, {"form", "from"}, {"FORM", "from"}, {"wher", "where"}, {"hwere", "where"}, {"xyz", ""}, {"from", ""}, {"a", ""}, {"grpupp", "group"}, {"gppup", "group"}, {"orup", ""},
	}
	for _, tt := range tests {
		if got := Suggest(tt.word, []string{"from", "where", "zone", "group"}); got != tt.want {
			t.Errorf("Suggest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestPosition(t *testing.T) {
	for _, tt := range []struct{ off, line, col int }{{0, 1, 1}, {2, 1, 2}, {3, 2, 1}, {4, 2, 2}, {99, 2, 2}, {-5, 1, 1}} {
		if line, col := Position("é\nx", tt.off); line != tt.line || col != tt.col {
			t.Errorf("Position(%d) = %d:%d, want %d:%d", tt.off, line, col, tt.line, tt.col)
		}
	}
}

// TestEveryCodeExplained reads codes.go: a code without an explanation, or two codes of one number, is a mistake.
func TestEveryCodeExplained(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	seen := map[string]string{}
	ast.Inspect(f, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		n++
		name := spec.Names[0].Name
		if other := seen[lit.Value]; other != "" {
			t.Errorf("%s and %s have the number %s", name, other, lit.Value)
		}
		seen[lit.Value] = name
		code, ok := ParseCode(lit.Value)
		if title, text := Explain(code); !ok || title == "" || text == "" {
			t.Errorf("%s has no explanation", name)
		}
		return true
	})
	if n != len(Codes()) || n == 0 {
		t.Errorf("codes.go has %d codes, explain.go %d", n, len(Codes()))
	}
	if _, ok := ParseCode("MR-9999"); ok {
		t.Error("MR-9999 is no code")
	}
}

func TestAs(t *testing.T) {
	e := New(SinkRejected, -1, "no").Wrap(io.EOF).WithHint("try %d", 2)
	wrapped := fmt.Errorf("writing: %w", e)
	if got, ok := As(wrapped); !ok || got != e || !errors.Is(wrapped, io.EOF) {
		t.Errorf("As gives %v, %v", got, ok)
	}
	if e.Error() != "MR-4103: no (hint: try 2)" {
		t.Errorf("%s", e)
	}
}
