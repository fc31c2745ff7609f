package log

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// lastSegment is the path of the newest segment file in dir.
func lastSegment(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+extSegment))
	if err != nil || len(names) == 0 {
		t.Fatal("no segments in", dir, err)
	}
	return names[len(names)-1]
}

// TestTornTail cuts and damages the last batch at each of its bytes: the batches before must survive, the log must take appends.
func TestTornTail(t *testing.T) {
	l := open(t, t.TempDir(), Options{Flush: FlushAsync})
	mustAppend(t, l, batchOf("a"))
	mustAppend(t, l, batchOf("b"))
	keep := l.Size()
	mustAppend(t, l, batchOf("torn"))
	whole, err := os.ReadFile(lastSegment(t, l.Dir()))
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(fileName(dir, 0, extSegment), data, 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir, Options{Flush: FlushAsync})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer l.Close()
		if got := fmt.Sprint(values(t, l, 0)); got != "[a b]" || l.Size() != keep {
			t.Fatalf("%s: recovered %s, %d bytes", what, got, l.Size())
		}
		if res := mustAppend(t, l, batchOf("c")); res.First != 2 {
			t.Fatalf("%s: next append at %d", what, res.First)
		}
	}
	for cut := keep; cut < int64(len(whole)); cut++ {
		check(fmt.Sprintf("cut at %d", cut), whole[:cut])
	}
	for i := keep; i < int64(len(whole)); i++ {
		if i >= keep+posLeaderEpoch && i < keep+posMagic || i == keep+posBaseOffset+7 {
			continue // outside the checksum: the epoch, and offsets that may have gaps
		}
		damaged := append([]byte(nil), whole...)
		damaged[i] ^= 0x80
		if i < keep+posBatchLength { // a base offset far ahead is legal after compaction; only going back is not
			continue
		}
		check(fmt.Sprintf("flip at %d", i), damaged)
	}
	check("zeros behind", append(append([]byte(nil), whole[:keep]...), make([]byte, 5000)...))
}

func TestRecoverAfterCrashAndClose(t *testing.T) {
	for _, clean := range []bool{true, false} {
		t.Run(fmt.Sprintf("clean=%v", clean), func(t *testing.T) {
			dir := t.TempDir()
			o := Options{SegmentBytes: 1000}
			l := open(t, dir, o)
			want := ""
			for i := range 60 {
				mustAppend(t, l, producerBatchOf(BatchOptions{ProducerID: 7, BaseSequence: int32(i)}, fmt.Sprint(i)))
				want += fmt.Sprintf("%d ", i)
			}
			if err := l.WaitVisible(context.Background(), 60); err != nil {
				t.Fatal(err)
			}
			if clean {
				l.Close()
			} else {
				dir = crash(t, l)
			}
			l = open(t, dir, o)
			got := ""
			for _, v := range values(t, l, 0) {
				got += v + " "
			}
			if got != want {
				t.Fatalf("recovered %q", got)
			}
			dup, err := l.Append(producerBatchOf(BatchOptions{ProducerID: 7, BaseSequence: 57}, "57"), AppendOptions{})
			if err != nil || !dup.Duplicate || dup.First != 57 {
				t.Errorf("duplicate after recovery: %+v, %v", dup, err)
			}
			if _, err := l.Append(producerBatchOf(BatchOptions{ProducerID: 7, BaseSequence: 62}, "gap"), AppendOptions{}); !errors.Is(err, ErrSequenceGap) {
				t.Errorf("gap after recovery: %v", err)
			}
			mustAppend(t, l, producerBatchOf(BatchOptions{ProducerID: 7, BaseSequence: 60}, "60"))
		})
	}
}

