package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kills is how many times a run is killed with SIGKILL; the issue of exactly-once is decided by these.
const kills = 32

// killRows is the length of the fixed input, rowsPerSecond its pace: long enough that every kill hits a working engine.
const (
	killRows      = 150_000
	rowsPerSecond = 15_000
)

// buildBinary builds millrace once for the tests that kill processes.
func buildBinary(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "millrace")
	cmd := exec.Command("go", "build", "-tags", "invariants", "-o", bin, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return bin
}

// pipeline is the job under test: a fixed input goes into a topic, comes back, is windowed into a second topic, filtered into a third one,
// and counted in a view. Embedded broker when brokers is empty.
func pipeline(prefix, brokers string) string {
	kafka := "connector='kafka', format='json', "
	if brokers != "" {
		kafka += "brokers='" + brokers + "', "
	}
	return fmt.Sprintf(`
SET checkpoint_interval = '40ms';
CREATE SOURCE gen (id BIGINT, k BIGINT, v BIGINT) WITH (connector='datagen', number_of_rows='%d', rows_per_second='%d', seed='7',
  'fields.id.kind'='sequence', 'fields.id.start'='0', 'fields.k.min'='0', 'fields.k.max'='19', 'fields.v.min'='1', 'fields.v.max'='1000');
CREATE SINK events (id BIGINT, k BIGINT, v BIGINT, ts TIMESTAMP(3)) WITH (%s topic='%sevents');
INSERT INTO events SELECT id, k, v, TIMESTAMP '2026-01-01 00:00:00' + INTERVAL id * 10000 MICROSECOND FROM gen;
CREATE SOURCE back (id BIGINT, k BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL 1 SECOND) WITH (%s topic='%sevents');
CREATE SINK windows WITH (%s topic='%swindows') AS
  SELECT window_start, k, COUNT(*) AS n, SUM(v) AS total, MIN(id) AS first_id, MAX(id) AS last_id
  FROM TUMBLE(TABLE back, DESCRIPTOR(ts), INTERVAL 10 SECOND) GROUP BY window_start, window_end, k;
CREATE SINK filtered WITH (%s topic='%sfiltered') AS SELECT id, v * 2 AS w FROM back WHERE v > 900;
CREATE MATERIALIZED VIEW counts AS SELECT k, COUNT(*) AS n, SUM(v) AS total, MAX(id) AS last_id FROM back GROUP BY k;
`, killRows, rowsPerSecond, kafka, prefix, kafka, prefix, kafka, prefix, kafka, prefix)
}

// collect reads everything that the pipeline has made: both topics as read_committed readers see them, and the view.
func collect(prefix, brokers string) string {
	kafka := "connector='kafka', format='json', scan_bounded='latest', isolation='read_committed', "
	if brokers != "" {
		kafka += "brokers='" + brokers + "', "
	}
	return fmt.Sprintf(`
CREATE SOURCE IF NOT EXISTS read_windows (window_start TIMESTAMP(3), k BIGINT, n BIGINT, total BIGINT, first_id BIGINT, last_id BIGINT) WITH (%s topic='%swindows');
CREATE SOURCE IF NOT EXISTS read_filtered (id BIGINT, w BIGINT) WITH (%s topic='%sfiltered');
SELECT 'window' AS what, window_start, k, n, total, first_id, last_id FROM read_windows;
SELECT 'filtered' AS what, id, w FROM read_filtered;
SELECT 'count' AS what, k, n, total, last_id FROM counts;
`, kafka, prefix, kafka, prefix)
}

// session runs statements on a data directory and returns what it printed.
type session struct {
	t   *testing.T
	bin string
	dir string
}

// finish runs the pipeline's file to its end, undisturbed.
func (s *session) finish(sql string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.bin, "run", "-", "--data-dir", s.dir, "--until", "idle")
	cmd.Stdin = strings.NewReader(sql)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("finishing the run: %v\n%s", err, out)
	}
}

// read gives the sorted rows of the collecting queries.
func (s *session) read(sql string) []string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.bin, "sql", "--data-dir", s.dir, "--format", "jsonl", "-e", sql)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("reading the results: %v\n%s", err, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	sort.Strings(lines)
	return lines
}

// killed runs the pipeline and kills the process after a while; it reports whether the process was still at work.
func (s *session) killed(sql string, after time.Duration) bool {
	s.t.Helper()
	cmd := exec.Command(s.bin, "run", "-", "--data-dir", s.dir)
	cmd.Stdin = strings.NewReader(sql)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("starting: %v", err)
	}
	time.Sleep(after)
	_ = cmd.Process.Signal(syscall.SIGKILL)
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		s.t.Fatalf("the run ended by itself before it was killed: %v\n%s", err, out.String())
	}
	return true
}

// TestExactlyOnceUnderKills kills the engine, with its embedded broker, at random moments, and compares what readers see at the end with
// an undisturbed run.
func TestExactlyOnceUnderKills(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for half a minute")
	}
	bin := buildBinary(t)
	exactlyOnce(t, bin, "", "")
}

// TestExactlyOnceUnderKillsRealKafka is the same against a real Kafka, which stays up while the engine is killed.
func TestExactlyOnceUnderKillsRealKafka(t *testing.T) {
	brokers := os.Getenv("KAFKA_BROKERS")
	if brokers == "" {
		t.Skip("KAFKA_BROKERS is not set")
	}
	exactlyOnce(t, buildBinary(t), fmt.Sprintf("x%d-", time.Now().UnixNano()), brokers)
}

func exactlyOnce(t *testing.T, bin, prefix, brokers string) {
	calm := &session{t: t, bin: bin, dir: filepath.Join(t.TempDir(), "calm")}
	calm.finish(pipeline(prefix+"calm-", brokers))
	want := calm.read(collect(prefix+"calm-", brokers))

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	stormy := &session{t: t, bin: bin, dir: filepath.Join(t.TempDir(), "stormy")}
	sql := pipeline(prefix+"stormy-", brokers)
	for range kills {
		stormy.killed(sql, time.Duration(60+rng.IntN(400))*time.Millisecond)
	}
	stormy.finish(sql)
	got := stormy.read(collect(prefix+"stormy-", brokers))
	compareRows(t, want, got)
	if n := countOf(t, got); n != killRows {
		t.Errorf("the view counts %d rows of %d", n, killRows)
	}
}

// countOf sums the counts in the view's rows.
func countOf(t *testing.T, lines []string) int64 {
	var sum int64
	for _, l := range lines {
		var row struct {
			What string
			N    int64
		}
		if err := json.Unmarshal([]byte(l), &row); err != nil {
			t.Fatalf("reading %s: %v", l, err)
		}
		if row.What == "count" {
			sum += row.N
		}
	}
	return sum
}

// compareRows says which rows are missing, doubled or wrong.
func compareRows(t *testing.T, want, got []string) {
	t.Helper()
	counts := map[string]int{}
	for _, l := range want {
		counts[l]++
	}
	for _, l := range got {
		counts[l]--
	}
	shown := 0
	for l, n := range counts {
		if n == 0 {
			continue
		}
		if shown++; shown <= 10 {
			t.Errorf("%+d of %s", -n, l)
		}
	}
	if shown > 0 {
		t.Errorf("%d rows differ; %d wanted, %d got", shown, len(want), len(got))
	}
}
