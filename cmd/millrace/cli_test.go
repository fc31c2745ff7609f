package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// endless is a source without end, counting from 0, and a sink that writes it to out.jsonl.
const endless = `SET checkpoint_interval = '50ms';
CREATE SOURCE g (id BIGINT) WITH (connector='datagen', rows_per_second='2000', 'fields.id.kind'='sequence', 'fields.id.start'='0');
CREATE SINK s WITH (connector='file', path='out.jsonl', format='json') AS SELECT id FROM g;
`

// wantSequence checks that the lines are {"id":0}, {"id":1} and so on, and gives their number.
func wantSequence(t *testing.T, lines []string) int {
	t.Helper()
	for i, line := range lines {
		if line != fmt.Sprintf(`{"id":%d}`, i) {
			t.Fatalf("line %d of %d is %s", i, len(lines), line)
		}
	}
	return len(lines)
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "wrong.sql", "SELECT 1;\nSELECT nosuch;\n")
	write(t, dir, "broken.sql", "SELECT 1;\nSELEKT 2;\nSELECT 3;\n")
	write(t, dir, "good.sql", "SELECT 1 AS one;\n")
	write(t, dir, "good.test", "")
	write(t, dir, "typo.toml", "kafka_lisen = \"127.0.0.1:0\"\n")
	failing := "CREATE SOURCE t (a BIGINT) WITH (connector='file', path='nosuch.jsonl', format='json');\n" +
		"CREATE SINK s WITH (connector='blackhole') AS SELECT a FROM t;"
	live := "CREATE SOURCE g (id BIGINT) WITH (connector='datagen', rows_per_second='10', 'fields.id.kind'='sequence', 'fields.id.start'='0'); SELECT id FROM g EMIT CHANGES"
	for name, c := range map[string]struct {
		args  []string
		stdin string
		code  int
		words []string
	}{
		"statement":         {[]string{"sql", "-e", "SELECT 1+1 AS two"}, "", exitOK, []string{"two\n2\n"}},
		"script on stdin":   {[]string{"sql"}, "SELECT 1+1 AS two;", exitOK, []string{"two\n2\n"}},
		"no subcommand":     {nil, "SELECT 1+1 AS two;", exitOK, []string{"two\n2\n"}},
		"file":              {[]string{"sql", "-f", "good.sql"}, "", exitOK, []string{"one\n1\n"}},
		"help":              {[]string{"--help"}, "", exitOK, []string{"Exit codes", "serve"}},
		"sql error":         {[]string{"sql", "-e", "SELECT nosuch"}, "", exitError, []string{"MR-2107", "nosuch", "^"}},
		"error in a file":   {[]string{"run", "wrong.sql"}, "", exitError, []string{"MR-2107", "2:8"}},
		"no such file":      {[]string{"run", "nosuch.sql"}, "", exitError, []string{"nosuch.sql"}},
		"force":             {[]string{"sql", "--force", "-f", "wrong.sql"}, "", exitError, []string{"MR-2107", "1\n1\n"}},
		"force past syntax": {[]string{"sql", "--force", "-f", "broken.sql"}, "", exitError, []string{"MR-1007", "2:1", "1\n1\n3\n3\n"}},
		"unknown flag":      {[]string{"sql", "--nosuch"}, "", exitUsage, []string{"--nosuch"}},
		"unknown command":   {[]string{"nosuch"}, "", exitUsage, []string{"nosuch"}},
		"unknown format":    {[]string{"sql", "--format", "nosuch", "-e", "SELECT 1"}, "", exitUsage, []string{"nosuch", "jsonl"}},
		"unknown until":     {[]string{"run", "good.sql", "--until", "dawn"}, "", exitUsage, []string{"dawn", "idle"}},
		"wrong var":         {[]string{"run", "good.sql", "--var", "x"}, "", exitUsage, []string{"name=value"}},
		"missing argument":  {[]string{"run"}, "", exitUsage, nil},
		"no server":         {[]string{"sql", "-h", "127.0.0.1", "-P", "1", "-e", "SELECT 1"}, "", exitConnect, []string{"127.0.0.1:1", "millrace serve"}},
		"no server for job": {[]string{"job", "ls", "-P", "1"}, "", exitConnect, []string{"127.0.0.1:1"}},
		"time is up":        {[]string{"sql", "--timeout", "300ms", "-e", live}, "", exitTimeout, []string{"300ms"}},
		"limited rows":      {[]string{"sql", "--max-rows", "3", "--format", "raw", "-e", live}, "", exitOK, []string{"0\n1\n2\n"}},
		"check passes":      {[]string{"check", "good.sql"}, "", exitOK, nil},
		"check fails":       {[]string{"check", "wrong.sql"}, "", exitTest, []string{"MR-2107"}},
		"job fails":         {[]string{"run", "-"}, failing, exitJob, []string{"MR-", "nosuch.jsonl"}},
		"explain-error":     {[]string{"explain-error", "MR-2107"}, "", exitOK, []string{"unknown column"}},
		"explain no error":  {[]string{"explain-error", "MR-9999"}, "", exitUsage, []string{"MR-9999"}},
		"unknown key":       {[]string{"serve", "--config", "typo.toml"}, "", exitError, []string{"MR-5003", "kafka_lisen", "did you mean 'kafka_listen'"}},
		"no configuration":  {[]string{"serve", "--config", "nosuch.toml"}, "", exitError, []string{"MR-5003", "nosuch.toml"}},
	} {
		t.Run(name, func(t *testing.T) { command(t, dir, c.stdin, c.args...).want(t, c.code, c.words...) })
	}
}

