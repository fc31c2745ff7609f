package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// These tests need a real server: KAFKA_BROKERS=$(.ci/services/kafka.sh start).

func brokers(t testing.TB) string {
	t.Helper()
	b := os.Getenv("KAFKA_BROKERS")
	if b == "" {
		t.Skip("needs KAFKA_BROKERS")
	}
	return b
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func plainClient(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(splitList(brokers(t))...)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var topicCount atomic.Int64

// newTopic makes a topic that no other test knows.
func newTopic(t testing.TB, partitions int32) string {
	t.Helper()
	topic := fmt.Sprintf("%s-%d-%d", strings.ReplaceAll(t.Name(), "/", "."), time.Now().UnixNano(), topicCount.Add(1))
	admin := kadm.NewClient(plainClient(t))
	if _, err := admin.CreateTopic(testContext(t), partitions, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.DeleteTopics(context.Background(), topic) })
	return topic
}

func produce(t testing.TB, topic string, partition int32, values ...string) {
	t.Helper()
	c := plainClient(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for _, v := range values {
		r := &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v)}
		if key, rest, ok := strings.Cut(v, "="); ok {
			r.Key, r.Value = []byte(key), []byte(rest)
			if rest == "" {
				r.Value = nil
			}
		}
		if err := c.ProduceSync(testContext(t), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

var idColumns = []connectors.Column{column("id", types.Int64)}

func openSource(t testing.TB, topic string, columns []connectors.Column, set map[string]string) *source {
	t.Helper()
	all := map[string]string{"topic": topic, "brokers": brokers(t)}
	for k, v := range set {
		all[k] = v
	}
	cfg := connectors.SourceConfig{ID: "job", Relation: "r", Columns: columns, Options: values(t, all)}
	if all["upsert"] == "true" {
		cfg.Key = []string{"id"}
	}
	s, err := newSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*source)
}

// readUntil reads until the status is one of the given; it returns the ids read.
func readUntil(t testing.TB, r connectors.Reader, columns []connectors.Column, until ...connectors.Status) []int64 {
	t.Helper()
	ctx := testContext(t)
	var ids []int64
	for {
		b := vector.NewBatch(fieldsOf(columns), 16)
		status, err := r.Read(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.Cols[0].I64...)
		if slices.Contains(until, status) {
			return ids
		}
	}
}

func openSplit(t testing.TB, s *source, p partition, at connectors.Position) connectors.Reader {
	t.Helper()
	r, err := s.Open(testContext(t), p.split(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func idValues(from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf(`{"id":%d}`, i))
	}
	return out
}

func wantIDs(t testing.TB, got []int64, from, to int64) {
	t.Helper()
	for i, id := range got {
		if id != from+int64(i) {
			t.Fatalf("row %d is %d, want %d", i, id, from+int64(i))
		}
	}
	if int64(len(got)) != to-from {
		t.Fatalf("%d rows, want %d", len(got), to-from)
	}
}

func TestSourceReadsIdlesAndResumes(t *testing.T) {
	topic := newTopic(t, 2)
	s := openSource(t, topic, idColumns, nil)
	splits, err := s.Splits(testContext(t))
	if err != nil || len(splits) != 2 {
		t.Fatalf("%v, %v", splits, err)
	}
	p := partition{topic, 0}
	r := openSplit(t, s, p, nil)
	wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 0, 0) // an empty partition is idle at once
	produce(t, topic, 0, idValues(0, 10)...)
	var got []int64
	for len(got) < 10 {
		got = append(got, readUntil(t, r, idColumns, connectors.Idle)...)
	}
	wantIDs(t, got, 0, 10)
	if r.Lag() != 0 {
		t.Errorf("lag %d", r.Lag())
	}
	at := r.Position()
	produce(t, topic, 0, append([]string{"no json"}, idValues(10, 15)...)...)
	r2 := openSplit(t, openSource(t, topic, idColumns, nil), p, at)
	wantIDs(t, readUntil(t, r2, idColumns, connectors.Idle), 10, 15)
	rejected := r2.Rejected()
	if len(rejected) != 1 || string(rejected[0].Raw) != "no json" || rejected[0].Position != topic+"[0]@10" {
		t.Errorf("rejected: %+v", rejected)
	}
	if _, err := s.Open(testContext(t), p.split(), nil); err == nil {
		t.Error("a split was opened twice")
	}
}

func TestSourceStartsAndEnds(t *testing.T) {
	topic := newTopic(t, 1)
	p := partition{topic, 0}
	produce(t, topic, 0, idValues(0, 10)...)
	time.Sleep(2 * time.Millisecond) // the next records get a later timestamp
	middle := time.Now().UnixMilli()
	produce(t, topic, 0, idValues(10, 20)...)
	for _, c := range []struct {
		set      map[string]string
		from, to int64
	}{
		{map[string]string{"scan_bounded": "latest"}, 0, 20},
		{map[string]string{"scan_startup": "latest", "scan_bounded": "latest"}, 20, 20},
		{map[string]string{"scan_startup": "offsets", "scan_startup_offsets": "0:5", "scan_bounded": "offsets", "scan_bounded_offsets": "0:7"}, 5, 7},
		{map[string]string{"scan_startup": "timestamp", "scan_startup_timestamp": fmt.Sprint(middle), "scan_bounded": "latest"}, 10, 20},
		{map[string]string{"scan_bounded": "timestamp", "scan_bounded_timestamp": fmt.Sprint(middle)}, 0, 10},
	} {
		r := openSplit(t, openSource(t, topic, idColumns, c.set), p, nil)
		wantIDs(t, readUntil(t, r, idColumns, connectors.End), c.from, c.to)
	}
	// The bound is part of the position: what comes later does not move it.
	s := openSource(t, topic, idColumns, map[string]string{"scan_bounded": "latest"})
	at := openSplit(t, s, p, nil).Position()
	produce(t, topic, 0, idValues(20, 25)...)
	r := openSplit(t, openSource(t, topic, idColumns, map[string]string{"scan_bounded": "latest"}), p, at)
	wantIDs(t, readUntil(t, r, idColumns, connectors.End), 0, 20)
}

func TestSourceCommitsToGroup(t *testing.T) {
	topic := newTopic(t, 1)
	produce(t, topic, 0, idValues(0, 10)...)
	set := map[string]string{"group_id": "g-" + topic, "scan_startup": "group"}
	p := partition{topic, 0}
	s := openSource(t, topic, idColumns, set)
	at := position{next: 4, epoch: -1, bound: noBound}.encode()
	if err := s.Commit(testContext(t), map[string]connectors.Position{p.split().ID: at}); err != nil {
		t.Fatal(err)
	}
	r := openSplit(t, openSource(t, topic, idColumns, set), p, nil)
	wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 4, 10)
}

func TestSourceDataLoss(t *testing.T) {
	topic := newTopic(t, 1)
	p := partition{topic, 0}
	produce(t, topic, 0, idValues(0, 10)...)
	r := openSplit(t, openSource(t, topic, idColumns, nil), p, nil)
	wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 0, 10)
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 6, -1)
	if _, err := kadm.NewClient(plainClient(t)).DeleteRecords(testContext(t), offsets); err != nil {
		t.Fatal(err)
	}
	at := position{next: 2, epoch: -1, bound: noBound}.encode()
	_, err := openSource(t, topic, idColumns, nil).Open(testContext(t), p.split(), at)
	if err == nil || !strings.Contains(err.Error(), "offsets 2 to 5") {
		t.Errorf("got %v", err)
	}
	r = openSplit(t, openSource(t, topic, idColumns, map[string]string{"on_data_loss": "continue"}), p, at)
	wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 6, 10)
	// Past the end of the log: the broker says so when the first fetch comes.
	at = position{next: 50, epoch: -1, bound: noBound}.encode()
	r = openSplit(t, openSource(t, topic, idColumns, map[string]string{"on_data_loss": "continue"}), p, at)
	ctx, b := testContext(t), vector.NewBatch(fieldsOf(idColumns), 16)
	for {
		if _, err := r.Read(ctx, b); err != nil {
			t.Fatal(err)
		}
		if pos, _ := decodePosition(r.Position()); pos.next == 10 {
			break
		}
	}
}

