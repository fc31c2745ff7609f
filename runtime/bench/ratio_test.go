package bench

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"
)

// The least rates of jobs as parts of the bare fetch loop's rate, both per processor second.
const (
	leastProjection = 0.40
	leastWindow     = 0.25
)

// rounds is how often each measurement is taken; medians are compared.
const rounds = 5

// events gives the number of bids, MILLRACE_BENCH_EVENTS or def.
func events(def int) int {
	if n, err := strconv.Atoi(os.Getenv("MILLRACE_BENCH_EVENTS")); err == nil && n > 0 {
		return n
	}
	return def
}

const (
	projection = "SELECT auction, bidder, price * 908 / 1000 AS euro, dateTime FROM bids WHERE price > 1000 AND bidder > 0"
	window     = "SELECT window_start, bidder, COUNT(*) AS n FROM TUMBLE(TABLE bids, DESCRIPTOR(dateTime), INTERVAL 10 SECOND) " +
		"GROUP BY window_start, window_end, bidder"
)

// BenchmarkRatio holds jobs against a bare fetch loop over the same topic, in turns in one process. In the first case the broker is part of
// the process, so that its work counts on both sides; in the second it is a process of its own, as a Kafka would be, and only the client's
// work counts. With KAFKA_BROKERS set, a third case uses that Kafka.
func BenchmarkRatio(b *testing.B) {
	b.Run("embedded", func(b *testing.B) { ratio(b, "") })
	b.Run("separate", func(b *testing.B) { ratio(b, startServer(b).kafka) })
	if k := os.Getenv("KAFKA_BROKERS"); k != "" {
		b.Run("kafka", func(b *testing.B) { ratio(b, k) })
	}
}

func ratio(b *testing.B, brokers string) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as cmd/millrace sets it
	c, n := openCluster(b, brokers, false), events(1_000_000)
	topic := fmt.Sprintf("bids-%d", time.Now().UnixNano())
	size := fillBids(b, c, topic, n)
	c.exec(b, nil, fmt.Sprintf("CREATE SOURCE bids (%s) WITH (%s)", bidColumns, c.options(topic, "scan_startup='earliest'", "scan_bounded='latest'")))
	var bare, project, windowed []time.Duration
	for b.Loop() {
		for range rounds {
			bare = append(bare, cpuOf(b, func() { fetchAll(b, c, topic, n) }))
			project = append(project, cpuOf(b, func() { runJob(b, c, projection, nil) }))
			windowed = append(windowed, cpuOf(b, func() { runJob(b, c, window, nil) }))
		}
	}
	rate := func(d []time.Duration) float64 { return float64(n) / median(d).Seconds() }
	b.ReportMetric(size, "B/event")
	b.ReportMetric(rate(bare), "fetch-events/cpu-s")
	b.ReportMetric(rate(project), "project-events/cpu-s")
	b.ReportMetric(rate(windowed), "window-events/cpu-s")
	b.ReportMetric(rate(project)/rate(bare), "project-ratio")
	b.ReportMetric(rate(windowed)/rate(bare), "window-ratio")
	if r := rate(project) / rate(bare); r < leastProjection {
		b.Fatalf("filter and projection run at %.0f %% of the fetch loop, not %.0f %%", 100*r, 100*leastProjection)
	}
	if r := rate(windowed) / rate(bare); r < leastWindow {
		b.Fatalf("the windowed count runs at %.0f %% of the fetch loop, not %.0f %%", 100*r, 100*leastWindow)
	}
}

var sinks int

// runJob runs a query into a blackhole until its bounded input ends.
func runJob(b testing.TB, c *cluster, query string, vars map[string]string) {
	b.Helper()
	sinks++
	name := fmt.Sprintf("nothing_%d", sinks)
	job := c.exec(b, vars, fmt.Sprintf("CREATE SINK %s WITH (connector='blackhole') AS %s", name, query))
	c.await(b, job)
	if s := c.engine.Job(job).Status(); s.RowsIn == 0 || s.Errors > 0 {
		b.Fatalf("%s: %d rows in, %d errors", query, s.RowsIn, s.Errors)
	}
	c.exec(b, nil, "DROP SINK "+name)
}
