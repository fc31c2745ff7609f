package parser

import (
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// Parsed is one statement of a script: its text without the semicolon, where that text begins in the script, and its tree, whose
// offsets count from the beginning of Text.
type Parsed struct {
	Stmt   ast.Statement
	Text   string
	Offset int
}

// Parse parses one statement; a semicolon behind it is allowed. Errors are *diag.Error. It is safe for concurrent use.
func Parse(text string) (ast.Statement, error) {
	return nil, diag.New(diag.NotSupported, 0, "the parser is being built")
}

// ParseScript parses every statement of a script and stops at the first error, whose offset counts from the beginning of the script.
func ParseScript(text string) ([]Parsed, error) {
	return nil, diag.New(diag.NotSupported, 0, "the parser is being built")
}

// ParseExpr parses a scalar expression.
func ParseExpr(text string) (ast.Expr, error) {
	return nil, diag.New(diag.NotSupported, 0, "the parser is being built")
}
