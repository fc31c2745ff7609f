// Package expr is typed, bound expressions and their vectorised evaluation.
package expr
