// Package keyed is the checkpoint store of keyed operator state: one Pebble store per job.
//
// The store is never the truth by itself. The runtime's commit log holds every epoch's delta; Apply carries committed deltas over into
// the store, without a write-ahead log of its own. What a crash takes from the store is applied again from the commit log, starting
// after Epoch(). Flush moves the durable epoch forward, so that the commit log may be cut.
package keyed
