package conformance

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/vector"
)

// patience is how long a source may take to end a Read after its context is done.
const patience = 5 * time.Second

// Source describes a source over data that stays the same.
type Source struct {
	Columns []connectors.Column
	New     func(t testing.TB) connectors.Source // a fresh source over the same data, with those columns
	// Limit ends the reading of each split of an endless source after so many rows; 0: splits end or go idle by themselves.
	Limit    int
	Rows     int // rows of all splits that must come, within the limit; 0: not checked
	Rejected int // rejected records that must come; checked when Rows is
}

// record is what a reader brought: rows as text and rejected positions, in order.
type record struct{ rows, rejected []string }

// Run runs the suite.
func (s Source) Run(t *testing.T) {
	want := map[string]record{}
	t.Run("read", func(t *testing.T) {
		rows, rejected := 0, 0
		for id := range s.splits(t) {
			got := s.read(t, id, vector.MaxRows)
			want[id] = got
			rows, rejected = rows+len(got.rows), rejected+len(got.rejected)
		}
		if s.Rows > 0 && (rows != s.Rows || rejected != s.Rejected) {
			t.Errorf("%d rows and %d rejected records, want %d and %d", rows, rejected, s.Rows, s.Rejected)
		}
	})
	t.Run("splits are stable", func(t *testing.T) {
		if again := s.splits(t); len(again) != len(want) {
			t.Errorf("%d splits, then %d", len(want), len(again))
		}
	})
	for _, room := range []int{1, 3, 100} {
		t.Run("resume", func(t *testing.T) {
			for id, w := range want {
				got := s.read(t, id, room)
				compare(t, id, room, got.rows, w.rows)
				compare(t, id, room, got.rejected, w.rejected)
			}
		})
	}
	t.Run("cancel", func(t *testing.T) { s.cancel(t) })
	t.Run("close twice", func(t *testing.T) {
		src := s.New(t)
		if err := errors.Join(src.Close(), src.Close()); err != nil {
			t.Error(err)
		}
	})
}

func compare(t *testing.T, split string, room int, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("split %s read %d rows at a time: %d records, want %d; the first difference is at %d:\n%v\n%v",
				split, room, len(got), len(want), i, at(got, i), at(want, i))
			return
		}
	}
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return "(nothing)"
}

func (s Source) splits(t *testing.T) map[string]bool {
	t.Helper()
	src := s.New(t)
	defer src.Close()
	splits, err := src.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, sp := range splits {
		ids[sp.ID] = true
	}
	if len(ids) != len(splits) || len(ids) == 0 {
		t.Fatalf("%d splits with %d ids", len(splits), len(ids))
	}
	return ids
}

// maxReopens bounds how often read begins anew at a position.
const maxReopens = 60

// read reads a split with room for `room` rows a Read; while that is less than a batch, a fresh source goes on at the position after
// each Read, as after a crash.
func (s Source) read(t *testing.T, id string, room int) record {
	t.Helper()
	var out record
	var position connectors.Position
	for opened := 0; ; opened++ {
		src := s.New(t)
		r, err := src.Open(t.Context(), connectors.Split{ID: id}, position)
		if err != nil {
			t.Fatal(err)
		}
		if opened == maxReopens {
			room = vector.MaxRows
		}
		resume := room < vector.MaxRows
		done := false
		for first := true; !done && (first || !resume); first = false {
			done = s.step(t, r, room, &out)
		}
		if position = r.Position(); position == nil && len(out.rows) > 0 {
			t.Fatal("no position after rows")
		}
		position = slices.Clone(position)
		if err := errors.Join(r.Close(), src.Close()); err != nil {
			t.Fatal(err)
		}
		if done {
			return out
		}
	}
}

// step does one Read and reports whether the split has been read to its end.
func (s Source) step(t *testing.T, r connectors.Reader, room int, out *record) bool {
	t.Helper()
	b := NewBatch(s.Columns)
	if s.Limit > 0 {
		room = min(room, s.Limit-len(out.rows))
	}
	pad(b, room)
	from := b.N
	status, err := r.Read(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if b.N > vector.MaxRows {
		t.Fatalf("a batch of %d rows", b.N)
	}
	for _, c := range b.Cols {
		if c.N != b.N {
			t.Fatalf("a column of %d rows in a batch of %d", c.N, b.N)
		}
	}
	for i := from; i < b.N; i++ {
		out.rows = append(out.rows, Render(b, i))
	}
	rejected := r.Rejected()
	for _, rej := range rejected {
		if rej.Err == nil || rej.Position == "" {
			t.Errorf("a rejected record without error or position: %+v", rej)
		}
		out.rejected = append(out.rejected, rej.Position)
	}
	if len(r.Rejected()) > 0 {
		t.Error("rejected records are reported twice")
	}
	if status == connectors.More && b.N == from && len(rejected) == 0 {
		t.Fatal("Read returned neither rows nor a status")
	}
	return status != connectors.More || s.Limit > 0 && len(out.rows) >= s.Limit
}

// cancel checks that Read ends soon after its context, however much it has to do.
func (s Source) cancel(t *testing.T) {
	for id := range s.splits(t) {
		src := s.New(t)
		r, err := src.Open(t.Context(), connectors.Split{ID: id}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			b := NewBatch(s.Columns)
			for {
				b.Reset()
				status, err := r.Read(ctx, b)
				r.Rejected()
				if err != nil || status == connectors.End {
					ended <- err
					return
				}
			}
		}()
		cancel()
		select {
		case err := <-ended:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("a cancelled Read gives %v", err)
			}
		case <-time.After(patience):
			t.Errorf("Read goes on %v after its context has ended", patience)
		}
		if err := errors.Join(r.Close(), src.Close()); err != nil {
			t.Error(err)
		}
	}
}
