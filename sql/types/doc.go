// Package types is the SQL type system: kinds, parameters, physical classes, decimal arithmetic.
//
// A type's logical kind says what its values mean; its physical class says how sql/vector stores them. All integers, booleans and
// instants are 64-bit integers in memory (Arrow's narrower layouts appear only at the edges), decimals are 128 bits, or 256
// when they have more than 38 digits, intervals and points 128.
package types
