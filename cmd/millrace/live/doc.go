// Package live shows the answer of a live query in a terminal: a table by key, redrawn in place, with a status line.
package live
