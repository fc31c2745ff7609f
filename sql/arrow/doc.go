// Package arrow maps SQL types and vectors to Apache Arrow's and back.
//
// Every type has one Arrow type; what Arrow cannot say (the members of an ENUM, the length of a VARCHAR, that a text is JSON) goes in
// the metadata of the field, so that a schema that comes back gives the same SQL types. Foreign schemas without it are read as well.
package arrow
