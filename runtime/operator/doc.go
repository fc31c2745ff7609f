// Package operator is the operators of running plans, one file each. contract.go says how they are driven.
//
// Operators know neither planner nor jobs nor the network: they are functions of (state, ordered input, epoch clock). Each has an Options
// struct and a constructor that cannot fail; Open checks the options and reads the state back.
//
// Between barriers the truth is in memory, in tables without pointers per row (GroupTable of sql/row, bag, lastRows): Context.State is
// written at barriers only, and only what has changed. FORMAT.md lists the entries.
package operator
