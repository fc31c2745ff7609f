// Package format is the contract between connectors and the encodings of records: JSON, CSV, raw bytes.
//
// A format is one Spec, registered by its package's init; a connector asks for a Decoder or an Encoder by the name that the user
// wrote in WITH (format = '..'). Formats know records, not where they come from; what surrounds a record (topic, offset, file, line)
// reaches the columns through Meta.
package format
