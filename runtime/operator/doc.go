// Package operator is the operators of running plans, one file each. contract.go says how they are driven.
//
// Operators know neither planner nor jobs nor the network: they are functions of (state, ordered input, epoch clock).
package operator
