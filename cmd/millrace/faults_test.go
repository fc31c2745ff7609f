package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// badRecords are records of which those with an odd id, and those without one, cannot be used.
const badRecords = `{"id":2,"v":10,"ts":"2026-01-01 00:00:00"}
{"id":3,"v":"x","ts":"2026-01-01 00:00:01"}
{"id":5,"v":1,"ts":
{"v":4,"ts":"2026-01-01 00:00:01"}
{"id":7,"v":5,"ts":"9999-01-01 00:00:01"}
not json
{"id":4,"v":7,"ts":"2026-01-01 00:00:03","extra":[1,2]}
{"id":6,"v":9,"ts":"2026-01-01 00:00:20"}
`

// errorRow is a row of the table errors.
type errorRow struct{ Relation, Position, Code, Message, Raw string }

func errorRows(t *testing.T, a answer) []errorRow {
	t.Helper()
	var rows []errorRow
	for _, line := range a.lines() {
		var r errorRow
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("reading %s: %v", line, err)
		}
		rows = append(rows, r)
	}
	return rows
}

// wantErrors compares the table errors with pairs of code and a part of the raw record.
func wantErrors(t *testing.T, rows []errorRow, want [][2]string) {
	t.Helper()
	if len(rows) != len(want) {
		t.Errorf("%d error rows, want %d: %+v", len(rows), len(want), rows)
	}
	for _, w := range want {
		found := 0
		for _, r := range rows {
			if r.Code == w[0] && strings.Contains(r.Raw, w[1]) && r.Message != "" {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%d rows with %s for %s in %+v", found, w[0], w[1], rows)
		}
	}
}

// TestBadRecords: each bad record becomes one row of the table errors, the others go on, and a second run adds nothing.
func TestBadRecords(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "in.jsonl", badRecords)
	sql := `
CREATE SOURCE t (id BIGINT NOT NULL, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL 5 SECOND) WITH (connector='file', path='in.jsonl', format='json');
CREATE SINK s WITH (connector='file', path='out.jsonl', format='json') AS SELECT id, v FROM t;`
	for range 2 {
		command(t, dir, sql, "run", "-", "--data-dir", "data", "--until", "eof").want(t, exitOK)
		got := strings.Join(readLines(t, filepath.Join(dir, "out.jsonl")), " ")
		if got != `{"id":2,"v":10} {"id":4,"v":7} {"id":6,"v":9}` {
			t.Errorf("the sink has %s", got)
		}
		a := command(t, dir, "", "sql", "--data-dir", "data", "--format", "jsonl", "-e", "SELECT relation, position, code, message, raw FROM errors")
		rows := errorRows(t, a.want(t, exitOK))
		wantErrors(t, rows, [][2]string{{"MR-4002", `{"id":3,"v":"x"`}, {"MR-4001", `{"id":5,"v":1,"ts":`}, {"MR-4003", `{"v":4`}, {"MR-4004", "9999"},
			{"MR-4001", "not json"}})
		for _, r := range rows {
			if r.Code != "MR-4004" && !strings.HasPrefix(r.Position, "in.jsonl:") {
				t.Errorf("no position in %+v", r)
			}
		}
	}
}

