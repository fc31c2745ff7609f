// Package catalog is the named things: sources, tables, sinks, views. It is in memory; the engine keeps it durable by keeping the
// statements that made it.
package catalog
