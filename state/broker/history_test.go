package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/log"
)

// These tests write down what concurrent clients asked and were told while the broker's process is killed again and again, and let
// porcupine look for an order of the operations, each between its call and its return, that a log and a register allow
// (linearizability: Herlihy and Wing, TOPLAS 1990). An operation without an answer may have happened at any time after its call, or never.

const (
	historyPartitions = 2
	historyTimeout    = time.Minute // of the search; it takes milliseconds
	forever           = math.MaxInt64
)

// logOp is one operation on one partition; the record that an append wrote or a read returned is told by its number.
type logOp struct {
	partition int32
	kind      string // "append", "read", "end"
	offset    int64  // asked by read; answered by append and end; -1: no answer
	value     int64  // appended or read; -1: there was no record
}

// history collects operations of all clients.
type history struct {
	start time.Time
	mu    sync.Mutex
	ops   []porcupine.Operation // guarded by mu
}

func (h *history) now() int64 { return int64(time.Since(h.start)) }

// add notes an operation. One without an answer returns at the end of time.
func (h *history) add(client int, called int64, op any, answered bool) {
	returned := int64(forever)
	if answered {
		returned = h.now()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: op, Call: called, Output: op, Return: returned})
}

// wire sends single requests, each once: whether a request without an answer was carried out stays unknown. It is one client's.
type wire struct {
	addr *atomic.Value
	conn net.Conn
	next int32
}

// errNoAnswer says that the connection broke between request and answer.
var errNoAnswer = errors.New("no answer")

func (w *wire) close() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// do sends req, of a version without tagged fields, and decodes the answer. Sent tells whether the broker may have seen it.
func (w *wire) do(req kmsg.Request) (resp kmsg.Response, sent bool, err error) {
	if w.conn == nil {
		if w.conn, err = net.DialTimeout("tcp", w.addr.Load().(string), time.Second); err != nil {
			return nil, false, err
		}
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	w.conn.SetDeadline(time.Now().Add(5 * time.Second))
	w.next++
	if _, err = w.conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, w.next)); err != nil {
		return nil, true, errNoAnswer
	}
	var size [4]byte
	if _, err = io.ReadFull(w.conn, size[:]); err != nil {
		return nil, true, errNoAnswer
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err = io.ReadFull(w.conn, body); err != nil {
		return nil, true, errNoAnswer
	}
	resp = req.ResponseKind()
	return resp, true, resp.ReadFrom(body[4:])
}

// append writes value as one record; the offset is -1 when there is no answer.
func (w *wire) append(partition int32, value int64) (offset int64, sent bool) {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 8, -1, 5000
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Partition = partition
	rp.Records = log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: fmt.Append(nil, value)}}, log.BatchOptions{})
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.Partitions = "h", append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, sent, err := w.do(req)
	if err != nil {
		return -1, sent
	}
	p := &resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		return -1, true
	}
	return p.BaseOffset, true
}

// read returns the record at offset; ok is false without an answer, value -1 when the log ends there.
func (w *wire) read(partition int32, offset int64) (value int64, ok bool) {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.ReplicaID, req.MinBytes, req.MaxBytes, req.SessionEpoch = 11, -1, 1, 1<<20, -1
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes, rp.CurrentLeaderEpoch = partition, offset, 1, -1
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.Partitions = "h", append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, _, err := w.do(req)
	if err != nil {
		return 0, false
	}
	topics := resp.(*kmsg.FetchResponse).Topics
	if len(topics) == 0 || topics[0].Partitions[0].ErrorCode != 0 {
		return 0, false
	}
	raw := topics[0].Partitions[0].RecordBatches
	if len(raw) == 0 {
		return -1, true
	}
	value = -2
	found := false
	err = log.EachRecord(raw, func(rec *log.Record) error {
		if rec.Offset == offset {
			_, err := fmt.Sscan(string(rec.Value), &value)
			found = true
			return err
		}
		return nil
	})
	return value, err == nil && found
}

// end asks for the first offset that has no record.
func (w *wire) end(partition int32) (offset int64, ok bool) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.Version, req.ReplicaID = 5, -1
	rp := kmsg.NewListOffsetsRequestTopicPartition()
	rp.Partition, rp.Timestamp, rp.CurrentLeaderEpoch = partition, -1, -1
	rt := kmsg.NewListOffsetsRequestTopic()
	rt.Topic, rt.Partitions = "h", append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, _, err := w.do(req)
	if err != nil {
		return 0, false
	}
	p := &resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]
	return p.Offset, p.ErrorCode == 0
}

