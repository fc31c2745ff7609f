// Package client runs statements on an engine inside the process or on a server over HTTP, with one interface for both.
package client
