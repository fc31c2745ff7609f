package bench

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Limits of starting and of doing nothing.
const (
	promptLimit   = 150 * time.Millisecond // from the start of the shell to its prompt
	firstRowLimit = 300 * time.Millisecond // from the start of a run to its first row
	idleMemory    = 80 << 20               // resident bytes of a server without work
	idleCPU       = 2.0                    // percent of a core that a server with an idle job may use
)

// starts is how often each start is measured; the best counts, since a busy machine only ever adds to it.
const starts = 11

// BenchmarkStart measures what a user waits for before the first sign of life.
func BenchmarkStart(b *testing.B) {
	bin := binary(b)
	file := filepath.Join(b.TempDir(), "first.sql")
	rows := filepath.Join(b.TempDir(), "rows.jsonl")
	write(b, rows, `{"id":1,"ts":"2026-01-02 10:00:00.000"}`+"\n")
	write(b, file, fmt.Sprintf("CREATE SOURCE r (id BIGINT, ts TIMESTAMP(3)) WITH (connector='file', path='%s', format='json');\n"+
		"SELECT id, COUNT(*) AS n FROM r GROUP BY id;\n", rows))
	for b.Loop() {
		report(b, "select-ms", 0, func() time.Duration { return timeToOutput(b, bin, "sql", "-e", "SELECT 1") })
		report(b, "prompt-ms", promptLimit, func() time.Duration { return timeToPrompt(b, bin) })
		report(b, "first-row-ms", firstRowLimit, func() time.Duration { return timeToOutput(b, bin, "run", file, "--no-header", "--quiet") })
		report(b, "serve-ready-ms", 0, func() time.Duration {
			s := startServer(b)
			s.stop()
			return s.ready
		})
	}
	b.ReportMetric(0, "ns/op")
}

// report measures and holds the best against a limit (0: none).
func report(b *testing.B, name string, limit time.Duration, measure func() time.Duration) {
	b.Helper()
	best := time.Hour
	var all []time.Duration
	for range starts {
		all = append(all, measure())
		best = min(best, all[len(all)-1])
	}
	b.ReportMetric(milliseconds(median(all)), name)
	if limit > 0 && best > limit {
		b.Errorf("%s: %v at best, the limit is %v", name, best, limit)
	}
}

func write(b testing.TB, path, text string) {
	b.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}

// timeToOutput starts a program and waits for its first line on standard output.
func timeToOutput(b testing.TB, bin string, args ...string) time.Duration {
	b.Helper()
	cmd := exec.Command(bin, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line := bufio.NewScanner(out)
	if !line.Scan() {
		b.Fatalf("%v printed nothing", args)
	}
	took := time.Since(began)
	for line.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%v: %v", args, err)
	}
	return took
}

// BenchmarkIdle measures a server that has nothing to do, without and with a job on a topic to which nobody writes.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		s := startServer(b)
		rest(b, s, "")
		file := filepath.Join(b.TempDir(), "idle.sql")
		write(b, file, "CREATE SOURCE quiet (id BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL 1 SECOND) WITH (connector='kafka', topic='quiet', format='json');\n"+
			"CREATE MATERIALIZED VIEW counts AS SELECT window_start, id, COUNT(*) AS n FROM TUMBLE(TABLE quiet, DESCRIPTOR(ts), INTERVAL 10 SECOND) GROUP BY window_start, window_end, id;\n"+
			"CREATE SINK loud WITH (connector='kafka', topic='loud', format='json') AS SELECT id FROM quiet;\n")
		host, port, err := net.SplitHostPort(s.http)
		if err != nil {
			b.Fatal(err)
		}
		if out, err := exec.Command(binary(b), "job", "submit", "-h", host, "-P", port, file).CombinedOutput(); err != nil {
			b.Fatalf("submitting: %v\n%s", err, out)
		}
		rest(b, s, "job-")
	}
	b.ReportMetric(0, "ns/op")
}

// rest lets a server settle, then watches it for a while.
func rest(b *testing.B, s *server, prefix string) {
	b.Helper()
	const settle, watch = 3 * time.Second, 10 * time.Second
	time.Sleep(settle) // nothing tells when the last work of a start is over
	before := cpuOfProcess(b, s.cmd.Process.Pid)
	time.Sleep(watch)
	cpu := 100 * float64(cpuOfProcess(b, s.cmd.Process.Pid)-before) / float64(watch)
	memory := residentBytes(b, s.cmd.Process.Pid)
	b.ReportMetric(cpu, prefix+"cpu-%")
	b.ReportMetric(float64(memory)/(1<<20), prefix+"rss-MiB")
	if cpu > idleCPU {
		b.Errorf("%sidle: %.1f %% of a core, the limit is %.1f %%", prefix, cpu, idleCPU)
	}
	if memory > idleMemory {
		b.Errorf("%sidle: %d MiB resident, the limit is %d MiB", prefix, memory>>20, idleMemory>>20)
	}
}

// cpuOfProcess sums the processor time of a process's threads, to the nanosecond.
func cpuOfProcess(b testing.TB, pid int) time.Duration {
	b.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		b.Skip("this system does not tell the processor time of threads")
	}
	var sum time.Duration
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		ns, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(ns, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(n)
	}
	return sum
}

func residentBytes(b testing.TB, pid int) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(syscall.Getpagesize())
}
