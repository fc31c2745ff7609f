// Package mysqlwire is the MySQL face of an engine: handshake, queries with text rows, prepared statements with binary rows, and what
// clients ask for before they let anybody work: variables, SHOW, session functions.
//
// There are no users yet: any name and any password are let in, so a server listens on the loopback address by default. There is no TLS.
// A connection whose client speaks first and speaks HTTP is handed on, so that one port serves both habits.
package mysqlwire
