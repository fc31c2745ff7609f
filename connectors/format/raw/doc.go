// Package raw makes the bytes of a record the value of one column, unchanged: for messages that are made or taken apart in SQL, and
// for publishing what another system shall see as it is, broken messages included.
package raw
