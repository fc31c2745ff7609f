package log

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// keyed builds a batch of key=value records; an empty value is a tombstone, an empty key is null.
func keyed(o BatchOptions, codec int, ts int64, kv ...string) []byte {
	var recs []Record
	for i := 0; i < len(kv); i += 2 {
		r := Record{TimestampMs: ts + int64(i), Headers: []RecordHeader{{Key: "h", Value: []byte(kv[i+1])}}}
		if kv[i] != "" {
			r.Key = []byte(kv[i])
		}
		if kv[i+1] != "" {
			r.Value = []byte(kv[i+1])
		}
		recs = append(recs, r)
	}
	b := BuildBatch(nil, recs, o)
	if codec == 0 {
		return b
	}
	h, _ := ParseHeader(b)
	body, err := compress(codec, b[HeaderSize:])
	if err != nil {
		panic(err)
	}
	return reframe(&h, b, int16(codec)|h.Attributes, body, reframed{n: h.NumRecords, first: h.FirstTimestamp, max: h.MaxTimestamp})
}

func compactLog(t testing.TB, l *Log, nowMs int64) CompactStats {
	t.Helper()
	st, err := l.Compact(context.Background(), time.UnixMilli(nowMs))
	if err != nil {
		t.Fatal("compacting:", err)
	}
	return st
}

