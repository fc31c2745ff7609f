package broker

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	mirrorRecords = 2000
	mirrorTimeout = 3 * time.Minute
)

// mirrorConfig mirrors one topic from the real Kafka to ours and one the other way, with a group's offsets. All of MirrorMaker's own topics have one
// replica; its intervals are short so that the test is.
const mirrorConfig = `clusters = real%[4]d, ours%[4]d
real%[4]d.bootstrap.servers = %[1]s
ours%[4]d.bootstrap.servers = %[2]s
real%[4]d->ours%[4]d.enabled = true
real%[4]d->ours%[4]d.topics = %[3]s.there
real%[4]d->ours%[4]d.groups = %[3]s.readers
ours%[4]d->real%[4]d.enabled = true
ours%[4]d->real%[4]d.topics = %[3]s.here
replication.factor = 1
checkpoints.topic.replication.factor = 1
heartbeats.topic.replication.factor = 1
offset-syncs.topic.replication.factor = 1
offset.storage.replication.factor = 1
status.storage.replication.factor = 1
config.storage.replication.factor = 1
offset.storage.partitions = 1
status.storage.partitions = 1
emit.checkpoints.interval.seconds = 1
refresh.topics.interval.seconds = 2
refresh.groups.interval.seconds = 2
sync.topic.configs.interval.seconds = 2
sync.group.offsets.enabled = true
sync.group.offsets.interval.seconds = 1
offset.flush.interval.ms = 500
offset.lag.max = 0
consumer.auto.offset.reset = earliest
real%[4]d.exactly.once.source.support = enabled
ours%[4]d.exactly.once.source.support = enabled
dedicated.mode.enable.internal.rest = false
`

// TestMirrorMaker copies a topic from a real Kafka to this broker and another one the other way, both at once, exactly once, with
// keys, values, headers, timestamps, topic settings and a group's offsets.
func TestMirrorMaker(t *testing.T) {
	script, real := os.Getenv("KAFKA_TOOLS"), os.Getenv("KAFKA_BROKERS")
	if script == "" || real == "" {
		t.Skip("KAFKA_TOOLS and KAFKA_BROKERS do not name Kafka's tools and a real Kafka")
	}
	b := openBroker(t, t.TempDir())
	ours := b.Addr().String()
	// What the tool keeps on the real Kafka from an earlier run goes by the names of the clusters: each run has its own.
	run := time.Now().UnixNano()
	prefix := fmt.Sprintf("mm%d", run)
	mirrored := fmt.Sprintf("real%d.%s.there", run, prefix)
	there, here := prefix+".there", prefix+".here"
	fillTopic(t, real, there)
	fillTopic(t, ours, here)
	commitHalf(t, real, there, prefix+".readers")

	config := filepath.Join(t.TempDir(), "mm2.properties")
	if err := os.WriteFile(config, fmt.Appendf(nil, mirrorConfig, real, ours, prefix, run), 0o600); err != nil {
		t.Fatal(err)
	}
	startTool(t, script, "tool", "connect-mirror-maker", config)

	checkMirror(t, ours, mirrored)
	checkMirror(t, real, fmt.Sprintf("ours%d.%s", run, here))
	adm := kadm.NewClient(mirrorClient(t, ours))
	awaitTrue(t, mirrorTimeout, "the group's translated offsets", func() bool {
		offsets, err := adm.FetchOffsets(testContext(t), prefix+".readers")
		o, ok := offsets.Lookup(mirrored, 0)
		return err == nil && ok && o.At > 0 && o.At <= mirrorRecords/2
	})
	awaitTrue(t, mirrorTimeout, "the topic's setting", func() bool {
		configs, err := adm.DescribeTopicConfigs(testContext(t), mirrored)
		if err != nil || configs[0].Err != nil {
			return false
		}
		for _, c := range configs[0].Configs {
			if c.Key == "retention.ms" && c.MaybeValue() == "123456789" {
				return true
			}
		}
		return false
	})
}

func mirrorClient(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(addr, ",")...), kgo.MetadataMinAge(100 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func mirrorRecord(i int) *kgo.Record {
	return &kgo.Record{
		Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, "value %d", i), Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)),
		Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, i)}},
	}
}

// fillTopic makes a topic with a setting of its own and records that tell their number.
func fillTopic(t *testing.T, addr, topic string) {
	t.Helper()
	cl := mirrorClient(t, addr, kgo.DefaultProduceTopic(topic))
	adm := kadm.NewClient(cl)
	keep := "123456789"
	if r, err := adm.CreateTopic(testContext(t), 1, 1, map[string]*string{"retention.ms": &keep, "message.timestamp.type": kmsg.StringPtr("CreateTime")}, topic); err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	t.Cleanup(func() { adm.DeleteTopics(context.Background(), topic) })
	for i := range mirrorRecords {
		cl.Produce(testContext(t), mirrorRecord(i), nil)
	}
	if err := cl.Flush(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

// commitHalf leaves a group in the middle of the topic.
func commitHalf(t *testing.T, addr, topic, group string) {
	t.Helper()
	var at kadm.Offsets
	at.AddOffset(topic, 0, mirrorRecords/2, -1)
	if err := kadm.NewClient(mirrorClient(t, addr)).CommitAllOffsets(testContext(t), group, at); err != nil {
		t.Fatal(err)
	}
}

// checkMirror waits for all records of the mirrored topic and compares them, and that nothing follows them.
func checkMirror(t *testing.T, addr, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), mirrorTimeout)
	defer cancel()
	cl := mirrorClient(t, addr, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.AllowAutoTopicCreation())
	next := 0
	check := func(r *kgo.Record) {
		want := mirrorRecord(next)
		if string(r.Key) != string(want.Key) || string(r.Value) != string(want.Value) || !r.Timestamp.Equal(want.Timestamp) ||
			len(r.Headers) != 1 || string(r.Headers[0].Value) != string(want.Headers[0].Value) {
			t.Fatalf("%s: record %d is %s=%s %v %v", topic, next, r.Key, r.Value, r.Headers, r.Timestamp)
		}
		next++
	}
	for next < mirrorRecords {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%s: %d of %d records after %v", topic, next, mirrorRecords, mirrorTimeout)
		}
		fs.EachRecord(check)
	}
	ctx, cancel = context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) { t.Errorf("%s: %s comes twice", topic, r.Value) })
}

// startTool starts a foreign program in a process group of its own, which ends with the test; its output is shown when the test fails.
func startTool(t *testing.T, path string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "tool.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
		if out, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s %s:\n%s", path, strings.Join(args, " "), out[max(0, len(out)-8000):])
		}
		log.Close()
	})
}

func awaitTrue(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not after %v", what, limit)
		}
	}
}
