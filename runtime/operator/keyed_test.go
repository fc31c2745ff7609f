package operator

import (
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/sql/vector"
	"github.com/millrace/millrace/state/keyed"
)

// The store of state/keyed is a State, and operators come back from it after a restart at every barrier.
func TestOperatorsOnKeyedStore(t *testing.T) {
	steps := eventSteps(rand.New(rand.NewPCG(9, 1)), 300)
	w := Window{Kind: Hop, Size: 10 * ms, Slide: 5 * ms}
	want, _ := bruteAggWindow(w, steps)
	o := AggWindowOptions{Window: w, Input: eventSchema, Keys: []int{1},
		Aggs: []Aggregate{aggregate(t, "count", -1, nil, eventSchema), aggregate(t, "sum", -1, []int{2}, eventSchema)}}
	d := &driver{t: t, rng: rand.New(rand.NewPCG(9, 2))}
	d.s.inputs = append(d.s.inputs, eventSchema)
	d.s.steps = steps
	dir := t.TempDir()
	last := int64(MinTime)
	var delta keyed.Delta
	for at, epoch := 0, uint64(1); at < len(steps); epoch++ {
		store, err := keyed.Open(dir, keyed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		delta.Reset()
		ctx := benchContext(t)
		ctx.State = keyed.NewOpState(store, 77, 0, 256, &delta)
		ctx.Late = func(string, *vector.Batch, []int32) {}
		d.op, d.out.t = NewAggWindow(o), t
		d.must(d.op.Open(ctx))
		for n := 0; n < 60 && at < len(steps); n++ {
			at += d.play(at, &last)
		}
		if at == len(steps) {
			_, err := d.op.Watermark(MaxTime, &d.out)
			d.must(err)
		}
		d.must(d.op.Barrier(epoch))
		d.must(store.Apply(epoch, [][]byte{delta.Bytes()}))
		_, err = store.Flush()
		d.must(err)
		d.must(store.Close())
	}
	d.must(wantRows(want)(d))
}
