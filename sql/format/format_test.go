package format

import (
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/parser"
)

// TestGolden shows layouts.
func TestGolden(t *testing.T) {
	datadriven.RunTest(t, "testdata/format.test", func(t *testing.T, d *datadriven.TestData) string {
		check(t, d.Input)
		out, err := SQL(d.Input)
		if err != nil {
			return err.Error() + "\n"
		}
		return out
	})
}

var blocks = regexp.MustCompile(`(?m)^----$`)

// corpus is every text of the parser's goldens and every script of the examples and of the script tests.
func corpus(t *testing.T) []string {
	t.Helper()
	var out []string
	files, _ := filepath.Glob("../parser/testdata/*.test")
	more, _ := filepath.Glob("../../runtime/sqltest/testdata/*/*.test")
	for _, f := range append(files, more...) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split("\n"+string(b), "\n\n") {
			head := strings.TrimLeft(blocks.Split(part, 2)[0], "\n")
			_, text, ok := strings.Cut(head, "\n")
			if ok && text != "" {
				out = append(out, strings.Split(text, "\n.\n")...)
			}
		}
	}
	scripts, _ := filepath.Glob("../../examples/*/*.sql")
	for _, f := range scripts {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	if len(out) < 500 || len(scripts) == 0 {
		t.Fatalf("only %d texts", len(out))
	}
	return out
}

// TestKeepsMeaning: the same tokens, the same comments, the same trees; formatting twice changes nothing.
func TestKeepsMeaning(t *testing.T) {
	for _, text := range corpus(t) {
		check(t, text)
	}
}

func check(t *testing.T, text string) {
	t.Helper()
	once, err := SQL(text)
	if err != nil {
		return
	}
	if twice, err := SQL(once); err != nil || twice != once {
		t.Errorf("not stable: %v\n--- once\n%s--- twice\n%s", err, once, twice)
	}
	if a, b := tokensOf(text), tokensOf(once); !reflect.DeepEqual(a, b) {
		t.Errorf("other tokens:\n%s--- becomes\n%s%v\n%v", text, once, a, b)
	}
	a, errA := parser.ParseScript(text)
	b, errB := parser.ParseScript(once)
	if (errA == nil) != (errB == nil) || len(a) != len(b) {
		t.Errorf("%v becomes %v:\n%s---\n%s", errA, errB, text, once)
		return
	}
	for i := range a {
		strip(reflect.ValueOf(a[i].Stmt))
		strip(reflect.ValueOf(b[i].Stmt))
		if !reflect.DeepEqual(a[i].Stmt, b[i].Stmt) {
			t.Errorf("another tree:\n%s\n%s", a[i].Text, b[i].Text)
		}
	}
}

// tokensOf gives the tokens with words in upper case, comments without the blanks at their end.
func tokensOf(text string) []string {
	var out []string
	for _, tok := range parser.Tokens(text) {
		s := text[tok.Off:tok.End]
		switch tok.Kind {
		case parser.TokenName, parser.TokenKeyword:
			s = strings.ToUpper(s)
		case parser.TokenComment:
			s = strings.TrimRight(s, " \t\r\n")
		}
		out = append(out, s)
	}
	return out
}

// strip removes from a tree what may change: offsets, and the texts of expressions, whose blanks and case do.
func strip(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			if v.Kind() == reflect.Interface && v.Elem().Kind() != reflect.Pointer {
				return
			}
			strip(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			strip(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f, name := v.Field(i), v.Type().Field(i)
			switch {
			case f.Type() == reflect.TypeOf(ast.Pos(0)):
				f.SetInt(0)
			case name.Name == "Text" && (v.Type() == reflect.TypeOf(ast.SelectItem{}) || v.Type() == reflect.TypeOf(ast.CreateView{}) || v.Type() == reflect.TypeOf(ast.Alter{})):
				f.SetString("")
			case f.Kind() == reflect.String:
				f.SetString(strings.ToUpper(f.String()))
			default:
				strip(f)
			}
		}
	}
}

// TestBroken lays out texts that are no statements: tokens are shuffled, dropped and doubled, comments put between them.
func TestBroken(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	spice := []string{"-- c\n", "/* c */", "\n/* c\nd */\n", "\n\n-- own\n\n", "(", ")", "[", "]", ";", ",", "CASE", "END", "<", ">>", "ARRAY<", "-", "+", "${x:-y}", "BEGIN STATEMENT SET;", "MATCH_RECOGNIZE (", "PATTERN ("}
	texts := corpus(t)
	for range 3000 {
		text := texts[r.Intn(len(texts))]
		for range 1 + r.Intn(3) {
			toks := parser.Tokens(text)
			if len(toks) == 0 {
				break
			}
			a, b := toks[r.Intn(len(toks))], toks[r.Intn(len(toks))]
			switch r.Intn(3) {
			case 0:
				text = text[:a.Off] + text[a.End:]
			case 1:
				text = text[:a.Off] + " " + spice[r.Intn(len(spice))] + " " + text[a.Off:]
			case 2:
				text = text[:a.End] + " " + text[b.Off:b.End] + "\n" + text[a.End:]
			}
		}
		if check(t, text); t.Failed() {
			t.Fatalf("%q", text)
		}
	}
}
