package bench

import (
	"fmt"
	"testing"

	"github.com/millrace/millrace/runtime/exchange"
	"github.com/millrace/millrace/runtime/flow"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// allocsPerBatch is how many allocations the whole process may make for each full batch, checkpoints (which come by the clock, so that a slow
// machine has more of them) and everything else included. One allocation per row would be 4096; between decoder and encoder there are none.
const allocsPerBatch = 64

// TestNoAllocationPerRow runs jobs whose source decodes JSON and whose sink encodes it, and counts what the process allocates.
func TestNoAllocationPerRow(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	rows := 400_000
	if testing.Short() {
		rows = 100_000
	}
	for _, test := range []struct{ name, query string }{
		{"project", "SELECT auction, bidder, price * 908 / 1000 AS euro, UPPER(channel) AS channel, url, dateTime FROM feed WHERE price > 1000"},
		{"window", "SELECT window_start, bidder, COUNT(*) AS n, MAX(price) AS top, SUM(price * 2) AS total " +
			"FROM TUMBLE(TABLE feed, DESCRIPTOR(dateTime), INTERVAL 10 SECOND) WHERE price > 1000 GROUP BY window_start, window_end, bidder"},
		{"window by text", "SELECT window_start, channel, COUNT(*) AS n " +
			"FROM TUMBLE(TABLE feed, DESCRIPTOR(dateTime), INTERVAL 10 SECOND) GROUP BY window_start, window_end, channel"},
		{"changes", "SELECT auction, COUNT(*) AS n, MAX(price) AS top FROM feed GROUP BY auction"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openCluster(t, "", false)
			job := c.exec(t, map[string]string{"checkpoint_interval": "200ms"},
				fmt.Sprintf("CREATE SOURCE feed (%s) WITH (connector='feed', warmup='200000', rows='%d')", bidColumns, rows),
				"CREATE SINK dropped WITH (connector='drain') AS "+test.query)
			c.await(t, job)
			a := <-fed
			batches := float64(a.rows) / vector.MaxRows
			t.Logf("%.1f allocations a batch, %.5f a row, %.1f bytes a row", float64(a.count)/batches, float64(a.count)/float64(a.rows), float64(a.bytes)/float64(a.rows))
			if n := float64(a.count) / batches; n > allocsPerBatch {
				t.Errorf("%.1f allocations a batch, the limit is %d", n, allocsPerBatch)
			}
		})
	}
}

// TestRouterDoesNotAllocate sends batches through an exchange of two tasks, which give them back.
func TestRouterDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	fields := []types.Field{{Name: "k", Type: types.Of(types.Int64)}, {Name: "s", Type: types.Of(types.String)}, {Name: "v", Type: types.Of(types.Float64)}}
	in, targets := exchange.NewInbox(), []*exchange.Channel{}
	for i := range 2 {
		targets = append(targets, in.Add(0, i))
	}
	for name, mode := range map[string]exchange.Mode{"by key": exchange.ByKey, "broadcast": exchange.Broadcast} {
		r := exchange.NewRouter(mode, []int{0, 1}, fields, targets)
		b := vector.NewBatch(fields, vector.MaxRows)
		for i := range vector.MaxRows {
			b.Cols[0].AppendI64(int64(i % 777))
			b.Cols[1].AppendString("a text")
			b.Cols[2].AppendF64(float64(i))
			b.EndRow(vector.Insert)
		}
		for i := range b.N / 2 {
			b.Sel = append(b.Sel, int32(2*i))
		}
		rows := 0
		run := func() {
			if err := r.Push(b); err != nil {
				t.Fatal(err)
			}
			for range targets {
				_, _, m, ok := in.Receive()
				if !ok || m.Kind != flow.Rows {
					t.Fatal("no rows came")
				}
				rows += m.Batch.Rows()
				m.Release()
			}
		}
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: %v allocations per batch", name, n)
		}
		if rows == 0 {
			t.Errorf("%s: no rows", name)
		}
	}
}
