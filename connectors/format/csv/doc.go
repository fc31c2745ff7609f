// Package csv reads and writes comma separated values as RFC 4180 has them: quoted fields may hold delimiters, line ends and doubled
// quotes. Files begin with a header unless header='false'; columns are then found by name, otherwise by position. An unquoted field
// that equals null_text (by default the empty field) is NULL; a quoted one never is.
package csv
