package format

import (
	"strings"

	"github.com/millrace/millrace/sql/parser"
)

// spaced tells whether a blank stands between two neighbours of a line. prev is the token in front of a, nil if there is none.
func spaced(prev, a, b *token) bool {
	switch {
	case b.text == "":
		return false
	case strings.HasSuffix(a.text, "$") && a.isWord() && b.op("{"):
		return !b.glued
	case b.op(",") || b.op(";") || b.op(")") || b.op("]"):
		return false
	case a.op("(") || a.op("["):
		return false
	case a.op(".") || b.op(".") || a.op(":") || b.op(":") || a.op("::") || b.op("::") || a.op("->") || b.op("->") || a.op("->>") || b.op("->>"):
		return !b.glued
	case a.op(","):
		return true
	case b.op("["):
		return !b.glued
	case b.op("("):
		return !b.glued || a.kind == parser.TokenKeyword && spacedWords[a.up]
	case unary(prev, a):
		return b.kind == parser.TokenOperator
	case b.kind == parser.TokenString && a.isWord() && (strings.HasPrefix(a.text, "_") || a.up == "N"): // _utf8mb4'x', N'x'
		return !b.glued
	}
	return true
}

// spacedWords are the keywords that keep their distance from a bracket.
var spacedWords = wordSet("IN VALUES OVER AS AND OR NOT ON USING WITH EXISTS ANY ALL SOME FROM JOIN WHERE BY FILTER KEY SELECT THEN ELSE WHEN BETWEEN LIKE SETS GROUP")

// unary tells whether a is a sign, judging by what stands in front of it.
func unary(prev, a *token) bool {
	if !a.op("-") && !a.op("+") && !a.op("~") && !a.op("!") {
		return false
	}
	switch {
	case a.op("~") || a.op("!") || prev == nil:
		return true
	case prev.kind == parser.TokenOperator:
		return prev.text != ")" && prev.text != "]" && prev.text != "}"
	}
	return prev.kind == parser.TokenKeyword && !prev.is("END", "NULL", "TRUE", "FALSE", "ROW")
}

// angles are the types whose parameters stand in < and >.
var angles = wordSet("ARRAY MAP STRUCT ROW")
