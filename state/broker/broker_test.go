package broker

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// openBroker opens a broker that serves TCP and memory, closed at the end of the test.
func openBroker(t testing.TB, dir string) *Broker {
	t.Helper()
	b, err := Open(Options{DataDir: dir, Listen: "127.0.0.1:0", AutoCreateTopics: true, DefaultPartitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(context.Background()) })
	return b
}

// network names a way to reach a broker.
type network string

const (
	overTCP    network = "tcp"
	overMemory network = "memory"
)

var networks = []network{overTCP, overMemory}

// client connects a client to the broker over the network.
func client(t testing.TB, b *Broker, n network, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	if n == overTCP {
		opts = append(opts, kgo.SeedBrokers(b.Addr().String()))
	} else {
		opts = append(opts, kgo.SeedBrokers(InternalAddr),
			kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return b.Dial(ctx) }))
	}
	c, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// produce sends n records with values prefix-0… to partition 0 and waits for them.
func produce(t testing.TB, c *kgo.Client, topic, prefix string, n int) {
	t.Helper()
	recs := make([]*kgo.Record, n)
	for i := range recs {
		recs[i] = &kgo.Record{Topic: topic, Key: []byte("k"), Value: fmt.Appendf(nil, "%s-%d", prefix, i)}
	}
	if err := c.ProduceSync(testContext(t), recs...).FirstErr(); err != nil {
		t.Fatal("producing:", err)
	}
}

// consume reads n records.
func consume(t testing.TB, c *kgo.Client, n int) []*kgo.Record {
	t.Helper()
	ctx := testContext(t)
	var out []*kgo.Record
	for len(out) < n {
		fs := c.PollFetches(ctx)
		if err := fs.Err0(); err != nil {
			t.Fatalf("consuming after %d of %d: %v", len(out), n, err)
		}
		fs.EachError(func(topic string, p int32, err error) { t.Fatalf("fetching %s-%d: %v", topic, p, err) })
		out = append(out, fs.Records()...)
	}
	return out
}

func TestProduceConsume(t *testing.T) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for _, n := range networks {
		b := openBroker(t, t.TempDir())
		for name, codec := range codecs {
			t.Run(string(n)+"/"+name, func(t *testing.T) {
				topic := "events-" + name
				p := client(t, b, n, kgo.ProducerBatchCompression(codec), kgo.AllowAutoTopicCreation())
				produce(t, p, topic, "a", 500)
				produce(t, p, topic, "b", 500)
				got := consume(t, client(t, b, n, kgo.ConsumeTopics(topic)), 1000)
				for i, r := range got {
					want := fmt.Sprintf("a-%d", i)
					if i >= 500 {
						want = fmt.Sprintf("b-%d", i-500)
					}
					if string(r.Value) != want || r.Offset != int64(i) || string(r.Key) != "k" {
						t.Fatalf("record %d: offset %d, value %q, want %q", i, r.Offset, r.Value, want)
					}
				}
			})
		}
	}
}

