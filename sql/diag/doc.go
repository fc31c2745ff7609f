// Package diag is the errors that users read: a stable code, a message, a position in the SQL text, a hint.
//
// Everything a user can cause ends in an *Error; everything else (I/O, broken invariants) is an ordinary wrapped error.
package diag
