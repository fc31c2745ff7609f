// Package connectors is the contract between the engine and the outside: sources bring rows in, sinks carry them out.
//
// An implementation lives in its own folder, declares one Spec (typed, documented options drive validation, docs and completion),
// and is linked into the binary by connectors/all.
package connectors
