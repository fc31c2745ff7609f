// Package row turns rows into bytes and numbers: order-preserving keys, compact values, stable hashes, and the table that maps keys
// to small group ids.
//
// Encodings and hashes are persistent: they name keys in checkpoints and decide which task owns a key group. They must never change
// for released versions.
package row
