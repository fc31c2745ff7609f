package checkpoint

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/state/keyed"
)

func openStore(t *testing.T, dir string) (*Store, *Recovered) {
	t.Helper()
	s, r, err := Open(dir, false, keyed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// commitOf makes a commit whose delta sets key "k" to the epoch.
func commitOf(epoch uint64) *Commit {
	var d keyed.Delta
	keyed.NewOpState(nil, 1, 0, 256, &d).Put(0, 3, []byte("k"), fmt.Append(nil, epoch))
	return &Commit{Epoch: epoch, Deltas: [][]byte{d.Bytes()}, Splits: []task.Split{{Source: "s", Split: "0", Position: fmt.Append(nil, epoch)}}}
}

func stateOf(t *testing.T, s *Store) string {
	t.Helper()
	got := ""
	err := keyed.NewOpState(s.Keyed, 1, 0, 256, nil).Scan(0, func(_ uint16, _, value []byte) error {
		got = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func mustCommit(t *testing.T, s *Store, c *Commit) {
	t.Helper()
	if err := s.Commit(context.Background(), c); err != nil {
		t.Fatal(err)
	}
}

func TestStoreRecovers(t *testing.T) {
	dir := t.TempDir()
	s, r := openStore(t, dir)
	if r.Last != nil || len(r.Undelivered) != 0 {
		t.Fatalf("a new store has %+v", r)
	}
	for e := range uint64(5) {
		mustCommit(t, s, commitOf(e+1))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, r = openStore(t, dir)
	defer s.Close()
	if r.Last == nil || r.Last.Epoch != 5 || string(r.Last.Splits[0].Position) != "5" || stateOf(t, s) != "5" {
		t.Errorf("recovered %+v, state %q", r.Last, stateOf(t, s))
	}
}

// TestStoreReplaysIntoAnOldState: the keyed store may lie behind the log by any number of commits, even all of them.
func TestStoreReplaysIntoAnOldState(t *testing.T) {
	for behind := range 5 {
		t.Run(fmt.Sprint(behind), func(t *testing.T) {
			dir := t.TempDir()
			s, _ := openStore(t, dir)
			for e := range 5 {
				if e == 5-behind {
					if err := s.Keyed.Snapshot(filepath.Join(dir, "old")); err != nil {
						t.Fatal(err)
					}
				}
				mustCommit(t, s, commitOf(uint64(e+1)))
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if behind > 0 {
				if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
					t.Fatal(err)
				}
				if err := keyed.Restore(filepath.Join(dir, "old"), filepath.Join(dir, "state")); err != nil {
					t.Fatal(err)
				}
			}
			s, r := openStore(t, dir)
			defer s.Close()
			if r.Last.Epoch != 5 || stateOf(t, s) != "5" {
				t.Errorf("epoch %d, state %q", r.Last.Epoch, stateOf(t, s))
			}
		})
	}
}

// TestStoreTornLog: a crash may cut any number of bytes off the end of the commit log. What is left is a whole number of commits, and the
// store goes on. The keyed store is never ahead of the log, so it begins anew.
func TestStoreTornLog(t *testing.T) {
	dir := t.TempDir()
	s, _ := openStore(t, dir)
	for e := range uint64(3) {
		mustCommit(t, s, commitOf(e+1))
	}
	crashed := t.TempDir() // as the crash leaves it: not closed
	if err := os.CopyFS(crashed, os.DirFS(filepath.Join(dir, "commits"))); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	segment, whole := segmentOf(t, crashed)
	last, seen := uint64(3), map[uint64]bool{}
	for cut := 0; cut <= len(whole); cut += 1 + len(whole)/40 {
		torn := t.TempDir()
		if err := os.CopyFS(filepath.Join(torn, "commits"), os.DirFS(crashed)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(torn, "commits", segment), whole[:len(whole)-cut], 0o644); err != nil {
			t.Fatal(err)
		}
		last = checkTorn(t, torn, last)
		seen[last] = true
	}
	if len(seen) != 4 {
		t.Errorf("the cuts left commits %v, want 0 to 3", seen)
	}
}

func segmentOf(t *testing.T, dir string) (name string, data []byte) {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("segments %v, %v", segments, err)
	}
	if data, err = os.ReadFile(segments[0]); err != nil {
		t.Fatal(err)
	}
	return filepath.Base(segments[0]), data
}

// checkTorn opens a torn store, which holds at most the commits up to last, and commits to it. It returns the last commit it found.
func checkTorn(t *testing.T, dir string, last uint64) uint64 {
	t.Helper()
	s, r := openStore(t, dir)
	epoch, want := uint64(0), ""
	if r.Last != nil {
		epoch = r.Last.Epoch
		want = fmt.Sprint(epoch)
	}
	if epoch > last || stateOf(t, s) != want {
		t.Fatalf("epoch %d after %d, state %q", epoch, last, stateOf(t, s))
	}
	mustCommit(t, s, commitOf(9))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, r = openStore(t, dir)
	defer s.Close()
	if r.Last == nil || r.Last.Epoch != 9 || stateOf(t, s) != "9" {
		t.Fatalf("after the tear: %+v", r.Last)
	}
	return epoch
}

func TestStoreKeepsUndelivered(t *testing.T) {
	dir := t.TempDir()
	s, _ := openStore(t, dir)
	stage := func(epoch uint64, delivered uint64) *Commit {
		c := commitOf(epoch)
		c.Stages = []Stage{{Sink: "out", Rows: 1, Data: fmt.Append(nil, epoch)}}
		c.Delivered = map[string]uint64{"out": delivered}
		return c
	}
	mustCommit(t, s, stage(1, 0))
	mustCommit(t, s, stage(2, 1))
	mustCommit(t, s, stage(3, 1))
	if err := s.Trim(1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, r := openStore(t, dir)
	defer s.Close()
	var got []uint64
	for _, c := range r.Undelivered {
		got = append(got, c.Epoch)
	}
	if fmt.Sprint(got) != "[2 3]" || string(r.Undelivered[0].Stages[0].Data) != "2" {
		t.Errorf("undelivered: %v", got)
	}
}

// TestStoreTrimKeepsTheLast: however much is delivered, the last commit stays, for it holds the positions.
func TestStoreTrimKeepsTheLast(t *testing.T) {
	dir := t.TempDir()
	s, _ := openStore(t, dir)
	for e := range uint64(4) {
		mustCommit(t, s, commitOf(e+1))
	}
	if err := s.Trim(100); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, commitOf(5))
	if err := s.Trim(100); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, r := openStore(t, dir)
	defer s.Close()
	if r.Last == nil || r.Last.Epoch != 5 || stateOf(t, s) != "5" {
		t.Errorf("recovered %+v", r.Last)
	}
}

// TestStoreCommitWhileKilled kills a job at random moments of a commit. It must not hear that an epoch failed which the next life finds in
// the log: what is told at the commit (late rows, errors) would be lost.
func TestStoreCommitWhileKilled(t *testing.T) {
	for round := range 40 {
		dir := t.TempDir()
		s, _, err := Open(dir, true, keyed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		mustCommit(t, s, commitOf(1))
		ctx, cancel := context.WithCancel(context.Background())
		kill := time.AfterFunc(time.Duration(round)*5*time.Microsecond, cancel)
		failed := s.Commit(ctx, commitOf(2))
		kill.Stop()
		cancel()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, r := openStore(t, dir)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if failed != nil && r.Last.Epoch != 1 || failed == nil && r.Last.Epoch != 2 {
			t.Fatalf("round %d: Commit says %v, the log ends with epoch %d", round, failed, r.Last.Epoch)
		}
	}
}
