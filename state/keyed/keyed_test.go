package keyed

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const testOp = 0x1122334455667788

// rows reads all entries of table 0 of testOp.
func rows(t *testing.T, s *Store) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := s.Scan(testOp, 0, 0, 256, func(group uint16, key, value []byte) error {
		got[fmt.Sprintf("%d/%s", group, key)] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func equal(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d entries, want %d", len(got), len(want))
	}
	for k, v := range want {
		if got[k] != v {
			t.Fatalf("entry %s is %q, want %q", k, got[k], v)
		}
	}
}

func mustOpen(t *testing.T, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func apply(t *testing.T, s *Store, epoch uint64, d *Delta) {
	t.Helper()
	if err := s.Apply(epoch, [][]byte{d.Bytes()}); err != nil {
		t.Fatal(err)
	}
}

func put(d *Delta, group uint16, key, value string) {
	NewOpState(nil, testOp, 0, 256, d).Put(0, group, []byte(key), []byte(value))
}

func TestApplyIsIdempotentPerEpoch(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	var d Delta
	put(&d, 1, "a", "1")
	apply(t, s, 5, &d)
	d.Reset()
	put(&d, 1, "a", "2")
	apply(t, s, 5, &d)
	equal(t, rows(t, s), map[string]string{"1/a": "1"})
	if s.Epoch() != 5 || s.DurableEpoch() != 0 {
		t.Fatalf("epoch %d durable %d", s.Epoch(), s.DurableEpoch())
	}
	if e, err := s.Flush(); err != nil || e != 5 || s.DurableEpoch() != 5 {
		t.Fatalf("flush gave %d, %v", e, err)
	}
}

func TestScanBoundsAndGet(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	var d Delta
	for _, op := range []uint64{testOp - 1, testOp, testOp + 1, ^uint64(0)} {
		for table := range byte(3) {
			for _, g := range []uint16{0, 7, 255, 0xffff} {
				NewOpState(s, op, 0, 256, &d).Put(table, g, []byte("k"), fmt.Appendf(nil, "%x/%d/%d", op, table, g))
			}
		}
	}
	apply(t, s, 1, &d)
	var got []string
	err := s.Scan(testOp, 1, 7, 256, func(_ uint16, _, v []byte) error { got = append(got, string(v)); return nil })
	want := fmt.Sprint([]string{"1122334455667788/1/7", "1122334455667788/1/255"})
	if err != nil || fmt.Sprint(got) != want {
		t.Fatalf("got %v, %v, want %v", got, err, want)
	}
	if _, found, _ := s.Get(nil, testOp, 1, 8, []byte("k")); found {
		t.Fatal("found what was never put")
	}
	if v, found, err := s.Get(nil, ^uint64(0), 2, 0xffff, []byte("k")); !found || err != nil || string(v) != "ffffffffffffffff/2/65535" {
		t.Fatalf("got %q %v %v", v, found, err)
	}
	for _, op := range []uint64{testOp, ^uint64(0)} {
		if err := s.DropOperator(op); err != nil {
			t.Fatal(err)
		}
		if _, found, _ := s.Get(nil, op, 2, 0xffff, []byte("k")); found {
			t.Fatalf("operator %x was dropped and is still there", op)
		}
	}
	if _, found, _ := s.Get(nil, testOp+1, 0, 0, []byte("k")); !found {
		t.Fatal("dropping an operator took its neighbour")
	}
	if s.DropOperator(0) == nil || s.Epoch() != 1 {
		t.Fatal("operator 0 must be refused")
	}
}

func TestBadDeltasAreRefusedWhole(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	var good Delta
	put(&good, 1, "a", "1")
	full := good.Bytes()
	bad := [][]byte{{9}, full[:len(full)-1], {1, 0xff, 0xff, 0xff, 0xff, 0x0f}, {2, 1, 'x'}, append(append([]byte{}, full...), 1, 200)}
	var own Delta
	own.Put(epochKey, []byte("12345678"))
	for i, b := range append(bad, own.Bytes()) {
		if err := s.Apply(1, [][]byte{full, b}); !errors.Is(err, ErrBadDelta) {
			t.Fatalf("delta %d gave %v", i, err)
		}
	}
	equal(t, rows(t, s), nil)
}

func TestRandomHistoryAgainstMap(t *testing.T) {
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 1))
		dir, dirs := t.TempDir(), t.TempDir()
		o := Options{ChunkBytes: 1 << rng.IntN(20), MemTableBytes: 64 << 10}
		s, model := mustOpen(t, dir, o), map[string]string{}
		for epoch := uint64(1); epoch < 60; epoch++ {
			var d Delta
			changeRandomly(rng, &d, model)
			apply(t, s, epoch, &d)
			switch rng.IntN(8) {
			case 0:
				if _, err := s.Flush(); err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = mustOpen(t, dir, o)
			case 1:
				snap, next := filepath.Join(dirs, fmt.Sprint("s", epoch)), filepath.Join(dirs, fmt.Sprint("d", epoch))
				if err := errors.Join(s.Snapshot(snap), s.Close(), Restore(snap, next)); err != nil {
					t.Fatal(err)
				}
				dir = next
				s = mustOpen(t, dir, o)
			}
			if s.Epoch() != epoch {
				t.Fatalf("epoch %d, want %d", s.Epoch(), epoch)
			}
		}
		equal(t, rows(t, s), model)
	}
}

