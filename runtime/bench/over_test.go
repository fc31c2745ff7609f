package bench

import (
	"fmt"
	"runtime/debug"
	"testing"
	"time"
)

// leastOver is the least rate of a running sum per key as a part of the bare fetch loop's, both per processor second.
const leastOver = 0.10

// overJobs are what streams ask of window functions.
var overJobs = []struct{ name, sql string }{
	{"running", "SELECT bidder, price, SUM(price) OVER (PARTITION BY bidder ORDER BY dateTime) AS total FROM bids"},
	{"sliding", "SELECT bidder, price, AVG(price) OVER (PARTITION BY bidder ORDER BY dateTime ROWS 99 PRECEDING) AS mean FROM bids"},
	{"lag", "SELECT bidder, price - LAG(price) OVER (PARTITION BY bidder ORDER BY dateTime) AS step FROM bids"},
	{"share", "SELECT window_start, bidder, SUM(price) / SUM(SUM(price)) OVER (PARTITION BY window_start) AS share FROM TUMBLE(TABLE bids, DESCRIPTOR(dateTime), INTERVAL 10 SECOND) " +
		"GROUP BY window_start, window_end, bidder"},
}

// BenchmarkOver holds jobs with window functions against a bare fetch loop over the same topic.
func BenchmarkOver(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as cmd/millrace sets it
	c, n := openCluster(b, "", false), events(300_000)
	topic := fmt.Sprintf("bids-%d", time.Now().UnixNano())
	fillBids(b, c, topic, n)
	c.exec(b, nil, fmt.Sprintf("CREATE SOURCE bids (%s) WITH (%s)", bidColumns, c.options(topic, "scan_startup='earliest'", "scan_bounded='latest'")))
	var bare []time.Duration
	jobs := make([][]time.Duration, len(overJobs))
	for b.Loop() {
		for range rounds {
			bare = append(bare, cpuOf(b, func() { fetchAll(b, c, topic, n) }))
			for i, j := range overJobs {
				jobs[i] = append(jobs[i], cpuOf(b, func() { runJob(b, c, j.sql, nil) }))
			}
		}
	}
	rate := func(d []time.Duration) float64 { return float64(n) / median(d).Seconds() }
	b.ReportMetric(rate(bare), "fetch-events/cpu-s")
	for i, j := range overJobs {
		b.ReportMetric(rate(jobs[i]), j.name+"-events/cpu-s")
	}
	if r := rate(jobs[0]) / rate(bare); r < leastOver {
		b.Fatalf("a running sum runs at %.0f %% of the fetch loop, not %.0f %%", 100*r, 100*leastOver)
	}
}
