// Package function is the table of functions: one record each for scalar functions, operators, casts and aggregates.
//
// A record holds name, signatures, documentation, examples and the vectorised kernel. SHOW FUNCTIONS, completion, the reference page
// functions.md and the example tests derive from it. Functions know no syntax and no plans.
//
// Values follow MySQL 8 with these deviations: casts of text that is no number fail the row (TRY_CAST gives NULL), numbers are never
// read from text columns unless cast, integer overflow fails the row, text compares bytewise. Division by zero and text that is no
// date give NULL.
package function
