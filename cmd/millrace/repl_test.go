package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// terminal is a tmux session in which the shell runs.
type terminal struct {
	t      *testing.T
	tmux   string
	socket string
}

// openTerminal starts a shell in a terminal of its own.
func openTerminal(t *testing.T) *terminal {
	t.Helper()
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("needs tmux")
	}
	home := t.TempDir()
	e := &terminal{t: t, tmux: tmux, socket: filepath.Join(home, "tmux")}
	e.do("-f", "/dev/null", "new-session", "-d", "-s", "s", "-x", "100", "-y", "40", "-e", "HOME="+home, "-e", "XDG_STATE_HOME=", "-e", "NO_COLOR=1",
		"/bin/sh")
	t.Cleanup(func() { _ = exec.Command(tmux, "-S", e.socket, "kill-server").Run() })
	e.enter("PS1='sh> '")
	e.sees(`sh>$`)
	return e
}

func (e *terminal) do(args ...string) string {
	e.t.Helper()
	out, err := exec.Command(e.tmux, append([]string{"-S", e.socket}, args...)...).CombinedOutput()
	if err != nil {
		e.t.Skipf("tmux %s: %v: %s", args[0], err, out)
	}
	return string(out)
}

// text types text, all at once.
func (e *terminal) text(s string) {
	e.t.Helper()
	if rest, ok := strings.CutSuffix(s, ";"); ok { // which tmux would take for itself
		s = rest + `\;`
	}
	e.do("send-keys", "-t", "s", "-l", s)
}

// enter types a line.
func (e *terminal) enter(s string) {
	e.t.Helper()
	e.text(s)
	e.key("Enter")
}

func (e *terminal) key(name string) { e.t.Helper(); e.do("send-keys", "-t", "s", name) }

func (e *terminal) screen() string {
	return strings.TrimRight(e.do("capture-pane", "-p", "-t", "s"), "\n ")
}

// sees waits until the screen matches.
func (e *terminal) sees(pattern string) string {
	e.t.Helper()
	re, screen := regexp.MustCompile(pattern), ""
	eventually(e.t, "the screen", func() error {
		if screen = e.screen(); !re.MatchString(screen) {
			return fmt.Errorf("no %s in\n%s", pattern, screen)
		}
		return nil
	})
	return screen
}

// TestShell drives the SQL shell in a real terminal.
func TestShell(t *testing.T) {
	bin := millrace(t)
	e := openTerminal(t)
	e.enter(bin)
	e.sees(`(?m)^millrace>$`)

	e.enter("SELECT 1 +")
	e.sees(`(?m)^ +->$`)
	e.enter("41 AS answer;")
	e.sees(`(?s)\| +42 \|.*1 row .*millrace>$`)
	e.key("Up")
	e.sees(`millrace> 41 AS answer;$`)
	e.key("C-c")
	e.sees(`41 AS answer;\s+millrace>$`)

	e.text("SELECT nosu")
	e.key("C-c")
	e.sees(`SELECT nosu\s+millrace>$`)
	e.text("SEL")
	e.sees(`(?m)millrace> SEL\n +SELECT`)
	e.key("Tab")
	e.sees(`(?m)millrace> SELECT`)
	e.enter(" 'a")
	e.sees(`(?m)^ +'>$`)
	e.key("C-c")
	e.sees(`'>\s+millrace>$`)

	e.enter("CREATE SOURCE g (k BIGINT) WITH (connector='datagen', rows_per_second='50', 'fields.k.min'='0', 'fields.k.max'='2');")
	e.sees(`created source g\s+millrace>$`)
	e.enter("SELECT k, COUNT(*) AS n FROM g GROUP BY k EMIT CHANGES;")
	first := e.sees(`(?m)^2 +\d+\s+[1-9]\d* rows in · [1-9]\d* rows/s`)
	lines := len(strings.Split(first, "\n"))
	later := e.sees(`(?m)^2 +[1-9]\d+\s+\d+ rows in`)
	if n := len(strings.Split(later, "\n")); n != lines {
		t.Errorf("the live table is not drawn in place: %d lines after %d\n%s", n, lines, later)
	}
	e.key("C-c")
	e.sees(`\^C stopped\s+millrace>$`)
	e.enter("SELECT 2+3 AS five;")
	e.sees(`(?s)\| +5 \|.*millrace>$`)

	e.enter(`\q`)
	e.sees(`(?m)^sh>$`)
	e.enter("stty -a | tr ' ' '\\n' | grep -E '^-?(echo|icanon|isig);?$' | sort | tr '\\n' ' '")
	e.sees(`echo icanon isig`)

	e.enter(bin) // the history is there again
	e.sees(`millrace>$`)
	e.key("Up")
	e.sees(`millrace> SELECT 2\+3 AS five;$`)
	e.key("C-c")
	e.key("C-d")
	e.sees(`sh>$`)
	if _, err := os.Stat(e.socket); err != nil {
		t.Error(err)
	}
}
