package format

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// TestParseInteger holds the parser against exact rationals.
func TestParseInteger(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,6}0{0,20})?(e[+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		s := number.Draw(t, "number")
		exact, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatalf("%s is no rational", s)
		}
		want := exact.IsInt() && exact.Num().IsInt64()
		got, ok := ParseInteger([]byte(s), types.Int64)
		if ok != want || ok && got != exact.Num().Int64() {
			t.Fatalf("%s: %d %v, want %v %v", s, got, ok, exact, want)
		}
	})
	for _, bad := range []string{"", "-", "+", ".", "1e", "1e+", "e5", "1x", "1 ", " 1", "0x10", "1_000", "--1", "1.2.3", "१"} {
		if v, ok := ParseInteger([]byte(bad), types.Int64); ok {
			t.Errorf("%q is read as %d", bad, v)
		}
	}
}

// TestTimestampCache holds the parser that remembers minutes against the one that does not.
func TestTimestampCache(t *testing.T) {
	var cached Times
	text := rapid.StringMatching(`202[56]-0[12]-(28|29|30)[T ](10|23|24):(00|59):[0-6][0-9](\.[0-9]{0,11})?(Z|\+01:00|x)?`)
	rapid.Check(t, func(t *rapid.T) {
		s := []byte(text.Draw(t, "time"))
		want, wantOK := types.ParseTimestamp(s)
		got, ok := cached.Timestamp(s)
		if ok != wantOK || ok && got != want {
			t.Fatalf("%s: %d %v, want %d %v", s, got, ok, want, wantOK)
		}
	})
}

func TestEpoch(t *testing.T) {
	for _, c := range []struct {
		unit, text string
		want       int64 // -1: refused
	}{
		{"ms", "1767348000123", 1767348000123000}, {"ms", "0.5", 500}, {"s", "1767348000.25", 1767348000250000}, {"s", "-1", -1000000},
		{"us", "7", 7}, {"s", "9223372036854775807", -1}, {"ms", "1e30", -1}, {"ms", "", -1}, {"ms", "x", -1}, {"s", "999999999999", -1},
	} {
		times := Times{EpochUnit: EpochUnitOf(c.unit)}
		got, ok := times.Epoch([]byte(c.text))
		if ok != (c.want != -1) || ok && got != c.want {
			t.Errorf("%s %s: %d %v", c.text, c.unit, got, ok)
		}
	}
}

// TestRollback takes back half-built nested rows.
func TestRollback(t *testing.T) {
	typ := types.StructOf(types.Field{Name: "a", Type: types.ArrayOf(types.Of(types.String))}, types.Field{Name: "n", Type: types.DecimalOf(5, 1)})
	b := vector.NewBatch([]types.Field{{Name: "s", Type: typ}, {Name: "m", Type: types.MapOf(types.Of(types.String), types.Of(types.Float64))}}, 4)
	s, m := b.Cols[0], b.Cols[1]
	s.AppendNull()
	m.AppendNull()
	b.EndRow(vector.Delete)
	s.Child[0].Child[0].AppendString("half")
	s.Child[1].AppendNull()
	m.Child[0].AppendString("key")
	b.Op = append(b.Op, vector.Insert)
	Rollback(b)
	if s.Child[0].Child[0].N != 0 || s.Child[0].N != 1 || s.Child[1].N != 1 || m.Child[0].N != 0 || len(b.Op) != 1 {
		t.Error("parts of the row are left")
	}
	if !s.IsNull(0) || !m.IsNull(0) {
		t.Error("the row before has changed")
	}
}

func TestJSONString(t *testing.T) {
	for in, want := range map[string]string{"": `""`, "plain and long enough": `"plain and long enough"`, "a\"b\\c": `"a\"b\\c"`, "12345678\n": `"12345678\n"`,
		"\x00\x1f\x7f": "\"\\u0000\\u001f\x7f\"", "é\xffü": "\"é\uFFFDü\"", strings.Repeat("é", 9): `"` + strings.Repeat("é", 9) + `"`} {
		if got := AppendJSONString(nil, []byte(in)); string(got) != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestDecimalText(t *testing.T) {
	for _, c := range []struct {
		v     int64
		scale int
		want  string
	}{{0, 0, "0"}, {0, 2, "0.00"}, {-5, 2, "-0.05"}, {12345, 2, "123.45"}, {-1 << 63, 18, "-9.223372036854775808"}, {7, 25, "0.0000000000000000000000007"}} {
		if got := AppendDecimal(nil, types.I128(c.v), c.scale); string(got) != c.want {
			t.Errorf("%d scale %d: %s, want %s", c.v, c.scale, got, c.want)
		}
	}
}