// logWriter appends numbers of its own; logReader reads at and around the end.
func (h *history) logWriter(ctx context.Context, client int, w *wire) {
	defer w.close()
	for n := int64(0); ctx.Err() == nil; n++ {
		op := logOp{partition: int32(n % historyPartitions), kind: "append", value: int64(client)<<32 | n}
		called := h.now()
		var sent bool
		op.offset, sent = w.append(op.partition, op.value)
		if sent {
			h.add(client, called, op, op.offset >= 0)
		} else {
			time.Sleep(time.Millisecond) // the broker is down
		}
	}
}

func (h *history) logReader(ctx context.Context, client int, w *wire) {
	defer w.close()
	rnd := rand.New(rand.NewPCG(uint64(client), 0))
	var ends [historyPartitions]int64
	for ctx.Err() == nil {
		op := logOp{partition: rnd.Int32N(historyPartitions), kind: "read"}
		called := h.now()
		var ok bool
		if rnd.IntN(3) == 0 {
			op.kind = "end"
			if op.offset, ok = w.end(op.partition); ok {
				ends[op.partition] = op.offset
			}
		} else {
			op.offset = max(0, ends[op.partition]+rnd.Int64N(6)-3)
			op.value, ok = w.read(op.partition, op.offset)
		}
		if ok { // what was not answered did nothing
			h.add(client, called, op, true)
		} else {
			time.Sleep(time.Millisecond)
		}
	}
}

// logModel is a log whose records are known from its end: its state is how many there are. Final holds the numbers of each partition.
func logModel(final [historyPartitions][]int64) porcupine.Model {
	at := [historyPartitions]map[int64]int64{}
	for p := range final {
		at[p] = map[int64]int64{}
		for offset, v := range final[p] {
			at[p][v] = int64(offset)
		}
	}
	return porcupine.Model{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			parts := make([][]porcupine.Operation, historyPartitions)
			for _, op := range all {
				p := op.Input.(logOp).partition
				parts[p] = append(parts[p], op)
			}
			return parts
		},
		Init: func() any { return int64(0) },
		Step: func(state, input, _ any) (bool, any) {
			n, op := state.(int64), input.(logOp)
			records := final[op.partition]
			switch op.kind {
			case "append":
				offset, written := at[op.partition][op.value]
				if !written {
					return op.offset < 0, n
				}
				return offset == n && (op.offset < 0 || op.offset == n), n + 1
			case "end":
				return op.offset == n, n
			default:
				if op.value < 0 {
					return op.offset >= n, n
				}
				return op.offset < n && records[op.offset] == op.value, n
			}
		},
		DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
	}
}

// registerOp is a commit (write) or a fetch of a group's offset.
type registerOp struct {
	write bool
	value int64 // -1: none committed yet
}

// registerModel is one group's offset of one partition.
var registerModel = porcupine.Model{
	Init: func() any { return int64(-1) },
	Step: func(state, input, _ any) (bool, any) {
		op := input.(registerOp)
		if op.write {
			return true, op.value
		}
		return op.value == state.(int64), state
	},
	DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
}

// committer writes and reads the offset of group "g" as an administrator does, without being a member.
func (h *history) committer(ctx context.Context, client int, w *wire) {
	defer w.close()
	for n := int64(0); ctx.Err() == nil; n++ {
		op := registerOp{write: n%2 == 0, value: int64(client)<<32 | n}
		called := h.now()
		var sent, ok bool
		if op.write {
			sent, ok = w.commit(op.value)
		} else {
			op.value, ok = w.committed()
		}
		if ok || (op.write && sent) {
			h.add(client, called, op, ok)
		}
		time.Sleep(time.Millisecond)
	}
}

