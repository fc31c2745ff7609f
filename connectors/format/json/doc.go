// Package json reads and writes records that are one JSON object each.
//
// The decoder is compiled from the wanted columns and appends values straight to their vectors: no tree, no allocation per row.
// Each object of the schema remembers which key followed which in the records before and compares the predicted `"key":` with the
// input, so that keys are mostly neither scanned nor looked up. What no column wants is skipped, but still checked: records are
// strict RFC 8259 (numbers, escapes, UTF-8, nesting up to a limit) or they are malformed, whatever is read of them.
//
// Policies: of duplicate keys the last wins; a missing field is NULL unless its column is NOT NULL or fail_on_missing is set; BIGINT
// takes 12, "12" and 1.0, but not 1.5; DECIMAL is exact; VARCHAR takes any scalar's text; a JSON column keeps the value's text.
package json
