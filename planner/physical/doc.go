// Package physical is the physical plan: operators with their distribution, changelog, keys, event time and state identity.
//
// A plan is a tree of nodes ending in a sink, a view or a result. Exchange nodes cut it into fragments: what lies between two cuts
// runs as one chain of operators per task. Nothing here does I/O; runtime/build turns nodes into operators.
package physical
