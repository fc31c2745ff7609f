package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/millrace/millrace/sql/diag"
)

// maxScriptBytes bounds a file of SQL.
const maxScriptBytes = 16 << 20

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxScriptBytes+1))
	if err == nil && len(data) > maxScriptBytes {
		err = fmt.Errorf("more than %d bytes", maxScriptBytes)
	}
	return data, err
}

// expand replaces ${name} and ${name:-default} by variables, then by the environment. A statement that begins with `-- @if NAME` up to the
// line `-- @end` is left out (its lines blanked, so that positions stay) unless NAME is set and not empty.
func expand(text string, set map[string]string) (string, error) {
	get := func(name string) (string, bool) {
		if v, ok := set[name]; ok {
			return v, true
		}
		return os.LookupEnv(name)
	}
	text, err := dropConditional(text, get)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	rest := text
	for {
		i := strings.Index(rest, "${")
		if i < 0 {
			break
		}
		end := strings.IndexByte(rest[i:], '}')
		if end < 0 {
			break
		}
		name, fallback, hasDefault := strings.Cut(rest[i+2:i+end], ":-")
		value, ok := get(name)
		if !ok {
			value = fallback
		}
		if !ok && !hasDefault {
			return "", diag.New(diag.UnknownVariable, len(text)-len(rest)+i, "the variable ${%s} has no value", name).
				WithHint("give it with --var %s=..., in the environment, or write ${%s:-default}", name, name)
		}
		out.WriteString(rest[:i])
		out.WriteString(value)
		rest = rest[i+end+1:]
	}
	out.WriteString(rest)
	return out.String(), nil
}

// dropConditional blanks the blocks between `-- @if NAME` and `-- @end` whose variable is not set.
func dropConditional(text string, get func(string) (string, bool)) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	drop, open, at, begin := false, false, 0, 0
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(trimmed, "-- @if "); ok {
			if open {
				return "", diag.New(diag.SyntaxError, at, "-- @if inside -- @if")
			}
			value, _ := get(strings.TrimSpace(name))
			drop, open, begin = value == "", true, at
		}
		if trimmed == "-- @end" {
			drop, open = false, false
		}
		at += len(line)
		if drop {
			lines[i] = blank(line)
		}
	}
	if open {
		return "", diag.New(diag.SyntaxError, begin, "-- @if without -- @end")
	}
	return strings.Join(lines, ""), nil
}

func blank(line string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return ' '
	}, line)
}
