// Package conformance is the test that every source, sink and format must pass. A connector's own test describes what it has set up in
// a Source, Sink or Format case and calls its Run; the suite then reads, resumes, cancels, delivers twice and compares.
package conformance
