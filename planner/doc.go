// Package planner turns statements into physical plans.
//
// The whole pipeline is Plan in planner.go: bind (names and types) gives a logical plan, the optimizer rewrites it, lowering cuts it into
// fragments with exchanges and state identities. It is pure: no I/O, no goroutines, no clock.
package planner
