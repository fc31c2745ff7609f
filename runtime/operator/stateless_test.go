package operator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func call(t testing.TB, name string, args ...expr.Expr) expr.Expr {
	t.Helper()
	e, err := expr.NewCall(name, -1, args...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func col(i int) expr.Expr { return &expr.Col{Index: i, Typ: tInt} }

// Overflowing rows go to the error policy, each once, and nothing else is lost.
func TestFilterAndProjectRowErrors(t *testing.T) {
	const big = int64(1) << 62
	schema := []types.Type{tInt, tInt}
	rng := rand.New(rand.NewPCG(1, 15))
	var steps []step
	var filtered, projected []rec
	bad := 0
	for range 200 {
		a, b := rng.Int64N(100), rng.Int64N(100)
		op := vector.Change(rng.IntN(4))
		if rng.IntN(10) == 0 {
			a, b = big, 4
			bad++
		} else {
			projected = append(projected, rec{op, []any{a * b, a}})
			if a*b > 500 {
				filtered = append(filtered, rec{op, []any{a, b}})
			}
		}
		steps = append(steps, push(0, rec{op, []any{a, b}}))
	}
	product := call(t, "*", col(0), col(1))
	ops := map[string]struct {
		make func() Operator
		want []rec
	}{
		"filter":  {func() Operator { return NewFilter(FilterOptions{Pred: call(t, ">", product, expr.NewInt(500))}) }, filtered},
		"project": {func() Operator { return NewProject(ProjectOptions{Exprs: []expr.Expr{product, col(0)}}) }, projected},
	}
	for name, x := range ops {
		t.Run(name, func(t *testing.T) {
			verify(t, script{make: x.make, inputs: [][]types.Type{schema}, steps: steps}, func(d *driver) error {
				if d.errs != bad {
					return fmt.Errorf("%d row errors, want %d", d.errs, bad)
				}
				return wantRows(x.want)(d)
			})
		})
	}
}

func TestErrorPolicyFails(t *testing.T) {
	fatal := errors.New("policy")
	ctx := &Context{Fn: &function.Ctx{}, RowError: func(string, *vector.Batch, int, *diag.Error) error { return fatal }}
	p := NewProject(ProjectOptions{Exprs: []expr.Expr{call(t, "*", col(0), expr.NewInt(1<<40))}})
	if err := p.Open(ctx); err != nil {
		t.Fatal(err)
	}
	b := &vector.Batch{Cols: newColumns([]types.Type{tInt})}
	appendCell(b.Cols[0], 1<<40)
	b.EndRow(vector.Insert)
	if err := p.Push(0, b, &sink{t: t}); !errors.Is(err, fatal) {
		t.Fatalf("got %v", err)
	}
}

func TestWindowAssign(t *testing.T) {
	for _, w := range []Window{{Kind: Tumble, Size: 10 * ms}, {Kind: Hop, Size: 10 * ms, Slide: 4 * ms}, {Kind: Hop, Size: 3 * ms, Slide: 8 * ms},
		{Kind: Cumulate, Size: 20 * ms, Slide: 5 * ms}} {
		rng := rand.New(rand.NewPCG(2, 16))
		var steps []step
		want := map[string]int{}
		nulls := 0
		for range 200 {
			if rng.IntN(20) == 0 {
				steps = append(steps, push(0, ins(nil, 1)))
				nulls++
				continue
			}
			at, v := rng.Int64N(200*ms)-100*ms, rng.Int64N(5)
			steps = append(steps, push(0, ins(at, v)))
			for _, x := range bruteWindows(w, at) {
				want[fmt.Sprint([]any{at, v, x[0], x[1], x[1] - ms})]++
			}
		}
		o := WindowAssignOptions{Window: w}
		s := script{make: func() Operator { return NewWindowAssign(o) }, inputs: [][]types.Type{{tTime, tInt}}, steps: steps}
		verify(t, s, func(d *driver) error {
			if d.errs != nulls {
				return fmt.Errorf("%d errors, want %d", d.errs, nulls)
			}
			return wantTable(want)(d)
		})
	}
}

func TestWindowCheck(t *testing.T) {
	for _, w := range []Window{{Kind: Tumble}, {Kind: Hop, Size: 5}, {Kind: Session}, {Kind: Cumulate, Size: 10, Slide: 3}, {Kind: Hop, Size: 1 << 40, Slide: 1}} {
		if w.check() == nil {
			t.Errorf("%+v is accepted", w)
		}
	}
}

// Days follow the calendar of the zone: 23 and 25 hours when the clocks change. Hours are hours.
func TestWindowZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	day := newAssigner(Window{Kind: Tumble, Size: int64(24 * time.Hour / time.Microsecond), Zone: berlin})
	hour := newAssigner(Window{Kind: Tumble, Size: int64(time.Hour / time.Microsecond), Zone: berlin})
	hours := map[string]float64{"2024-03-31": 23, "2024-10-27": 25, "2024-07-01": 24, "1969-12-31": 24}
	for name, want := range hours {
		d, _ := time.ParseInLocation("2006-01-02", name, berlin)
		for at := d; at.Before(d.AddDate(0, 0, 1)); at = at.Add(17 * time.Minute) {
			x := day.assign(nil, at.UnixMicro())[0]
			if x.start != d.UnixMicro() || float64(x.end-x.start)/3600e6 != want {
				t.Fatalf("%v lies in a day of %v hours from %v", at, float64(x.end-x.start)/3600e6, time.UnixMicro(x.start).In(berlin))
			}
			h := hour.assign(nil, at.UnixMicro())[0]
			if h.end-h.start != 3600e6 || at.UnixMicro() < h.start || at.UnixMicro() >= h.end {
				t.Fatalf("%v lies in the hour %v", at, h)
			}
		}
	}
}

func TestChecker(t *testing.T) {
	schema := []types.Type{tTime, tInt}
	o := CheckerOptions{Edge: "edge", Schema: schema, EventTime: []int{0}, Legal: true}
	good := pushes(ins(5, 1), ins(5, 1), rec{1, []any{5, 1}}, rec{2, []any{6, 1}}, rec{3, []any{5, 1}}, ins(nil, 2))
	rows := []rec{}
	for _, s := range good {
		rows = append(rows, *s.row)
	}
	verify(t, script{make: func() Operator { return NewChecker(o) }, inputs: [][]types.Type{schema}, steps: good}, wantRows(rows))

	bad := map[string]func(c *Checker, b *vector.Batch) error{
		"not there": func(c *Checker, b *vector.Batch) error { b.Op = []vector.Change{3}; return nil },
		"not above": func(c *Checker, b *vector.Batch) error { _, err := c.Watermark(5, nil); return err },
		"fell": func(c *Checker, b *vector.Batch) error {
			_, _ = c.Watermark(9, nil)
			_, err := c.Watermark(8, nil)
			return err
		},
		"columns":      func(c *Checker, b *vector.Batch) error { b.Cols = b.Cols[:1]; return nil },
		"rows, batch":  func(c *Checker, b *vector.Batch) error { b.N = 2; return nil },
		"change kinds": func(c *Checker, b *vector.Batch) error { b.Op = make([]vector.Change, 3); return nil },
		"selection":    func(c *Checker, b *vector.Batch) error { b.Sel = []int32{0, 0}; return nil },
		"values for":   func(c *Checker, b *vector.Batch) error { b.Cols[1].I64 = nil; return nil },
		"validity of":  func(c *Checker, b *vector.Batch) error { b.Cols[1].Valid = []uint64{1, 1}; return nil },
		"want BIGINT":  func(c *Checker, b *vector.Batch) error { b.Cols[1] = vector.New(tText, 0); return nil },
	}
	for message, spoil := range bad {
		c := NewChecker(o)
		if err := c.Open(&Context{Fn: &function.Ctx{}}); err != nil {
			t.Fatal(err)
		}
		b := &vector.Batch{Cols: newColumns(schema)}
		appendCell(b.Cols[0], 5)
		appendCell(b.Cols[1], 1)
		b.EndRow(vector.Insert)
		err := spoil(c, b)
		if err == nil {
			err = c.Push(0, b, &sink{t: t})
		}
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("want %q, got %v", message, err)
		}
	}
}
