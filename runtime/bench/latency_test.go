package bench

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// latencyLimit is what 99 of 100 records may take at most from the call that sends them to the poll that gives the result.
const latencyLimit = 250 * time.Millisecond

const (
	latencyTries   = 3      // runs of which one must keep the limit: what others do to the disk meanwhile only ever adds
	latencyRate    = 10_000 // records a second
	latencySeconds = 10
	latencyWarmup  = 1 // seconds whose records do not count
)

// BenchmarkLatency measures a copy from topic to topic with exactly-once delivery and an epoch every 100 ms, as a read_committed consumer
// sees it. Durable: topics, commits and transactions are synced to disk; temporary: they are only
// written. With KAFKA_BROKERS set, a third case uses that Kafka.
func BenchmarkLatency(b *testing.B) {
	b.Run("durable", func(b *testing.B) { latency(b, "", true) })
	b.Run("temporary", func(b *testing.B) { latency(b, "", false) })
	if k := os.Getenv("KAFKA_BROKERS"); k != "" {
		b.Run("kafka", func(b *testing.B) { latency(b, k, true) })
	}
}

func latency(b *testing.B, brokers string, durable bool) {
	c := openCluster(b, brokers, durable)
	in, out := fmt.Sprintf("in-%d", time.Now().UnixNano()), fmt.Sprintf("out-%d", time.Now().UnixNano())
	c.createTopic(b, in, 2)
	c.createTopic(b, out, 2)
	c.exec(b, map[string]string{"checkpoint_interval": "100ms"},
		fmt.Sprintf("CREATE SOURCE ping (sent BIGINT, pad STRING) WITH (%s)", c.options(in, "scan_startup='earliest'")),
		fmt.Sprintf("CREATE SINK pong WITH (%s) AS SELECT sent, pad FROM ping", c.options(out)))
	consumer := c.client(b, kgo.ConsumeTopics(out), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(500*time.Millisecond))
	producer := c.client(b, kgo.DefaultProduceTopic(in), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	var all []time.Duration
	var used time.Duration
	tries := 0
	for b.Loop() {
		for all, tries = nil, 0; tries < latencyTries && (all == nil || quantile(all, 0.99) > latencyLimit); tries++ {
			used = cpuOf(b, func() { all = ping(b, producer, consumer) })
			slices.Sort(all)
			b.Logf("%s", histogram(all))
		}
	}
	b.ReportMetric(float64(tries), "tries")
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(used.Seconds()/latencySeconds*100, "cpu-%")
	b.ReportMetric(milliseconds(quantile(all, 0.50)), "p50-ms")
	b.ReportMetric(milliseconds(quantile(all, 0.95)), "p95-ms")
	b.ReportMetric(milliseconds(quantile(all, 0.99)), "p99-ms")
	b.ReportMetric(milliseconds(all[len(all)-1]), "max-ms")
	if p := quantile(all, 0.99); p > latencyLimit {
		b.Errorf("1 of 100 records takes more than %v, the limit is %v", p, latencyLimit)
	}
}

// ping sends records at the rate and returns how long each was on its way.
func ping(b *testing.B, producer, consumer *kgo.Client) []time.Duration {
	const total = latencyRate * latencySeconds
	ctx, cancel := context.WithTimeout(b.Context(), (latencySeconds+30)*time.Second)
	defer cancel()
	go send(ctx, producer, total)
	var out []time.Duration
	for seen := 0; seen < total; {
		f := consumer.PollFetches(ctx)
		now := time.Now().UnixNano()
		if err := f.Err(); err != nil {
			b.Fatalf("%d of %d records: %v", seen, total, err)
		}
		f.EachRecord(func(r *kgo.Record) {
			if seen++; seen > latencyRate*latencyWarmup {
				out = append(out, time.Duration(now-sentAt(b, r.Value)))
			}
		})
	}
	return out
}

// send produces records with the time of sending, a few each millisecond.
func send(ctx context.Context, producer *kgo.Client, total int) {
	pad := strings.Repeat("x", 200)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for i := 0; i < total; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for due := int(time.Since(began) * latencyRate / time.Second); i < min(due, total); i++ {
			value := fmt.Appendf(nil, `{"sent":%d,"pad":"%s"}`, time.Now().UnixNano(), pad)
			producer.Produce(ctx, &kgo.Record{Value: value}, nil)
		}
	}
}

func sentAt(b *testing.B, value []byte) int64 {
	_, rest, _ := bytes.Cut(value, []byte(`"sent":`))
	digits, _, _ := bytes.Cut(rest, []byte(","))
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		b.Fatalf("%.60s: %v", value, err)
	}
	return n
}

// quantile of sorted values.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(math.Min(q*float64(len(sorted)), float64(len(sorted)-1)))]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// histogram draws sorted values in steps of 25 ms, wider ones where they are many: go test shows ten lines.
func histogram(sorted []time.Duration) string {
	const lines, width = 8, 60
	step := 25 * time.Millisecond
	for step*lines < sorted[len(sorted)-1] {
		step *= 2
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%d records\n", len(sorted))
	for from, i := time.Duration(0), 0; i < len(sorted); from += step {
		n := 0
		for ; i < len(sorted) && sorted[i] < from+step; i++ {
			n++
		}
		fmt.Fprintf(&s, "%4d-%4d ms %7d %s\n", from.Milliseconds(), (from + step).Milliseconds(), n, strings.Repeat("#", n*width/len(sorted)))
	}
	return s.String()
}
