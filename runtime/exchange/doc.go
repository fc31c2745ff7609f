// Package exchange moves batches between the tasks of one process: bounded channels with credit, one per producer and consumer, and the
// routing of rows by key group.
package exchange
