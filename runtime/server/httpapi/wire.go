package httpapi

import "encoding/json"

// Request is the body of POST /v1/sql: one statement. Statements with the same session share variables. Params are the values of its
// parameters (?), in order: null, true, false, numbers and strings.
type Request struct {
	SQL     string            `json:"sql"`
	Session string            `json:"session,omitempty"`
	Params  []json.RawMessage `json:"params,omitempty"`
}

// Column describes a column of a result.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Head is the first line of an answer.
type Head struct {
	Columns []Column `json:"columns,omitempty"`
	Message string   `json:"message,omitempty"`
	Notices []string `json:"notices,omitempty"`
	Live    bool     `json:"live,omitempty"`
	Changes bool     `json:"changes,omitempty"`
	Key     []int    `json:"key,omitempty"`
	Job     string   `json:"job,omitempty"`

	TimeZone string `json:"time_zone,omitempty"` // whose wall clocks the TIMESTAMPs are; else they end with a Z
}

// Line is every further line: a row (Op only in changelogs), the end, or an error.
type Line struct {
	Op    string            `json:"op,omitempty"`
	Row   []json.RawMessage `json:"row,omitempty"`
	End   bool              `json:"end,omitempty"`
	Rows  int64             `json:"rows,omitempty"`
	Error *Error            `json:"error,omitempty"`
}

// Error is an error as clients get it.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Offset  int    `json:"offset"` // byte offset in the statement, -1: none
	End     int    `json:"end,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// Job is one job of GET /v1/jobs.
type Job struct {
	Name      string `json:"name"`
	ID        string `json:"id"`
	State     string `json:"state"`
	RowsIn    int64  `json:"rows_in"`
	RowsOut   int64  `json:"rows_out"`
	Late      int64  `json:"late"`
	Errors    int64  `json:"errors"`
	Lag       int64  `json:"lag"`
	Watermark string `json:"watermark,omitempty"`
	Commits   int64  `json:"commits"`
	Restarts  int    `json:"restarts"`
	Error     string `json:"error,omitempty"`
}
