package types

import "testing"

// FuzzTexts: whatever text a type reads, what it writes of the value reads back as the same value; nothing panics.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"POINT(13.4 -52.5)", "SRID=4326; point ( 1e1  2 ) ", "a,c", "b", "7", "2026", "00", "-1234567890123456789012345678901234567890.55", "1e60", "", ",", "POINT(", "POINT(1 )"} {
		f.Add([]byte(s))
	}
	enum, set := EnumOf("a", "b", ""), SetOf("a", "b", "c")
	f.Fuzz(func(t *testing.T, s []byte) {
		if p, ok := ParsePoint(s); ok {
			if back, ok := ParsePoint(AppendPoint(nil, p)); !ok || back != p {
				t.Errorf("POINT %q comes back as %s", s, AppendPoint(nil, p))
			}
		}
		for _, typ := range []Type{enum, set} {
			if x, ok := typ.ParseListed(s); ok {
				if back, ok := typ.ParseListed(typ.AppendListed(nil, x)); !ok || back != x {
					t.Errorf("%s %q is %d and comes back as %d", typ, s, x, back)
				}
			}
		}
		if y, ok := ParseYear(s); ok {
			if back, ok := ParseYear(AppendYear(nil, y)); !ok || back != y {
				t.Errorf("YEAR %q is %d and comes back as %d", s, y, back)
			}
		}
		if x, ok := ParseWide(s, 10); ok {
			if back, ok := ParseWide(AppendWide(nil, x, 10), 10); !ok || back != x {
				t.Errorf("DECIMAL %q is %v and comes back as %v", s, x.Big(), back.Big())
			}
			small, ok := ParseDecimal(s, 10)
			if narrow, fits := x.Narrow(); ok != (fits && FitsPrecision(narrow, NarrowPrecision)) || ok && small != narrow {
				t.Errorf("DECIMAL %q is %v in 256 bits, %v in 128", s, x.Big(), small.Big())
			}
		}
	})
}
