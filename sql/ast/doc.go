// Package ast is the syntax tree of Millrace SQL: one file per statement family.
//
// The tree says what was written, not what it means: names are unresolved, types of expressions are unknown. Every node carries
// the byte offset of its first character in the statement's source text, so that an error found later can point at it.
package ast
