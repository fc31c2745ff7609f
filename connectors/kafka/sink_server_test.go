package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func openSink(t testing.TB, topic string, set map[string]string) *sink {
	t.Helper()
	all := map[string]string{"topic": topic, "brokers": brokers(t)}
	for k, v := range set {
		all[k] = v
	}
	cfg := connectors.SinkConfig{ID: "sink-" + topic, Relation: "r", Columns: idColumns, Options: values(t, all)}
	c, err := newSink(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(testContext(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*sink)
}

func stageOf(t testing.TB, s *sink, from, to int) []byte {
	t.Helper()
	b := vector.NewBatch(fieldsOf(idColumns), 16)
	for i := from; i < to; i++ {
		b.Cols[0].AppendI64(int64(i))
		b.EndRow(vector.Insert)
	}
	stage, err := s.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return stage
}

// committed reads what a read_committed consumer sees up to the end of the topic.
func committed(t testing.TB, topic string) []int64 {
	t.Helper()
	s := openSource(t, topic, idColumns, map[string]string{"scan_bounded": "latest"})
	splits, err := s.Splits(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for _, split := range splits {
		r, err := s.Open(testContext(t), split, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, readUntil(t, r, idColumns, connectors.End)...)
	}
	slices.Sort(ids)
	return ids
}

// TestSinkSurvivesCrash ends the process after every step of a delivery and delivers the epoch again, as the engine does.
func TestSinkSurvivesCrash(t *testing.T) {
	for _, step := range []string{stepBegun, stepProduced, stepMarked, stepCommitted} {
		t.Run(step, func(t *testing.T) {
			topic := newTopic(t, 3)
			s := openSink(t, topic, nil)
			if _, err := s.Deliver(testContext(t), 1, stageOf(t, s, 0, 100)); err != nil {
				t.Fatal(err)
			}
			stage := stageOf(t, s, 100, 200)
			s.fail = func(at string) error {
				if at == step {
					return errInjected
				}
				return nil
			}
			if _, err := s.Deliver(testContext(t), 2, stage); !errors.Is(err, errInjected) {
				t.Fatalf("got %v", err)
			}
			next := openSink(t, topic, nil)
			for epoch, stage := range map[uint64][]byte{2: stage} {
				if _, err := next.Deliver(testContext(t), epoch, stage); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := next.Deliver(testContext(t), 3, stageOf(t, s, 200, 300)); err != nil {
				t.Fatal(err)
			}
			wantIDs(t, committed(t, topic), 0, 300)
		})
	}
}

// TestSinkRetriesItself: an error that is no crash is repaired inside Deliver.
func TestSinkRetriesItself(t *testing.T) {
	for _, step := range []string{stepProduced, stepMarked, stepCommitted} {
		topic := newTopic(t, 1)
		s := openSink(t, topic, nil)
		failures := 2
		s.fail = func(at string) error {
			if at == step && failures > 0 {
				failures--
				return errors.New("connection lost")
			}
			return nil
		}
		if _, err := s.Deliver(testContext(t), 1, stageOf(t, s, 0, 10)); err != nil {
			t.Fatal(err)
		}
		wantIDs(t, committed(t, topic), 0, 10)
	}
}

// TestSinkFencesZombie: the sink of an earlier life, stuck in the middle of a transaction, cannot commit it any more.
func TestSinkFencesZombie(t *testing.T) {
	topic := newTopic(t, 1)
	zombie := openSink(t, topic, nil)
	stage := stageOf(t, zombie, 0, 10)
	var heir *sink
	zombie.fail = func(at string) error {
		if at == stepMarked && heir == nil {
			heir = openSink(t, topic, nil)
			if _, err := heir.Deliver(testContext(t), 1, stage); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	if _, err := zombie.Deliver(testContext(t), 1, stage); err != nil {
		t.Fatal(err) // it reads the marker and sees that the epoch is there
	}
	wantIDs(t, committed(t, topic), 0, 10)
}

// TestSinkUnderCuts cuts all connections at random moments while epochs are delivered; each record is there once nevertheless.
func TestSinkUnderCuts(t *testing.T) {
	g, topic := newGate(t), newTopic(t, 2)
	c, err := newSink(connectors.SinkConfig{Env: g.env(), ID: "sink-" + topic, Relation: "r", Columns: idColumns,
		Options: values(t, map[string]string{"topic": topic, "brokers": ""})})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(3+n*7%40) * time.Millisecond):
				g.cut()
				g.shut.Store(false)
			}
		}
	}()
	ctx := testContext(t)
	if err := c.Open(ctx); err != nil {
		t.Fatal(err)
	}
	const epochs, rows = 15, 20
	for e := range epochs {
		if _, err := c.Deliver(ctx, uint64(e+1), stageOf(t, c.(*sink), e*rows, (e+1)*rows)); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-stopped
	wantIDs(t, committed(t, topic), 0, epochs*rows)
}

func TestSinkTransactionTimesOut(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the broker's check of transactions")
	}
	topic := newTopic(t, 1)
	s := openSink(t, topic, map[string]string{"transaction_timeout": "1s"})
	once := true
	s.fail = func(at string) error {
		if at == stepProduced && once {
			once = false
			waitAborted(t, s.cfg.ID)
		}
		return nil
	}
	if _, err := s.Deliver(testContext(t), 1, stageOf(t, s, 0, 10)); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, committed(t, topic), 0, 10)
}

// waitAborted waits until the coordinator has ended the open transaction of a producer.
func waitAborted(t testing.TB, id string) {
	admin := kadm.NewClient(plainClient(t))
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		d, err := admin.DescribeTransactions(testContext(t), id)
		if err == nil && d[id].State == "CompleteAbort" {
			return
		}
	}
	t.Error("the transaction was not aborted")
}

