package task

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// textSink encodes rows as `op key value` lines.
type textSink struct{}

func (textSink) Open(context.Context) error { return nil }
func (textSink) Encode(stage []byte, b *vector.Batch) ([]byte, error) {
	for k := range b.Rows() {
		i := b.Row(k)
		stage = fmt.Appendf(stage, "%s %d %d\n", b.Change(i), b.Cols[0].I64[i], b.Cols[1].I64[i])
	}
	return stage, nil
}
func (textSink) Deliver(context.Context, uint64, []byte) ([]connectors.Rejected, error) {
	return nil, nil
}
func (textSink) Close() error { return nil }

var upsertFields = []types.Field{{Name: "k", Type: types.Of(types.Int64)}, {Name: "v", Type: types.Of(types.Int64)}}

type upsertChange struct {
	op   vector.Change
	k, v int64
}

func pushChanges(t *testing.T, u *UpsertTerminal, changes []upsertChange) {
	t.Helper()
	b := vector.NewBatch(upsertFields, 0)
	for _, c := range changes {
		b.Cols[0].AppendI64(c.k)
		b.Cols[1].AppendI64(c.v)
		b.EndRow(c.op)
	}
	if err := u.Push(b); err != nil {
		t.Fatal(err)
	}
}

func newUpsert(limit int, full func()) *UpsertTerminal {
	return &UpsertTerminal{StageTerminal: StageTerminal{Name: "s", Sink: textSink{}, Limit: limit, Full: full}, Key: []int{0}, Fields: upsertFields}
}

func TestUpsertTerminalNets(t *testing.T) {
	const I, B, A, D = vector.Insert, vector.UpdateBefore, vector.UpdateAfter, vector.Delete
	cases := []struct {
		name    string
		changes []upsertChange
		want    string
	}{
		{"insert", []upsertChange{{I, 1, 5}}, "+U 1 5"},
		{"update", []upsertChange{{B, 1, 5}, {A, 1, 6}}, "+U 1 6"},
		{"update, the new row first", []upsertChange{{I, 1, 6}, {D, 1, 5}}, "+U 1 6"},
		{"half an update", []upsertChange{{B, 1, 5}}, "-D 1 5"},
		{"delete", []upsertChange{{D, 1, 5}}, "-D 1 5"},
		{"there and back", []upsertChange{{B, 1, 5}, {A, 1, 6}, {B, 1, 6}, {A, 1, 5}}, ""},
		{"came and went", []upsertChange{{I, 1, 5}, {D, 1, 5}}, ""},
		{"several keys in the order of their first change", []upsertChange{{B, 2, 1}, {I, 1, 7}, {A, 2, 2}}, "+U 2 2\n+U 1 7"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			u := newUpsert(1<<20, nil)
			pushChanges(t, u, c.changes)
			var ack Ack
			if err := u.Barrier(1, 0, &ack); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(ack.Stage)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestUpsertTerminalRandom plays random histories of keys, whose changes arrive in random order, and keeps what a sink would have.
func TestUpsertTerminalRandom(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		u := newUpsert(1<<20, nil)
		want, got := map[int64]int64{}, map[int64]int64{}
		for epoch := range uint64(8) {
			var changes []upsertChange
			for range rng.IntN(30) {
				k, v := rng.Int64N(5), rng.Int64N(3)
				old, had := want[k]
				if had {
					changes = append(changes, upsertChange{vector.Delete, k, old})
					delete(want, k)
				}
				if !had || rng.IntN(3) > 0 {
					changes = append(changes, upsertChange{vector.Insert, k, v})
					want[k] = v
				}
			}
			rng.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
			half := rng.IntN(len(changes) + 1)
			pushChanges(t, u, changes[:half])
			pushChanges(t, u, changes[half:])
			var ack Ack
			if err := u.Barrier(epoch, 0, &ack); err != nil {
				t.Fatal(err)
			}
			playUpserts(t, got, string(ack.Stage))
			if !maps.Equal(got, want) {
				t.Fatalf("seed %d, epoch %d: the sink has %v, want %v", seed, epoch, got, want)
			}
		}
	}
}

func playUpserts(t *testing.T, table map[int64]int64, stage string) {
	t.Helper()
	for line := range strings.Lines(stage) {
		var op string
		var k, v int64
		if _, err := fmt.Sscan(line, &op, &k, &v); err != nil {
			t.Fatal(err)
		}
		if op == "-D" {
			delete(table, k)
		} else {
			table[k] = v
		}
	}
}

func TestUpsertTerminalTellsWhenFull(t *testing.T) {
	times := 0
	u := newUpsert(100, func() { times++ })
	for i := range int64(50) {
		pushChanges(t, u, []upsertChange{{vector.Insert, i, i}})
	}
	if times != 1 {
		t.Fatalf("told %d times, want once per epoch", times)
	}
	var ack Ack
	if err := u.Barrier(1, 0, &ack); err != nil || ack.StageRows != 50 {
		t.Fatalf("%d rows, %v", ack.StageRows, err)
	}
	for range 50 {
		pushChanges(t, u, []upsertChange{{vector.UpdateBefore, 1, 1}, {vector.UpdateAfter, 1, 1}})
	}
	if times != 1 {
		t.Error("changes that cancel out take no room")
	}
}
