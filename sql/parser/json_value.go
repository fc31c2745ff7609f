package parser

import (
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// jsonValue parses JSON_VALUE(doc, path [RETURNING type] [{NULL | DEFAULT x} ON EMPTY] [{NULL | DEFAULT x} ON ERROR]) at k (MySQL
// manual, 14.17.3) as TRY_CAST of its plain form, within a CASE if there are defaults; ok is false for the plain form.
func (p *parser) jsonValue(k int) (next int, ok bool) {
	m := int(p.match[k+1])
	end := min(p.find(k+2, m, "RETURNING"), p.find(k+2, m, "NULL", "ON"), p.find(k+2, m, "DEFAULT"), p.find(k+2, m, "ERROR", "ON"))
	if end == m {
		return k, false
	}
	call := &ast.Call{Pos: ast.Pos(p.toks[k].off), Name: "json_value", Args: p.exprs(k+2, end)}
	v := jsonValue{call: call, value: call}
	if p.word(end, "RETURNING") {
		var t ast.TypeName
		t, end = p.typeName(end + 1)
		v.typ = &t
		v.value = &ast.Cast{Pos: call.Pos, X: call, Type: t, Try: true}
	}
	for end < m {
		end = p.jsonValueFallback(&v, end, m)
	}
	p.punch(k, m+1, hole{expr: v.expr()})
	return m + 1, true
}

// jsonValue is what JSON_VALUE was written with; typ is nil without RETURNING, a default nil for NULL.
type jsonValue struct {
	call             *ast.Call
	value            ast.Expr
	typ              *ast.TypeName
	onEmpty, onError ast.Expr
}

// jsonValueFallback reads {NULL | DEFAULT value} ON {EMPTY | ERROR} at k, in front of the bracket at m, and returns what follows it.
func (p *parser) jsonValueFallback(v *jsonValue, k, m int) int {
	var fallback ast.Expr
	on := k + 1
	switch {
	case p.word(k, "ERROR"):
		p.fail(tokenError(p.toks[k], diag.NotSupported, "ERROR ON .. in JSON_VALUE is not supported").
			WithHint("JSON_VALUE gives NULL; NULL and DEFAULT x stand before ON EMPTY and ON ERROR"))
	case p.word(k, "DEFAULT"):
		on = p.find(k+1, m, "ON")
		fallback = p.expr(k+1, on)
		if v.typ != nil {
			fallback = &ast.Cast{Pos: ast.Pos(p.toks[k+1].off), X: fallback, Type: *v.typ}
		}
	case !p.word(k, "NULL"):
		p.wanted(k, "NULL", "DEFAULT")
	}
	switch {
	case p.word(on, "ON", "EMPTY"):
		v.onEmpty = fallback
	case p.word(on, "ON", "ERROR"):
		v.onError = fallback
	default:
		p.wanted(on, "ON EMPTY", "ON ERROR")
	}
	return on + 2
}

// expr gives the plain value without defaults. With them: CASE json_exists(doc, path) WHEN TRUE THEN value, or the default on error
// unless a JSON null stands there, WHEN FALSE THEN the default on empty END.
func (v *jsonValue) expr() ast.Expr {
	if v.onEmpty == nil && v.onError == nil {
		return v.value
	}
	at := v.call.Pos
	call := func(name string, args ...ast.Expr) ast.Expr { return &ast.Call{Pos: at, Name: name, Args: args} }
	found := v.value
	if v.onError != nil {
		null := &ast.Binary{Pos: at, OpPos: at, Op: "=", X: call("json_type", call("json_extract", v.call.Args...)), Y: &ast.Literal{Pos: at, Kind: ast.LitString, Text: "NULL"}}
		found = call("coalesce", v.value, call("if", null, &ast.Literal{Pos: at, Kind: ast.LitNull}, v.onError))
	}
	whens := []ast.When{{Cond: &ast.Literal{Pos: at, Kind: ast.LitBool, Text: "TRUE"}, Result: found}}
	if v.onEmpty != nil {
		whens = append(whens, ast.When{Cond: &ast.Literal{Pos: at, Kind: ast.LitBool, Text: "FALSE"}, Result: v.onEmpty})
	}
	return &ast.Case{Pos: at, Operand: call("json_exists", v.call.Args...), Whens: whens}
}