// TestScriptTests runs `millrace test` on a test that passes and one that fails.
func TestScriptTests(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "good.test", "query\nSELECT 1 + 1\n----\n2\n")
	command(t, dir, "", "test", "good.test").want(t, exitOK, "1 passed, 0 failed")
	write(t, dir, "bad.test", "query\nSELECT 1 + 1\n----\n3\n")
	command(t, dir, "", "test", ".").want(t, exitTest, "1 passed, 1 failed", "bad.test")
}

func TestFormats(t *testing.T) {
	const sql = `SELECT 1 AS a, 'x,"|' AS b, NULL AS c`
	for format, want := range map[string]string{
		"table":     "+---+------+------+\n| a | b    | c    |\n+---+------+------+\n| 1 | x,\"| | NULL |\n+---+------+------+\n",
		"box":       "┌───┬──────┬──────┐\n│ a │ b    │ c    │\n├───┼──────┼──────┤\n│ 1 │ x,\"| │ NULL │\n└───┴──────┴──────┘\n",
		"vertical":  "*************************** 1. row ***************************\na: 1\nb: x,\"|\nc: NULL\n",
		"csv":       "a,b,c\n1,\"x,\"\"|\",\n",
		"tsv":       "a\tb\tc\n1\tx,\"|\tNULL\n",
		"json":      "[\n {\"a\":1,\"b\":\"x,\\\"|\",\"c\":null}]\n",
		"jsonl":     "{\"a\":1,\"b\":\"x,\\\"|\",\"c\":null}\n",
		"markdown":  "| a | b     | c    |\n|---|-------|------|\n| 1 | x,\"\\| | NULL |\n",
		"changelog": "+I[1, x,\"|, NULL]\n",
		"raw":       "1\tx,\"|\tNULL\n",
	} {
		t.Run(format, func(t *testing.T) {
			a := command(t, "", "", "sql", "--format", format, "-e", sql).want(t, exitOK)
			if a.out != want {
				t.Errorf("got\n%s\nwant\n%s", a.out, want)
			}
		})
	}
	records, err := csv.NewReader(strings.NewReader(command(t, "", "", "sql", "--format", "csv", "-e", sql).out)).ReadAll()
	if err != nil || len(records) != 2 || records[1][1] != `x,"|` {
		t.Errorf("csv reads back as %q, %v", records, err)
	}
}

