package bind

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// jsonTable binds JSON_TABLE as a function of its document that gives an ARRAY of STRUCTs, for Expand to make rows of.
func (b *Binder) jsonTable(x *ast.JSONTable, ls *scope) (expr.Expr, error) {
	doc, err := b.expr(x.Doc, &clause{name: "FROM", scope: ls})
	if err != nil {
		return nil, err
	}
	if k := doc.Type().Kind; k != types.JSON && k != types.String && k != types.Null {
		return nil, diag.New(diag.TypeMismatch, b.at(x.Doc), "JSON_TABLE reads JSON, not %s", doc.Type()).WithHint("UNNEST makes rows of an ARRAY or a MAP")
	}
	if err := b.jsonPath(x.Path, x.PathPos); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	cols, err := b.jsonColumns(x.Columns, names)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 || len(names) > MaxColumns {
		return nil, diag.New(diag.WrongArguments, b.at(x), "JSON_TABLE has %d columns: there are 1 to %d", len(names), MaxColumns)
	}
	bound, err := function.BindJSONTable(x.Path, cols)
	if err != nil {
		return nil, diag.New(diag.TypeMismatch, b.at(x), "JSON_TABLE: %v", err)
	}
	if doc, err = castTo(doc, bound.ArgTypes[0], b.at(x.Doc)); err != nil {
		return nil, err
	}
	text := x.Path + " COLUMNS (" + jsonColumnsText(cols) + ")"
	return expr.NewResolved("json_table", bound, b.at(x), doc, expr.NewString(text)), nil
}

func (b *Binder) jsonPath(path string, at ast.Pos) error {
	if err := function.CheckPath(path); err != nil {
		return diag.New(diag.InvalidArgument, b.at(at), "%v", err)
	}
	return nil
}

// jsonColumns binds the columns of a level; names are all those of the table.
func (b *Binder) jsonColumns(list []ast.JSONColumn, names map[string]bool) ([]function.JSONColumn, error) {
	out := make([]function.JSONColumn, len(list))
	for i := range list {
		c := &list[i]
		col := function.JSONColumn{Name: c.Name.Text, Path: c.Path, Ordinality: c.Ordinality, Exists: c.Exists}
		err := error(nil)
		if !c.Ordinality {
			if err = b.jsonPath(c.Path, c.PathPos); err != nil {
				return nil, err
			}
		}
		if c.Nested != nil {
			if col.Nested, err = b.jsonColumns(c.Nested, names); err != nil {
				return nil, err
			}
			out[i] = col
			continue
		}
		if names[lower(c.Name.Text)] {
			return nil, diag.New(diag.DuplicateName, b.at(c.Name), "a second column named '%s'", c.Name.Text)
		}
		names[lower(c.Name.Text)] = true
		if col.Type = types.Of(types.Int64); !c.Ordinality {
			if err = b.jsonColumnType(c, &col); err != nil {
				return nil, err
			}
		}
		out[i] = col
	}
	return out, nil
}

func (b *Binder) jsonColumnType(c *ast.JSONColumn, col *function.JSONColumn) (err error) {
	if col.Type, err = b.typeOf(c.Type); err != nil {
		return err
	}
	if col.OnEmpty, err = b.jsonFallback(&c.OnEmpty, col.Type); err != nil {
		return err
	}
	col.OnError, err = b.jsonFallback(&c.OnError, col.Type)
	return err
}

// jsonFallback binds DEFAULT value. As in MySQL a text may be that of a JSON string; other texts stand for themselves.
func (b *Binder) jsonFallback(f *ast.JSONFallback, t types.Type) (out function.JSONFallback, err error) {
	out.Error = f.Error
	if f.Default == nil {
		return out, nil
	}
	e, err := b.expr(f.Default, &clause{name: "DEFAULT", scope: &scope{}})
	if err != nil {
		return out, err
	}
	if k, ok := e.(*expr.Const); ok && k.Value.Type.Kind == types.String && !k.Value.IsNull(0) && strings.HasPrefix(string(k.Value.Bytes(0)), `"`) && t.Kind != types.JSON {
		if e, err = expr.NewCall("json_unquote", e.At(), e); err != nil {
			return out, err
		}
	}
	if e, err = castTo(e, t, b.at(f.Default)); err != nil {
		return out, err
	}
	k, ok := e.(*expr.Const)
	if !ok {
		return out, diag.New(diag.WrongArguments, b.at(f.Default), "the DEFAULT of a column of JSON_TABLE is a constant that can be a %s", t)
	}
	out.Default = k.Value
	return out, nil
}

// jsonColumnsText says what the columns are: two JSON_TABLEs are the same when their texts are.
func jsonColumnsText(cols []function.JSONColumn) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		switch {
		case c.Nested != nil:
			parts[i] = fmt.Sprintf("NESTED %s COLUMNS (%s)", c.Path, jsonColumnsText(c.Nested))
		case c.Ordinality:
			parts[i] = c.Name + " FOR ORDINALITY"
		default:
			kind := " PATH "
			if c.Exists {
				kind = " EXISTS PATH "
			}
			parts[i] = c.Name + " " + c.Type.String() + kind + c.Path + fallbackText(c.OnEmpty, "EMPTY") + fallbackText(c.OnError, "ERROR")
		}
	}
	return strings.Join(parts, ", ")
}

func fallbackText(f function.JSONFallback, on string) string {
	switch {
	case f.Error:
		return " ERROR ON " + on
	case f.Default != nil:
		return " DEFAULT " + string(function.AppendText(nil, f.Default, 0)) + " ON " + on
	}
	return ""
}