func TestSourceUnknownTopic(t *testing.T) {
	topic := newTopic(t, 1)
	s := openSource(t, topic[:len(topic)-1], idColumns, nil)
	_, err := s.Splits(testContext(t))
	d, ok := diag.As(err)
	if !ok || d.Code != diag.UnknownTopic {
		t.Fatalf("got %v", err)
	}
}

func TestSourceNewPartition(t *testing.T) {
	topic := newTopic(t, 1)
	s := openSource(t, topic, idColumns, map[string]string{"scan_startup": "latest"})
	if splits, err := s.Splits(testContext(t)); err != nil || len(splits) != 1 {
		t.Fatal(splits, err)
	}
	if _, err := kadm.NewClient(plainClient(t)).UpdatePartitions(testContext(t), 2, topic); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		splits, err := s.Splits(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(splits) == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the new partition was not found")
		}
	}
	produce(t, topic, 1, idValues(0, 5)...)
	r := openSplit(t, s, partition{topic, 1}, nil)
	wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 0, 5) // from its beginning, although the job began at the latest
}

// TestSourceTransactions: aborted records are not read, and a partition that ends in markers is idle.
func TestSourceTransactions(t *testing.T) {
	topic := newTopic(t, 1)
	c := plainClient(t, kgo.TransactionalID("txn-"+topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
		if err := c.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		r := &kgo.Record{Topic: topic, Value: fmt.Appendf(nil, `{"id":%d}`, i/2)}
		if err := c.ProduceSync(testContext(t), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := c.EndTransaction(testContext(t), commit); err != nil {
			t.Fatal(err)
		}
	}
	r := openSplit(t, openSource(t, topic, idColumns, nil), partition{topic, 0}, nil)
	wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 0, 2)
	if r.Lag() != 0 {
		t.Errorf("lag %d behind the last marker", r.Lag())
	}
	r = openSplit(t, openSource(t, topic, idColumns, map[string]string{"scan_bounded": "latest"}), partition{topic, 0}, nil)
	wantIDs(t, readUntil(t, r, idColumns, connectors.End), 0, 2)
}

func TestSourceUpsert(t *testing.T) {
	topic := newTopic(t, 1)
	produce(t, topic, 0, `7={"id":7,"v":1}`, `8={"id":8,"v":2}`, `7=`)
	columns := []connectors.Column{column("id", types.Int64), column("v", types.Int64)}
	r := openSplit(t, openSource(t, topic, columns, map[string]string{"upsert": "true"}), partition{topic, 0}, nil)
	ctx, b := testContext(t), vector.NewBatch(fieldsOf(columns), 16)
	for {
		status, err := r.Read(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		if status == connectors.Idle {
			break
		}
	}
	if b.N != 3 || b.Change(1) != vector.Insert || b.Change(2) != vector.Delete || b.Cols[0].I64[2] != 7 || !b.Cols[1].IsNull(2) {
		t.Errorf("%d rows, changes %v, ids %v", b.N, b.Op, b.Cols[0].I64)
	}
}

// TestSlowSplit: a partition that nobody reads does not hold up another one.
func TestSlowSplit(t *testing.T) {
	topic := newTopic(t, 2)
	pad := strings.Repeat("x", 1000)
	c := plainClient(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	const n = 20_000 // 20 MB a partition, above queueBytesMax
	for i := range 2 * n {
		c.Produce(context.Background(), &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: fmt.Appendf(nil, `{"id":%d,"pad":%q}`, i/2, pad)}, nil)
	}
	if err := c.Flush(testContext(t)); err != nil {
		t.Fatal(err)
	}
	s := openSource(t, topic, idColumns, map[string]string{"scan_bounded": "latest"})
	slow := openSplit(t, s, partition{topic, 0}, nil)
	fast := openSplit(t, s, partition{topic, 1}, nil)
	wantIDs(t, readUntil(t, fast, idColumns, connectors.End), 0, n)
	q := slow.(*reader).queue
	q.mu.Lock()
	bytes := q.bytes
	q.mu.Unlock()
	if bytes > 2*queueBytesMax {
		t.Errorf("%d bytes wait for the slow reader", bytes)
	}
	wantIDs(t, readUntil(t, slow, idColumns, connectors.End), 0, n)
}

func TestSourceUnreachable(t *testing.T) {
	s, err := newSource(connectors.SourceConfig{Relation: "r", Columns: idColumns,
		Options: values(t, map[string]string{"brokers": "127.0.0.1:1", "connect_timeout": "300ms"})})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Splits(testContext(t))
	if d, ok := diag.As(err); !ok || d.Code != diag.SourceUnavailable || !strings.Contains(d.Message, "refused") {
		t.Errorf("got %v", err)
	}
	if s.(*source).Health() == nil {
		t.Error("healthy without a broker")
	}
}

// gate is a dialer whose connections a test can cut.
type gate struct {
	addr string
	shut atomic.Bool
	open chan net.Conn
}

func (g *gate) dial(ctx context.Context) (net.Conn, error) {
	if g.shut.Load() {
		return nil, errors.New("the gate is shut")
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", g.addr)
	if err == nil {
		g.open <- c
	}
	return c, err
}

func (g *gate) cut() {
	g.shut.Store(true)
	for {
		select {
		case c := <-g.open:
			c.Close()
		default:
			return
		}
	}
}

func (g *gate) env() *connectors.Env {
	return &connectors.Env{DialBroker: g.dial, BrokerAddr: "embedded:9092"}
}

func newGate(t testing.TB) *gate {
	return &gate{addr: splitList(brokers(t))[0], open: make(chan net.Conn, 1000)}
}

// TestDataLossWhileReading: records are deleted between two fetches of an open reader.
func TestDataLossWhileReading(t *testing.T) {
	for _, policy := range []string{"fail", "continue"} {
		g, topic := newGate(t), newTopic(t, 1)
		src, err := newSource(connectors.SourceConfig{Env: g.env(), Relation: "r", Columns: idColumns,
			Options: values(t, map[string]string{"topic": topic, "brokers": "", "on_data_loss": policy})})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		produce(t, topic, 0, idValues(0, 5)...)
		r := openSplit(t, src.(*source), partition{topic, 0}, nil)
		wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 0, 5)
		g.cut()
		produce(t, topic, 0, idValues(5, 20)...)
		offsets := kadm.Offsets{}
		offsets.AddOffset(topic, 0, 15, -1)
		if _, err := kadm.NewClient(plainClient(t)).DeleteRecords(testContext(t), offsets); err != nil {
			t.Fatal(err)
		}
		g.shut.Store(false)
		if policy == "continue" {
			wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 15, 20)
			continue
		}
		_, err = r.Read(testContext(t), vector.NewBatch(fieldsOf(idColumns), 16))
		if err == nil || !strings.Contains(err.Error(), "offsets 5 to 14") {
			t.Errorf("got %v", err)
		}
	}
}

// TestEmbeddedCreatesTopic: the embedded broker makes the topic of a source that does not exist yet.
func TestEmbeddedCreatesTopic(t *testing.T) {
	topic := fmt.Sprintf("made-%d", time.Now().UnixNano())
	src, err := newSource(connectors.SourceConfig{Env: newGate(t).env(), Relation: "r", Columns: idColumns,
		Options: values(t, map[string]string{"topic": topic, "brokers": ""})})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	splits, err := src.Splits(testContext(t))
	if err != nil || len(splits) != 1 {
		t.Errorf("%v, %v", splits, err)
	}
	t.Cleanup(func() { kadm.NewClient(plainClient(t)).DeleteTopics(context.Background(), topic) })
}

// TestBrokerAway: a broker that goes away in the middle loses no row, and the dialer of the embedded broker takes all connections.
func TestBrokerAway(t *testing.T) {
	g, topic := newGate(t), newTopic(t, 1)
	v := values(t, map[string]string{"topic": topic, "brokers": ""})
	src, err := newSource(connectors.SourceConfig{Env: g.env(), Relation: "r", Columns: idColumns, Options: v})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	s := src.(*source)
	produce(t, topic, 0, idValues(0, 5)...)
	if _, err := s.Splits(testContext(t)); err != nil {
		t.Fatal(err)
	}
	r := openSplit(t, s, partition{topic, 0}, nil)
	wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 0, 5)
	g.cut()
	produce(t, topic, 0, idValues(5, 10)...)
	for deadline := time.Now().Add(20 * time.Second); s.Health() == nil; {
		if time.Now().After(deadline) {
			t.Fatal("nobody notices that the broker is away")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if splits, err := s.Splits(testContext(t)); err != nil || len(splits) != 1 {
		t.Errorf("splits while the broker is away: %v, %v", splits, err)
	}
	g.shut.Store(false)
	wantIDs(t, readUntil(t, r, idColumns, connectors.Idle), 5, 10)
	if err := s.Health(); err != nil {
		t.Errorf("the broker is back: %v", err)
	}
}
