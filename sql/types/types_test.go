package types

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawInt128(t *rapid.T, name string) Int128 {
	bits := rapid.IntRange(0, 126).Draw(t, name+" bits")
	v := Int128{Hi: int64(rapid.Uint64().Draw(t, name+" hi") >> 1), Lo: rapid.Uint64().Draw(t, name+" lo")}
	r, _ := FromBig(new(big.Int).Rsh(v.Big(), uint(126-bits)))
	if rapid.Bool().Draw(t, name+" neg") {
		r = r.Neg()
	}
	return r
}

// TestInt128AgreesWithBig compares all operations with math/big.
func TestInt128AgreesWithBig(t *testing.T) {
	same := func(t *rapid.T, op string, got Int128, ok bool, want *big.Int) {
		fits := want.BitLen() <= 127
		if ok != fits || ok && got.Big().Cmp(want) != 0 {
			t.Fatalf("%s = %v %v, want %v", op, got.Big(), ok, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawInt128(t, "a"), drawInt128(t, "b")
		x, y := a.Big(), b.Big()
		sum, ok := a.Add(b)
		same(t, "+", sum, ok, new(big.Int).Add(x, y))
		diff, ok := a.Sub(b)
		same(t, "-", diff, ok, new(big.Int).Sub(x, y))
		prod, ok := a.Mul(b)
		same(t, "*", prod, ok, new(big.Int).Mul(x, y))
		if a.Cmp(b) != x.Cmp(y) {
			t.Fatalf("cmp(%v, %v) = %d", x, y, a.Cmp(b))
		}
		if b.IsZero() {
			return
		}
		q, r, _ := a.DivRem(b)
		wantQ, wantR := new(big.Int).QuoRem(x, y, new(big.Int))
		same(t, "/", q, true, wantQ)
		same(t, "%", r, true, wantR)
		round, ok := DivRound(a, b)
		if wantR.Abs(wantR).Lsh(wantR, 1).CmpAbs(y) >= 0 {
			wantQ.Add(wantQ, big.NewInt(int64(x.Sign()*y.Sign())))
		}
		same(t, "rounded /", round, ok, wantQ)
	})
}

// TestDecimalText: the text of a decimal reads back as the same decimal.
func TestDecimalText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, scale := drawInt128(t, "v"), rapid.IntRange(0, 30).Draw(t, "scale")
		if !FitsPrecision(v, NarrowPrecision) {
			return
		}
		text := AppendDecimal(nil, v, scale)
		if back, ok := ParseDecimal(text, scale); !ok || back != v {
			t.Fatalf("%v scale %d is %s, read as %v %v", v.Big(), scale, text, back.Big(), ok)
		}
	})
}

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale int
		want  int64
		ok    bool
	}{
		{"1.25", 1, 13, true}, {"-1.25", 1, -13, true}, {"1.24", 1, 12, true}, {".5", 0, 1, true}, {"0.4999", 0, 0, true}, {"1e3", 0, 1000, true},
		{"15e-1", 1, 15, true}, {"+7", 2, 700, true}, {"", 0, 0, false}, {"-", 0, 0, false}, {".", 0, 0, false}, {"1e", 0, 0, false}, {"1x", 0, 0, false},
		{"1.2.3", 0, 0, false}, {"1e99", 0, 0, false}, {"0e99", 0, 0, true}, {"1e-99", 2, 0, true},
	} {
		v, ok := ParseDecimal([]byte(c.text), c.scale)
		if ok != c.ok || ok && v != I128(c.want) {
			t.Errorf("%q scale %d = %v %v", c.text, c.scale, v.Big(), ok)
		}
	}
}

// TestCalendarAgreesWithTime compares the calendar with package time over years 0..9999.
func TestCalendarAgreesWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Int64Range(MinMicros, MaxMicros).Draw(t, "micros")
		at := time.UnixMicro(micros).UTC()
		for _, layout := range []struct {
			format string
			iso    bool
		}{{"2006-01-02 15:04:05.000000", false}, {"2006-01-02T15:04:05.000000Z", true}} {
			text := AppendTimestamp(nil, micros, 6, layout.iso)
			if want := at.Format(layout.format); string(text) != want {
				t.Fatalf("%d is %s, want %s", micros, text, want)
			}
			if back, ok := ParseTimestamp(text); !ok || back != micros {
				t.Fatalf("%s read as %d %v, want %d", text, back, ok, micros)
			}
		}
		days := FloorDiv(micros, Day)
		y, m, d := CivilFromDays(days)
		if DaysFromCivil(y, m, d) != days {
			t.Fatalf("day %d is %d-%d-%d", days, y, m, d)
		}
	})
}

