package parser

import (
	"reflect"
	"strings"
	"testing"

	"github.com/millrace/millrace/sql/ast"
)

// checkTree checks what holds of every tree: offsets lie in the text, names stand where they say, no placeholder is left.
func checkTree(t testing.TB, text string, n any) {
	t.Helper()
	walk(reflect.ValueOf(n), func(v reflect.Value) {
		if v.Kind() == reflect.String {
			for _, r := range v.String() {
				if r >= holeFirst && r <= holeLast {
					t.Errorf("placeholder left in %q of\n%s", v.String(), text)
				}
			}
			return
		}
		if v.Type() == posType {
			if at := int(v.Int()); at < 0 || at > len(text) {
				t.Errorf("offset %d outside of\n%s", at, text)
			}
		}
		if v.Kind() == reflect.Struct {
			switch x := v.Interface().(type) {
			case ast.Name:
				if want := firstBytes(x.Text); !strings.EqualFold(prefix(strings.TrimLeft(text[x.At():], "`'\""), len(want)), want) {
					t.Errorf("name %q is not at %d of\n%s", x.Text, x.At(), text)
				}
			case ast.Binary:
				op := strings.ToUpper(text[x.OpPos:min(len(text), int(x.OpPos)+3)])
				if !strings.HasPrefix(op, x.Op) && !(strings.HasPrefix(op, "IS") || strings.HasPrefix(op, "!=") || strings.HasPrefix(op, "&&") || strings.HasPrefix(op, "MOD") || strings.HasPrefix(op, ",")) {
					t.Errorf("operator %s is not at %d (%q) of\n%s", x.Op, x.OpPos, op, text)
				}
			case distinctMark:
				t.Errorf("marker left in\n%s", text)
			}
		}
	})
}

func prefix(s string, n int) string { return s[:min(n, len(s))] }

// firstBytes is the part of a name before anything that is escaped in the source, or may have blanks around it.
func firstBytes(name string) string {
	if i := strings.IndexAny(name, "`'\"\\\n.-"); i >= 0 {
		return name[:i]
	}
	return name
}

func walk(v reflect.Value, visit func(reflect.Value)) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return
	}
	visit(v)
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			walk(v.Field(i), visit)
		}
	}
}

// TestKeyPositions: numbers in GROUP BY and ORDER BY, which TiDB gives no offset, have theirs.
func TestKeyPositions(t *testing.T) {
	const text = "SELECT listagg(a) WITHIN GROUP (ORDER BY b) FROM t GROUP BY 2, f(1, 2), 3 UNION (SELECT 1 ORDER BY 4, 5) ORDER BY 6, 7 DESC"
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	walk(reflect.ValueOf(s), func(v reflect.Value) {
		if v.Kind() != reflect.Struct {
			return
		}
		if lit, ok := v.Interface().(ast.Literal); ok {
			seen[lit.Text] = true
			if text[lit.At():][:1] != lit.Text {
				t.Errorf("%s is not at %d of %s", lit.Text, lit.At(), text)
			}
		}
	})
	if len(seen) != 7 {
		t.Errorf("found %v", seen)
	}
}
