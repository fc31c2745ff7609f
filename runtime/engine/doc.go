// Package engine is Millrace as a library: Open, Exec, Close. It owns the catalog, the jobs, the views and the embedded broker.
//
//	Open ── NewSession ── Exec(statement) ── Result (rows, or a message)
//	  │
//	  ├─ catalog.json   the statements that made what exists, replayed at Open
//	  ├─ jobs/ID/       commits and keyed state of each job
//	  ├─ savepoints/    named states of jobs
//	  ├─ functions/     WebAssembly modules, by the hash of their content
//	  └─ broker/        topics
package engine
