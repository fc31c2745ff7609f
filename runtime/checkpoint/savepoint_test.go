package checkpoint

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/state/keyed"
)

// rewound is a job's folder with five commits, of which only the first two are delivered, and a savepoint of the third.
func rewound(t *testing.T) (job, savepoint string) {
	t.Helper()
	dir := t.TempDir()
	job, savepoint = filepath.Join(dir, "job"), filepath.Join(dir, "save")
	s, _, err := Open(job, true, keyed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for epoch := uint64(1); epoch <= 5; epoch++ {
		c := &Commit{Epoch: epoch, Splits: []task.Split{{Source: "s", Split: "0", Position: []byte{byte('0' + epoch)}}}, Delivered: map[string]uint64{"sink": min(epoch, 2)},
			Stages: []Stage{{Sink: "sink", Rows: 1, Data: []byte{byte(epoch)}}}}
		if err := s.Commit(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		if epoch == 3 {
			if err := s.Savepoint(savepoint, c); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return job, savepoint
}

// TestRewind: positions are those of the savepoint, epochs go on, what was committed before the savepoint and not delivered still is, and what
// came later is gone.
func TestRewind(t *testing.T) {
	job, savepoint := rewound(t)
	if err := Rewind(job, savepoint, 0, true, keyed.Options{}); err != nil {
		t.Fatal(err)
	}
	checkRewound(t, job, 5)
	if epoch, splits, err := Positions(savepoint); err != nil || epoch != 3 || string(splits[0].Position) != "3" {
		t.Errorf("the savepoint: epoch %d, %v, %v", epoch, splits, err)
	}
}

func checkRewound(t *testing.T, job string, epoch uint64) {
	t.Helper()
	s, r, err := Open(job, true, keyed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if r.Last.Epoch != epoch || string(r.Last.Splits[0].Position) != "3" || r.Last.Delivered["sink"] != 2 {
		t.Errorf("last commit: %+v", r.Last)
	}
	if len(r.Undelivered) != 1 || r.Undelivered[0].Epoch != 3 {
		t.Errorf("undelivered: %d commits", len(r.Undelivered))
	}
}

// TestRewindIntoNothing starts a new job from a savepoint, above a given epoch.
func TestRewindIntoNothing(t *testing.T) {
	_, savepoint := rewound(t)
	job := filepath.Join(t.TempDir(), "other")
	if err := Rewind(job, savepoint, 100, true, keyed.Options{}); err != nil {
		t.Fatal(err)
	}
	s, r, err := Open(job, true, keyed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if r.Last.Epoch != 100 || len(r.Undelivered) != 0 || string(r.Last.Splits[0].Position) != "3" {
		t.Errorf("last commit: %+v, %d undelivered", r.Last, len(r.Undelivered))
	}
}

// TestRewindCrash stops going back at each of its steps: the next start finds either the old folder or the new one, whole.
func TestRewindCrash(t *testing.T) {
	t.Run("before the exchange", func(t *testing.T) {
		job, _ := rewound(t)
		if err := os.MkdirAll(filepath.Join(job+nextSuffix, "commits"), 0o755); err != nil { // half made
			t.Fatal(err)
		}
		s, r, err := Open(job, true, keyed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if r.Last.Epoch != 5 || string(r.Last.Splits[0].Position) != "5" {
			t.Errorf("last commit: %+v", r.Last)
		}
		if _, err := os.Stat(job + nextSuffix); err == nil {
			t.Error("the half-made folder is still there")
		}
	})
	t.Run("within the exchange", func(t *testing.T) {
		job, savepoint := rewound(t)
		old := job + ".copy"
		if err := os.CopyFS(old, os.DirFS(job)); err != nil {
			t.Fatal(err)
		}
		if err := Rewind(job, savepoint, 0, true, keyed.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(job, job+nextSuffix); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(old, job+pastSuffix); err != nil {
			t.Fatal(err)
		}
		checkRewound(t, job, 5)
	})
}
