// Package record is what the coordinators of the broker store: records of a key and a value, whose fields are zigzag varints
// (encoding/binary), strings as a uvarint length and bytes, and times as milliseconds since 1970 (-1: none).
package record
