// Package logical is the logical plan: relational operators over positional columns, immutable once made.
//
// Nodes are made by the New functions, which compute the output columns, and are rewritten by making new ones (With). Expressions are
// bound (package expr); a column reference is an index into the output of the node's input, for joins into left columns then right
// columns. The vocabulary shared with the runtime (windows, aggregate calls, sort keys, changelogs) is that of planner/physical, a leaf.
package logical
