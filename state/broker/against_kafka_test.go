package broker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The comparison with a real Kafka: the same client, records and steps against both, one after the other, in turns, each a process of
// its own. Kafka has the heap and collector of its own start script. Kafka does not wait for the disk; this broker does (ack) or does
// as Kafka does (async).
const (
	againstPort  = 19492
	againstBytes = 256 << 20 // produced and consumed in each step
	pacedRate    = 5000      // records a second while latencies are taken
	pacedTime    = 4 * time.Second
	againstParts = 6
)

// rival is a broker under measurement.
type rival struct {
	name  string
	addr  string
	pid   int
	start time.Duration // from the start of the process to the answer of the first request
	topic map[string]*string
}

// figures are what one step measured.
type figures struct {
	mbPerS, cpuPerGB float64
}

// BenchmarkAgainstKafka needs KAFKA_TOOLS. It prints a table and fails when this broker needs more CPU for a gigabyte than Kafka, a
// fifth of its memory, or starts later: ratios within one run.
func BenchmarkAgainstKafka(b *testing.B) {
	script := os.Getenv("KAFKA_TOOLS")
	if script == "" {
		b.Skip("KAFKA_TOOLS does not name the script that starts Kafka")
	}
	for range b.N {
		againstKafka(b, script)
	}
}

func againstKafka(b *testing.B, script string) {
	async := "async"
	kafka := startKafka(b, script)
	v := startVictim(b, b.TempDir())
	dir := b.TempDir()
	began := time.Now()
	ours := startVictim(b, dir)
	rivals := []*rival{
		kafka,
		{name: "ours, async", addr: v.addr, pid: v.cmd.Process.Pid, topic: map[string]*string{"flush.policy": &async}},
		{name: "ours, ack", addr: ours.addr, pid: ours.cmd.Process.Pid},
	}
	firstAnswer(b, ours.addr)
	rivals[1].start, rivals[2].start = time.Since(began), time.Since(began)
	fmt.Printf("%-12s %8s %6s %6s  %14s %14s  %20s\n", "", "start ms", "record", "codec", "produce MB/s", "consume MB/s", "latency p50/p99 ms")
	for _, r := range rivals { // the JVM compiles what it runs often
		r.create(b, "warm")
		r.produce(b, "warm", 1000, "none")
		r.consume(b, "warm")
	}
	cpu := map[string][]float64{}
	for _, size := range []int{1000, 200} {
		for _, codec := range []string{"none", "lz4"} {
			for _, r := range rivals {
				topic := fmt.Sprintf("t-%d-%s-%d", size, codec, time.Now().UnixNano())
				r.create(b, topic)
				p := r.produce(b, topic, size, codec)
				c := r.consume(b, topic)
				syscall.Sync() // what the steps before left in memory must not come to the disk in this one
				p50, p99 := r.latency(b, topic, size)
				fmt.Printf("%-12s %8d %6d %6s  %6.0f (%5.2f) %6.0f (%5.2f)  %9.1f %9.1f\n", r.name, r.start.Milliseconds(), size, codec,
					p.mbPerS, p.cpuPerGB, c.mbPerS, c.cpuPerGB, p50, p99)
				cpu[r.name] = append(cpu[r.name], p.cpuPerGB, c.cpuPerGB)
			}
		}
	}
	fmt.Println("(in parentheses: CPU seconds of the broker for a gigabyte of records)")
	memory := map[string]int{}
	for _, r := range rivals {
		memory[r.name] = r.memory(b)
		fmt.Printf("%-12s peak memory %d MiB\n", r.name, memory[r.name])
	}
	for _, r := range rivals[1:] {
		if a, k := sum(cpu[r.name]), sum(cpu[kafka.name]); a > k {
			b.Errorf("%s: %.1f CPU seconds for a gigabyte of each kind, Kafka %.1f", r.name, a, k)
		}
		if 5*memory[r.name] > memory[kafka.name] {
			b.Errorf("%s: %d MiB, Kafka %d", r.name, memory[r.name], memory[kafka.name])
		}
		if r.start > kafka.start {
			b.Errorf("%s: started in %v, Kafka in %v", r.name, r.start, kafka.start)
		}
	}
}

func sum(fs []float64) (s float64) {
	for _, f := range fs {
		s += f
	}
	return s
}

// startKafka starts a Kafka of its own, with the options of kafka-server-start.sh.
func startKafka(b *testing.B, script string) *rival {
	b.Helper()
	cmd := exec.Command(script, "start", "--port", strconv.Itoa(againstPort))
	cmd.Env = append(os.Environ(), "KAFKA_JVM_OPTS=-Xms1g -Xmx1g -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35")
	cmd.Stderr = os.Stderr
	began := time.Now()
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { exec.Command(script, "stop", "--port", strconv.Itoa(againstPort)).Run() })
	r := &rival{name: "Kafka", addr: strings.TrimSpace(string(out))}
	firstAnswer(b, r.addr)
	r.start = time.Since(began)
	r.pid = listenerPid(b, againstPort)
	return r
}

