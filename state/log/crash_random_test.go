package log

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// modelBatch is what the model remembers of an append: enough to predict every answer of the log.
type modelBatch struct {
	first, last int64
	pid         int64 // NoProducer for plain batches
	seq         int32
	txn, marker bool
	commit      bool
	values      []string
}

// crashModel drives a log with random operations and predicts what must be there after a crash.
type crashModel struct {
	t       *rapid.T
	dir     string
	log     *Log
	batches []modelBatch
	start   int64
	seqs    map[int64]int32
	open    map[int64]bool
	opts    Options
	n       int
}

func (m *crashModel) end() int64 {
	if len(m.batches) == 0 {
		return 0
	}
	return m.batches[len(m.batches)-1].last + 1
}

func (m *crashModel) append(b modelBatch, batch []byte) {
	res, err := m.log.Append(batch, AppendOptions{Control: b.marker})
	if err != nil || res.First != m.end() {
		m.t.Fatalf("append: %+v, %v, want offset %d", res, err, m.end())
	}
	b.first, b.last = res.First, res.Last
	m.batches = append(m.batches, b)
}

func (m *crashModel) plain() {
	b := modelBatch{pid: NoProducer}
	for range rapid.IntRange(1, 3).Draw(m.t, "records") {
		m.n++
		b.values = append(b.values, fmt.Sprint("v", m.n))
	}
	m.append(b, batchOf(b.values...))
}

func (m *crashModel) produce(pid int64, txn bool) {
	m.n++
	b := modelBatch{pid: pid, seq: m.seqs[pid], txn: txn, values: []string{fmt.Sprint("p", m.n)}}
	m.append(b, producerBatchOf(BatchOptions{ProducerID: pid, BaseSequence: b.seq, Transactional: txn}, b.values[0]))
	m.seqs[pid]++
	m.open[pid] = m.open[pid] || txn
}

func (m *crashModel) endTxn(pid int64) {
	b := modelBatch{pid: pid, marker: true, commit: rapid.Bool().Draw(m.t, "commit")}
	m.append(b, MarkerBatch(nil, Marker{ProducerID: pid, Commit: b.commit}))
	m.open[pid] = false
}

// step does one random thing.
func (m *crashModel) step() {
	pid := rapid.Int64Range(1, 3).Draw(m.t, "pid")
	switch op := rapid.IntRange(0, 9).Draw(m.t, "op"); {
	case op <= 2:
		m.plain()
	case op <= 4:
		m.produce(pid, pid != 1) // producer 1 is idempotent only
	case op == 5 && pid != 1:
		m.endTxn(pid)
	case op == 6:
		m.check(m.log.Sync())
	case op == 7:
		to := rapid.Int64Range(m.start, m.log.HighWatermark()).Draw(m.t, "delete to")
		got, err := m.log.DeleteBefore(to)
		m.check(err)
		m.start = got
	case op == 8:
		m.check(m.log.Close())
		m.reopen(m.dir)
		m.verify(m.end())
	case op == 9:
		m.crash()
	}
}

func (m *crashModel) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *crashModel) reopen(dir string) {
	l, err := Open(dir, m.opts)
	m.check(err)
	m.dir, m.log = dir, l
}

// crash goes on with a copy of the folder in which bytes that were never synced are cut or overwritten at random.
func (m *crashModel) crash() {
	m.log.syncMu.Lock()
	m.log.mu.RLock()
	durable, newFile, next := m.log.durable, m.log.dirDirty, fmt.Sprint(m.dir, "x")
	m.log.mu.RUnlock()
	err := os.CopyFS(next, os.DirFS(m.dir))
	m.log.syncMu.Unlock()
	m.check(err)
	m.log.Close()
	m.damage(next, durable, newFile)
	os.RemoveAll(m.dir)
	m.reopen(next)
	end := m.log.EndOffset()
	if end < durable || end > m.end() {
		m.t.Fatalf("recovered to %d; %d was durable and %d appended", end, durable, m.end())
	}
	m.verify(end)
}