func TestUntil(t *testing.T) {
	for until, c := range map[string]struct{ least, most int }{"500ms": {1, 5000}, "100rows": {100, 5000}} {
		t.Run(until, func(t *testing.T) {
			dir := t.TempDir()
			command(t, dir, endless, "run", "-", "--until", until).want(t, exitOK)
			if n := wantSequence(t, readLines(t, filepath.Join(dir, "out.jsonl"))); n < c.least || n > c.most {
				t.Errorf("%d rows", n)
			}
		})
	}
	bounded := strings.Replace(endless, "rows_per_second='2000'", "rows_per_second='3000', number_of_rows='300'", 1)
	for _, until := range []string{"eof", "idle", "1m", "100000rows", ""} {
		t.Run("bounded "+until, func(t *testing.T) {
			dir := t.TempDir()
			args := []string{"run", "-"}
			if until != "" {
				args = append(args, "--until", until)
			}
			command(t, dir, bounded, args...).want(t, exitOK, "finished")
			if n := wantSequence(t, readLines(t, filepath.Join(dir, "out.jsonl"))); n != 300 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "q.sql", "SELECT ${n} AS n, '${who:-nobody}' AS who;\n-- @if extra\nSELECT '${extra}' AS extra;\n-- @end\n")
	for _, sub := range [][]string{{"run", "q.sql"}, {"sql", "-f", "q.sql"}} {
		command(t, dir, "", append(sub, "--format", "raw", "--var", "n=7")...).want(t, exitOK, "7\tnobody\n")
		a := command(t, dir, "", append(sub, "--format", "raw", "--var", "n=8", "--var", "who=me", "--var", "extra=more")...).want(t, exitOK)
		if a.out != "8\tme\nmore\n" {
			t.Errorf("got %q", a.out)
		}
		command(t, dir, "", append(sub, "--format", "raw")...).want(t, exitError, "${n}", "--var n=")
	}
}

// TestRunGoesOn: runs of one file on one data directory, ended in different ways, continue each other: a file and a topic have every row once.
func TestRunGoesOn(t *testing.T) {
	dir := t.TempDir()
	sql := endless + "CREATE SINK k WITH (connector='kafka', topic='numbers', format='json', partitions='1') AS SELECT id FROM g;\n"
	write(t, dir, "q.sql", sql)
	last := 0
	for _, how := range []string{"time", "SIGINT", "SIGTERM", "SIGKILL", "time"} {
		args := []string{"run", "q.sql", "--data-dir", "data"}
		if how == "time" {
			command(t, dir, "", append(args, "--until", "400ms")...).want(t, exitOK)
		} else {
			p := begin(t, dir, "", args...)
			eventually(t, "more rows", func() error {
				if n := len(readLines(t, filepath.Join(dir, "out.jsonl"))); n < last+200 {
					return fmt.Errorf("%d lines; %s", n, p.stderr())
				}
				return nil
			})
			sig := map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM, "SIGKILL": syscall.SIGKILL}[how]
			want := map[string]int{"SIGINT": exitInterrupt, "SIGTERM": exitOK, "SIGKILL": -1}[how]
			if code := p.signal(sig, 10*time.Second); code != want {
				t.Errorf("%s ends the run with code %d\n%s", how, code, p.stderr())
			}
		}
		if how == "SIGKILL" { // the file may end in rows that are not committed, until the next run
			continue
		}
		n := wantSequence(t, readLines(t, filepath.Join(dir, "out.jsonl")))
		if n <= last {
			t.Errorf("%s: %d rows after %d", how, n, last)
		}
		last = n
	}
	read := command(t, dir, "", "sql", "--data-dir", "data", "--format", "jsonl", "-e",
		"CREATE SOURCE r (id BIGINT) WITH (connector='kafka', topic='numbers', format='json', scan_bounded='latest'); SELECT id FROM r")
	if n := wantSequence(t, read.want(t, exitOK).lines()); n < 500 {
		t.Errorf("%d records in the topic", n)
	}
}

// TestServe: a server answers SQL, keeps its jobs over a stop, a crash and a restart, and stops within seconds.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, filepath.Join(dir, "data"))
	out := filepath.Join(dir, "out.jsonl") // the server's working folder
	write(t, dir, "job.sql", endless+"CREATE MATERIALIZED VIEW v AS SELECT COUNT(*) AS n, MAX(id) AS top FROM g;\n")
	submitted := command(t, dir, "", "job", "submit", "job.sql", "-P", s.port).want(t, exitOK)
	if submitted.out != "s\nv\n" {
		t.Errorf("submit printed %q", submitted.out)
	}
	rows := 0
	more := func() {
		t.Helper()
		eventually(t, "more rows", func() error {
			if n := len(readLines(t, out)); n < rows+300 {
				return fmt.Errorf("%d rows; %s", n, s.stderr())
			}
			return nil
		})
	}
	more()
	command(t, dir, "", "job", "ls", "-P", s.port).want(t, exitOK, "NAME", "RUNNING", "s ", "v ")
	var listed map[string]any
	if lines := command(t, dir, "", "job", "ls", "--json", "-P", s.port).want(t, exitOK).lines(); json.Unmarshal([]byte(lines[0]), &listed) != nil || listed["name"] != "s" {
		t.Errorf("job ls --json: %v", lines)
	}
	command(t, dir, "", "job", "stop", "s", "-P", s.port).want(t, exitOK)
	rows = wantSequence(t, readLines(t, out))
	if state := s.job("s")["state"]; state != "STOPPED" {
		t.Errorf("the stopped job is %v", state)
	}
	command(t, dir, "", "job", "resume", "s", "-P", s.port).want(t, exitOK)
	more()

	start := time.Now()
	if code := s.signal(syscall.SIGTERM, 10*time.Second); code != exitOK {
		t.Errorf("the server ends with code %d\n%s", code, s.stderr())
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("stopping took %s", took)
	}
	rows = wantSequence(t, readLines(t, out))
	s = startServer(t, filepath.Join(dir, "data"))
	more()
	s.kill()
	s = startServer(t, filepath.Join(dir, "data"))
	rows = len(readLines(t, out))
	more()
	command(t, dir, "", "job", "stop", "s", "-P", s.port).want(t, exitOK)
	wantSequence(t, readLines(t, out))
	s.sql("SELECT n, n - top AS one FROM v").want(t, exitOK, `"one":1`)
	command(t, dir, "", "job", "drop", "s", "-P", s.port).want(t, exitError, "DROP SINK s")
	s.sql("CREATE SINK e (id BIGINT) WITH (connector='blackhole'); INSERT INTO e SELECT id FROM g").want(t, exitOK)
	command(t, dir, "", "job", "drop", "insert_into_e", "-P", s.port).want(t, exitOK)
	if j := s.job("insert_into_e"); j != nil {
		t.Errorf("the dropped job is %v", j)
	}
	command(t, dir, "", "job", "stop", "nosuch", "-P", s.port).want(t, exitError, "nosuch")
}

