package log

import (
	"errors"
	"testing"
)

func TestIdempotence(t *testing.T) {
	l := open(t, t.TempDir(), Options{Flush: FlushAsync})
	send := func(epoch int16, seq int32) (AppendResult, error) {
		return l.Append(producerBatchOf(BatchOptions{ProducerID: 9, ProducerEpoch: epoch, BaseSequence: seq}, "v"), AppendOptions{})
	}
	for seq := range int32(7) {
		if _, err := send(0, seq); err != nil {
			t.Fatal(seq, err)
		}
	}
	steps := []struct {
		name  string
		epoch int16
		seq   int32
		want  error
		first int64
		dup   bool
	}{
		{"newest again", 0, 6, nil, 6, true},
		{"fifth last again", 0, 2, nil, 2, true},
		{"forgotten", 0, 1, ErrSequenceGap, 0, false},
		{"gap", 0, 8, ErrSequenceGap, 0, false},
		{"new epoch must start at 0", 1, 7, ErrSequenceGap, 0, false},
		{"new epoch", 1, 0, nil, 7, false},
		{"old epoch is fenced", 0, 7, ErrProducerFenced, 0, false},
		{"goes on", 1, 1, nil, 8, false},
	}
	for _, s := range steps {
		res, err := send(s.epoch, s.seq)
		if !errors.Is(err, s.want) || (err == nil && (res.First != s.first || res.Duplicate != s.dup)) {
			t.Errorf("%s: %+v, %v", s.name, res, err)
		}
	}
	if end := l.EndOffset(); end != 9 {
		t.Errorf("end offset %d", end)
	}
}

func TestSequenceWraps(t *testing.T) {
	l := open(t, t.TempDir(), Options{Flush: FlushAsync})
	for _, seq := range []int32{1<<31 - 2, 1<<31 - 1, 0, 1} {
		if _, err := l.Append(producerBatchOf(BatchOptions{ProducerID: 1, BaseSequence: seq}, "v"), AppendOptions{}); err != nil {
			t.Fatal(seq, err)
		}
	}
}

func TestTransactions(t *testing.T) {
	l := open(t, t.TempDir(), Options{Flush: FlushAsync})
	txn := func(pid int64, seq int32) {
		mustAppend(t, l, producerBatchOf(BatchOptions{ProducerID: pid, BaseSequence: seq, Transactional: true}, "t"))
	}
	stable := func(want int64) {
		t.Helper()
		if got := l.LastStableOffset(); got != want {
			t.Errorf("stable offset %d, want %d", got, want)
		}
	}
	mustAppend(t, l, batchOf("plain")) // 0
	stable(1)
	txn(1, 0) // 1
	txn(2, 0) // 2
	txn(1, 1) // 3
	stable(1)
	if got, _ := l.Read(nil, 0, ReadOptions{Isolation: ReadCommitted}); len(got) != len(batchOf("plain")) {
		t.Errorf("committed read returned %d bytes", len(got))
	}
	if _, err := l.Append(producerBatchOf(BatchOptions{ProducerID: 1, BaseSequence: 2}, "plain"), AppendOptions{}); !errors.Is(err, ErrTxnState) {
		t.Errorf("plain batch inside a transaction: %v", err)
	}
	l.AppendMarker(Marker{ProducerID: 1, Commit: true}, 0) // 4
	stable(2)
	l.AppendMarker(Marker{ProducerID: 2}, 0) // 5
	stable(6)
	if a := l.Aborted(nil, 0, 6); len(a) != 1 || a[0] != (AbortedTxn{2, 2, 5}) {
		t.Errorf("aborted: %v", a)
	}
	if a := l.Aborted(nil, 6, 9); len(a) != 0 {
		t.Errorf("aborted behind the marker: %v", a)
	}
	if _, err := l.AppendMarker(Marker{ProducerID: 2, ProducerEpoch: -1}, 0); !errors.Is(err, ErrProducerFenced) {
		t.Errorf("marker of an old epoch: %v", err)
	}
	// KIP-890: the marker carries the next epoch, and the producer goes on in it from sequence 0.
	if _, err := l.AppendMarker(Marker{ProducerID: 1, ProducerEpoch: 1, Commit: true}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(producerBatchOf(BatchOptions{ProducerID: 1, BaseSequence: 2, Transactional: true}, "late"), AppendOptions{}); !errors.Is(err, ErrProducerFenced) {
		t.Errorf("late batch of the ended epoch: %v", err)
	}
	mustAppend(t, l, producerBatchOf(BatchOptions{ProducerID: 1, ProducerEpoch: 1, Transactional: true}, "next"))
	if !l.InTransaction(1, 1) {
		t.Error("the next transaction is not open")
	}
}

// TestOpenTransactionIsShielded sends what a hostile or confused client might while a transaction is open: all of it is refused, and the
// marker still ends the transaction.
func TestOpenTransactionIsShielded(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{Flush: FlushAsync})
	mustAppend(t, l, producerBatchOf(BatchOptions{ProducerID: 7, ProducerEpoch: 3, Transactional: true}, "t"))
	intrude := func() {
		t.Helper()
		for name, o := range map[string]BatchOptions{
			"plain":                       {ProducerID: 7, ProducerEpoch: 3, BaseSequence: 1},
			"plain, raised epoch":         {ProducerID: 7, ProducerEpoch: 9},
			"transactional, raised epoch": {ProducerID: 7, ProducerEpoch: 4, Transactional: true},
		} {
			if _, err := l.Append(producerBatchOf(o, "x"), AppendOptions{}); !errors.Is(err, ErrTxnState) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := l.Append(producerBatchOf(BatchOptions{ProducerID: 7, ProducerEpoch: 2}, "x"), AppendOptions{}); !errors.Is(err, ErrProducerFenced) {
			t.Errorf("plain, old epoch: %v", err)
		}
	}
	intrude()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, Options{Flush: FlushAsync})
	intrude()
	if _, err := l.AppendMarker(Marker{ProducerID: 7, ProducerEpoch: 3, Commit: true}, 0); err != nil {
		t.Fatal("marker:", err)
	}
	if got := l.LastStableOffset(); got != 2 {
		t.Errorf("stable offset %d, want 2", got)
	}
}

// TestLateBeginIsRefused lets a marker come between the coordinator's word and the batch it was given for.
func TestLateBeginIsRefused(t *testing.T) {
	l := open(t, t.TempDir(), Options{Flush: FlushAsync})
	begin := func(seq int32, at int64) error {
		_, err := l.Append(producerBatchOf(BatchOptions{ProducerID: 1, BaseSequence: seq, Transactional: true}, "v"),
			AppendOptions{TxnVerified: true, VerifiedAt: at})
		return err
	}
	asked := l.EndOffset()
	if err := begin(0, asked); err != nil {
		t.Fatal(err)
	}
	asked = l.EndOffset()
	if _, err := l.AppendMarker(Marker{ProducerID: 1, Commit: true}, 0); err != nil {
		t.Fatal(err)
	}
	if err := begin(1, asked); !errors.Is(err, ErrTxnState) {
		t.Errorf("batch verified before the marker: %v", err)
	}
	if err := begin(0, asked); err != nil {
		t.Errorf("duplicate of an ended transaction: %v", err)
	}
	if err := begin(1, l.EndOffset()); err != nil {
		t.Errorf("next transaction: %v", err)
	}
}
