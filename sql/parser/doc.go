// Package parser turns text into the syntax tree of package ast.
//
// The statement heads (CREATE SOURCE, SHOW, EXPLAIN ..) are read by recursive descent. Queries and expressions are MySQL's, read by
// TiDB's parser, unforked: what that grammar does not know (window table functions, FILTER, casts to any type, INTERVAL values ..)
// is found in the tokens beforehand as "islands". Islands are parsed innermost first and overwritten in place, byte for byte, by a
// placeholder name, so that every offset TiDB reports is an offset of the source. TiDB's tree is then converted into ours in one
// pass, which puts the parsed islands where their placeholders stand.
//
// Invariants:
//   - every placeholder is consumed exactly once; otherwise the statement is refused at the placeholder's position;
//   - a kind of node that the conversion does not know is refused, never skipped;
//   - neither TiDB's types nor its texts leave this package.
package parser