func firstAnswer(b *testing.B, addr string) {
	b.Helper()
	cl := newRivalClient(b, addr)
	defer cl.Close()
	if err := cl.Ping(testContext(b)); err != nil {
		b.Fatal(err)
	}
}

// listenerPid finds the process that listens on a port of loopback.
func listenerPid(b *testing.B, port int) int {
	b.Helper()
	var inode string
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, _ := os.ReadFile(file)
		for _, line := range strings.Split(string(table), "\n") {
			f := strings.Fields(line)
			if len(f) > 9 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == "0A" {
				inode = "socket:[" + f[9] + "]"
			}
		}
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && to == inode && inode != "" {
			pid, _ := strconv.Atoi(strings.Split(l, "/")[2])
			return pid
		}
	}
	b.Fatalf("no process listens on port %d", port)
	return 0
}

// cpu is the CPU time a process has used, in seconds; clock ticks are hundredths on Linux.
func (r *rival) cpu(b *testing.B) float64 {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.pid))
	if err != nil {
		b.Fatal(err)
	}
	f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100
}

// memory is the largest resident size so far, in MiB.
func (r *rival) memory(b *testing.B) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
			kb, _ := strconv.Atoi(f[1])
			return kb / 1024
		}
	}
	b.Fatal("no VmHWM")
	return 0
}

func newRivalClient(b *testing.B, addr string, opts ...kgo.Opt) *kgo.Client {
	b.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr)}, opts...)...)
	if err != nil {
		b.Fatal(err)
	}
	return cl
}

func (r *rival) create(b *testing.B, topic string) {
	b.Helper()
	cl := newRivalClient(b, r.addr)
	defer cl.Close()
	if resp, err := kadm.NewClient(cl).CreateTopic(testContext(b), againstParts, 1, r.topic, topic); err != nil || resp.Err != nil {
		b.Fatal(err, resp.Err)
	}
}

// step measures fn, which moves n bytes of record values.
func (r *rival) step(b *testing.B, n int, fn func()) figures {
	b.Helper()
	cpu, began := r.cpu(b), time.Now()
	fn()
	took := time.Since(began).Seconds()
	return figures{mbPerS: float64(n) / 1e6 / took, cpuPerGB: (r.cpu(b) - cpu) / (float64(n) / 1e9)}
}

// values are record values that compress about by half: digits and blanks.
func values(size int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, 1024)
	for i := range out {
		out[i] = make([]byte, size)
		for j := range out[i] {
			out[i][j] = "0123456789abcdef"[rnd.IntN(16)]
		}
	}
	return out
}

func codecOf(name string) kgo.CompressionCodec {
	if name == "lz4" {
		return kgo.Lz4Compression()
	}
	return kgo.NoCompression()
}

func (r *rival) produce(b *testing.B, topic string, size int, codec string) figures {
	b.Helper()
	cl := newRivalClient(b, r.addr, kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(codecOf(codec)), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(100_000), kgo.ProducerBatchMaxBytes(1_000_000))
	defer cl.Close()
	firstAnswer(b, r.addr)
	vs := values(size)
	return r.step(b, againstBytes, func() {
		for i := range againstBytes / size {
			cl.Produce(context.Background(), &kgo.Record{Value: vs[i%len(vs)]}, func(_ *kgo.Record, err error) {
				if err != nil {
					b.Error(err)
				}
			})
		}
		if err := cl.Flush(context.Background()); err != nil {
			b.Fatal(err)
		}
	})
}

func (r *rival) consume(b *testing.B, topic string) figures {
	b.Helper()
	cl := newRivalClient(b, r.addr, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	return r.step(b, againstBytes, func() {
		for n := 0; n < againstBytes-1000; {
			fs := cl.PollFetches(context.Background())
			if err := fs.Err(); err != nil {
				b.Fatal(err)
			}
			fs.EachRecord(func(rec *kgo.Record) { n += len(rec.Value) })
		}
	})
}

// latency produces at a fixed rate and returns the median and the 99th percentile from the call to the acknowledgement, in ms.
func (r *rival) latency(b *testing.B, topic string, size int) (p50, p99 float64) {
	b.Helper()
	cl := newRivalClient(b, r.addr, kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(time.Millisecond), kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer cl.Close()
	vs := values(size)
	var mu sync.Mutex
	var all []float64
	const every = 2 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range int(pacedTime / every) {
		<-tick.C
		for i := range pacedRate / int(time.Second/every) {
			sent := time.Now()
			cl.Produce(context.Background(), &kgo.Record{Value: vs[i]}, func(_ *kgo.Record, err error) {
				took := float64(time.Since(sent).Microseconds()) / 1000
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
				if err != nil {
					b.Error(err)
				}
			})
		}
	}
	if err := cl.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
}
