package log

import (
	"context"
	"errors"
	"testing"
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
