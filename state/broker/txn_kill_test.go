package broker

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// killTestDir, if set in the environment, makes the test binary a broker on that directory until it is killed.
const killTestDir = "MILLRACE_KILL_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killTestDir); dir != "" {
		serveUntilKilled(dir)
	}
	os.Exit(m.Run())
}

func serveUntilKilled(dir string) {
	b, err := Open(Options{DataDir: dir, Listen: "127.0.0.1:0"})
	if err == nil && len(b.Topics()) == 2 {
		err = b.CreateTopic("t", 2, nil)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(b.Addr())
	select {}
}

// victim is a broker process.
type victim struct {
	cmd  *exec.Cmd
	addr string
}

func startVictim(t testing.TB, dir string) *victim {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killTestDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v := &victim{cmd: cmd}
	t.Cleanup(v.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	v.addr = strings.TrimSpace(line)
	if err != nil || !strings.Contains(v.addr, "127.0.0.1:") {
		t.Fatalf("starting broker process: %q %v", line, err)
	}
	return v
}

func (v *victim) kill() {
	v.cmd.Process.Kill()
	v.cmd.Wait()
}

// TestTxnKillLoop kills the broker's process at random moments under a sink that writes numbered epochs, each one transaction of two
// records and the number. In the end every epoch is there once and none is missing, though the sink knows nothing but what
// InitProducerId and the stored number tell it after each failure.
func TestTxnKillLoop(t *testing.T) {
	const rounds = 6
	dir := t.TempDir()
	seed := rand.Uint64()
	t.Log("seed", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var last int64
	for range rounds {
		v := startVictim(t, dir)
		ctx, cancel := context.WithCancel(testContext(t))
		time.AfterFunc(time.Duration(rnd.IntN(250))*time.Millisecond, func() {
			v.kill()
			cancel()
		})
		epoch, err := sinkEpochs(ctx, v.addr)
		if epoch >= 0 && epoch < last {
			t.Fatalf("epoch %d after %d: %v", epoch, last, err)
		}
		last = max(last, epoch)
		<-ctx.Done()
	}
	v := startVictim(t, dir)
	verifyEpochs(t, v.addr, last)
}

// sinkEpochs writes epochs until the broker dies, and returns the last one known to be committed, -1 if it
// learnt nothing.
func sinkEpochs(ctx context.Context, addr string) (int64, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.TransactionalID("sink"), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RetryBackoffFn(func(int) time.Duration { return 5 * time.Millisecond }), kgo.DialTimeout(time.Second))
	if err != nil {
		return -1, err
	}
	defer cl.Close()
	// A client that is closed gives up; without that it waits for its producer's fate for ever.
	defer context.AfterFunc(ctx, cl.Close)()
	if _, _, err := cl.ProducerID(ctx); err != nil {
		return -1, err
	}
	epoch, err := storedEpoch(ctx, cl)
	if err != nil {
		return -1, err
	}
	for {
		if err := writeEpoch(ctx, cl, epoch+1); err != nil {
			return epoch, err
		}
		epoch++
	}
}

func writeEpoch(ctx context.Context, cl *kgo.Client, epoch int64) error {
	if err := cl.BeginTransaction(); err != nil {
		return err
	}
	value := []byte(fmt.Sprint(epoch))
	recs := []*kgo.Record{{Topic: "t", Partition: 0, Value: value}, {Topic: "t", Partition: 1, Value: value}}
	if err := cl.ProduceSync(ctx, recs...).FirstErr(); err != nil {
		return err
	}
	id, pe, err := cl.ProducerID(ctx)
	if err != nil {
		return err
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = "sink", id, pe, "epochs"
	ar, err := add.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(ar.ErrorCode)
	}
	if err != nil {
		return err
	}
	req := txnOffset(epoch, id, pe)
	cr, err := req.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(cr.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		return err
	}
	return cl.EndTransaction(ctx, kgo.TryCommit)
}

// txnOffset stores an epoch's number in a transaction.
func txnOffset(epoch, id int64, pe int16) *kmsg.TxnOffsetCommitRequest {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = "sink", id, pe, "epochs"
	req.Generation = -1
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic = "t"
	part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	part.Offset, part.Metadata = epoch, kmsg.StringPtr(fmt.Sprint("epoch ", epoch))
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	return req
}

// storedEpoch reads the committed number, 0 if there is none.
func storedEpoch(ctx context.Context, cl *kgo.Client) (int64, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable = true
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = "epochs"
	req.Groups = append(req.Groups, g) // all topics
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return 0, err
	}
	stored := int64(0)
	for _, t := range resp.Groups[0].Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return 0, kerr.ErrorForCode(p.ErrorCode)
			}
			stored = max(stored, p.Offset)
		}
	}
	return stored, nil
}

// verifyEpochs reads both partitions as a reader of committed data.
func verifyEpochs(t *testing.T, addr string, atLeast int64) {
	ctx := testContext(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.TransactionalID("sink"), kgo.ConsumeTopics("t"),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if _, _, err := cl.ProducerID(ctx); err != nil { // ends what is open
		t.Fatal(err)
	}
	last, err := storedEpoch(ctx, cl)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("epochs", last)
	if last < atLeast {
		t.Fatalf("epoch %d is stored, %d was committed", last, atLeast)
	}
	if err := writeEpoch(ctx, cl, last+1); err != nil { // a record to stop at
		t.Fatal(err)
	}
	next := [2]int64{1, 1}
	for next[0] <= last+1 || next[1] <= last+1 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatalf("next epochs %v of %d: %v", next, last+1, err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if want := fmt.Sprint(next[r.Partition]); string(r.Value) != want {
				t.Fatalf("partition %d: epoch %s, want %s", r.Partition, r.Value, want)
			}
			next[r.Partition]++
		})
	}
}
