// Package state is a signpost: everything that must survive a crash lives in the folders below it.
//
// See README.md for the map. The package itself holds no code, so that nobody is tempted to put shared odds and ends here.
package state
