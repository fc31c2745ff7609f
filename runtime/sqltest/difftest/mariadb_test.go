package difftest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// database is where the tables of this run live: runs beside one another must not meet.
var database = fmt.Sprintf("millrace_difftest_%d", os.Getpid())

// setup makes a session of MariaDB speak the dialect as far as its settings reach: bytewise comparison without padding, || as
// concatenation, UTC. Merging derived tables is off because MariaDB is wrong there: in
//
//	SELECT d.k FROM (SELECT k FROM t) AS d GROUP BY d.k HAVING 0 = (SELECT COUNT(*) FROM u WHERE u.k = d.k)
//
// the subquery reads the d.k of any row, not of its group, so that keys that u has pass, too.
var setup = `SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin;
SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,PIPES_AS_CONCAT';
SET SESSION time_zone = '+00:00';
SET SESSION group_concat_max_len = 1000000;
CREATE DATABASE IF NOT EXISTS ` + database + ` CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
USE ` + database + `;
SET SESSION optimizer_switch = 'derived_merge=off';
`

// failed is what stands for the answer of a statement that MariaDB refused.
const failed = "\x00failed"

// client runs statements through the command line client.
type client struct{ args []string }

// connect gives a client of the server at MARIADB_ADDR and skips the test without one.
func connect(t *testing.T) *client {
	t.Helper()
	addr := os.Getenv("MARIADB_ADDR")
	if addr == "" {
		t.Skip("MARIADB_ADDR is not set")
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath("mariadb")
	if err != nil {
		t.Fatal(err)
	}
	c := &client{args: []string{path, "--no-defaults", "--host=" + host, "--port=" + port, "--user=root", "--force", "-N", "-B",
		"--default-character-set=utf8mb4", "--binary-mode"}}
	t.Cleanup(func() { c.run(t, []string{"DROP DATABASE IF EXISTS " + database}) })
	return c
}

// run executes statements in one session and gives the rows of each, columns parted by tabs; a refused statement has the one row
// failed.
func (c *client) run(t *testing.T, statements []string) [][]string {
	t.Helper()
	var in bytes.Buffer
	in.WriteString(setup)
	for i, s := range statements {
		fmt.Fprintf(&in, "SELECT '@@%d';\n%s;\nSELECT '@/%d';\n", i, s, i)
	}
	cmd := exec.Command(c.args[0], c.args[1:]...)
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = &in, &errs
	out, err := cmd.Output()
	if len(out) == 0 && err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	rows := make([][]string, len(statements))
	current, next := -1, 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case next < len(statements) && line == fmt.Sprintf("@@%d", next):
			current = next
			next++
		case current >= 0 && line == fmt.Sprintf("@/%d", current):
			current = -1
		case current >= 0:
			rows[current] = append(rows[current], line)
		}
	}
	if next < len(statements) {
		t.Fatalf("MariaDB stopped after %d of %d statements: %s", next, len(statements), errs.String())
	}
	for line := range strings.Lines(errs.String()) {
		var code, at int
		if n, _ := fmt.Sscanf(line, "ERROR %d", &code); n == 1 {
			if i := strings.Index(line, "at line "); i >= 0 {
				fmt.Sscanf(line[i:], "at line %d", &at)
				if k := statementAt(statements, at); k >= 0 {
					rows[k] = []string{failed, line}
				}
			}
		}
	}
	return rows
}

// statementAt finds the statement at a line of the client's input. Statements are one line each, between two markers.
func statementAt(statements []string, line int) int {
	k := (line - strings.Count(setup, "\n") - 1) / 3
	if k < 0 || k >= len(statements) {
		return -1
	}
	return k
}

// unescape undoes the escapes of the client's batch mode.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\0`, "\x00").Replace(s)
}
