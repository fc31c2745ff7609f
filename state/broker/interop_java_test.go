package broker

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// javaTools runs Kafka's tools against one broker.
type javaTools struct {
	t      *testing.T
	script string
	addr   string
}

func newJavaTools(t *testing.T, b *Broker) javaTools {
	t.Helper()
	script := os.Getenv("KAFKA_TOOLS")
	if script == "" {
		t.Skip("KAFKA_TOOLS does not name the script that runs Kafka's tools")
	}
	return javaTools{t, script, b.Addr().String()}
}

// run runs one tool with the broker's address.
func (j javaTools) run(stdin, name string, args ...string) string {
	j.t.Helper()
	return j.raw(stdin, name, append([]string{"--bootstrap-server", j.addr}, args...)...)
}

func (j javaTools) raw(stdin, name string, args ...string) string {
	j.t.Helper()
	return runTool(j.t, stdin, j.script, append([]string{"tool", name}, args...)...)
}

func (j javaTools) consume(n int, args ...string) string {
	j.t.Helper()
	return j.run("", "console-consumer", append([]string{"--topic", "t", "--from-beginning", "--timeout-ms", "20000", "--max-messages", fmt.Sprint(n)}, args...)...)
}

func TestJavaTopics(t *testing.T) {
	b := interopBroker(t, 1)
	j := newJavaTools(t, b)
	mustContain(t, "create", j.run("", "topics", "--create", "--topic", "made", "--partitions", "3", "--config", "retention.ms=1234567"), "Created topic made.")
	mustContain(t, "describe", j.run("", "topics", "--describe", "--topic", "made"),
		"PartitionCount: 3", "ReplicationFactor: 1", "retention.ms=1234567", "Partition: 2\tLeader: 0\tReplicas: 0\tIsr: 0")
	wantText(t, "list", sortedLines(j.run("", "topics", "--list", "--exclude-internal")), "made\nt")
	j.run("", "topics", "--alter", "--topic", "made", "--partitions", "5")
	if w, err := b.Watermarks("made", 4); err != nil || w.End != 0 {
		t.Errorf("fifth partition: %+v, %v", w, err)
	}
	mustContain(t, "alter config", j.run("", "configs", "--alter", "--entity-type", "topics", "--entity-name", "made",
		"--add-config", "retention.bytes=7654321", "--delete-config", "retention.ms"), "Completed updating config")
	got := j.run("", "configs", "--describe", "--entity-type", "topics", "--entity-name", "made")
	mustContain(t, "configs", got, "retention.bytes=7654321")
	if strings.Contains(got, "retention.ms") {
		t.Errorf("a deleted setting is still there:\n%s", got)
	}
	j.run("", "topics", "--delete", "--topic", "made")
	wantText(t, "list after delete", j.run("", "topics", "--list", "--exclude-internal"), "t")
}

func TestJavaProducesAndConsumes(t *testing.T) {
	b := interopBroker(t, 1)
	j := newJavaTools(t, b)
	var want []string
	for i, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		j.run(fmt.Sprintf("h%d:x\tk%d:%s\n", i, i, codec), "console-producer", "--topic", "t", "--compression-codec", codec,
			"--reader-property", "parse.key=true", "--reader-property", "key.separator=:", "--reader-property", "parse.headers=true",
			"--command-property", "acks=all")
		want = append(want, fmt.Sprintf("Offset:%d\th%d:x\tk%d\t%s", i, i, i, codec))
	}
	got := j.consume(5, "--formatter-property", "print.key=true", "--formatter-property", "print.headers=true", "--formatter-property", "print.offset=true")
	wantText(t, "consumed", got, strings.Join(want, "\n"))
	wantText(t, "get-offsets", j.run("", "get-offsets", "--topic", "t"), "t:0:5")
	wantText(t, "get-offsets earliest", j.run("", "get-offsets", "--topic", "t", "--time", "earliest"), "t:0:0")
	for i, r := range consume(t, client(t, b, overTCP, kgo.ConsumeTopics("t")), 5) {
		if string(r.Key) != fmt.Sprint("k", i) || len(r.Headers) != 1 || string(r.Headers[0].Value) != "x" {
			t.Errorf("record %d as the other client reads it: %+v", i, r)
		}
	}
}

