// Package debug holds the sinks for looking and measuring: print writes each row as it comes, blackhole takes rows and drops them.
package debug