// openFiles tells how many descriptors of a process are open on a path.
func openFiles(pid int, path string) int {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(folder)
	n := 0
	for _, e := range entries {
		if target, _ := os.Readlink(filepath.Join(folder, e.Name())); target == path {
			n++
		}
	}
	return n
}

// TestLiveQueryEnds: when the client of a live query leaves, its job ends: the file that it reads is closed.
func TestLiveQueryEnds(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("needs /proc")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, dir, "in.jsonl", "{\"a\":1}\n{\"a\":2}\n")
	s := startServer(t, filepath.Join(dir, "data"))
	s.sql("CREATE SOURCE f (a BIGINT) WITH (connector='file', path='in.jsonl', format='json', follow='true')").want(t, exitOK)
	for range 3 {
		body := strings.NewReader(`{"sql": "SELECT a * 10 AS b FROM f EMIT CHANGES"}`)
		resp, err := http.Post("http://"+s.http+"/v1/sql", "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(resp.Body)
		for _, want := range []string{`"live":true`, `[10]`, `[20]`} {
			if !lines.Scan() || !strings.Contains(lines.Text(), want) {
				t.Fatalf("no %s in %s", want, lines.Text())
			}
		}
		if openFiles(s.cmd.Process.Pid, path) == 0 {
			t.Errorf("%s is not open while the query lives", path)
		}
		resp.Body.Close()
	}
	eventually(t, "the queries' end", func() error {
		if n := openFiles(s.cmd.Process.Pid, path); n > 0 {
			return fmt.Errorf("%s is open %d times", path, n)
		}
		return nil
	})
	if code := s.signal(syscall.SIGTERM, 10*time.Second); code != exitOK {
		t.Errorf("the server ends with code %d", code)
	}
}

// TestClosedPipe: a reader that has seen enough ends an endless query without an error.
func TestClosedPipe(t *testing.T) {
	dir := t.TempDir()
	script := fmt.Sprintf("%s sql --data-dir data -e \"CREATE SOURCE g (id BIGINT) WITH (connector='datagen', rows_per_second='500');"+
		" SELECT id FROM g EMIT CHANGES\" | head -3; echo code ${PIPESTATUS[0]}", millrace(t))
	out := bashScript(t, dir, script)
	if !strings.HasSuffix(out, "code 0\n") || strings.Contains(out, "rror") {
		t.Errorf("got %s", out)
	}
	command(t, dir, "", "sql", "--data-dir", "data", "-e", "SELECT 1").want(t, exitOK)
}