// TestBadRecordsInTopic is the same for a topic of the embedded broker, where positions are partitions and offsets.
func TestBadRecordsInTopic(t *testing.T) {
	dir := t.TempDir()
	var quoted strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(badRecords), "\n") {
		text, err := json.Marshal(map[string]string{"value": line})
		if err != nil {
			t.Fatal(err)
		}
		quoted.Write(append(text, '\n'))
	}
	write(t, dir, "in.jsonl", quoted.String())
	sql := `
CREATE SOURCE f (value VARCHAR) WITH (connector='file', path='in.jsonl', format='json');
CREATE SINK raw_topic WITH (connector='kafka', topic='bad', format='raw', partitions='1') AS SELECT value FROM f;
CREATE SOURCE t (id BIGINT NOT NULL, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL 5 SECOND) WITH (connector='kafka', topic='bad', format='json');
CREATE SINK s WITH (connector='file', path='out.jsonl', format='json') AS SELECT id, v FROM t;`
	command(t, dir, sql, "run", "-", "--data-dir", "data", "--until", "idle").want(t, exitOK)
	if got := strings.Join(readLines(t, filepath.Join(dir, "out.jsonl")), " "); got != `{"id":2,"v":10} {"id":4,"v":7} {"id":6,"v":9}` {
		t.Errorf("the sink has %s", got)
	}
	a := command(t, dir, "", "sql", "--data-dir", "data", "--format", "jsonl", "-e", "SELECT relation, position, code, message, raw FROM errors")
	for _, r := range errorRows(t, a.want(t, exitOK)) {
		if r.Code != "MR-4004" && !strings.Contains(r.Position, "bad") {
			t.Errorf("no position in %+v", r)
		}
	}
	if n := len(a.lines()); n != 5 {
		t.Errorf("%d error rows: %s", n, a.out)
	}
}

const readTopic = `CREATE SOURCE t (id BIGINT) WITH (connector='kafka', topic='nosuch', format='json', brokers='%s', connect_timeout='1s');
CREATE SINK s WITH (connector='file', path='x.jsonl', format='json') AS SELECT id FROM t;`

// TestServersAway: servers that are not there when a job begins end the run, soon and with a message that names them.
func TestServersAway(t *testing.T) {
	dir, away := t.TempDir(), freePort(t)
	for name, c := range map[string]struct {
		sql   string
		words []string
	}{
		"kafka source": {fmt.Sprintf(readTopic, away), []string{"MR-4101", away, "option 'brokers'"}},
		"kafka sink": {fmt.Sprintf(`CREATE SOURCE g (id BIGINT) WITH (connector='datagen', number_of_rows='10');
CREATE SINK s WITH (connector='kafka', topic='q', format='json', brokers='%s', connect_timeout='1s') AS SELECT id FROM g`, away),
			[]string{"MR-4102", away, "option 'brokers'"}},
		"opensearch": {fmt.Sprintf(`CREATE SOURCE g (id BIGINT) WITH (connector='datagen', number_of_rows='10');
CREATE SINK s WITH (connector='opensearch', index='q', url='http://%s', connect_timeout='1s') AS SELECT id FROM g`, away),
			[]string{"MR-4102", away, "option 'url'"}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			command(t, dir, c.sql, "run", "-", "--until", "idle").want(t, exitJob, c.words...)
			if took := time.Since(start); took > 15*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestUnknownTopic: a topic that does not exist is named after a short wait, as another job may be about to create it.
func TestUnknownTopic(t *testing.T) {
	dir := t.TempDir()
	broker := startServer(t, filepath.Join(dir, "broker"))
	sql := fmt.Sprintf(readTopic, broker.kafka)
	a := command(t, dir, sql, "run", "-", "--until", "idle")
	if a.code == exitOK { // brokers may create topics that are asked for
		t.Skip("the broker creates topics")
	}
	a.want(t, exitJob, "MR-4104", "'nosuch'")
}

// TestDataDirectory: a folder that cannot be written, or that another process uses, gives one clear message.
func TestDataDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "regular", "x")
	write(t, dir, "q.sql", "SELECT 1;")
	paths := []string{"regular/below", "regular"}
	if _, err := os.Stat("/proc/self"); err == nil {
		paths = append(paths, "/proc/x")
	}
	for _, path := range paths {
		command(t, dir, "", "run", "q.sql", "--data-dir", path).want(t, exitError, "MR-5001", path, "--data-dir")
		command(t, dir, "", "sql", "-e", "SELECT 1", "--data-dir", path).want(t, exitError, "MR-5001", path)
		command(t, dir, "", "serve", "--data-dir", path, "--kafka-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0").want(t, exitError, "MR-5001", path)
	}
	s := startServer(t, filepath.Join(dir, "data"))
	command(t, dir, "", "run", "q.sql", "--data-dir", "data").want(t, exitError, "MR-5001", "in use")
	if code := s.signal(syscall.SIGTERM, 10*time.Second); code != exitOK {
		t.Errorf("the server ends with code %d", code)
	}
	command(t, dir, "", "run", "q.sql", "--data-dir", "data").want(t, exitOK)
}

// TestPortTaken: the message names the address and the flag.
func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken, dir := l.Addr().String(), t.TempDir()
	command(t, dir, "", "serve", "--data-dir", "d", "--kafka-listen", taken, "--http-listen", "127.0.0.1:0").want(t, exitError, taken, "--kafka-listen")
	command(t, dir, "", "serve", "--data-dir", "d", "--kafka-listen", "127.0.0.1:0", "--http-listen", taken).want(t, exitError, taken, "--http-listen")
	command(t, dir, "SELECT 1", "run", "-", "--kafka-listen", taken).want(t, exitError, taken)
}