func TestSinkCreatesTopic(t *testing.T) {
	topic := fmt.Sprintf("created-%d", time.Now().UnixNano())
	openSink(t, topic, map[string]string{"partitions": "3"})
	admin := kadm.NewClient(plainClient(t))
	t.Cleanup(func() { admin.DeleteTopics(context.Background(), topic) })
	d, err := admin.ListTopics(testContext(t), topic)
	if err != nil || len(d[topic].Partitions) != 3 {
		t.Errorf("%v, %v", d, err)
	}
	c, err := newSink(connectors.SinkConfig{ID: "x", Relation: "r", Columns: idColumns,
		Options: values(t, map[string]string{"brokers": brokers(t), "topic": topic + "x", "create_topic": "false"})})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Open(testContext(t))
	if d, ok := diag.As(err); !ok || d.Code != diag.UnknownTopic {
		t.Errorf("got %v", err)
	}
}

func TestSinkRefusesTransactionTimeout(t *testing.T) {
	topic := newTopic(t, 1)
	c, err := newSink(connectors.SinkConfig{ID: "x" + topic, Relation: "r", Columns: idColumns,
		Options: values(t, map[string]string{"brokers": brokers(t), "topic": topic, "transaction_timeout": "23h"})})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Open(testContext(t))
	if d, ok := diag.As(err); !ok || d.Code != diag.BadOption || !strings.Contains(d.Message, "transaction_timeout") {
		t.Errorf("got %v", err)
	}
}

func TestSinkRejectsLargeRecord(t *testing.T) {
	topic := newTopic(t, 1)
	columns := []connectors.Column{column("name", types.String)}
	c, err := newSink(connectors.SinkConfig{ID: "x" + topic, Relation: "r", Columns: columns,
		Options: values(t, map[string]string{"brokers": brokers(t), "topic": topic, "max_message_bytes": "2000"})})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Open(testContext(t)); err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(fieldsOf(columns), 3)
	for _, s := range []string{"a", strings.Repeat("b", 3000), "c"} {
		b.Cols[0].AppendString(s)
		b.EndRow(vector.Insert)
	}
	stage, err := c.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time the epoch is there already, and the verdicts are the same
		rejected, err := c.Deliver(testContext(t), 1, stage)
		if err != nil || len(rejected) != 1 || rejected[0].Err.Code != diag.SinkRejected || len(rejected[0].Raw) < 3000 {
			t.Fatalf("%+v, %v", rejected, err)
		}
	}
	r := openSplit(t, openSource(t, topic, columns, nil), partition{topic, 0}, nil)
	got, ctx := vector.NewBatch(fieldsOf(columns), 3), testContext(t)
	for got.N < 2 {
		if _, err := r.Read(ctx, got); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUpsertRoundTrip: what an upsert sink writes, an upsert source reads as the same changes.
func TestUpsertRoundTrip(t *testing.T) {
	topic := newTopic(t, 1)
	columns := []connectors.Column{column("id", types.Int64), column("name", types.String)}
	c, err := newSink(connectors.SinkConfig{ID: "x" + topic, Relation: "r", Columns: columns, Key: []int{0}, Mode: connectors.Upsert,
		Options: values(t, map[string]string{"brokers": brokers(t), "topic": topic, "upsert": "true"})})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := vector.NewBatch(fieldsOf(columns), 4)
	for _, op := range []vector.Change{vector.Insert, vector.UpdateBefore, vector.UpdateAfter, vector.Delete} {
		b.Cols[0].AppendI64(5)
		b.Cols[1].AppendString(op.String())
		b.EndRow(op)
	}
	stage, err := c.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Deliver(testContext(t), 1, stage); err != nil { // without Open: Deliver connects by itself
		t.Fatal(err)
	}
	s := openSource(t, topic, columns, map[string]string{"upsert": "true", "scan_bounded": "latest"})
	r := openSplit(t, s, partition{topic, 0}, nil)
	got, ctx := vector.NewBatch(fieldsOf(columns), 4), testContext(t)
	for status := connectors.More; status != connectors.End; {
		if status, err = r.Read(ctx, got); err != nil {
			t.Fatal(err)
		}
	}
	if got.N != 3 || string(got.Cols[1].Bytes(1)) != "+U" || got.Change(2) != vector.Delete || got.Cols[0].I64[2] != 5 {
		t.Errorf("%d rows, changes %v, rejected %+v", got.N, got.Op, r.Rejected())
	}
}

// TestPartitionHint: a metadata column chooses the partition; one that does not exist is refused.
func TestPartitionHint(t *testing.T) {
	topic := newTopic(t, 3)
	columns := []connectors.Column{column("id", types.Int64), {Name: "p", Type: types.Of(types.Int32), MetadataKey: "partition"}}
	c, err := newSink(connectors.SinkConfig{ID: "x" + topic, Relation: "r", Columns: columns,
		Options: values(t, map[string]string{"brokers": brokers(t), "topic": topic})})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := vector.NewBatch(fieldsOf(columns), 4)
	for i := range int64(4) {
		b.Cols[0].AppendI64(i)
		b.Cols[1].AppendI64(i)
		b.EndRow(vector.Insert)
	}
	stage, err := c.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	rejected, err := c.Deliver(testContext(t), 1, stage)
	if err != nil || len(rejected) != 1 || !strings.Contains(rejected[0].Err.Message, "no partition 3") {
		t.Fatalf("%+v, %v", rejected, err)
	}
	for p := range int32(3) {
		r := openSplit(t, openSource(t, topic, idColumns, map[string]string{"scan_bounded": "latest"}), partition{topic, p}, nil)
		wantIDs(t, readUntil(t, r, idColumns, connectors.End), int64(p), int64(p)+1)
	}
}

// TestSinkAtLeastOnce: without transactions records are there at once.
func TestSinkAtLeastOnce(t *testing.T) {
	topic := newTopic(t, 1)
	s := openSink(t, topic, map[string]string{"delivery": "at_least_once"})
	if _, err := s.Deliver(testContext(t), 1, stageOf(t, s, 0, 10)); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, committed(t, topic), 0, 10)
}

