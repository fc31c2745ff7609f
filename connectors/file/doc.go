// Package file reads and writes files: JSON lines, CSV, raw lines, Parquet.
//
// Source: each file is one split, its position the byte offset and line behind the last record (Parquet: the row number). Without
// follow='true' a file ends at its end. With it the reader waits there for more, and new files of the directory or pattern appear
// as new splits.
//
// Sink: the rows of an epoch are staged as encoded lines. Delivery appends them to the file, fsyncs, and then moves a marker
// (`.name.millrace` beside the file: length, and the last epoch of each writer). The file up to the marker's length is what has been delivered; a delivery
// that was cut off is cut away before it is made again:
//
//	file    |== delivered ==|-- torn --|        marker {length, epochs} --> ==
package file