func TestParseTimestamp(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-02":                    "2026-01-02 00:00:00.000000",
		"2026-01-02 10:20":              "2026-01-02 10:20:00.000000",
		"2026-01-02T10:20:30.5":         "2026-01-02 10:20:30.500000",
		"2026-01-02 10:20:30.123456789": "2026-01-02 10:20:30.123456",
		"2026-01-02 10:20:30+02:00":     "2026-01-02 08:20:30.000000",
		"2026-01-02T10:20:30.25-0130":   "2026-01-02 11:50:30.250000",
		"2026-01-02 10:20:30Z":          "2026-01-02 10:20:30.000000",
		"2024-02-29 00:00:00":           "2024-02-29 00:00:00.000000",
		"2026-02-29":                    "", "2026-02-30": "", "2026-13-01": "", "2026-00-01": "", "2026-1-2": "", "2026-01-02 24:00:00": "",
		"2026-01-02 10:60:00": "", "2026-01-02 10:20:60": "", "2026-01-02 10": "", "2026-01-02 10:20:30.": "", "2026-01-02x10:20:30": "",
		"2026-01-02 10:20:30+2": "", "2026-01-02 10:20:30 x": "", "2026-01-02 ": "", "": "", "20260102": "", "2026-01-02 10:20:30+15:00": "",
	} {
		micros, ok := ParseTimestamp([]byte(text))
		got := ""
		if ok {
			got = string(AppendTimestamp(nil, micros, 6, false))
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"10:20:30": "10:20:30.000", "-01:00": "-01:00:00.000", "838:59:59": "838:59:59.000", "839:00:00": "", "1:2": "01:02:00.000", "1 1:2:3.5": "25:02:03.500", "1:": "", "1:2:": "", "1::2": "", "1:2:3:4": "", "10:2x": "", "10": "", "10:20:30.5": "10:20:30.500"} {
		micros, ok := ParseTime([]byte(text))
		got := ""
		if ok {
			got = string(AppendTime(nil, micros, 3))
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestAddMonthsClamps(t *testing.T) {
	for _, c := range []struct {
		day    string
		months int64
		want   string
	}{{"2026-01-31", 1, "2026-02-28"}, {"2024-01-31", 1, "2024-02-29"}, {"2026-03-31", -1, "2026-02-28"}, {"2026-01-15", -13, "2024-12-15"}, {"2024-02-29", 12, "2025-02-28"}} {
		days, _ := ParseDate([]byte(c.day))
		got, ok := AddMonths(days, c.months)
		if text := string(AppendDate(nil, got)); !ok || text != c.want {
			t.Errorf("%s + %d months = %s", c.day, c.months, text)
		}
	}
}

func TestCommonType(t *testing.T) {
	for _, c := range []struct {
		a, b Type
		want string
	}{
		{Of(Int8), Of(Int32), "INT"}, {Of(Int64), Of(Uint64), "DECIMAL(20,0)"}, {Of(Int8), Of(Uint32), "BIGINT"}, {Of(Bool), Of(Int64), "BIGINT"},
		{Of(Int64), DecimalOf(10, 2), "DECIMAL(21,2)"}, {Of(Float32), Of(Int8), "DOUBLE"}, {Of(Date), Of(Timestamp), "TIMESTAMP(6)"},
		{Of(Int64), Of(String), "VARCHAR"}, {Type{}, Of(Date), "DATE"}, {ArrayOf(Of(Int8)), ArrayOf(Of(Int64)), "ARRAY<BIGINT>"},
		{Of(Date), Of(Time), "none"}, {Of(Int64), ArrayOf(Of(Int64)), "none"}, {Of(Int64), Of(Date), "none"},
	} {
		for range 2 {
			got := "none"
			if r, ok := CommonType(c.a, c.b); ok {
				got = r.String()
			}
			if got != c.want {
				t.Errorf("common type of %s and %s is %s, want %s", c.a, c.b, got, c.want)
			}
			c.a, c.b = c.b, c.a
		}
	}
}

// TestNoAllocations: text of numbers and times is written and read without garbage.
func TestNoAllocations(t *testing.T) {
	buf := make([]byte, 0, 64)
	v := Pow10[30]
	if n := testing.AllocsPerRun(10, func() {
		buf = AppendDecimal(buf[:0], v, 4)
		if _, ok := ParseDecimal(buf, 4); !ok {
			t.Fatal("unreadable")
		}
		buf = AppendDecimal(buf[:0], I128(5), 4)
		buf = AppendTimestamp(buf[:0], 1_767_348_000_000_000, 6, true)
		if _, ok := ParseTimestamp(buf); !ok {
			t.Fatal("unreadable")
		}
		v2, _ := v.Mul(I128(12345))
		DivRound(v2, Pow10[20])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
