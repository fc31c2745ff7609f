// Package httpapi is the HTTP face of an engine: SQL in, NDJSON out, jobs, health.
//
//	POST /v1/sql          {"sql": "...", "session": "...", "params": [...]} -> NDJSON: a head line, row lines, an end or error line
//	GET  /v1/jobs         the jobs
//	GET  /healthz         200 while the process serves
package httpapi
