// Package session keeps the fetch sessions of clients (KIP-227): what a client said it fetches, so that its next request names only
// what changed, and what it was told, so that the answer holds only what is new.
//
// A client opens a session with a full request (epoch 0), goes on with epochs 1, 2, … and ends it with epoch -1. The cache has no
// clock and does no I/O. A Cache is safe for concurrent use; a Round belongs to one request.
package session
