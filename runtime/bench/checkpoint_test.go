package bench

import (
	"fmt"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// leastWithCheckpoints is the least rate of a job with an epoch every second, as a part of its rate without epochs.
const leastWithCheckpoints = 0.90

// BenchmarkCheckpoints holds stateful jobs with epochs against the same jobs without any until their end. Commits are synced. With few keys,
// each changes often in an epoch; with many, nearly every row changes another key, so that a checkpoint has to write as much as it read.
func BenchmarkCheckpoints(b *testing.B) {
	b.Run("few", func(b *testing.B) { checkpoints(b, window, leastWithCheckpoints) })
	b.Run("many", func(b *testing.B) { checkpoints(b, strings.ReplaceAll(window, "bidder", "price"), 0) })
}

func checkpoints(b *testing.B, query string, least float64) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as cmd/millrace sets it
	c, n := openCluster(b, "", true), events(3_000_000)
	fillBids(b, c, "bids", n)
	c.exec(b, nil, fmt.Sprintf("CREATE SOURCE bids (%s) WITH (%s)", bidColumns, c.options("bids", "scan_startup='earliest'", "scan_bounded='latest'")))
	used := map[string][]time.Duration{}
	for b.Loop() {
		for range rounds - 2 { // they take long
			for _, interval := range []string{"1h", "1s", "100ms"} {
				used[interval] = append(used[interval], cpuOf(b, func() { runJob(b, c, query, map[string]string{"checkpoint_interval": interval}) }))
			}
		}
	}
	ratio := func(interval string) float64 { return median(used["1h"]).Seconds() / median(used[interval]).Seconds() }
	b.ReportMetric(float64(n)/median(used["1h"]).Seconds(), "without-events/cpu-s")
	b.ReportMetric(float64(n)/median(used["1s"]).Seconds(), "1s-events/cpu-s")
	b.ReportMetric(ratio("1s"), "1s-ratio")
	b.ReportMetric(ratio("100ms"), "100ms-ratio")
	if r := ratio("1s"); r < least {
		b.Fatalf("with an epoch a second the job runs at %.0f %% of its rate without, not %.0f %%", 100*r, 100*least)
	}
}
