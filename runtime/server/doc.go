// Package server is one node process: an engine and its ports.
package server
