// Package lower turns optimised logical plans into physical ones: it chooses operators, puts exchanges below what needs rows by key,
// copies what props derived onto the edges and gives nodes their state identity.
package lower
