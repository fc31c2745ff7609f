package log

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func open(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal("opening log:", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// batchOf builds a plain batch with the values as records.
func batchOf(values ...string) []byte {
	recs := make([]Record, len(values))
	for i, v := range values {
		recs[i] = Record{TimestampMs: int64(1000 + i), Key: []byte("k"), Value: []byte(v)}
	}
	return BuildBatch(nil, recs, BatchOptions{})
}

// producerBatchOf builds one record of an idempotent or transactional producer.
func producerBatchOf(o BatchOptions, value string) []byte {
	o.Idempotent = true
	return BuildBatch(nil, []Record{{TimestampMs: 1, Value: []byte(value)}}, o)
}

func mustAppend(t testing.TB, l *Log, batch []byte) AppendResult {
	t.Helper()
	res, err := l.Append(batch, AppendOptions{})
	if err != nil {
		t.Fatal("appending:", err)
	}
	return res
}

// values reads all visible record values from offset.
func values(t testing.TB, l *Log, offset int64) []string {
	t.Helper()
	var out []string
	if err := l.Each(offset, func(r *Record) error { out = append(out, string(r.Value)); return nil }); err != nil {
		t.Fatal("reading:", err)
	}
	return out
}

// crash copies the log's files as a kill would leave them: page cache kept, no Close.
func crash(t testing.TB, l *Log) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "log"), os.DirFS(l.Dir())); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "log")
}

