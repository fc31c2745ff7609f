// Package task runs one fragment on one partition: a tree of operators driven by one goroutine, fed by sources and exchanges, ending in a
// terminal (an exchange, a sink, a view, a client).
//
//	split readers ─┐                      ┌─> router ─> other tasks
//	               ├─> inbox ─> operators ┤
//	other tasks  ──┘    (one goroutine)   └─> sink stage, view, result
//
// A barrier enters a source task as a control message and other tasks through their channels; a channel that has delivered it is
// held until all have (alignment). Then every operator writes its changes, the terminal closes its stage, and the task acknowledges.
package task
