// Package format lays out SQL text: one clause a line, keywords in upper case.
//
// It works on tokens, not on trees, so that comments stay where they are and texts that are not complete statements (with ${variables},
// say) can be laid out, too. What it may change is the white space between tokens and the case of keywords, nothing else.
package format
