package planner

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/parser"
)

// callForms are the shapes in which every function, aggregate and window function must reach the binder under its own name.
var callForms = map[string][]string{
	"scalar":    {"(a)", "(a, b)", "(a, 'x', 1)", "(f(a), x -> x + 1)", " (a, b)"},
	"aggregate": {"(a)", "(a, b)", "(DISTINCT a)", "(a ORDER BY b)", "(a) FILTER (WHERE b)", "(a) OVER ()", "(a IGNORE NULLS)", "(a) WITHIN GROUP (ORDER BY b)", "(a) FILTER (WHERE b) OVER (ORDER BY c)"},
	"window":    {"(a) OVER (ORDER BY b)", "(a, 1) OVER (PARTITION BY c ORDER BY b)", "(a) IGNORE NULLS OVER (ORDER BY b)", "(a) OVER w", "(a, b + 1) OVER w", "() OVER w", "(a)"},
}

// ownSyntax are names whose calls are a syntax of their own; the goldens of sql/parser have them.
var ownSyntax = map[string]bool{"cast": true, "try_cast": true, "convert": true, "trim": true, "extract": true, "timestampdiff": true, "timestampadd": true,
	"interval": true, "in": true, "between": true, "case": true, "not": true, "and": true, "or": true, "xor": true, "like": true, "ilike": true, "regexp": true,
	"is": true, "div": true, "mod": true, "position": true, "get_format": true, "substr": true, "row": true, "struct": true, "map": true, "array": true,
	"values": true, "char": true, "weight_string": true}

func TestFunctionNames(t *testing.T) {
	names := map[string][]string{}
	for _, f := range function.All() {
		names["scalar"] = append(append(names["scalar"], f.Name), f.Aliases...)
	}
	for _, f := range function.AllAggs() {
		names["aggregate"] = append(append(names["aggregate"], f.Name), f.Aliases...)
	}
	for _, f := range function.AllWindows() {
		names["window"] = append(names["window"], f.Name)
	}
	for kind, list := range names {
		for _, name := range list {
			if ownSyntax[name] || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_0123456789") != "" {
				continue
			}
			for _, form := range callForms[kind] {
				text := "SELECT " + name + form + " AS x FROM t WINDOW w AS (ORDER BY a)"
				stmt, err := parser.Parse(text)
				if err != nil {
					t.Errorf("%s: %v", text, err)
					continue
				}
				if c, ok := stmt.(*ast.QueryStmt).Query.Body.(*ast.Select).Items[0].Expr.(*ast.Call); !ok || c.Name != name || len(c.Args) == 0 && !strings.HasPrefix(form, "()") {
					t.Errorf("%s is no call of %s", text, name)
				}
			}
		}
	}
}
