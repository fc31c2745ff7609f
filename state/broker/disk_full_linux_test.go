package broker

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestDiskFull: while the disk is full, writes are refused with an error that clients try again at, reads go on, and commits of groups
// wait; with room again all goes on, and what was acknowledged is there, also after a restart.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	logged := &logText{}
	open := func() *Broker {
		b, err := Open(Options{DataDir: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(logged, nil))})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := open()
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	c := dialAddr(t, b.Addr().String())
	send := func() int16 {
		req := sample(b, keyProduce, 9).(*kmsg.ProduceRequest)
		req.TransactionID = nil
		req.Topics[0].Partitions[0].Records = rawBatch(100_000)
		return ask[*kmsg.ProduceResponse](c, req).Topics[0].Partitions[0].ErrorCode
	}
	acked := 0
	for send() == errNone {
		acked++
	}
	// Small ones fill the rest, so that nothing at all can be written.
	for code := errNone; code == errNone; {
		req := sample(b, keyProduce, 9).(*kmsg.ProduceRequest)
		req.TransactionID = nil
		if code = ask[*kmsg.ProduceResponse](c, req).Topics[0].Partitions[0].ErrorCode; code == errNone {
			acked++
		}
	}
	if code := send(); code != errKafkaStorage {
		t.Errorf("a write to a full disk answers %d", code)
	}
	if acked < 20 {
		t.Fatalf("only %d records fitted", acked)
	}
	reader := client(t, b, overTCP, kgo.ConsumeTopics("t"))
	consume(t, reader, acked)
	committed := make(chan error, 1)
	waits := false
	for i := 0; i < 200 && !waits; i++ { // the first ones may find room in pages that are begun or kept in reserve
		go func() {
			var o kadm.Offsets
			o.Add(kadm.Offset{Topic: "t", At: 7, LeaderEpoch: -1, Metadata: strings.Repeat("m", 4000)})
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			committed <- kadm.NewClient(reader).CommitAllOffsets(ctx, "g", o)
		}()
		select {
		case err := <-committed:
			if err != nil {
				t.Fatal("a commit on a full disk failed:", err)
			}
		case <-time.After(3 * journalRetry):
			waits = true
		}
	}
	if !waits {
		t.Fatal("commits do not wait for room")
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-committed:
		if err != nil {
			t.Error("the commit failed:", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the commit did not go on when there was room")
	}
	if code := send(); code != errNone {
		t.Errorf("a write with room again answers %d", code)
	}
	acked++
	for end := time.Now().Add(10 * time.Second); !strings.Contains(logged.String(), "room again") && time.Now().Before(end); acked++ {
		if code := send(); code != errNone {
			t.Fatalf("a write with room again answers %d", code)
		}
		time.Sleep(diskCalm / 5)
	}
	for _, want := range []string{"the disk is full", "the disk has room again"} {
		if n := strings.Count(logged.String(), want); n != 1 {
			t.Errorf("%q is %d times in the log:\n%s", want, n, logged)
		}
	}
	if err := b.Close(context.Background()); err != nil {
		t.Error(err)
	}
	b = open()
	defer b.Close(context.Background())
	consume(t, client(t, b, overTCP, kgo.ConsumeTopics("t")), acked)
	if lag := b.Lag(); len(lag) != 1 || lag[0].Committed != 7 || lag[0].Records != int64(acked-7) {
		t.Errorf("lag %s", fmt.Sprint(lag))
	}
}
