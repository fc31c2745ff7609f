package broker

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Other people's clients against this broker over TCP: kcat (librdkafka) where it is installed, and Kafka's own tools where KAFKA_TOOLS
// names the script that runs them as `script tool NAME ARGUMENT...` (.ci/services/kafka.sh).

// toolTimeout bounds one run of a foreign client.
const toolTimeout = time.Minute

// kcat runs kcat with the broker's address and these arguments.
type kcat struct {
	t    *testing.T
	path string
	addr string
}

func newKcat(t *testing.T, b *Broker) kcat {
	t.Helper()
	path, err := exec.LookPath("kcat")
	if err != nil {
		t.Skip("kcat is not installed")
	}
	return kcat{t, path, b.Addr().String()}
}

// run feeds stdin to kcat and returns what it writes.
func (k kcat) run(stdin string, args ...string) string {
	k.t.Helper()
	return runTool(k.t, stdin, k.path, append([]string{"-q", "-b", k.addr}, args...)...)
}

func runTool(t *testing.T, stdin, path string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

// lines splits output, dropping empty ones.
func lines(s string) []string {
	return slices.DeleteFunc(strings.Split(s, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}

func sortedLines(s string) string {
	l := lines(s)
	slices.Sort(l)
	return strings.Join(l, "\n")
}

func mustContain(t *testing.T, what, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%s: no %q in\n%s", what, w, got)
		}
	}
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != want {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

// interopBroker is a broker with a topic "t".
func interopBroker(t *testing.T, partitions int) *Broker {
	t.Helper()
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", partitions, nil); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKcatProducesAndConsumes(t *testing.T) {
	b := interopBroker(t, 1)
	k := newKcat(t, b)
	const read = "%o %k=%s [%h]\n"
	var want []string
	for i, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		k.run("k:"+codec+"\nempty:\n", "-P", "-t", "t", "-p", "0", "-K", ":", "-z", codec, "-H", "codec="+codec, "-H", "n=1", "-X", "acks=all")
		want = append(want, fmt.Sprintf("%d k=%s [codec=%s,n=1]", 2*i, codec, codec), fmt.Sprintf("%d empty= [codec=%s,n=1]", 2*i+1, codec))
	}
	wantText(t, "all", k.run("", "-C", "-t", "t", "-o", "beginning", "-e", "-f", read), strings.Join(want, "\n"))
	wantText(t, "from offset 4", k.run("", "-C", "-t", "t", "-o", "4", "-c", "2", "-f", read), strings.Join(want[4:6], "\n"))
	wantText(t, "last one", k.run("", "-C", "-t", "t", "-o", "-1", "-e", "-f", read), want[9])

	got := consume(t, client(t, b, overTCP, kgo.ConsumeTopics("t")), 10)
	if r := got[8]; string(r.Key) != "k" || string(r.Value) != "zstd" || len(r.Headers) != 2 || string(r.Headers[0].Value) != "zstd" {
		t.Errorf("as the other client reads it: %+v", r)
	}
	k.run("a\nb\n", "-P", "-t", "t", "-p", "0", "-X", "enable.idempotence=true")
	if w, err := b.Watermarks("t", 0); err != nil || w.HighWatermark != 12 {
		t.Errorf("after an idempotent producer: %+v, %v", w, err)
	}
}

func TestKcatReadsEveryCodec(t *testing.T) {
	b := interopBroker(t, 1)
	k := newKcat(t, b)
	value := strings.Repeat("long enough to be worth it ", 20)
	var want []string
	for _, c := range []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	} {
		p := client(t, b, overTCP, kgo.ProducerBatchCompression(c))
		if err := p.ProduceSync(testContext(t), &kgo.Record{Topic: "t", Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		want = append(want, value)
	}
	wantText(t, "values", k.run("", "-C", "-t", "t", "-e"), strings.TrimSpace(strings.Join(want, "\n")))
}

func TestKcatListsAndQueries(t *testing.T) {
	b := interopBroker(t, 2)
	k := newKcat(t, b)
	k.run("a\nb\nc\n", "-P", "-t", "t", "-p", "1")
	list := k.run("", "-L", "-t", "t")
	mustContain(t, "-L", list, "broker 0 at "+b.Addr().String(), `topic "t" with 2 partitions`, "partition 1, leader 0, replicas: 0, isrs: 0")
	mustContain(t, "-L -J", k.run("", "-L", "-J"), `"topic":"t"`)
	wantText(t, "newest", k.run("", "-Q", "-t", "t:1:-1"), "t [1] offset 3")
	wantText(t, "oldest", k.run("", "-Q", "-t", "t:1:-2"), "t [1] offset 0")
	wantText(t, "by time", k.run("", "-Q", "-t", "t:1:1"), "t [1] offset 0")
	k.run("new\n", "-P", "-t", "made-by-producing")
	wantText(t, "topic made by producing", k.run("", "-C", "-t", "made-by-producing", "-e"), "new")
}

// member is a kcat that stays in a group until it is told to leave.
type member struct {
	t    *testing.T
	cmd  *exec.Cmd
	read sync.WaitGroup

	mu   sync.Mutex
	out  []string      // guarded by mu
	errs []string      // guarded by mu
	more chan struct{} // holds a token after a line came
}

func (k kcat) join(group string) *member {
	k.t.Helper()
	m := &member{t: k.t, more: make(chan struct{}, 1)}
	m.cmd = exec.Command(k.path, "-b", k.addr, "-u", "-f", "%p %s\n", "-X", "auto.offset.reset=earliest", "-X", "heartbeat.interval.ms=50",
		"-X", "auto.commit.interval.ms=100", "-X", "topic.metadata.refresh.interval.ms=100", "-G", group, "t")
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	errs, err := m.cmd.StderrPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	m.read.Go(func() { m.collect(out, &m.out) })
	m.read.Go(func() { m.collect(errs, &m.errs) })
	k.t.Cleanup(func() { m.cmd.Process.Kill() })
	return m
}

func (m *member) collect(r io.Reader, to *[]string) {
	for s := bufio.NewScanner(r); s.Scan(); {
		m.mu.Lock()
		*to = append(*to, s.Text())
		m.mu.Unlock()
		select {
		case m.more <- struct{}{}:
		default:
		}
	}
}

// wait returns when ok holds of the member's output, or fails the test.
func (m *member) wait(what string, ok func(out, errs []string) bool) {
	m.t.Helper()
	timeout := time.After(toolTimeout / 2)
	for {
		m.mu.Lock()
		done := ok(m.out, m.errs)
		m.mu.Unlock()
		if done {
			return
		}
		select {
		case <-m.more:
		case <-timeout:
			m.mu.Lock()
			defer m.mu.Unlock()
			m.t.Fatalf("waiting for %s: records %q, messages %q", what, m.out, m.errs)
		}
	}
}

// assigned waits until the member's latest assignment has so many partitions.
func (m *member) assigned(n int) {
	m.t.Helper()
	m.wait(fmt.Sprint(n, " partitions"), func(_, errs []string) bool {
		for _, l := range slices.Backward(errs) {
			if _, parts, ok := strings.Cut(l, "assigned: "); ok {
				return strings.Count(parts, "t [") == n
			}
		}
		return false
	})
}

// records waits for the first n records and returns all there are.
func (m *member) records(n int) []string {
	m.t.Helper()
	m.wait(fmt.Sprint(n, " records"), func(out, _ []string) bool { return len(out) >= n })
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.out)
}

// leave makes the member commit and leave its group.
func (m *member) leave() {
	m.t.Helper()
	m.cmd.Process.Signal(syscall.SIGTERM)
	m.read.Wait()
	m.cmd.Wait()
}

func TestKcatGroupOfTwo(t *testing.T) {
	b := interopBroker(t, 2)
	k := newKcat(t, b)
	p := client(t, b, overTCP, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	next := 0
	send := func(n int) {
		t.Helper()
		for range n {
			r := &kgo.Record{Topic: "t", Partition: int32(next % 2), Value: fmt.Append(nil, next)}
			if err := p.ProduceSync(testContext(t), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
			next++
		}
	}
	first := k.join("g")
	first.assigned(2)
	second := k.join("g")
	second.assigned(1)
	first.assigned(1)
	send(20)
	a, c := first.records(10), second.records(10)
	if a[0][0] == c[0][0] || len(a) != 10 || len(c) != 10 {
		t.Fatalf("two members read %q and %q", a, c)
	}
	for i := range 10 { // each has one partition, in order
		if want := fmt.Sprintf("%c %d", a[0][0], 2*i+int(a[0][0]-'0')); a[i] != want {
			t.Errorf("record %d of a member is %q, want %q", i, a[i], want)
		}
	}
	second.leave()
	first.assigned(2)
	send(10)
	if all := first.records(20); len(all) != 20 {
		t.Errorf("after taking over, %q: what the other had committed came again", all)
	}
	first.leave()

	send(2) // read by nobody yet
	out := k.run("", "-e", "-X", "auto.offset.reset=earliest", "-f", "%p %s\n", "-G", "g", "t")
	wantText(t, "resumed from committed offsets", sortedLines(out), "0 30\n1 31")
}