// commit returns ok when the broker has acknowledged the offset, and sent when it may have taken it.
func (w *wire) commit(value int64) (sent, ok bool) {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.Generation = 7, "g", -1
	rp := kmsg.NewOffsetCommitRequestTopicPartition()
	rp.Offset, rp.LeaderEpoch = value, -1
	rt := kmsg.NewOffsetCommitRequestTopic()
	rt.Topic, rt.Partitions = "h", append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, sent, err := w.do(req)
	if err != nil {
		return sent, false
	}
	return true, resp.(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode == 0
}

func (w *wire) committed() (value int64, ok bool) {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.Group = 5, "g"
	rt := kmsg.NewOffsetFetchRequestTopic()
	rt.Topic, rt.Partitions = "h", []int32{0}
	req.Topics = append(req.Topics, rt)
	resp, _, err := w.do(req)
	if err != nil {
		return 0, false
	}
	r := resp.(*kmsg.OffsetFetchResponse)
	if r.ErrorCode != 0 || len(r.Topics) == 0 || r.Topics[0].Partitions[0].ErrorCode != 0 {
		return 0, false
	}
	return r.Topics[0].Partitions[0].Offset, true
}

// underKills runs clients against a broker that is killed again and again, and returns its directory.
func underKills(t *testing.T, kills int, clients ...func(ctx context.Context, w *wire)) (dir string) {
	dir = t.TempDir()
	v := startVictim(t, dir)
	var addr atomic.Value
	addr.Store(v.addr)
	cl, err := kgo.NewClient(kgo.SeedBrokers(v.addr))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := kadm.NewClient(cl).CreateTopic(testContext(t), historyPartitions, 1, nil, "h"); err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	cl.Close()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, c := range clients {
		running.Go(func() { c(ctx, &wire{addr: &addr}) })
	}
	for range kills {
		time.Sleep(time.Duration(20+rand.IntN(150)) * time.Millisecond)
		v.kill()
		v = startVictim(t, dir)
		addr.Store(v.addr)
	}
	time.Sleep(100 * time.Millisecond)
	stop()
	running.Wait()
	v.kill()
	return dir
}

// checkHistory fails the test when no order explains the operations.
func checkHistory(t *testing.T, m porcupine.Model, h *history) {
	t.Helper()
	answered := 0
	for _, op := range h.ops {
		if op.Return != forever {
			answered++
		}
	}
	t.Logf("%d operations, %d without an answer", len(h.ops), len(h.ops)-answered)
	if answered < 100 {
		t.Errorf("only %d answered operations: nothing was tested", answered)
	}
	if res := porcupine.CheckOperationsTimeout(m, h.ops, historyTimeout); res != porcupine.Ok {
		t.Errorf("the history is %s for a linearizable object", res)
	}
}

// TestLogIsLinearizable: appends, reads and ends of a partition look as if they had happened one after the other, over all kills.
func TestLogIsLinearizable(t *testing.T) {
	h := &history{start: time.Now()}
	var clients []func(context.Context, *wire)
	for c := range 3 {
		clients = append(clients, func(ctx context.Context, w *wire) { h.logWriter(ctx, c, w) },
			func(ctx context.Context, w *wire) { h.logReader(ctx, 100+c, w) })
	}
	b := openBroker(t, underKills(t, kills(8), clients...))
	var final [historyPartitions][]int64
	for p := range final {
		part, err := b.lookup("h", int32(p))
		if err != nil {
			t.Fatal(err)
		}
		err = part.log.Each(0, func(rec *log.Record) error {
			var v int64
			_, err := fmt.Sscan(string(rec.Value), &v)
			final[p] = append(final[p], v)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	checkHistory(t, logModel(final), h)
}

// TestGroupOffsetIsLinearizable: commits and fetches of one group's offset behave as a register, over all kills.
func TestGroupOffsetIsLinearizable(t *testing.T) {
	h := &history{start: time.Now()}
	var clients []func(context.Context, *wire)
	for c := range 4 {
		clients = append(clients, func(ctx context.Context, w *wire) { h.committer(ctx, c, w) })
	}
	underKills(t, kills(8), clients...)
	checkHistory(t, registerModel, h)
}

// TestHistoriesThatMustFail: the models refuse a lost append, a stale end, a read of what is not there, and an offset that goes back.
func TestHistoriesThatMustFail(t *testing.T) {
	final := [historyPartitions][]int64{{7, 8}}
	seq := func(ops ...any) (h []porcupine.Operation) {
		for i, op := range ops {
			h = append(h, porcupine.Operation{Input: op, Output: op, Call: int64(2 * i), Return: int64(2*i + 1)})
		}
		return h
	}
	appends := []any{logOp{kind: "append", value: 7}, logOp{kind: "append", value: 8, offset: 1}}
	if !porcupine.CheckOperations(logModel(final), seq(append(appends, logOp{kind: "end", offset: 2})...)) {
		t.Error("a right history is refused")
	}
	for name, op := range map[string]logOp{
		"acknowledged and lost":         {kind: "append", value: 9, offset: 2},
		"an end that goes back":         {kind: "end", offset: 1},
		"a record missed":               {kind: "read", offset: 1, value: -1},
		"another record":                {kind: "read", offset: 1, value: 7},
		"appended at two places":        {kind: "append", value: 7, offset: 2},
		"a record that nobody appended": {kind: "read", offset: 2, value: 9},
	} {
		if porcupine.CheckOperations(logModel(final), seq(append(appends, op)...)) {
			t.Errorf("%s: accepted", name)
		}
	}
	if porcupine.CheckOperations(registerModel, seq(registerOp{write: true, value: 1}, registerOp{write: true, value: 2}, registerOp{value: 1})) {
		t.Error("an offset that goes back is accepted")
	}
}
