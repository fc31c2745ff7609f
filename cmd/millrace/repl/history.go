package repl

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxHistory is how many statements are remembered.
const maxHistory = 2000

// secrets are words whose statements are not written to the history file.
var secrets = []string{"password", "secret", "sasl"}

// history is what was entered, kept in a file with one quoted statement a line, so that a statement of several lines comes back whole.
type history struct {
	path  string
	lines []string
}

// openHistory reads $XDG_STATE_HOME/millrace/history. Without a home nothing is kept.
func openHistory() *history {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return &history{}
		}
		dir = filepath.Join(home, ".local", "state")
	}
	h := &history{path: filepath.Join(dir, "millrace", "history")}
	f, err := os.Open(h.path)
	if err != nil {
		return h
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if s, err := strconv.Unquote(sc.Text()); err == nil {
			h.lines = append(h.lines, strings.ReplaceAll(s, "\n", " "))
		}
	}
	h.lines = h.lines[max(0, len(h.lines)-maxHistory):]
	return h
}

// add remembers a statement, for other shells too.
func (h *history) add(statement string) {
	lower := strings.ToLower(statement)
	for _, w := range secrets {
		if strings.Contains(lower, w) {
			return
		}
	}
	if h.path == "" || os.MkdirAll(filepath.Dir(h.path), 0o700) != nil {
		return
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = f.WriteString(strconv.Quote(statement) + "\n")
}