func changeRandomly(rng *rand.Rand, d *Delta, model map[string]string) {
	st := NewOpState(nil, testOp, 0, 256, d)
	for range rng.IntN(80) {
		g, k := uint16(rng.IntN(3)), fmt.Sprintf("%02d", rng.IntN(100))
		name := fmt.Sprintf("%d/%s", g, k)
		switch rng.IntN(10) {
		case 0:
			delete(model, name)
			st.Delete(0, g, []byte(k))
		case 1:
			end := fmt.Sprintf("%02d", rng.IntN(100))
			if end <= k {
				end = ""
			}
			for i := range 100 {
				if x := fmt.Sprintf("%02d", i); x >= k && (end == "" || x < end) {
					delete(model, fmt.Sprintf("%d/%s", g, x))
				}
			}
			st.DeleteRange(0, g, []byte(k), []byte(end))
		default:
			v := fmt.Sprint(rng.Uint64())
			model[name] = v
			st.Put(0, g, []byte(k), []byte(v))
		}
	}
}

// A crash may take any unflushed epoch, never a flushed one, and never part of one.
func TestCrashKeepsWholeEpochs(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 2))
		fs := vfs.NewCrashableMem()
		o := Options{fs: fs, MemTableBytes: 32 << 10, ChunkBytes: 8 << 10}
		s := mustOpen(t, "db", o)
		var log []*Delta
		model := map[string]string{}
		for epoch := 1; epoch <= 40; epoch++ {
			d := &Delta{}
			changeRandomly(rng, d, model)
			for i := range rng.IntN(200) { // some epochs need several chunks
				v := fmt.Sprintf("%0100d", epoch*1000+i)
				put(d, 5, fmt.Sprint(i), v)
				model[fmt.Sprint("5/", i)] = v
			}
			log = append(log, d)
			apply(t, s, uint64(epoch), d)
			if rng.IntN(10) == 0 {
				if _, err := s.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		durable := s.DurableEpoch()
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		s.Close()
		o.fs = crashed
		s = mustOpen(t, "db", o)
		if s.Epoch() < durable || s.Epoch() > 40 {
			t.Fatalf("seed %d: epoch %d after the crash, durable was %d", seed, s.Epoch(), durable)
		}
		for e := s.Epoch() + 1; e <= 40; e++ {
			apply(t, s, e, log[e-1])
		}
		equal(t, rows(t, s), model)
	}
}

func TestTornEpochRefusesReads(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := mustOpen(t, "db", Options{fs: fs, ChunkBytes: 64})
	var d Delta
	for i := range 10 {
		put(&d, 0, fmt.Sprint(i), "0123456789")
	}
	cut := d.Bytes()[:len(d.Bytes())-1]
	s.unflushed = true
	if err := s.write(7, [][]byte{cut}); !errors.Is(err, ErrBadDelta) { // fails after some chunks, as a crash would
		t.Fatalf("got %v", err)
	}
	if _, err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = mustOpen(t, "db", Options{fs: fs})
	scan := func() error { return s.Scan(testOp, 0, 0, 256, func(uint16, []byte, []byte) error { return nil }) }
	if err := scan(); !errors.Is(err, ErrTorn) {
		t.Fatalf("scan gave %v", err)
	}
	if err := s.Snapshot("snap"); !errors.Is(err, ErrTorn) {
		t.Fatalf("snapshot gave %v", err)
	}
	if err := s.Apply(8, nil); !errors.Is(err, ErrTorn) {
		t.Fatalf("skipping the torn epoch gave %v", err)
	}
	apply(t, s, 7, &d)
	if got := len(rows(t, s)); got != 10 {
		t.Fatalf("%d entries after healing", got)
	}
}

func TestOpenAndRestoreErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "db"), Options{}); err == nil {
		t.Fatal("opened below a file")
	}
	s := mustOpen(t, filepath.Join(dir, "db"), Options{})
	if _, err := Open(filepath.Join(dir, "db"), Options{}); err == nil {
		t.Fatal("opened twice")
	}
	if err := s.Snapshot(filepath.Join(dir, "snap")); err != nil {
		t.Fatal(err)
	}
	if err := s.Snapshot(filepath.Join(dir, "snap")); err == nil {
		t.Fatal("snapshot over a snapshot")
	}
	if err := Restore(filepath.Join(dir, "snap"), filepath.Join(dir, "db")); err == nil {
		t.Fatal("restored over a store")
	}
	if err := Restore(filepath.Join(dir, "none"), filepath.Join(dir, "new")); err == nil {
		t.Fatal("restored from nothing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(1, nil); !errors.Is(err, ErrClosed) {
		t.Fatalf("apply after close gave %v", err)
	}
}
