// Package vector is data in motion: columnar batches of rows with change kinds.
//
// Ownership: a batch has one owner. An operator that receives a batch borrows it until its Push returns; what it keeps, it copies.
// Only the owner may write, and buffers are reused after Reset. A vector's buffers follow Arrow's layout for 64-bit, 128-bit, variable
// length, list and struct arrays (LSB-first validity bitmap, int32 offsets).
package vector