// BenchmarkSink encodes and delivers epochs of 20,000 rows, each in a transaction of its own.
func BenchmarkSink(b *testing.B) {
	s, rows := openSink(b, newTopic(b, 4), nil), 20_000
	var stage []byte
	batch := vector.NewBatch(fieldsOf(idColumns), vector.MaxRows)
	epoch := uint64(0)
	for b.Loop() {
		stage, epoch = stage[:0], epoch+1
		for i := range rows {
			batch.Cols[0].AppendI64(int64(i))
			batch.EndRow(vector.Insert)
			if batch.N == vector.MaxRows || i == rows-1 {
				var err error
				if stage, err = s.Encode(stage, batch); err != nil {
					b.Fatal(err)
				}
				batch.Reset()
			}
		}
		if _, err := s.Deliver(testContext(b), epoch, stage); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

// BenchmarkSource compares a bare fetch loop with the whole way to columns.
func BenchmarkSource(b *testing.B) {
	topic := newTopic(b, 4)
	const n = 400_000
	c := plainClient(b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	for i := range n {
		v := fmt.Appendf(nil, `{"id":%d,"zone":"zone-%d","fare":%d.5,"ts":"2026-01-02T10:00:%02d.000Z","note":%q}`, i, i%260, i%50, i%60, strings.Repeat("n", 200))
		c.Produce(context.Background(), &kgo.Record{Topic: topic, Partition: int32(i % 4), Value: v}, nil)
	}
	if err := c.Flush(testContext(b)); err != nil {
		b.Fatal(err)
	}
	columns := []connectors.Column{column("id", types.Int64), column("zone", types.String), column("fare", types.Float64), column("ts", types.Timestamp)}
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			bare := plainClient(b, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
			for seen := 0; seen < n; {
				f := bare.PollFetches(testContext(b))
				seen += f.NumRecords()
			}
			bare.Close()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
	})
	b.Run("source", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := openSource(b, topic, columns, map[string]string{"scan_bounded": "latest"})
			done := make(chan int, 4)
			for p := range int32(4) {
				r := openSplit(b, s, partition{topic, p}, nil)
				go func() { done <- drain(b, r, columns) }()
			}
			seen := 0
			for range 4 {
				seen += <-done
			}
			if seen != n {
				b.Fatalf("%d rows", seen)
			}
			s.Close()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
	})
}

func drain(b *testing.B, r connectors.Reader, columns []connectors.Column) (rows int) {
	batch, ctx := vector.NewBatch(fieldsOf(columns), vector.MaxRows), testContext(b)
	for {
		batch.Reset()
		status, err := r.Read(ctx, batch)
		if err != nil {
			b.Error(err)
			return rows
		}
		rows += batch.N
		if status == connectors.End {
			return rows
		}
	}
}
