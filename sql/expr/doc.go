// Package expr is typed, bound expressions and their vectorised evaluation.
//
// An expression is built by NewCall and its relatives, which resolve functions, insert implicit casts and fold constants; after
// that it is immutable and may be shared between goroutines. Compile turns expressions into an Evaluator, which owns buffers and
// belongs to one task. Its results are valid until its next Eval, and as long as the batch they came from.
//
// Kernels run over all physical rows of a batch, so errors are reported for rows that nobody asked about. The evaluator filters
// them on the way up: strict functions drop those of rows with a NULL argument, CASE those of arms not taken, AND and OR those to
// the right of what decides, and Eval at last those of rows that do not count. What remains is at most one error per row.
//
// Constants are folded in the time zone that they were written in (Const.Zone): that of the statement, which its tasks have too.
package expr
