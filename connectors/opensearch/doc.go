// Package opensearch writes the output of jobs to indices of OpenSearch.
//
// Every document has an id that follows from its row, and the epoch's number as its external version: delivering an epoch again changes
// nothing. Each item of a bulk answer gets its own verdict: written, there already, to be tried again, or refused for good; an epoch is
// delivered when every item has one of the final ones.
package opensearch