// damage changes the files of offsets ≥ durable. With newFile the newest segment's creation was not synced either.
func (m *crashModel) damage(dir string, durable int64, newFile bool) {
	bases, err := listOffsets(dir, extSegment)
	m.check(err)
	for i, base := range bases {
		keep := int64(0)
		path := fileName(dir, base, extSegment)
		data, err := os.ReadFile(path)
		m.check(err)
		for b := data; len(b) >= HeaderSize; {
			h, _ := ParseHeader(b)
			if h.BaseOffset >= durable {
				break
			}
			keep += int64(h.Length)
			b = b[h.Length:]
		}
		if keep == int64(len(data)) {
			continue
		}
		cut := rapid.Int64Range(keep, int64(len(data))).Draw(m.t, "cut")
		data = data[:cut]
		if rapid.Bool().Draw(m.t, "zeros") {
			data = append(data, make([]byte, 100)...)
		}
		if newFile && i == len(bases)-1 && rapid.Bool().Draw(m.t, "lost file") {
			m.check(os.Remove(path))
			continue
		}
		m.check(os.WriteFile(path, data, 0o644))
	}
}

// verify cuts the model at end and compares everything the log knows with it.
func (m *crashModel) verify(end int64) {
	for len(m.batches) > 0 && m.end() > end {
		m.batches = m.batches[:len(m.batches)-1]
	}
	if m.end() != end {
		m.t.Fatalf("log ends at %d, inside a batch of the model", end)
	}
	m.seqs, m.open = map[int64]int32{}, map[int64]bool{}
	first := map[int64]int64{}
	var want []string
	var aborted []AbortedTxn
	for _, b := range m.batches {
		switch {
		case b.marker:
			if m.open[b.pid] && !b.commit && b.last >= m.start {
				aborted = append(aborted, AbortedTxn{b.pid, first[b.pid], b.first})
			}
			m.open[b.pid] = false
		case b.pid != NoProducer:
			m.seqs[b.pid] = b.seq + 1
			if b.txn && !m.open[b.pid] {
				m.open[b.pid], first[b.pid] = true, b.first
			}
		}
		for i, v := range b.values {
			if b.first+int64(i) >= m.start {
				want = append(want, v)
			}
		}
	}
	m.compare(want, aborted, first)
}

func (m *crashModel) compare(want []string, aborted []AbortedTxn, first map[int64]int64) {
	w := m.log.Watermarks()
	stable := m.end()
	for pid, open := range m.open {
		if open {
			stable = min(stable, first[pid])
		}
	}
	stable = max(stable, m.start)
	if w.Start != m.start || w.HighWatermark != m.end() || w.Stable != stable {
		m.t.Fatalf("watermarks %+v, want start %d, end %d, stable %d", w, m.start, m.end(), stable)
	}
	var got []string
	m.check(m.log.Each(0, func(r *Record) error { got = append(got, string(r.Value)); return nil }))
	if fmt.Sprint(got) != fmt.Sprint(want) {
		m.t.Fatalf("records %v, want %v", got, want)
	}
	if a := m.log.Aborted(nil, m.start, m.end()); fmt.Sprint(a) != fmt.Sprint(aborted) {
		m.t.Fatalf("aborted %v, want %v", a, aborted)
	}
	for pid, seq := range m.seqs {
		if m.log.InTransaction(pid, 0) != m.open[pid] {
			m.t.Fatalf("producer %d: in transaction %v, want %v", pid, !m.open[pid], m.open[pid])
		}
		for _, p := range m.log.Producers() {
			if p.ID == pid && p.LastSequence != seq-1 {
				m.t.Fatalf("producer %d: last sequence %d, want %d", pid, p.LastSequence, seq-1)
			}
		}
	}
}

// TestRandomCrashes compares the log with a model through random appends, transactions, deletions, restarts and crashes.
func TestRandomCrashes(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		f.Value.Set("40") // each crash costs many fsyncs; ask for more with -rapid.checks
	}
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "log")
		if err != nil {
			rt.Fatal(err)
		}
		m := &crashModel{t: rt, seqs: map[int64]int32{}, open: map[int64]bool{}}
		m.opts = Options{SegmentBytes: 400, Flush: FlushAsync, ProducerExpiry: 1e6 * time.Hour}
		if rapid.Bool().Draw(rt, "ack") {
			m.opts.Flush = FlushAck
		}
		m.reopen(filepath.Join(dir, "l"))
		for range rapid.IntRange(5, 30).Draw(rt, "steps") {
			m.step()
		}
		m.crash()
		m.log.Close()
	})
}
