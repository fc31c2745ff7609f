// Package props derives what is known of a logical node's output: changelog, keys, event time, boundedness.
//
// One file per fact. All are safe under-approximations: a key that is not listed may still hold, an edge called retract may carry only
// inserts, never the other way round.
package props