func TestJavaGroups(t *testing.T) {
	b := interopBroker(t, 2)
	j := newJavaTools(t, b)
	p := client(t, b, overTCP, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	send := func(values ...string) {
		t.Helper()
		for i, v := range values {
			if err := p.ProduceSync(testContext(t), &kgo.Record{Topic: "t", Partition: int32(i % 2), Value: []byte(v)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	send("a", "b", "c", "d")
	wantText(t, "first run", sortedLines(j.consume(4, "--group", "g")), "a\nb\nc\nd")
	send("e", "f")
	describe := func(want ...string) {
		t.Helper()
		var rows []string
		for _, l := range lines(j.run("", "consumer-groups", "--describe", "--group", "g")) {
			if f := strings.Fields(l); len(f) > 5 && f[0] == "g" {
				rows = append(rows, strings.Join(f[1:6], " ")) // topic, partition, committed, end, lag
			}
		}
		wantText(t, "describe", sortedLines(strings.Join(rows, "\n")), strings.Join(want, "\n"))
	}
	describe("t 0 2 3 1", "t 1 2 3 1")
	wantText(t, "resumed", sortedLines(j.consume(2, "--group", "g")), "e\nf")
	describe("t 0 3 3 0", "t 1 3 3 0")
	wantText(t, "list", j.run("", "consumer-groups", "--list"), "g")
	mustContain(t, "state", j.run("", "consumer-groups", "--describe", "--group", "g", "--state"), "Empty")
	j.run("", "consumer-groups", "--group", "g", "--topic", "t:1", "--reset-offsets", "--to-offset", "1", "--execute")
	describe("t 0 3 3 0", "t 1 1 3 2")
	wantText(t, "after the reset", sortedLines(j.consume(2, "--group", "g")), "d\nf")
	mustContain(t, "delete", j.run("", "consumer-groups", "--delete", "--group", "g"), "was successful")
	wantText(t, "list after delete", j.run("", "consumer-groups", "--list"), "")
}

// TestJavaConsumerProtocol: Kafka's consumer of the protocol of KIP-848 reads all, commits, and the tools tell of the group.
func TestJavaConsumerProtocol(t *testing.T) {
	b := interopBroker(t, 2)
	j := newJavaTools(t, b)
	j.run("a\nb\nc\n", "console-producer", "--topic", "t")
	got := j.consume(3, "--group", "next", "--command-property", "group.protocol=consumer")
	wantText(t, "consumed", sortedLines(got), "a\nb\nc")
	mustContain(t, "list", j.run("", "consumer-groups", "--list", "--type", "consumer"), "next")
	mustContain(t, "describe", j.run("", "consumer-groups", "--describe", "--group", "next", "--offsets"), "next", "t", "0")
	mustContain(t, "state", j.run("", "consumer-groups", "--describe", "--group", "next", "--state"), "Empty", "uniform")
	mustContain(t, "delete", j.run("", "consumer-groups", "--delete", "--group", "next"), "successful")
}

func TestJavaTransactions(t *testing.T) {
	b := interopBroker(t, 1)
	j := newJavaTools(t, b)
	ctx := testContext(t)
	p := client(t, b, overTCP, kgo.TransactionalID("x"))
	begin(t, p)
	send(ctx, t, p, "t", "aborted")
	end(ctx, t, p, kgo.TryAbort)
	begin(t, p)
	send(ctx, t, p, "t", "committed")
	end(ctx, t, p, kgo.TryCommit)
	begin(t, p)
	send(ctx, t, p, "t", "open")

	wantText(t, "uncommitted", j.consume(3, "--isolation-level", "read_uncommitted"), "aborted\ncommitted\nopen")
	wantText(t, "committed", j.consume(1, "--isolation-level", "read_committed"), "committed")
	list := j.run("", "transactions", "list")
	if rows := lines(list); len(rows) != 2 || strings.Join(strings.Fields(rows[1]), " ") != "x 0 0 Ongoing" {
		t.Errorf("transactions list:\n%s", list)
	}
	mustContain(t, "transactions describe", j.run("", "transactions", "describe", "--transactional-id", "x"), "Ongoing", "t-0")
	mustContain(t, "describe-producers", j.run("", "transactions", "describe-producers", "--topic", "t", "--partition", "0"), "ProducerId")
	end(testContext(t), t, p, kgo.TryCommit)
	wantText(t, "committed at the end", j.consume(2, "--isolation-level", "read_committed"), "committed\nopen")
}

// TestJavaExactlyOnce copies a topic with Kafka's own consume-transform-produce loop: records and group offsets in transactions.
func TestJavaExactlyOnce(t *testing.T) {
	const n = 200
	b := interopBroker(t, 1)
	j := newJavaTools(t, b)
	if err := b.CreateTopic("copy", 1, nil); err != nil {
		t.Fatal(err)
	}
	produce(t, client(t, b, overTCP), "t", "v", n)
	j.raw("", "transactional-message-copier", "--broker-list", j.addr, "--input-topic", "t", "--input-partition", "0", "--output-topic", "copy",
		"--consumer-group", "copier", "--transactional-id", "copier", "--transaction-size", "20", "--max-messages", fmt.Sprint(n))
	got := consume(t, client(t, b, overTCP, kgo.ConsumeTopics("copy"), kgo.FetchIsolationLevel(kgo.ReadCommitted())), n)
	for i, r := range got {
		if want := fmt.Sprint("v-", i); string(r.Value) != want {
			t.Fatalf("record %d is %q, want %q", i, r.Value, want)
		}
	}
	mustContain(t, "offsets", strings.Join(strings.Fields(j.run("", "consumer-groups", "--describe", "--group", "copier")), " "),
		fmt.Sprintf("copier t 0 %d %d 0", n, n))
	perf := j.run("", "producer-perf-test", "--topic", "copy", "--num-records", "5000", "--record-size", "100", "--throughput", "-1",
		"--transactional-id", "perf", "--transaction-duration-ms", "50")
	mustContain(t, "perf", perf, "5000 records sent")
	if w, err := b.Watermarks("copy", 0); err != nil || w.Stable != w.End || w.End < n+5000 {
		t.Errorf("after a transactional load: %+v, %v", w, err)
	}
}
