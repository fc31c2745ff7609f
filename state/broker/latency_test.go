package broker

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkProduceToConsume measures the way of one record from Produce to an idle consumer that waits in a long poll.
func BenchmarkProduceToConsume(b *testing.B) {
	for _, n := range networks {
		for _, flush := range []string{"ack", "async"} {
			b.Run(fmt.Sprintf("%s/%s", n, flush), func(b *testing.B) {
				br := openBroker(b, b.TempDir())
				if err := br.CreateTopic("t", 1, map[string]string{"flush.policy": flush}); err != nil {
					b.Fatal(err)
				}
				var took []time.Duration
				next := echo(b, br, n)
				for b.Loop() {
					took = append(took, next())
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
}

// echo returns a function that sends a record and waits until a consumer has it.
func echo(t testing.TB, b *Broker, n network) func() time.Duration {
	p := client(t, b, n, kgo.ProducerLinger(0))
	c := client(t, b, n, kgo.ConsumeTopics("t"))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	got := make(chan *kgo.Record, 100)
	go func() {
		for ctx.Err() == nil {
			c.PollFetches(ctx).EachRecord(func(r *kgo.Record) { got <- r })
		}
	}()
	return func() time.Duration {
		start := time.Now()
		p.Produce(ctx, &kgo.Record{Topic: "t", Value: []byte("ping")}, nil)
		select {
		case <-got:
		case <-ctx.Done():
			t.Fatal("the record does not arrive")
		}
		return time.Since(start)
	}
}

// TestIdleConsumersAreCheapAndQuick keeps consumers waiting: they must cost next to nothing and be woken without delay.
func TestIdleConsumersAreCheapAndQuick(t *testing.T) {
	const idle = 500 * time.Millisecond
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 8, map[string]string{"flush.policy": "async"}); err != nil {
		t.Fatal(err)
	}
	next := echo(t, b, overMemory)
	for range 20 {
		client(t, b, overMemory, kgo.ConsumeTopics("t")) // fetches ahead by itself
	}
	next()
	before := cpuTime()
	time.Sleep(idle)
	if used := cpuTime() - before; used > idle/4 {
		t.Errorf("waiting consumers used %v of processor time in %v", used, idle)
	}
	var took []time.Duration
	for range 50 {
		took = append(took, next())
	}
	slices.Sort(took)
	if p50 := took[len(took)/2]; p50 > 20*time.Millisecond { // 0.3 ms on an idle machine; a poll interval would show
		t.Errorf("half of the records took %v or longer", p50)
	}
}

// cpuTime is what this process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
