package view

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var viewFields = []types.Field{{Name: "k", Type: types.Of(types.Int64)}, {Name: "v", Type: types.Of(types.Int64)}}

var viewSchema = []types.Type{viewFields[0].Type, viewFields[1].Type}

// memory is a state in a map; what a crash leaves is what was put.
type memory map[string]string

func (m memory) Put(_ byte, _ uint16, key, value []byte) { m[string(key)] = string(value) }
func (m memory) Delete(_ byte, _ uint16, key []byte)     { delete(m, string(key)) }
func (m memory) DeleteRange(byte, uint16, []byte, []byte) {
	panic("not used")
}
func (m memory) Scan(_ byte, fn func(uint16, []byte, []byte) error) error {
	for k, v := range m {
		if err := fn(0, []byte(k), []byte(v)); err != nil {
			return err
		}
	}
	return nil
}

type changeOf struct {
	op   vector.Change
	k, v int64
}

func newTerminal(t *testing.T, key []int, state memory) *Terminal {
	t.Helper()
	term := &Terminal{Table: NewTable(&catalog.Relation{Name: "v"}, key), State: state}
	if err := term.Restore(true); err != nil {
		t.Fatal(err)
	}
	return term
}

func push(t *testing.T, term *Terminal, changes ...changeOf) {
	t.Helper()
	b := vector.NewBatch(viewFields, len(changes))
	for _, c := range changes {
		b.Cols[0].AppendI64(c.k)
		b.Cols[1].AppendI64(c.v)
		b.EndRow(c.op)
	}
	if err := term.Push(b); err != nil {
		t.Fatal(err)
	}
}

// barrier ends an epoch; publish makes it visible.
func barrier(t *testing.T, term *Terminal, epoch uint64) (publish func()) {
	t.Helper()
	var ack task.Ack
	if err := term.Barrier(epoch, 0, &ack); err != nil {
		t.Fatal(err)
	}
	return func() {
		for _, p := range ack.Publish {
			p()
		}
	}
}

func rowsOf(t *testing.T, table *Table) string {
	t.Helper()
	b := vector.NewBatch(viewFields, 0)
	for _, r := range table.Snapshot() {
		if err := r.Append(b, viewSchema); err != nil {
			t.Fatal(err)
		}
	}
	return batchText(b)
}

func batchText(b *vector.Batch) string {
	var out []string
	for k := range b.Rows() {
		i := b.Row(k)
		out = append(out, fmt.Sprintf("%s%d=%d", b.Change(i), b.Cols[0].I64[i], b.Cols[1].I64[i]))
	}
	return strings.ReplaceAll(strings.Join(out, " "), "+I", "")
}

const (
	ins = vector.Insert
	bef = vector.UpdateBefore
	aft = vector.UpdateAfter
	del = vector.Delete
)

func TestRowsAppearAtTheCommit(t *testing.T) {
	term := newTerminal(t, []int{0}, memory{})
	push(t, term, changeOf{ins, 1, 5})
	publish := barrier(t, term, 1)
	push(t, term, changeOf{ins, 2, 6})
	if got := rowsOf(t, term.Table); got != "" {
		t.Fatalf("before the commit: %s", got)
	}
	publish()
	if got := rowsOf(t, term.Table); got != "1=5" || term.Table.Epoch() != 1 {
		t.Errorf("after the commit of epoch %d: %s", term.Table.Epoch(), got)
	}
}

func TestChangesOfAKey(t *testing.T) {
	cases := []struct {
		name    string
		key     []int
		changes []changeOf
		want    string
	}{
		{"update", []int{0}, []changeOf{{ins, 1, 5}, {bef, 1, 5}, {aft, 1, 6}}, "1=6"},
		{"half an update", []int{0}, []changeOf{{ins, 1, 5}, {bef, 1, 5}}, ""},
		{"the new row first", []int{0}, []changeOf{{ins, 1, 5}, {ins, 1, 6}, {del, 1, 5}}, "1=6"},
		{"the new row, and back, in disorder", []int{0}, []changeOf{{ins, 1, 5}, {ins, 1, 6}, {ins, 1, 5}, {del, 1, 6}, {del, 1, 5}}, "1=5"},
		{"taken back before it came", []int{0}, []changeOf{{del, 1, 5}, {ins, 1, 5}, {ins, 2, 7}}, "2=7"},
		{"without key: counted", nil, []changeOf{{ins, 1, 5}, {ins, 1, 5}, {ins, 1, 6}, {del, 1, 5}, {ins, 1, 5}}, "1=5 1=5 1=6"},
		{"in the order of the key", []int{1}, []changeOf{{ins, 1, 9}, {ins, 2, -3}, {ins, 3, 0}}, "2=-3 3=0 1=9"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			state := memory{}
			term := newTerminal(t, c.key, state)
			push(t, term, c.changes...)
			barrier(t, term, 1)()
			if got := rowsOf(t, term.Table); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := rowsOf(t, newTerminal(t, c.key, state).Table); got != c.want {
				t.Errorf("after a restart: %q, want %q", got, c.want)
			}
		})
	}
}