func TestRestartKeepsData(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir)
	if err := b.CreateTopic("kept", 3, map[string]string{"retention.ms": "-1"}); err != nil {
		t.Fatal(err)
	}
	before := b.Topics()
	c := client(t, b, overMemory, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for p := range int32(3) {
		r := &kgo.Record{Topic: "kept", Partition: p, Value: []byte("v")}
		if err := c.ProduceSync(testContext(t), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	if err := b.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	b = openBroker(t, dir)
	var after TopicInfo
	for _, info := range b.Topics() {
		if info.Name == "kept" {
			after = info
		}
	}
	if after.ID == [16]byte{} || after.Partitions != 3 || after.Config["retention.ms"] != "-1" {
		t.Fatalf("after restart: %+v, before: %+v", after, before)
	}
	if got := consume(t, client(t, b, overTCP, kgo.ConsumeTopics("kept")), 3); len(got) != 3 {
		t.Fatalf("got %d records", len(got))
	}
	if m := b.Metrics(); m.Connections == 0 || m.Requests == 0 || m.BytesOut == 0 || m.FetchesAnswered == 0 || m.Partitions < 3 || m.StoredBytes == 0 {
		t.Errorf("metrics %+v", m)
	}
}

func TestSecondBrokerIsRefused(t *testing.T) {
	dir := t.TempDir()
	openBroker(t, dir)
	if b, err := Open(Options{DataDir: dir}); err == nil {
		b.Close(context.Background())
		t.Fatal("two brokers share a data directory")
	}
}

func TestListOffsets(t *testing.T) {
	b := openBroker(t, t.TempDir())
	c := client(t, b, overTCP, kgo.AllowAutoTopicCreation(), kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	for i := range 10 {
		r := &kgo.Record{Topic: "times", Value: []byte("v"), Timestamp: time.UnixMilli(int64(1000 + 10*i))}
		r2 := &kgo.Record{Topic: "times", Value: []byte("v"), Timestamp: time.UnixMilli(int64(1005 + 10*i))}
		if err := c.ProduceSync(testContext(t), r, r2).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	adm := kadm.NewClient(c)
	for ts, want := range map[int64]int64{0: 0, 1000: 0, 1001: 1, 1005: 1, 1006: 2, 1094: 19, 1096: 20} {
		got, err := adm.ListOffsetsAfterMilli(testContext(t), ts, "times")
		if err != nil {
			t.Fatal(err)
		}
		if o, _ := got.Lookup("times", 0); o.Err != nil || o.Offset != want {
			t.Errorf("offset at %d = %d (%v), want %d", ts, o.Offset, o.Err, want)
		}
	}
	start, _ := adm.ListStartOffsets(testContext(t), "times")
	end, _ := adm.ListEndOffsets(testContext(t), "times")
	if s, _ := start.Lookup("times", 0); s.Offset != 0 {
		t.Errorf("start %d", s.Offset)
	}
	if e, _ := end.Lookup("times", 0); e.Offset != 20 {
		t.Errorf("end %d", e.Offset)
	}
	if mx, err := adm.ListMaxTimestampOffsets(testContext(t), "times"); err != nil {
		t.Error(err)
	} else if o, _ := mx.Lookup("times", 0); o.Offset != 19 || o.Timestamp != 1095 {
		t.Errorf("max timestamp at %d (%d)", o.Offset, o.Timestamp)
	}
}

func TestLongPollWakes(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("poll", 1, nil); err != nil {
		t.Fatal(err)
	}
	c := client(t, b, overMemory, kgo.ConsumeTopics("poll"), kgo.FetchMaxWait(15*time.Second))
	go func() {
		time.Sleep(300 * time.Millisecond) // long enough for the fetch to be waiting; the test holds without it too
		p := client(t, b, overMemory)
		p.ProduceSync(context.Background(), &kgo.Record{Topic: "poll", Value: []byte("x")})
	}()
	begin := time.Now()
	consume(t, c, 1)
	if d := time.Since(begin); d > 5*time.Second {
		t.Fatalf("the record took %v: the waiting fetch was not woken", d)
	}
}

func TestAdmin(t *testing.T) {
	b := openBroker(t, t.TempDir())
	c := client(t, b, overTCP)
	adm := kadm.NewClient(c)
	ctx := testContext(t)
	if _, err := adm.CreateTopic(ctx, 2, 1, map[string]*string{"retention.ms": kadm.StringPtr("1000")}, "t"); err != nil {
		t.Fatal(err)
	}
	if _, err := adm.CreateTopic(ctx, 1, 1, nil, "t"); err == nil {
		t.Fatal("topic was created twice")
	}
	if _, err := adm.CreateTopic(ctx, 1, 1, map[string]*string{"no.such": kadm.StringPtr("1")}, "u"); err == nil {
		t.Fatal("unknown setting was taken")
	}
	if _, err := adm.CreateTopic(ctx, 1, 3, nil, "u"); err == nil {
		t.Fatal("replication factor 3 was taken")
	}
	if _, err := adm.CreatePartitions(ctx, 2, "t"); err != nil {
		t.Fatal(err)
	}
	if _, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.bytes", Value: kadm.StringPtr("77")}}, "t"); err != nil {
		t.Fatal(err)
	}
	rcs, err := adm.DescribeTopicConfigs(ctx, "t")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, kv := range rcs[0].Configs {
		values[kv.Key] = kv.MaybeValue()
	}
	if values["retention.ms"] != "1000" || values["retention.bytes"] != "77" || values["flush.policy"] != "ack" {
		t.Fatalf("configs: %v", values)
	}
	tds, err := adm.ListTopics(ctx)
	if err != nil || len(tds["t"].Partitions) != 4 {
		t.Fatalf("topics: %v, %v", tds, err)
	}
	produce(t, client(t, b, overMemory, kgo.RecordPartitioner(kgo.ManualPartitioner())), "t", "x", 10)
	del := kadm.Offsets{}
	del.AddOffset("t", 0, 4, -1)
	if res, err := adm.DeleteRecords(ctx, del); err != nil || res["t"][0].LowWatermark != 4 {
		t.Fatalf("deleting records: %v, %v", res, err)
	}
	if res, err := adm.DeleteTopics(ctx, "t"); err != nil || res["t"].Err != nil {
		t.Fatalf("deleting topic: %v, %v", res, err)
	}
	if _, err := b.Watermarks("t", 0); err == nil {
		t.Fatal("topic is still there")
	}
}
