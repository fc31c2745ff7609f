package expr

import (
	"testing"
	"time"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// TestThreeValuedLogic checks AND, OR, XOR and NOT over all pairs of TRUE, FALSE and NULL against tables.
func TestThreeValuedLogic(t *testing.T) {
	x := &Col{Index: 0, Name: "x", Typ: types.Of(types.Bool)}
	y := &Col{Index: 1, Name: "y", Typ: types.Of(types.Bool)}
	b := vector.NewBatch([]types.Field{{Type: x.Typ}, {Type: y.Typ}}, 9)
	for i := range 9 {
		for c, v := range []int{i / 3, i % 3} {
			if v == 2 {
				b.Cols[c].AppendNull()
			} else {
				b.Cols[c].AppendBool(v == 1)
			}
		}
		b.EndRow(vector.Insert)
	}
	// Rows: (F,F) (F,T) (F,N) (T,F) (T,T) (T,N) (N,F) (N,T) (N,N)
	for src, want := range map[string]string{"x AND y": "FFFFTNFNN", "x OR y": "FTNTTTNTN", "x XOR y": "FTNTFNNNN", "NOT x": "TTTFFFNNN",
		"x <=> y": "TFFFTFFFT", "x IS NOT TRUE": "TTTFFFTTT", "x = y": "TFNFTNNNN"} {
		e, err := parseExpr(src, x, y)
		if err != nil {
			t.Fatal(err)
		}
		out := Compile([]Expr{e}).Eval(&function.Ctx{}, b)[0]
		got := ""
		for i := range 9 {
			switch {
			case out.IsNull(i):
				got += "N"
			case out.Bool(i):
				got += "T"
			default:
				got += "F"
			}
		}
		if got != want {
			t.Errorf("%s = %s, want %s", src, got, want)
		}
	}
}

// TestSessionZone: parts and texts of a TIMESTAMP are those of the session's zone, spans are not.
func TestSessionZone(t *testing.T) {
	ts := &Col{Index: 0, Name: "ts", Typ: types.Of(types.Timestamp)}
	micros, _ := types.ParseTimestamp([]byte("2026-01-31 23:30:00"))
	b := vector.NewBatch([]types.Field{{Type: ts.Typ}}, 1)
	b.Cols[0].AppendI64(micros)
	b.EndRow(vector.Insert)
	for src, want := range map[string]string{"hour(ts)": "1", "date(ts)": "2026-02-01", "CAST(ts AS VARCHAR)": "2026-02-01 01:30:00",
		"date_trunc('day', ts)": "2026-01-31 22:00:00", "ts + INTERVAL 1 MONTH": "2026-02-28 23:30:00", "date_format(ts, '%d %H')": "01 01"} {
		e, err := parseExpr(src, ts)
		if err != nil {
			t.Fatal(err)
		}
		ctx := function.Ctx{Zone: time.FixedZone("+02:00", 2*3600)}
		out := Compile([]Expr{e}).Eval(&ctx, b)[0]
		if got := string(function.AppendText(nil, out, 0)); got != want {
			t.Errorf("%s = %s, want %s", src, got, want)
		}
	}
}

// TestSharedSubexpressions: what occurs twice is computed once and fails at both places.
func TestSharedSubexpressions(t *testing.T) {
	s := &Col{Index: 0, Name: "s", Typ: types.Of(types.String)}
	b := vector.NewBatch([]types.Field{{Type: s.Typ}}, 2)
	for _, x := range []string{"7", "x"} {
		b.Cols[0].AppendString(x)
		b.EndRow(vector.Insert)
	}
	first, err := parseExpr("CASE WHEN s = 'x' THEN 0 ELSE CAST(s AS INT) + 1 END", s)
	if err != nil {
		t.Fatal(err)
	}
	second, err := parseExpr("CAST(s AS INT) + 1", s)
	if err != nil {
		t.Fatal(err)
	}
	ev := Compile([]Expr{first, second})
	if len(ev.errs.shared) != 1 {
		t.Errorf("%d shared nodes", len(ev.errs.shared))
	}
	for range 2 { // buffers are reused
		var ctx function.Ctx
		out := ev.Eval(&ctx, b)
		if out[0].I64[0] != 8 || out[1].I64[0] != 8 || out[0].I64[1] != 0 || len(ctx.Errs) != 1 || ctx.Errs[0].Row != 1 {
			t.Fatalf("%v %v %+v", out[0].I64, out[1].I64, ctx.Errs)
		}
	}
	only := Compile([]Expr{first})
	var ctx function.Ctx
	if only.Eval(&ctx, b); len(ctx.Errs) != 0 {
		t.Errorf("an arm not taken fails: %+v", ctx.Errs)
	}
}

func BenchmarkEvalDecimalProduct(b *testing.B) {
	e, err := parseExpr("a * 0.908", filterColumns...)
	if err != nil {
		b.Fatal(err)
	}
	batch, ev := benchBatch(), Compile([]Expr{e})
	var ctx function.Ctx
	b.ReportAllocs()
	for b.Loop() {
		ev.Eval(&ctx, batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch.N), "ns/row")
}

// BenchmarkEvalWide measures DECIMALs of more than 38 digits.
func BenchmarkEvalWide(b *testing.B) {
	for _, op := range []string{"+", "*", "/"} {
		b.Run(op, func(b *testing.B) {
			t := types.DecimalOf(40, 10)
			batch := vector.NewBatch([]types.Field{{Name: "a", Type: t}, {Name: "b", Type: t}}, vector.MaxRows)
			for i := range vector.MaxRows {
				batch.Cols[0].AppendI256(types.I256(int64(i) * 1_234_567_890_123))
				batch.Cols[1].AppendI256(types.I256(int64(i) + 7_000_000_000))
				batch.EndRow(vector.Insert)
			}
			e, err := NewCall(op, -1, &Col{Index: 0, Typ: t}, &Col{Index: 1, Typ: t})
			if err != nil {
				b.Fatal(err)
			}
			p := Compile([]Expr{e})
			var ctx function.Ctx
			b.ReportAllocs()
			for b.Loop() {
				p.Eval(&ctx, batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/vector.MaxRows, "ns/row")
		})
	}
}