// TestRandomHistories: whatever the order of the changes within an epoch and wherever a crash comes, the table is what the changes add up to.
func TestRandomHistories(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 13))
		key := [][]int{{0}, nil}[seed%2]
		state := memory{}
		term := newTerminal(t, key, state)
		current := map[int64]int64{}
		for epoch := range uint64(8) {
			var changes []changeOf
			for range rng.IntN(20) {
				k, v := rng.Int64N(6), rng.Int64N(4)
				old, had := current[k]
				if had {
					changes = append(changes, changeOf{bef, k, old})
					delete(current, k)
				}
				if !had || rng.IntN(3) > 0 {
					changes = append(changes, changeOf{aft, k, v})
					current[k] = v
				}
			}
			rng.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
			half := rng.IntN(len(changes) + 1)
			push(t, term, changes[:half]...)
			push(t, term, changes[half:]...)
			barrier(t, term, epoch+1)()
			if rng.IntN(3) == 0 {
				term = newTerminal(t, key, state)
			}
			var want []string
			for k, v := range current {
				want = append(want, fmt.Sprintf("%d=%d", k, v))
			}
			slices.Sort(want)
			if got := rowsOf(t, term.Table); got != strings.Join(want, " ") {
				t.Fatalf("seed %d, epoch %d: got %s, want %v", seed, epoch+1, got, want)
			}
		}
	}
}

// TestSubscription: a snapshot and the changes after it, without gap or double.
func TestSubscription(t *testing.T) {
	term := newTerminal(t, []int{0}, memory{})
	push(t, term, changeOf{ins, 1, 5})
	barrier(t, term, 1)()
	push(t, term, changeOf{bef, 1, 5}, changeOf{aft, 1, 6})
	publish := barrier(t, term, 2)
	sub := term.Table.Subscribe()
	defer sub.Close()
	if len(sub.Snapshot) != 1 {
		t.Fatalf("snapshot of %d rows", len(sub.Snapshot))
	}
	publish()
	<-sub.Ready()
	b := vector.NewBatch(viewFields, 0)
	more, err := sub.Take(b, viewSchema)
	if err != nil || more || batchText(b) != "-U1=5 +U1=6" {
		t.Errorf("got %s, more %v, %v", batchText(b), more, err)
	}
	sub.Close()
	push(t, term, changeOf{ins, 2, 1})
	barrier(t, term, 3)()
	select {
	case <-sub.Ready():
		t.Error("a closed subscription goes on")
	default:
	}
}

// TestSlowSubscriberIsCutOff: a reader that does not read costs bounded memory.
func TestSlowSubscriberIsCutOff(t *testing.T) {
	table := NewTable(&catalog.Relation{Name: "v"}, nil)
	sub := table.Subscribe()
	defer sub.Close()
	changes := make([]change, maxBacklogRows/2+1)
	table.apply(1, nil, changes)
	table.apply(2, nil, changes)
	if _, err := sub.Take(vector.NewBatch(viewFields, 0), viewSchema); err == nil {
		t.Error("it is still served")
	}
}

func TestReadyOnceRestored(t *testing.T) {
	term := &Terminal{Table: NewTable(&catalog.Relation{Name: "v"}, nil), State: memory{"k": "\xff"}}
	select {
	case <-term.Table.Ready():
		t.Fatal("ready before its rows are there")
	default:
	}
	if err := term.Restore(true); err == nil {
		t.Error("a damaged row was read")
	}
}
