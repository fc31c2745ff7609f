package log

import (
	"errors"
	"testing"
	"time"
)

func timedBatch(ts int64) []byte {
	return BuildBatch(nil, []Record{{TimestampMs: ts, Value: []byte("v")}, {TimestampMs: ts + 5, Value: []byte("w")}}, BatchOptions{})
}

// retentionCase is a log of ten segments, one batch each, with timestamps 0 to 9 s; the clock stands at 0 while it is filled.
type retentionCase struct {
	clock time.Time
	now   time.Time // of the retention round
	size  int64     // of a segment
}

func newRetentionCase() *retentionCase {
	return &retentionCase{time.UnixMilli(0), time.UnixMilli(100_000), int64(len(timedBatch(0)))}
}

func (c *retentionCase) fill(t *testing.T, o Options) *Log {
	o.SegmentBytes, o.Flush, o.Now = c.size, FlushAsync, func() time.Time { return c.clock }
	l := open(t, t.TempDir(), o)
	for i := range 10 {
		mustAppend(t, l, timedBatch(int64(i)*1000))
	}
	return l
}

func TestRetentionByAge(t *testing.T) {
	c := newRetentionCase()
	l := c.fill(t, Options{RetentionAge: 96 * time.Second})
	if n, err := l.ApplyRetention(c.now); n != 4 || err != nil { // 0, 1, 2, 3 s are older than 4 s
		t.Fatalf("dropped %d, %v", n, err)
	}
	if l.StartOffset() != 8 {
		t.Errorf("start %d", l.StartOffset())
	}
	if _, err := l.Read(nil, 7, ReadOptions{}); !errors.Is(err, ErrOffsetOutOfRange) {
		t.Errorf("dropped offset: %v", err)
	}
	l.Close()
	if l := open(t, l.Dir(), Options{}); l.StartOffset() != 8 || l.EndOffset() != 20 {
		t.Errorf("after reopening: %+v", l.Watermarks())
	}
}

func TestRetentionBySize(t *testing.T) {
	c := newRetentionCase()
	l := c.fill(t, Options{RetentionBytes: 3 * c.size})
	if n, err := l.ApplyRetention(c.now); n != 7 || err != nil || l.Size() != 3*c.size {
		t.Fatalf("dropped %d, %v, %d bytes left", n, err, l.Size())
	}
}

func TestRetentionKeepsReplayedHistory(t *testing.T) {
	c := newRetentionCase()
	c.clock = c.now
	l := c.fill(t, Options{RetentionAge: 96 * time.Second})
	if n, err := l.ApplyRetention(c.now); n != 0 || err != nil {
		t.Fatalf("dropped %d segments as soon as they were written, %v", n, err)
	}
}

func TestRetentionOfQuietLog(t *testing.T) {
	c := newRetentionCase()
	c.clock = time.UnixMilli(1)
	l := c.fill(t, Options{RetentionAge: time.Second})
	if _, err := l.ApplyRetention(c.now.Add(time.Hour)); err != nil || l.Size() != 0 || l.StartOffset() != 20 {
		t.Fatalf("%d bytes left, start %d, %v", l.Size(), l.StartOffset(), err)
	}
}

func TestReaderKeepsDroppedSegment(t *testing.T) {
	c := newRetentionCase()
	l := c.fill(t, Options{})
	seg, n, _, err := l.segmentFor(0, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer seg.release()
	if _, err := l.DeleteBefore(20); err != nil {
		t.Fatal(err)
	}
	if got, _, err := seg.read(nil, 0, readBounds{n, 2}, ReadOptions{MaxBytes: 1000}); err != nil || int64(len(got)) != c.size {
		t.Errorf("read %d bytes of a dropped segment, %v", len(got), err)
	}
}

func TestDeleteBefore(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{Flush: FlushAsync})
	for range 5 {
		mustAppend(t, l, timedBatch(1))
	}
	if _, err := l.DeleteBefore(11); !errors.Is(err, ErrOffsetOutOfRange) {
		t.Errorf("beyond the high watermark: %v", err)
	}
	if start, err := l.DeleteBefore(3); start != 3 || err != nil {
		t.Fatal(start, err)
	}
	if start, err := l.DeleteBefore(2); start != 3 || err != nil {
		t.Errorf("going back: %d, %v", start, err)
	}
	l.Close()
	l = open(t, dir, Options{Flush: FlushAsync})
	if l.StartOffset() != 3 {
		t.Errorf("start %d after reopening", l.StartOffset())
	}
	if got := values(t, l, 0); len(got) != 7 {
		t.Errorf("%d values left", len(got))
	}
}

func TestOffsetForTime(t *testing.T) {
	l := open(t, t.TempDir(), Options{SegmentBytes: 3 * int64(len(timedBatch(0))), Flush: FlushAsync})
	for _, s := range []int64{10, 20, 30, 25, 40, 50, 45} { // late data included
		mustAppend(t, l, timedBatch(s*1000))
	}
	for ts, want := range map[int64]int64{0: 0, 10_000: 0, 10_001: 1, 10_006: 2, 30_000: 4, 30_006: 8, 50_005: 11, 50_006: -1} {
		got, err := l.OffsetForTime(ts, ReadVisible)
		if err != nil || got.Offset != want {
			t.Errorf("time %d: offset %d, %v, want %d", ts, got.Offset, err, want)
		}
	}
	if got, err := l.OffsetOfMaxTime(ReadVisible); err != nil || got.Offset != 11 || got.TimestampMs != 50_005 {
		t.Errorf("newest: %+v, %v", got, err)
	}
	l.DeleteBefore(3)
	if got, _ := l.OffsetForTime(0, ReadVisible); got.Offset != 3 {
		t.Errorf("after deleting: offset %d", got.Offset)
	}
}

func TestEpochEnd(t *testing.T) {
	l := open(t, t.TempDir(), Options{Flush: FlushAsync})
	for _, e := range []int32{0, 0, 2, 5} {
		if _, err := l.Append(batchOf("v"), AppendOptions{LeaderEpoch: e}); err != nil {
			t.Fatal(err)
		}
	}
	for asked, want := range map[int32][2]int64{0: {0, 2}, 1: {0, 2}, 2: {2, 3}, 4: {2, 3}, 5: {5, 4}, 9: {5, 4}, -1: {-1, -1}} {
		if e, o := l.EpochEnd(asked); int64(e) != want[0] || o != want[1] {
			t.Errorf("epoch %d ends at %d, %d; want %v", asked, e, o, want)
		}
	}
}