// TestBrokerKilled kills the broker that a running job reads and writes, several times; the job waits, goes on, and nothing is lost or
// doubled.
func TestBrokerKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for some seconds")
	}
	dir := t.TempDir()
	kafka := freePort(t)
	broker := serveAt(t, filepath.Join(dir, "broker"), kafka, "127.0.0.1:0")
	calm := &session{t: t, bin: millrace(t), dir: filepath.Join(dir, "calm")}
	calm.finish(pipeline("calm-", kafka))
	want := calm.read(collect("calm-", kafka))

	rng, _ := seeded(t)
	engine := begin(t, dir, pipeline("hit-", kafka), "run", "-", "--data-dir", filepath.Join(dir, "hit"), "--until", "idle")
	for range 5 {
		time.Sleep(time.Duration(400+rng.IntN(800)) * time.Millisecond)
		broker.kill()
		time.Sleep(time.Duration(rng.IntN(700)) * time.Millisecond)
		broker = serveAt(t, filepath.Join(dir, "broker"), kafka, "127.0.0.1:0")
	}
	if code := engine.end(2 * time.Minute); code != exitOK {
		t.Fatalf("the run ended with code %d\n%s", code, engine.stderr())
	}
	hit := &session{t: t, bin: millrace(t), dir: filepath.Join(dir, "hit")}
	compareRows(t, want, hit.read(collect("hit-", kafka)))
}

// TestBrokerAwayIsVisible: while the broker is away the job's state says so, and it is well again afterwards.
func TestBrokerAwayIsVisible(t *testing.T) {
	dir, kafka := t.TempDir(), freePort(t)
	broker := serveAt(t, filepath.Join(dir, "broker"), kafka, "127.0.0.1:0")
	s := startServer(t, filepath.Join(dir, "engine"))
	s.sql(fmt.Sprintf(`SET checkpoint_interval = '50ms';
CREATE SOURCE g (id BIGINT) WITH (connector='datagen', rows_per_second='100');
CREATE SINK s WITH (connector='kafka', topic='q', format='json', brokers='%s') AS SELECT id FROM g;`, kafka)).want(t, exitOK)
	s.awaitJob("s", "RUNNING", "")
	broker.kill()
	s.awaitJob("s", "DEGRADED", kafka)
	s.sql("SHOW JOBS").want(t, exitOK, "DEGRADED", kafka)
	s.sql("DESCRIBE JOB s").want(t, exitOK, "DEGRADED", kafka)
	serveAt(t, filepath.Join(dir, "broker"), kafka, "127.0.0.1:0")
	s.awaitJob("s", "RUNNING", "")
	if code := s.signal(syscall.SIGTERM, 10*time.Second); code != exitOK {
		t.Errorf("the server ends with code %d\n%s", code, s.stderr())
	}
}
