package engine

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
)

// variableKind says what the values of a variable are.
type variableKind uint8

const (
	kindText variableKind = iota
	kindDuration
	kindInteger
	kindBoolean
	kindEnum
	kindZone
)

// variable is the record of a session variable.
type variable struct {
	name   string
	value  string // default
	kind   variableKind
	least  int64    // kindInteger, and kindDuration in milliseconds
	most   int64    // likewise
	values []string // kindEnum
	doc    string
	known  bool // accepted for MySQL clients, without effect
	job    bool // jobs keep the value that was in force when they were created; an option of CREATE JOB and ALTER JOB
}

// Limits of variables.
const (
	maxIntervalMs  = 24 * 60 * 60 * 1000
	maxParallelism = 256
	// maxRecursionDepth bounds the steps of a recursive table.
	maxRecursionDepth = 1_000_000
)

// variables is the table of session variables.
var variables = []variable{
	{name: "checkpoint_interval", value: "1s", kind: kindDuration, least: 1, most: maxIntervalMs, job: true, doc: "time between two epochs of a job: the latency of exactly-once output"},
	{name: "parallelism", value: strconv.Itoa(runtime.GOMAXPROCS(0)), kind: kindInteger, least: 1, most: maxParallelism, job: true, doc: "tasks per fragment of a job; never more than its largest source has splits"},
	{name: "time_zone", value: "UTC", kind: kindZone, job: true, doc: "zone in which TIMESTAMPs are read, computed with and shown: a name, an offset such as +02:00, or SYSTEM (UTC)"},
	{name: "error_policy", value: "dead_letter", kind: kindEnum, values: []string{"dead_letter", "fail", "skip"}, job: true, doc: "what a job does with a row whose expressions fail: dead_letter, fail, skip"},
	{name: "restart", value: "true", kind: kindBoolean, job: true, doc: "restart jobs after errors that may pass"},
	{name: "cte_max_recursion_depth", value: "1000", kind: kindInteger, least: 0, most: maxRecursionDepth, doc: "steps of WITH RECURSIVE; more are an error"},
	{name: "autocommit", value: "1", known: true},
	{name: "sql_mode", value: "", known: true},
	{name: "names", value: "utf8mb4", known: true},
	{name: "character set", value: "utf8mb4", known: true},
	{name: "character_set_client", value: "utf8mb4", known: true},
	{name: "character_set_connection", value: "utf8mb4", known: true},
	{name: "character_set_results", value: "utf8mb4", known: true},
	{name: "collation_connection", value: "utf8mb4_bin", known: true},
	{name: "transaction", value: "", known: true},
	{name: "transaction_isolation", value: "READ-COMMITTED", known: true},
	{name: "transaction_read_only", value: "0", known: true},
	{name: "foreign_key_checks", value: "1", known: true},
	{name: "unique_checks", value: "1", known: true},
	{name: "sql_safe_updates", value: "0", known: true},
	{name: "sql_select_limit", value: "18446744073709551615", known: true},
	{name: "wait_timeout", value: "28800", known: true},
	{name: "interactive_timeout", value: "28800", known: true},
	{name: "net_write_timeout", value: "60", known: true},
	{name: "lock_wait_timeout", value: "31536000", known: true},
	{name: "max_execution_time", value: "0", known: true},
}

// domain says what values the variable takes.
func (v *variable) domain() string {
	switch v.kind {
	case kindDuration:
		return fmt.Sprintf("duration, %s to %s", time.Duration(v.least)*time.Millisecond, time.Duration(v.most)*time.Millisecond)
	case kindInteger:
		return fmt.Sprintf("integer, %d to %d", v.least, v.most)
	case kindBoolean:
		return "true, false"
	case kindEnum:
		return strings.Join(v.values, ", ")
	case kindZone:
		return "time zone"
	}
	return "text"
}

// check says what is wrong with a value; nil: nothing.
func (v *variable) check(s string) error {
	bad := func(hint string, args ...any) error {
		return diag.New(diag.BadOption, -1, "%s: '%s' is not allowed", v.name, s).WithHint(hint, args...)
	}
	switch v.kind {
	case kindDuration:
		if d, err := time.ParseDuration(s); err != nil || d < time.Duration(v.least)*time.Millisecond || d > time.Duration(v.most)*time.Millisecond {
			return bad("it expects a duration from %s to %s, such as '100ms' or '10s'", time.Duration(v.least)*time.Millisecond, time.Duration(v.most)*time.Millisecond)
		}
	case kindInteger:
		if n, err := strconv.ParseInt(s, 10, 64); err != nil || n < v.least || n > v.most {
			return bad("it expects a number from %d to %d", v.least, v.most)
		}
	case kindBoolean:
		if _, err := strconv.ParseBool(s); err != nil {
			return bad("it expects true or false")
		}
	case kindEnum:
		if slices.Contains(v.values, s) {
			return nil
		}
		if near := diag.Suggest(s, v.values); near != "" {
			return bad("did you mean '%s'?", near)
		}
		return bad("it expects one of %s", strings.Join(v.values, ", "))
	case kindZone:
		if _, err := function.ParseZone(s); err != nil || s == "" {
			return bad("it expects 'SYSTEM' (UTC), a name such as 'Europe/Paris', or an offset from '-13:59' to '+14:00'")
		}
	}
	return nil
}

// read checks a value; an error is at an offset of the statement.
func (v *variable) read(value string, at int) (string, error) {
	err := v.check(value)
	if e, ok := diag.As(err); ok {
		e.Offset = at
	}
	return value, err
}

// findVariable finds a variable, with or without the prefixes session. and global.
func findVariable(name string) *variable {
	name = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(name), "session."), "global.")
	for i := range variables {
		if variables[i].name == name {
			return &variables[i]
		}
	}
	return nil
}

// unknownVariable is the error for a name that findVariable does not know.
func unknownVariable(name string, offset int) error {
	var names []string
	for _, v := range variables {
		if !v.known {
			names = append(names, v.name)
		}
	}
	err := diag.New(diag.UnknownVariable, offset, "unknown variable '%s'", name)
	if near := diag.Suggest(name, names); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	return err.WithHint("variables: %s", strings.Join(names, ", "))
}

// CheckVariables validates defaults given by configuration.
func CheckVariables(set map[string]string) error {
	for name, value := range set {
		v := findVariable(name)
		if v == nil {
			return unknownVariable(name, -1)
		}
		if err := v.check(value); err != nil {
			return err
		}
	}
	return nil
}
