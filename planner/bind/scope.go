package bind

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// scopeColumn is a visible column: index is its place in the node's output. Hidden ones answer to `t.c` but neither to `c` nor to `*`:
// the right side's columns of USING.
type scopeColumn struct {
	table  string
	name   string
	typ    types.Type
	index  int
	hidden bool
}

// scope is the columns that a clause sees.
type scope struct {
	cols []scopeColumn
}

// join appends the columns of the right side of a join.
func (s *scope) join(right *scope, width int) *scope {
	out := &scope{cols: append([]scopeColumn{}, s.cols...)}
	for _, c := range right.cols {
		c.index += width
		out.cols = append(out.cols, c)
	}
	return out
}

// find looks a column up; "" as table matches any. It tells how many match.
func (s *scope) find(table, name string) (*scopeColumn, int) {
	var found *scopeColumn
	n := 0
	for i := range s.cols {
		c := &s.cols[i]
		if !strings.EqualFold(c.name, name) || table != "" && !strings.EqualFold(c.table, table) || table == "" && c.hidden {
			continue
		}
		if found == nil || c.index != found.index {
			n++
		}
		found = c
	}
	return found, n
}

func (s *scope) hasTable(name string) bool {
	for _, c := range s.cols {
		if strings.EqualFold(c.table, name) {
			return true
		}
	}
	return false
}

// resolve binds a column path: [table.]column[.field...]. A table name wins over a column that holds a STRUCT.
func (s *scope) resolve(parts []ast.Name, at func(ast.Node) int) (expr.Expr, error) {
	first := parts[0].Text
	var col *scopeColumn
	rest := parts[1:]
	var n int
	if len(parts) > 1 && s.hasTable(first) {
		if col, n = s.find(first, parts[1].Text); n == 0 {
			return nil, s.unknown(first, parts[1], at)
		}
		rest = parts[2:]
	} else if col, n = s.find("", first); n == 0 {
		if len(parts) > 1 && len(s.tables()) > 0 {
			return nil, s.unknownTable(parts[0], at)
		}
		return nil, s.unknown("", parts[0], at)
	}
	if n > 1 {
		return nil, s.ambiguous(parts[0], col.name, at)
	}
	var e expr.Expr = &expr.Col{Index: col.index, Name: col.name, Typ: col.typ, Pos: at(parts[0])}
	for _, field := range rest {
		var err error
		if e, err = fieldOf(e, field, at); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func fieldOf(x expr.Expr, field ast.Name, at func(ast.Node) int) (expr.Expr, error) {
	t := x.Type()
	if t.Kind == types.Struct && t.FieldIndex(field.Text) < 0 {
		err := diag.New(diag.UnknownColumn, at(field), "%s has no field '%s'", expr.Print(x), field.Text)
		names := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			names[i] = f.Name
		}
		return nil, hintNearest(err, field.Text, names, "fields")
	}
	return expr.NewField(x, field.Text, at(field))
}

func (s *scope) tables() []string {
	var out []string
	for _, c := range s.cols {
		if c.table != "" && (len(out) == 0 || out[len(out)-1] != c.table) {
			out = append(out, c.table)
		}
	}
	return out
}

func (s *scope) names(table string) []string {
	var out []string
	for _, c := range s.cols {
		if table == "" || strings.EqualFold(c.table, table) {
			out = append(out, c.name)
		}
	}
	return out
}

func (s *scope) unknown(table string, name ast.Name, at func(ast.Node) int) error {
	err := diag.New(diag.UnknownColumn, at(name), "unknown column '%s'", name.Text)
	if table != "" {
		err = diag.New(diag.UnknownColumn, at(name), "%s has no column '%s'", table, name.Text)
	}
	return hintNearest(err, name.Text, s.names(table), "columns")
}

func (s *scope) unknownTable(name ast.Name, at func(ast.Node) int) error {
	err := diag.New(diag.UnknownColumn, at(name), "unknown table or column '%s'", name.Text)
	if near := diag.Suggest(name.Text, append(s.tables(), s.names("")...)); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	return err.WithHint("tables in FROM: %s", strings.Join(s.tables(), ", "))
}

func (s *scope) ambiguous(at0 ast.Name, name string, at func(ast.Node) int) error {
	var full []string
	for _, c := range s.cols {
		if strings.EqualFold(c.name, name) {
			full = append(full, c.table+"."+c.name)
		}
	}
	return diag.New(diag.AmbiguousColumn, at(at0), "column '%s' is ambiguous", name).WithHint("write %s", strings.Join(full, " or "))
}

// maxHintNames bounds the names that a hint lists.
const maxHintNames = 12

// hintNearest hints at the nearest name, or lists the names when none is near.
func hintNearest(err *diag.Error, word string, names []string, what string) error {
	if near := diag.Suggest(word, names); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	if len(names) == 0 || len(names) > maxHintNames {
		return err
	}
	return err.WithHint("%s: %s", what, strings.Join(names, ", "))
}
