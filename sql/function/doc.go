// Package function is the table of functions: one record each for scalar functions, operators, casts and aggregates.
//
// A record holds name, signatures, documentation, examples and the vectorised kernel. SHOW FUNCTIONS, completion, the reference page
// and the example tests derive from it. Functions know no syntax and no plans.
package function
