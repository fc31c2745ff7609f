// Package wasm runs user-defined functions that are WebAssembly modules. A function is called once per batch with its arguments as
// columns and gives a column back; the block layout is in FORMAT.md. A module gets memory and time, and nothing else: no imports, no files,
// no clock. What goes wrong in it is an error of the rows concerned, never of the process.
package wasm
