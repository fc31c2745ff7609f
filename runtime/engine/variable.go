package engine

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/sql/diag"
)

// variable is the record of a session variable.
type variable struct {
	name  string
	value string // default
	doc   string
	check func(string) error
	known bool // accepted for MySQL clients, without effect
	job   bool // jobs keep the value that was in force when they were created; an option of CREATE JOB and ALTER JOB
}

// variables is the table of session variables. A job keeps those that were in force when it was created.
var variables = []variable{
	{name: "checkpoint_interval", job: true, value: "1s", check: checkDuration, doc: "time between two epochs of a job: the latency of exactly-once output"},
	{name: "parallelism", job: true, value: strconv.Itoa(runtime.GOMAXPROCS(0)), check: checkPositive, doc: "tasks per fragment of a job; never more than its largest source has splits"},
	{name: "time_zone", job: true, value: "UTC", check: checkZone, doc: "zone of windows that name none; texts and functions are in UTC"},
	{name: "error_policy", job: true, value: "dead_letter", check: checkPolicy, doc: "what a job does with a row whose expressions fail: dead_letter, fail, skip"},
	{name: "restart", job: true, value: "true", check: checkBool, doc: "restart jobs after errors that may pass"},
	{name: "cte_max_recursion_depth", value: "1000", check: checkDepth, doc: "steps of WITH RECURSIVE; more are an error"},
	{name: "autocommit", value: "1", known: true},
	{name: "sql_mode", value: "", known: true},
	{name: "names", value: "utf8mb4", known: true},
	{name: "character_set_results", value: "utf8mb4", known: true},
	{name: "transaction_isolation", value: "READ-COMMITTED", known: true},
}

func checkDuration(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Millisecond || d > 24*time.Hour {
		return diag.New(diag.BadOption, -1, "'%s' is no duration between 1ms and 24h", s).WithHint("write it like '100ms' or '10s'")
	}
	return nil
}

func checkPositive(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 1 || n > 256 {
		return diag.New(diag.BadOption, -1, "'%s' is no number between 1 and 256", s)
	}
	return nil
}

// maxRecursionDepth bounds the steps of a recursive table.
const maxRecursionDepth = 1_000_000

func checkDepth(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 0 || n > maxRecursionDepth {
		return diag.New(diag.BadOption, -1, "'%s' is no number between 0 and %d", s, maxRecursionDepth)
	}
	return nil
}

func checkZone(s string) error {
	if _, err := time.LoadLocation(s); err != nil {
		return diag.New(diag.BadOption, -1, "unknown time zone '%s'", s).WithHint("write it like 'Europe/Paris' or 'UTC'")
	}
	return nil
}

func checkPolicy(s string) error {
	if !slices.Contains([]string{"dead_letter", "fail", "skip"}, s) {
		return diag.New(diag.BadOption, -1, "'%s' is none of dead_letter, fail, skip", s)
	}
	return nil
}

func checkBool(s string) error {
	if _, err := strconv.ParseBool(s); err != nil {
		return diag.New(diag.BadOption, -1, "'%s' is neither true nor false", s)
	}
	return nil
}

// read checks a value; an error is at an offset of the statement.
func (v *variable) read(value string, at int) (string, error) {
	if v.check == nil {
		return value, nil
	}
	err := v.check(value)
	if e, ok := diag.As(err); ok {
		e.Offset = at
		e.Message = v.name + ": " + e.Message
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
		if v.check != nil {
			if err := v.check(value); err != nil {
				return err
			}
		}
	}
	return nil
}