// TestRecoverTransactions crashes with one transaction aborted and one open.
func TestRecoverTransactions(t *testing.T) {
	l := open(t, t.TempDir(), Options{SegmentBytes: 300})
	mustAppend(t, l, producerBatchOf(BatchOptions{ProducerID: 1, Transactional: true}, "a"))
	mustAppend(t, l, producerBatchOf(BatchOptions{ProducerID: 2, Transactional: true}, "b"))
	if _, err := l.AppendMarker(Marker{ProducerID: 1}, 0); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, batchOf("plain", "plain"))
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"live": "", "crash": crash(t, l)} {
		if dir != "" {
			l = open(t, dir, Options{})
		}
		if w := l.Watermarks(); w.Stable != 1 || w.HighWatermark != 5 {
			t.Errorf("%s: watermarks %+v, want stable 1, high 5", name, w)
		}
		if a := l.Aborted(nil, 0, 5); len(a) != 1 || a[0] != (AbortedTxn{1, 0, 2}) {
			t.Errorf("%s: aborted %v", name, a)
		}
		if !l.InTransaction(2, 0) || l.InTransaction(1, 0) {
			t.Errorf("%s: open transactions are wrong: %+v", name, l.Producers())
		}
	}
}

func TestIndexRebuild(t *testing.T) {
	dir := t.TempDir()
	o := Options{SegmentBytes: 64 << 10, Flush: FlushAsync}
	l := open(t, dir, o)
	for i := range 3000 {
		mustAppend(t, l, batchOf(fmt.Sprintf("%060d", i)))
	}
	l.Close()
	indexes, _ := filepath.Glob(filepath.Join(dir, "*"+extIndex))
	if len(indexes) < 5 {
		t.Fatalf("only %d index files", len(indexes))
	}
	for i, name := range indexes { // missing, cut short, damaged
		data, _ := os.ReadFile(name)
		switch i % 3 {
		case 0:
			os.Remove(name)
		case 1:
			os.WriteFile(name, data[:len(data)/2], 0o644)
		case 2:
			data[len(data)/2] ^= 1
			os.WriteFile(name, data, 0o644)
		}
	}
	l = open(t, dir, o)
	for _, off := range []int64{0, 1, 499, 1500, 2999} {
		b, err := l.Read(nil, off, ReadOptions{MaxBytes: 1, AtLeastOne: true})
		if err != nil {
			t.Fatal(off, err)
		}
		if h, err := CheckBatch(b); err != nil || h.BaseOffset != off {
			t.Errorf("offset %d: got batch %d, %v", off, h.BaseOffset, err)
		}
	}
}

// TestRefusesLostData: data a checkpoint calls durable are gone. Opening as if nothing had happened would lose them silently.
func TestRefusesLostData(t *testing.T) {
	prepare := func() string {
		dir := t.TempDir()
		l := open(t, dir, Options{SegmentBytes: 200})
		for range 6 {
			mustAppend(t, l, batchOf("x"))
		}
		l.Close()
		return dir
	}
	cut := prepare()
	os.Truncate(lastSegment(t, cut), 10)
	gone := prepare()
	os.Remove(lastSegment(t, gone))
	for _, dir := range []string{cut, gone} {
		if l, err := Open(dir, Options{}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("opened: %v", err)
			if err == nil {
				l.Close()
			}
		}
	}
}

func TestDamagedCheckpointFallsBack(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{SegmentBytes: 300})
	for i := range 20 {
		mustAppend(t, l, producerBatchOf(BatchOptions{ProducerID: 3, BaseSequence: int32(i)}, "v"))
	}
	l.Close()
	snaps, _ := filepath.Glob(filepath.Join(dir, "*"+extSnapshot))
	if len(snaps) == 0 || len(snaps) > keptSnapshots {
		t.Fatalf("%d checkpoints", len(snaps))
	}
	for _, s := range snaps {
		os.WriteFile(s, []byte("rubbish"), 0o644)
	}
	l = open(t, dir, Options{})
	if l.EndOffset() != 20 || len(values(t, l, 0)) != 20 || l.Producers()[0].LastSequence != 19 {
		t.Fatalf("end %d, producers %+v", l.EndOffset(), l.Producers())
	}
}
