// Package all links every connector and format into the binary. This list is the only place that names them all.
package all
