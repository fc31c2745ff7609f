package log

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestWriteFailureStopsTheLog takes the file away under the log: the append fails, and so does everything after it.
func TestWriteFailureStopsTheLog(t *testing.T) {
	l := open(t, t.TempDir(), Options{Flush: FlushAsync})
	mustAppend(t, l, batchOf("a"))
	l.active().file.Close()
	if _, err := l.Append(batchOf("b"), AppendOptions{}); !errors.Is(err, ErrFailed) {
		t.Fatalf("append: %v", err)
	}
	if _, err := l.Append(batchOf("c"), AppendOptions{}); !errors.Is(err, ErrFailed) {
		t.Errorf("append after failure: %v", err)
	}
	if err := l.WaitVisible(context.Background(), 2); !errors.Is(err, ErrFailed) {
		t.Errorf("wait: %v", err)
	}
	if err := l.Err(); !errors.Is(err, ErrFailed) {
		t.Errorf("Err: %v", err)
	}
}

// TestSyncFailureReachesTheWaiter: after a failed fdatasync nothing may be acknowledged, not even on a second try.
func TestSyncFailureReachesTheWaiter(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	l.syncMu.Lock()
	mustAppend(t, l, batchOf("a"))
	watcher := NewWatcher()
	l.Watch(watcher)
	l.active().file.Close()
	l.syncMu.Unlock()
	if err := l.WaitVisible(context.Background(), 1); !errors.Is(err, ErrFailed) {
		t.Errorf("wait: %v", err)
	}
	<-watcher.C() // fetches are woken too
	if l.HighWatermark() != 0 {
		t.Errorf("high watermark %d", l.HighWatermark())
	}
	if err := l.Sync(); !errors.Is(err, ErrFailed) {
		t.Errorf("second sync: %v", err)
	}
}

// TestFlushLate: under FlushAsync records are synced after the interval, or after so many.
func TestFlushLate(t *testing.T) {
	durable := func(l *Log) int64 {
		l.mu.RLock()
		defer l.mu.RUnlock()
		return l.durable
	}
	wait := func(l *Log, want int64) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); durable(l) < want; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("durable to %d, want %d", durable(l), want)
			}
		}
	}
	l := open(t, t.TempDir(), Options{Flush: FlushAsync, FlushInterval: 50 * time.Millisecond})
	for round := range int64(3) {
		mustAppend(t, l, batchOf("a"))
		if l.HighWatermark() != round+1 {
			t.Error("visible only after the sync")
		}
		wait(l, round+1)
	}
	l = open(t, t.TempDir(), Options{Flush: FlushAsync, FlushRecords: 3})
	mustAppend(t, l, batchOf("a"))
	mustAppend(t, l, batchOf("b"))
	time.Sleep(20 * time.Millisecond)
	if durable(l) != 0 {
		t.Error("synced before its time")
	}
	mustAppend(t, l, batchOf("c"))
	wait(l, 3)
}

// TestMaxCompactionLag: a segment with few dirty records is closed and compacted when it is old enough.
func TestMaxCompactionLag(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	l := open(t, t.TempDir(), Options{Compact: true, MinDirtyRatio: 1, MaxCompactionLag: time.Hour, Now: func() time.Time { return now }})
	for range 3 {
		mustAppend(t, l, BuildBatch(nil, []Record{{TimestampMs: now.UnixMilli(), Key: []byte("k"), Value: []byte("v")}}, BatchOptions{}))
	}
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	pass := func() int64 {
		t.Helper()
		if _, err := l.ApplyRetention(now); err != nil {
			t.Fatal(err)
		}
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		st, err := l.Compact(context.Background(), now)
		if err != nil {
			t.Fatal(err)
		}
		return st.Dropped
	}
	now = now.Add(30 * time.Minute)
	if n := pass(); n != 0 {
		t.Errorf("dropped %d records before their time", n)
	}
	now = now.Add(31 * time.Minute)
	if n := pass(); n != 2 {
		t.Errorf("dropped %d records, want 2", n)
	}
	if n := pass(); n != 0 {
		t.Errorf("dropped %d records for a second time", n)
	}
}
