// Package output prints results: table, vertical, csv, tsv, json, jsonl, markdown, changelog.
package output
