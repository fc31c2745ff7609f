// Package flow is what travels along an edge between tasks: batches, watermarks, barriers, idleness, the end.
package flow
