// Package parquet reads and writes Parquet files of flat columns through arrow-go's low-level reader and writer (its Arrow bridge would
// bring much more into the binary). Only the wanted columns are read. connectors/file uses it directly: a Parquet file is no sequence
// of records, so there is no Decoder.
package parquet
