package keyed

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/millrace/millrace/sql/invariant"
)

var errDisk = errors.New("no space left on device")

// From the n-th write on the disk is full: every call must return an error or succeed, none may hang or end the process, and what was
// flushed must still be there when the disk is well again.
func TestFullDisk(t *testing.T) {
	if invariant.Enabled {
		t.Skip("Pebble has checks of its own under the tag invariants, and one of them panics after a failed manifest write")
	}
	for n := int64(0); n < 100; n += 9 {
		var writes, full atomic.Int64
		mem := vfs.NewMem()
		inject := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && writes.Add(1) > n && full.Load() == 1 {
				return errDisk
			}
			return nil
		})
		full.Store(1)
		durable, err := workload(Options{fs: errorfs.Wrap(mem, inject), MemTableBytes: 16 << 10})
		if err == nil && writes.Load() > n {
			t.Logf("n=%d: the fault hit nothing that matters", n)
		}
		full.Store(0)
		if durable == 0 {
			continue
		}
		clone := vfs.NewMem() // the first store may have left its lock
		if _, err := vfs.Clone(mem, clone, "db", "db"); err != nil {
			t.Fatal(err)
		}
		s, err := Open("db", Options{fs: clone})
		if err != nil {
			t.Fatalf("n=%d: reopening: %v", n, err)
		}
		if s.Epoch() < durable {
			t.Fatalf("n=%d: epoch %d, durable was %d", n, s.Epoch(), durable)
		}
		s.Close()
	}
}

func workload(o Options) (durable uint64, err error) {
	s, err := Open("db", o)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	var d Delta
	for epoch := uint64(1); epoch <= 30; epoch++ {
		d.Reset()
		for i := range 20 {
			put(&d, uint16(i), fmt.Sprint(epoch, i), fmt.Sprintf("%0200d", i))
		}
		if err := s.Apply(epoch, [][]byte{d.Bytes()}); err != nil {
			return s.DurableEpoch(), err
		}
		if epoch%5 == 0 {
			if _, err := s.Flush(); err != nil {
				return s.DurableEpoch(), err
			}
		}
	}
	return s.DurableEpoch(), nil
}

func TestFatalBecomesError(t *testing.T) {
	f := newFault()
	err := f.do(func() error { logger{f}.Fatalf("manifest: %v", errDisk); return nil })
	if err == nil || f.get() == nil {
		t.Fatalf("fatal message gave %v, %v", err, f.get())
	}
	if err := f.do(func() error { t.Error("ran on a failed store"); return nil }); err == nil {
		t.Fatal("no error")
	}
	f.wg.Wait()
}
