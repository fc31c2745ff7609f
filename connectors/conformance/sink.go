package conformance

import (
	"errors"
	"slices"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/vector"
)

// Sink describes a sink that delivers by epoch.
type Sink struct {
	New func(t testing.TB) connectors.Sink // with the same identity and target each time
	// Batch makes the rows of epoch n (1..5), different for each.
	Batch func(t testing.TB, n int) *vector.Batch
	// Content reads the target as others see it: one text per record, in any order that is always the same.
	Content func(t testing.TB) []string
}

// Run delivers epochs once, twice, and again by a fresh sink as after a crash; the target must hold each epoch exactly once.
func (s Sink) Run(t *testing.T) {
	want := map[int][]string{}
	sink := s.open(t)
	for n := 1; n <= 3; n++ {
		s.deliver(t, sink, n)
		want[n] = s.Content(t)
		if n > 1 && len(want[n]) <= len(want[n-1]) {
			t.Fatalf("epoch %d has delivered nothing: %v", n, want[n])
		}
	}
	check := func(what string, n int) {
		t.Helper()
		if got := s.Content(t); !slices.Equal(got, want[n]) {
			t.Errorf("%s: the target holds %d records, want %d:\n%v\n%v", what, len(got), len(want[n]), got, want[n])
		}
	}
	s.deliver(t, sink, 3)
	check("epoch 3 delivered twice", 3)
	s.deliver(t, sink, 2)
	check("epoch 2 delivered after 3", 3)
	if _, err := sink.Deliver(t.Context(), 4, nil); err != nil {
		t.Errorf("an empty epoch: %v", err)
	}
	check("an empty epoch", 3)
	closeTwice(t, sink)

	// The engine died before it knew of epoch 3: a fresh sink gets it again, then goes on.
	sink = s.open(t)
	check("opened again", 3)
	s.deliver(t, sink, 3)
	check("epoch 3 delivered again by a fresh sink", 3)
	s.deliver(t, sink, 5)
	if got := s.Content(t); len(got) <= len(want[3]) {
		t.Error("a fresh sink does not go on with the next epoch")
	}
	closeTwice(t, sink)
}

func (s Sink) open(t *testing.T) connectors.Sink {
	t.Helper()
	sink := s.New(t)
	if err := sink.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sink
}

func (s Sink) deliver(t *testing.T, sink connectors.Sink, n int) {
	t.Helper()
	stage, err := sink.Encode(nil, s.Batch(t, n))
	if err != nil {
		t.Fatal(err)
	}
	rejected, err := sink.Deliver(t.Context(), uint64(n), stage)
	if err != nil || len(rejected) > 0 {
		t.Fatalf("delivering epoch %d: %v, rejected %v", n, err, rejected)
	}
}

func closeTwice(t *testing.T, sink connectors.Sink) {
	t.Helper()
	if err := errors.Join(sink.Close(), sink.Close()); err != nil {
		t.Error(err)
	}
}