// fastDir is a folder in memory where there is one: these tests are about order, not about the disk, and compaction syncs a lot.
func fastDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "millrace-log-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// fastCrash is crash into a fastDir.
func fastCrash(t testing.TB, l *Log) string {
	t.Helper()
	dir := filepath.Join(fastDir(t), "log")
	if err := os.CopyFS(dir, os.DirFS(l.Dir())); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rollNow closes the active segment, so that compaction may touch all that was written.
func rollNow(t testing.TB, l *Log) {
	t.Helper()
	l.appendMu.Lock()
	_, err := l.roll(l.EndOffset())
	l.appendMu.Unlock()
	if err = errors.Join(err, l.Sync()); err != nil {
		t.Fatal(err)
	}
}

// seen is a record as a client sees it.
type seen struct {
	offset, ts int64
	key, value string
	null       bool // no value
}

// committed reads as a read-committed client does: with the list of aborted transactions, ended by their markers.
func committed(t testing.TB, l *Log, from int64, maxBytes int) []seen {
	t.Helper()
	var out []seen
	for from = max(from, l.StartOffset()); ; {
		next, more := committedStep(t, l, from, maxBytes, &out)
		if !more {
			return out
		}
		from = next
	}
}

// committedStep is one fetch and what the client makes of it.
func committedStep(t testing.TB, l *Log, from int64, maxBytes int, out *[]seen) (int64, bool) {
	t.Helper()
	upTo := l.LastStableOffset()
	if from >= upTo {
		return from, false
	}
	aborted := l.Aborted(nil, from, upTo)
	buf, err := l.Read(nil, from, ReadOptions{MaxBytes: maxBytes, AtLeastOne: true, Isolation: ReadCommitted, UpTo: upTo})
	if err != nil || len(buf) == 0 {
		t.Fatalf("reading at %d of %d: %d bytes, %v", from, upTo, len(buf), err)
	}
	skip := map[int64]bool{}
	at := from
	for len(buf) > 0 {
		h, err := CheckBatch(firstBatch(buf))
		if err != nil || h.LastOffset() < at {
			t.Fatalf("batch %d to %d after offset %d: %v", h.BaseOffset, h.LastOffset(), at, err)
		}
		batch := buf[:h.Length]
		buf, at = buf[h.Length:], h.LastOffset()+1
		aborted = slices.DeleteFunc(aborted, func(a AbortedTxn) bool {
			if a.First <= h.LastOffset() {
				skip[a.ProducerID] = true
				return true
			}
			return false
		})
		if h.Control() {
			if m, ok, err := parseMarker(batch); err != nil {
				t.Fatal(err)
			} else if ok && !m.Commit {
				delete(skip, h.ProducerID)
			}
			continue
		}
		if h.Transactional() && skip[h.ProducerID] {
			continue
		}
		err = EachRecord(batch, func(r *Record) error {
			if r.Offset >= from {
				if len(r.Headers) != 1 || !bytes.Equal(r.Headers[0].Value, r.Value) {
					t.Fatalf("headers of offset %d: %v", r.Offset, r.Headers)
				}
				*out = append(*out, seen{r.Offset, r.TimestampMs, string(r.Key), string(r.Value), r.Value == nil})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return at, true
}

func offsets(s []seen) (out []int64) {
	for _, r := range s {
		out = append(out, r.offset)
	}
	return out
}

func TestCompactKeepsNewest(t *testing.T) {
	for codec := range 5 {
		t.Run(fmt.Sprint("codec", codec), func(t *testing.T) {
			l := open(t, t.TempDir(), Options{Compact: true})
			mustAppend(t, l, keyed(BatchOptions{}, codec, 100, "a", "1", "b", "1", "", "no key", "c", "1"))
			mustAppend(t, l, keyed(BatchOptions{}, codec, 200, "a", "2", "b", ""))
			mustAppend(t, l, keyed(BatchOptions{}, codec, 300, "a", "3"))
			rollNow(t, l)
			mustAppend(t, l, keyed(BatchOptions{}, codec, 400, "c", "2"))
			if err := l.Sync(); err != nil {
				t.Fatal(err)
			}
			st := compactLog(t, l, 1000)
			want := []seen{{2, 104, "", "no key", false}, {3, 106, "c", "1", false}, {5, 202, "b", "", true},
				{6, 300, "a", "3", false}, {7, 400, "c", "2", false}}
			if got := committed(t, l, 0, 100); !slices.Equal(got, want) || st.Dropped != 3 {
				t.Fatalf("%+v\n got %v\nwant %v", st, got, want)
			}
			if st := compactLog(t, l, 1000); st.Dropped != 1 { // DeleteRetention is 0: the tombstone's time has come
				t.Errorf("second round: %+v", st)
			}
			if st := compactLog(t, l, 1000); st.Passes != 0 {
				t.Errorf("third round: %+v", st)
			}
			l.Close()
			l = open(t, l.Dir(), Options{Compact: true})
			if got := offsets(committed(t, l, 0, 100)); !slices.Equal(got, []int64{2, 3, 6, 7}) || l.EndOffset() != 8 {
				t.Errorf("after opening: %v, end %d", got, l.EndOffset())
			}
			if got, err := l.OffsetForTime(250, ReadVisible); err != nil || got.Offset != 6 {
				t.Errorf("by time: %+v, %v", got, err)
			}
		})
	}
}

func TestCompactedLogRefusesNullKeys(t *testing.T) {
	for codec := range 5 {
		l := open(t, t.TempDir(), Options{Compact: true, Flush: FlushAsync})
		if _, err := l.Append(keyed(BatchOptions{}, codec, 1, "k", "v", "", "v"), AppendOptions{Keyed: true}); !errors.Is(err, ErrInvalidBatch) {
			t.Errorf("codec %d: %v", codec, err)
		}
		if _, err := l.Append(keyed(BatchOptions{}, codec, 1, "k", "v", "k", ""), AppendOptions{Keyed: true}); err != nil {
			t.Errorf("codec %d: %v", codec, err)
		}
	}
}

func TestCompactLimits(t *testing.T) {
	now := int64(10_000)
	l := open(t, t.TempDir(), Options{Compact: true, MinDirtyRatio: 0.6, MinCompactionLag: time.Second, DeleteRetention: time.Hour,
		Now: func() time.Time { return time.UnixMilli(now) }})
	put := func(value string) {
		mustAppend(t, l, keyed(BatchOptions{}, 0, now, "k", value))
		rollNow(t, l)
	}
	put("1")
	put("2")
	if st := compactLog(t, l, now+1000-1); st.Passes != 0 {
		t.Errorf("inside min.compaction.lag: %+v", st)
	}
	if st := compactLog(t, l, now+1000); st.Dropped != 1 {
		t.Errorf("behind min.compaction.lag: %+v", st)
	}
	now += 5000
	put("3") // half of the bytes, or less
	if st := compactLog(t, l, now+5000); st.Passes != 0 {
		t.Errorf("below min.cleanable.dirty.ratio: %+v", st)
	}
	put("")
	if st := compactLog(t, l, now+5000); st.Dropped != 2 {
		t.Errorf("dirty enough: %+v", st)
	}
	hour := time.Hour.Milliseconds()
	if st := compactLog(t, l, now+5000+hour-1); st.Passes != 0 || len(committed(t, l, 0, 0)) != 1 {
		t.Errorf("inside delete.retention: %+v", st)
	}
	if st := compactLog(t, l, now+5000+hour); st.Dropped != 1 || len(committed(t, l, 0, 0)) != 0 {
		t.Errorf("behind delete.retention: %+v", st)
	}
}

func TestCompactStopsAtOpenTransaction(t *testing.T) {
	l := open(t, t.TempDir(), Options{Compact: true})
	txn := BatchOptions{ProducerID: 7, Transactional: true}
	mustAppend(t, l, keyed(BatchOptions{}, 0, 1, "k", "1"))
	rollNow(t, l)
	mustAppend(t, l, keyed(txn, 0, 1, "k", "2"))
	rollNow(t, l)
	mustAppend(t, l, keyed(BatchOptions{}, 0, 1, "k", "3"))
	rollNow(t, l)
	if st := compactLog(t, l, 1000); st.Dropped != 0 {
		t.Fatalf("past an open transaction: %+v", st)
	}
	if _, err := l.AppendMarker(Marker{ProducerID: 7}, 0); err != nil {
		t.Fatal(err)
	}
	rollNow(t, l)
	if st := compactLog(t, l, 1000); st.Dropped != 2 || !slices.Equal(offsets(committed(t, l, 0, 0)), []int64{2}) {
		t.Fatalf("after the abort: %+v", st)
	}
	if len(l.Aborted(nil, 0, 100)) != 1 {
		t.Error("the aborted transaction is gone before its marker was seen without data")
	}
	compactLog(t, l, 1000) // the entry
	compactLog(t, l, 1000) // the marker
	if n := len(l.Aborted(nil, 0, 100)); n != 0 {
		t.Errorf("%d aborted transactions left", n)
	}
	l = open(t, crash(t, l), Options{Compact: true})
	if n := len(l.Aborted(nil, 0, 100)); n != 0 || l.LastStableOffset() != 4 {
		t.Errorf("after a crash: %d aborted transactions, stable offset %d", n, l.LastStableOffset())
	}
	mustAppend(t, l, keyed(BatchOptions{ProducerID: 7, Transactional: true, BaseSequence: 1}, 0, 1, "k", "4"))
	if _, err := l.AppendMarker(Marker{ProducerID: 7, Commit: true}, 0); err != nil {
		t.Fatal(err)
	}
	l.Sync()
	if got := offsets(committed(t, l, 0, 0)); !slices.Equal(got, []int64{2, 4}) {
		t.Errorf("a later commit of the producer: %v", got)
	}
}

func TestReadStopsAtBatchThatDoesNotFit(t *testing.T) {
	l := open(t, t.TempDir(), Options{Flush: FlushAsync})
	mustAppend(t, l, batchOf("a", "b", "c", "d"))
	rollNow(t, l)
	small := mustAppend(t, l, batchOf("e"))
	got, err := l.Read(nil, 0, ReadOptions{MaxBytes: len(batchOf("e"))})
	if err != nil || len(got) != 0 {
		t.Fatalf("%d bytes, %v: offsets below %d were skipped", len(got), err, small.First)
	}
}

// compactModel remembers everything ever written and whether it was committed.
type compactModel struct {
	rng     *rand.Rand
	log     *Log
	opts    Options
	now     int64
	records []seen
	pending map[int64][]seen // of open transactions
	seqs    map[int64]int32
	n       int
	cut     bool // a pass was cut short: segments may be cleaner than noted
}

func newCompactModel(t testing.TB, seed int64, o Options) *compactModel {
	m := &compactModel{rng: rand.New(rand.NewSource(seed)), now: 1_000_000, pending: map[int64][]seen{}, seqs: map[int64]int32{}}
	o.Now = func() time.Time { return time.UnixMilli(m.now) }
	m.opts = o
	m.log = open(t, fastDir(t), o)
	return m
}

// put appends a batch of random keys, plain (pid 0) or in a transaction.
func (m *compactModel) put(t testing.TB, pid int64) {
	var kv []string
	for range 1 + m.rng.Intn(4) {
		m.n++
		value := fmt.Sprint("v", m.n)
		if m.rng.Intn(5) == 0 {
			value = ""
		}
		kv = append(kv, fmt.Sprint("k", m.rng.Intn(12)), value)
	}
	o := BatchOptions{ProducerID: pid, Transactional: pid > 1, Idempotent: pid > 0, BaseSequence: m.seqs[pid]}
	res := mustAppend(t, m.log, keyed(o, m.rng.Intn(5), m.now, kv...))
	m.seqs[pid] += int32(len(kv) / 2)
	for i := 0; i < len(kv); i += 2 {
		r := seen{res.First + int64(i/2), m.now + int64(i), kv[i], kv[i+1], kv[i+1] == ""}
		if pid > 1 {
			m.pending[pid] = append(m.pending[pid], r)
		} else {
			m.records = append(m.records, r)
		}
	}
}

func (m *compactModel) end(t testing.TB, pid int64) {
	commit := m.rng.Intn(2) == 0
	if _, err := m.log.AppendMarker(Marker{ProducerID: pid, Commit: commit, TimestampMs: m.now}, 0); err != nil {
		t.Fatal(err)
	}
	if commit {
		m.records = append(m.records, m.pending[pid]...)
		slices.SortFunc(m.records, func(a, b seen) int { return int(a.offset - b.offset) })
	}
	delete(m.pending, pid)
}

func (m *compactModel) step(t testing.TB) {
	m.now += int64(m.rng.Intn(50))
	switch op := m.rng.Intn(20); {
	case op < 8:
		m.put(t, int64(m.rng.Intn(2)))
	case op < 12:
		m.put(t, int64(2+m.rng.Intn(3)))
	case op < 16:
		for pid := int64(2); pid < 5; pid++ { // in this order, so that a seed always does the same
			if m.pending[pid] != nil {
				m.end(t, pid)
				break
			}
		}
	case op == 16:
		compactLog(t, m.log, m.now)
	case op == 17:
		m.log.Sync()
		m.log = open(t, fastCrash(t, m.log), m.opts)
	case op == 18:
		m.log.Close()
		m.log = open(t, m.log.Dir(), m.opts)
	case op == 19:
		rollNow(t, m.log)
	}
}

// check compares what a client reads with the model: nothing that was not committed, nothing changed, nothing missing but what a
// newer record of the key replaces, tombstones aside.
func (m *compactModel) check(t testing.TB) {
	t.Helper()
	m.log.Sync()
	stable := m.log.LastStableOffset()
	newest, byOffset := map[string]seen{}, map[int64]seen{}
	for _, r := range m.records {
		if r.offset < stable {
			newest[r.key], byOffset[r.offset] = r, r
		}
	}
	got, have := committed(t, m.log, 0, 1+m.rng.Intn(500)), map[int64]bool{}
	for i, r := range got {
		if byOffset[r.offset] != r || i > 0 && got[i-1].offset >= r.offset {
			t.Fatalf("read %+v after %v, written was %+v", r, got[max(i-1, 0)], byOffset[r.offset])
		}
		have[r.offset] = true
	}
	for key, r := range newest {
		if !have[r.offset] && !r.null {
			t.Fatalf("the newest record of %s, %+v, is missing; clean until %d", key, r, m.log.compacted.cleanUntil)
		}
	}
	for _, r := range m.records {
		if !m.cut && r.offset >= m.log.compacted.cleanUntil && r.offset < stable && !have[r.offset] {
			t.Fatalf("%+v is missing, though nothing from %d on was compacted", r, m.log.compacted.cleanUntil)
		}
	}
	clean := map[string]bool{}
	for _, r := range got {
		if r.offset < m.log.compacted.cleanUntil {
			if clean[r.key] {
				t.Fatalf("two records of %s below %d", r.key, m.log.compacted.cleanUntil)
			}
			clean[r.key] = true
		}
	}
}

func TestCompactModel(t *testing.T) {
	for seed := range int64(6) {
		m := newCompactModel(t, seed, Options{Compact: true, SegmentBytes: 700, Flush: FlushAsync, CompactionKeys: []int{1, 5, 9, 64}[seed%4],
			MinDirtyRatio: float64(seed%3) / 4, DeleteRetention: time.Duration(seed%4) * 100 * time.Millisecond})
		for range 150 {
			m.step(t)
			if m.rng.Intn(10) == 0 {
				m.check(t)
			}
		}
		for pid := range m.pending {
			m.end(t, pid)
		}
		for range 4 {
			rollNow(t, m.log)
			m.now += 1000
			compactLog(t, m.log, m.now)
			m.check(t)
		}
		if seed%4 == 3 && len(committed(t, m.log, 0, 0)) > 12 {
			t.Fatalf("seed %d: %d records of 12 keys are left", seed, len(committed(t, m.log, 0, 0)))
		}
		m.log.Close()
	}
}

// TestCompactCrash ends a compaction at each of its steps as a crash would, opens the folder and goes on.
func TestCompactCrash(t *testing.T) {
	errCrash := errors.New("crash")
	names, crashes := []string{"clean", "swap", "noted", "unlinking", "unlinked", "renamed"}, map[string]int{}
	for seed := range int64(24) {
		m := newCompactModel(t, seed, Options{Compact: true, SegmentBytes: 600, CompactionKeys: 64, Flush: FlushAsync})
		for range 60 {
			m.step(t)
		}
		for range 5 {
			m.put(t, 0)
		}
		rollNow(t, m.log)
		victim, skip := names[seed%int64(len(names))], m.rng.Intn(3)
		if seed < int64(len(names)) {
			skip = 0
		}
		m.log.steps = func(step string) error {
			if step != victim {
				return nil
			}
			if skip--; skip >= 0 {
				return nil
			}
			crashes[step]++
			return errCrash
		}
		_, err := m.log.Compact(context.Background(), time.UnixMilli(m.now))
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		end := m.log.EndOffset()
		m.log = open(t, fastCrash(t, m.log), m.opts)
		m.cut = true
		if m.log.EndOffset() != end {
			t.Fatalf("seed %d: ends at %d after the crash, %d before", seed, m.log.EndOffset(), end)
		}
		m.check(t)
		for range 20 {
			m.step(t)
		}
		compactLog(t, m.log, m.now)
		m.check(t)
		m.log.Close()
	}
	for _, step := range names {
		if crashes[step] == 0 {
			t.Errorf("no crash at step %q", step)
		}
	}
}

// TestCompactScanFromNothing opens a compacted log without its checkpoints: the batches alone must do.
func TestCompactScanFromNothing(t *testing.T) {
	for seed := range int64(4) {
		m := newCompactModel(t, seed, Options{Compact: true, SegmentBytes: 600, Flush: FlushAsync})
		for range 100 {
			m.step(t)
		}
		for pid := range m.pending {
			m.end(t, pid)
		}
		rollNow(t, m.log)
		for range 4 {
			m.now += 10
			compactLog(t, m.log, m.now)
		}
		before := m.log.Producers()
		dir := fastCrash(t, m.log)
		snaps, _ := listOffsets(dir, extSnapshot)
		for _, o := range snaps {
			os.Remove(fileName(dir, o, extSnapshot))
		}
		m.log = open(t, dir, m.opts)
		m.check(t)
		if w := m.log.Watermarks(); w.Stable != w.End {
			t.Errorf("seed %d: an emptied transaction is open: %+v", seed, w)
		}
		after := m.log.Producers()
		for i, p := range before {
			if p.LastSequence >= 0 && !slices.ContainsFunc(after, func(q ProducerInfo) bool { return q.ID == p.ID && q.LastSequence == p.LastSequence }) {
				t.Errorf("seed %d: producer %+v became %+v", seed, p, after[i:])
			}
		}
	}
}

// TestCompactUnderReaders reads while compaction replaces segments: every surviving record is seen, in order.
func TestCompactUnderReaders(t *testing.T) {
	m := newCompactModel(t, 1, Options{Compact: true, SegmentBytes: 600, Flush: FlushAsync})
	for range 600 {
		m.put(t, 0)
	}
	rollNow(t, m.log)
	done := make(chan error, 1)
	var got []seen
	from, more := int64(0), true
	for i := 0; more; i++ {
		if i == 5 {
			go func() {
				_, err := m.log.Compact(context.Background(), time.UnixMilli(m.now))
				done <- err
			}()
		}
		from, more = committedStep(t, m.log, from, 200, &got)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(got); i++ {
		if got[i].offset <= got[i-1].offset {
			t.Fatalf("offset %d after %d", got[i].offset, got[i-1].offset)
		}
	}
	for _, r := range committed(t, m.log, 0, 0) {
		if !slices.Contains(got, r) {
			t.Fatalf("the reader missed %+v", r)
		}
	}
	m.check(t)
}

func TestCloseEndsCompaction(t *testing.T) {
	m := newCompactModel(t, 1, Options{Compact: true, SegmentBytes: 600, Flush: FlushAsync})
	for range 300 {
		m.put(t, 0)
	}
	rollNow(t, m.log)
	begun, closed := make(chan struct{}), make(chan error, 1)
	first := true
	m.log.steps = func(string) error {
		if first {
			first = false
			close(begun)
			go func() { closed <- m.log.Close() }()
			for !m.log.stopping.Load() {
				time.Sleep(time.Millisecond)
			}
		}
		return nil
	}
	if _, err := m.log.Compact(context.Background(), time.UnixMilli(m.now)); !errors.Is(err, ErrClosed) {
		t.Errorf("compaction of a closing log: %v", err)
	}
	<-begun
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	m.log, m.cut = open(t, m.log.Dir(), m.opts), true
	m.check(t)
}

func BenchmarkCompact(b *testing.B) {
	value := string(bytes.Repeat([]byte("v"), 180))
	for range b.N {
		b.StopTimer()
		l := open(b, b.TempDir(), Options{Compact: true, SegmentBytes: 16 << 20, Flush: FlushAsync})
		rng := rand.New(rand.NewSource(1))
		for range 3000 {
			kv := make([]string, 0, 200)
			for range 100 {
				kv = append(kv, fmt.Sprint("key", rng.Intn(50_000)), value)
			}
			mustAppend(b, l, keyed(BatchOptions{}, 0, 1, kv...))
		}
		rollNow(b, l)
		b.SetBytes(l.Size())
		b.StartTimer()
		compactLog(b, l, 1000)
		b.StopTimer()
		l.Close()
	}
}