func TestAppendRead(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	if res := mustAppend(t, l, batchOf("a", "b", "c")); res.First != 0 || res.Last != 2 {
		t.Fatalf("first batch at %+v", res)
	}
	want := batchOf("d")
	if res := mustAppend(t, l, bytes.Clone(want)); res.First != 3 {
		t.Fatalf("second batch at %+v", res)
	}
	if err := l.WaitVisible(context.Background(), 4); err != nil {
		t.Fatal(err)
	}
	if got := values(t, l, 1); fmt.Sprint(got) != "[b c d]" {
		t.Fatalf("values from 1: %v", got)
	}
	got, err := l.Read(nil, 3, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	patchBatch(want, 3, 0)
	if !bytes.Equal(got, want) {
		t.Fatal("the stored batch differs from the one sent beyond base offset and epoch")
	}
	for _, bad := range []int64{-1, 5} {
		if _, err := l.Read(nil, bad, ReadOptions{}); !errors.Is(err, ErrOffsetOutOfRange) {
			t.Errorf("reading at %d: %v", bad, err)
		}
	}
	if got, err := l.Read(nil, 4, ReadOptions{}); err != nil || len(got) != 0 {
		t.Errorf("reading at the end: %d bytes, %v", len(got), err)
	}
}

func TestReadLimits(t *testing.T) {
	l := open(t, t.TempDir(), Options{Flush: FlushAsync})
	one := len(batchOf("v"))
	for range 10 {
		mustAppend(t, l, batchOf("v"))
	}
	for _, c := range []struct {
		o    ReadOptions
		want int
	}{
		{ReadOptions{MaxBytes: 3 * one}, 3}, {ReadOptions{MaxBytes: 3*one + 5}, 3}, {ReadOptions{MaxBytes: one - 1}, 0},
		{ReadOptions{MaxBytes: one - 1, AtLeastOne: true}, 1}, {ReadOptions{}, 8}, {ReadOptions{UpTo: 4}, 2},
	} {
		got, err := l.Read([]byte("head"), 2, c.o)
		if err != nil || len(got) != 4+c.want*one || string(got[:4]) != "head" {
			t.Errorf("%+v: %d bytes, %v; want %d batches", c.o, len(got)-4, err, c.want)
		}
	}
}

func TestHighWatermarkWaitsForDisk(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	l.syncMu.Lock() // the disk does not answer
	mustAppend(t, l, batchOf("a"))
	if got := l.HighWatermark(); got != 0 {
		t.Errorf("high watermark %d before fdatasync", got)
	}
	if got, err := l.Read(nil, 0, ReadOptions{}); err != nil || len(got) != 0 {
		t.Errorf("read %d bytes that are not durable (%v)", len(got), err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := l.WaitVisible(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting: %v", err)
	}
	l.syncMu.Unlock()
	if err := l.WaitVisible(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesBadBatches(t *testing.T) {
	l := open(t, t.TempDir(), Options{MaxBatchBytes: 200})
	good := batchOf("value")
	flip := func(i int) []byte { b := bytes.Clone(good); b[i] ^= 1; return b }
	for name, c := range map[string]struct {
		batch []byte
		want  error
	}{
		"empty":         {nil, ErrShortBatch},
		"cut":           {good[:len(good)-1], ErrShortBatch},
		"trailing":      {append(bytes.Clone(good), 0), ErrInvalidBatch},
		"two batches":   {append(bytes.Clone(good), good...), ErrInvalidBatch},
		"magic":         {flip(posMagic), ErrBadMagic},
		"crc":           {flip(posCRC), ErrBadCRC},
		"record":        {flip(len(good) - 1), ErrBadCRC},
		"no records":    {BuildBatch(nil, nil, BatchOptions{}), ErrInvalidBatch},
		"control":       {MarkerBatch(nil, Marker{ProducerID: 1}), ErrInvalidBatch},
		"larger":        {batchOf(string(make([]byte, 200))), ErrBatchTooLarge},
		"txn, no owner": {BuildBatch(nil, []Record{{}}, BatchOptions{ProducerID: -1, Transactional: true}), ErrInvalidBatch},
	} {
		if _, err := l.Append(c.batch, AppendOptions{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if l.EndOffset() != 0 || l.Size() != 0 {
		t.Errorf("refused batches left %d bytes, end %d", l.Size(), l.EndOffset())
	}
}

func TestConcurrentAppendsAndReads(t *testing.T) {
	l := open(t, t.TempDir(), Options{SegmentBytes: 4096})
	const writers, each = 4, 100
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				res, err := l.Append(batchOf(fmt.Sprintf("%d-%d", w, i)), AppendOptions{})
				if err == nil {
					err = l.WaitVisible(context.Background(), res.Last+1)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	watcher := NewWatcher()
	l.Watch(watcher)
	defer l.Unwatch(watcher)
	next := map[int]int{}
	var offset int64
	for offset < writers*each {
		err := l.Each(offset, func(r *Record) error {
			var w, i int
			fmt.Sscanf(string(r.Value), "%d-%d", &w, &i)
			if r.Offset != offset || next[w] != i {
				return fmt.Errorf("offset %d has %q, want offset %d and item %d", r.Offset, r.Value, offset, next[w])
			}
			next[w]++
			offset++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if offset < writers*each && l.HighWatermark() == offset {
			<-watcher.C()
		}
	}
	wg.Wait()
}

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{SegmentBytes: 1 << 20})
	blob := bytes.Repeat([]byte("x"), 3<<20)
	for i := range 5 {
		off, err := l.AppendRecord([]byte{byte(i)}, blob)
		if err == nil {
			err = l.WaitVisible(context.Background(), off+1)
		}
		if err != nil || off != int64(i) {
			t.Fatal(off, err)
		}
	}
	if start, err := l.DeleteBefore(3); err != nil || start != 3 {
		t.Fatal(start, err)
	}
	l.Close()
	l = open(t, dir, Options{})
	var keys []byte
	err := l.Each(0, func(r *Record) error {
		if !bytes.Equal(r.Value, blob) {
			return errors.New("blob differs")
		}
		keys = append(keys, r.Key...)
		return nil
	})
	if err != nil || !bytes.Equal(keys, []byte{3, 4}) {
		t.Fatalf("keys %v, %v", keys, err)
	}
	if l.Size() > 7<<20 {
		t.Errorf("deleted records still take %d bytes", l.Size())
	}
	if _, err := l.DeleteBefore(-1); err != nil || l.StartOffset() != 5 || l.Size() != 0 {
		t.Errorf("deleting all: start %d, size %d, %v", l.StartOffset(), l.Size(), err)
	}
}

func TestClosedLog(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	mustAppend(t, l, batchOf("a"))
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(batchOf("b"), AppendOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("append: %v", err)
	}
	if _, err := l.Read(nil, 0, ReadOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if err := l.WaitVisible(context.Background(), 9); !errors.Is(err, ErrClosed) {
		t.Errorf("wait: %v", err)
	}
}

func TestDelete(t *testing.T) {
	shared := NewCommitter(2)
	defer shared.Close()
	for i := range 20 {
		o := Options{SegmentBytes: 200}
		if i%2 == 0 {
			o.Committer = shared
		}
		l := open(t, t.TempDir(), o)
		for range i { // with syncs of these under way
			mustAppend(t, l, batchOf("v"))
		}
		if err := l.Delete(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(l.Dir()); !os.IsNotExist(err) {
			t.Fatalf("the folder is still there: %v", err)
		}
	}
}

func TestRecordRoundTrip(t *testing.T) {
	in := []Record{
		{TimestampMs: 5, Key: nil, Value: nil},
		{TimestampMs: 3, Key: []byte{}, Value: []byte("v"), Headers: []RecordHeader{{"h", nil}, {"", []byte("x")}}},
		{TimestampMs: 1 << 40, Key: bytes.Repeat([]byte("k"), 300), Value: []byte{0}},
	}
	b := BuildBatch(nil, in, BatchOptions{})
	if _, err := CheckBatch(b); err != nil {
		t.Fatal(err)
	}
	i := 0
	err := EachRecord(b, func(r *Record) error {
		w := &in[i]
		if r.Offset != int64(i) || r.TimestampMs != w.TimestampMs || !bytes.Equal(r.Key, w.Key) || !bytes.Equal(r.Value, w.Value) ||
			(r.Key == nil) != (w.Key == nil) || (r.Value == nil) != (w.Value == nil) || len(r.Headers) != len(w.Headers) {
			return fmt.Errorf("record %d: got %+v, want %+v", i, r, w)
		}
		i++
		return nil
	})
	if err != nil || i != len(in) {
		t.Fatal(i, err)
	}
}
