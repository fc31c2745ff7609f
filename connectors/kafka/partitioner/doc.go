// Package partitioner chooses the partitions of records that are sent.
package partitioner
