package function

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/millrace/millrace/sql/arrow"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// pageType is a row of the page: a type, what it holds, and the text of a value, which the test reads and writes.
type pageType struct {
	names  string
	typ    types.Type
	values string
	text   string
}

var pageTypes = []pageType{
	{"BOOLEAN, BOOL", types.Of(types.Bool), "TRUE, FALSE; 1 and 0 in arithmetic and in text", "1"},
	{"TINYINT, INT1", types.Of(types.Int8), "-128 to 127", "-128"},
	{"SMALLINT, INT2", types.Of(types.Int16), "-32768 to 32767", "-32768"},
	{"INT, INTEGER, MEDIUMINT, INT4", types.Of(types.Int32), "-2147483648 to 2147483647 (MEDIUMINT too)", "2147483647"},
	{"BIGINT, INT8, SIGNED", types.Of(types.Int64), "-2^63 to 2^63-1", "-9223372036854775808"},
	{"TINYINT UNSIGNED", types.Of(types.Uint8), "0 to 255", "255"},
	{"SMALLINT UNSIGNED", types.Of(types.Uint16), "0 to 65535", "65535"},
	{"INT UNSIGNED", types.Of(types.Uint32), "0 to 4294967295", "4294967295"},
	{"BIGINT UNSIGNED, UNSIGNED", types.Of(types.Uint64), "0 to 2^64-1", "18446744073709551615"},
	{"FLOAT", types.Of(types.Float32), "IEEE 754, 32 bits", "0.1"},
	{"DOUBLE, REAL", types.Of(types.Float64), "IEEE 754, 64 bits", "1e300"},
	{"DECIMAL(p, s), NUMERIC, DEC, FIXED; (10, 0) unless given", types.DecimalOf(38, 2), "p digits, 1 to 38, s of them behind the point, 0 to 30", "-123456789012345678901234567890123456.78"},
	{"DECIMAL(p, s) of 39 to 65 digits", types.DecimalOf(65, 30), "as above", "-12345678901234567890123456789012345.123456789012345678901234567890"},
	{"VARCHAR(n), TEXT, STRING, TINYTEXT, MEDIUMTEXT, LONGTEXT", types.Type{Kind: types.String, Precision: 10}, "UTF-8, n characters; any number without n", "h\u00e9llo"},
	{"CHAR(n)", types.Type{Kind: types.String, Precision: 10, Fixed: true}, "as VARCHAR(n), stored without trailing spaces; CHAR alone is VARCHAR", "a"},
	{"VARBINARY(n), BLOB, BYTES, TINYBLOB, MEDIUMBLOB, LONGBLOB", types.Type{Kind: types.Bytes, Precision: 10}, "n bytes; any number without n", "ab"},
	{"BINARY(n)", types.Type{Kind: types.Bytes, Precision: 2, Fixed: true}, "n bytes, filled up with zero bytes; BINARY alone is VARBINARY", "ab"},
	{"JSON", types.Of(types.JSON), "JSON text, kept as it came", `{"a": [1]}`},
	{"DATE", types.Of(types.Date), "0000-01-01 to 9999-12-31", "2026-01-02"},
	{"TIME(f); f is 6 unless given", types.Of(types.Time), "-838:59:59 to 838:59:59, f digits of a second, 0 to 6", "-12:34:56.789012"},
	{"DATETIME(f), TIMESTAMP WITHOUT TIME ZONE", types.Of(types.Datetime), "a wall clock, 0000-01-01 to 9999-12-31 23:59:59.999999", "2026-01-02 03:04:05.123456"},
	{"TIMESTAMP(f), TIMESTAMP_LTZ", types.Of(types.Timestamp), "an instant of the same range, UTC; the type of event time", "2026-01-02 03:04:05.123456"},
	{"YEAR", types.Of(types.Year), "0, 1901 to 2155; of two digits 70..99 is 19.., 0..69 is 20..", "2026"},
	{"ENUM('a', 'b')", types.EnumOf("a", "b"), "one of up to 65535 texts; sorts and groups by place, compares with text as text, with numbers and in arithmetic as place", "b"},
	{"SET('a', 'b')", types.SetOf("a", "b", "c"), "any of up to 64 texts; as number the bits, the first member lowest", "a,c"},
	{"INTERVAL", types.Of(types.Interval), "months and microseconds, INTERVAL 1 DAY", ""},
	{"POINT", types.Of(types.Point), "longitude -180..180 and latitude -90..90, SRID 4326", "POINT(13.4 52.5)"},
	{"ARRAY<T>", types.ArrayOf(types.Of(types.Int64)), "values of one type, ARRAY[1, 2]", "[1, 2]"},
	{"MAP<K, V>", types.MapOf(types.Of(types.String), types.Of(types.Int64)), "MAP['k', 1]", `{"k": 1}`},
	{"STRUCT<a T, b U>, ROW(a T, b U)", types.StructOf(types.Field{Name: "a", Type: types.Of(types.Int64)}), "fields by name, x.a", `{"a": 1}`},
}

var classNames = map[types.Class]string{types.ClassI64: "64-bit integer", types.ClassF64: "double", types.ClassI128: "128 bits", types.ClassI256: "256 bits",
	types.ClassBytes: "bytes", types.ClassList: "offsets, children", types.ClassStruct: "children"}

// TestTypesPage keeps sql/types/TYPES.md equal to the code.
func TestTypesPage(t *testing.T) {
	const path = "../types/TYPES.md"
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- generated: types -->\n", "<!-- end -->\n"
	head, rest, ok := strings.Cut(string(old), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost its marks", path)
	}
	want := head + begin + typesTable() + "\n" + castsTable() + end + tail
	if *rewrite {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(old) != want {
		t.Error("TYPES.md is stale: run go test ./sql/function -run TypesPage -rewrite")
	}
}

// TestPageTypes: every kind is on the page, and the text of each type's value reads back as itself.
func TestPageTypes(t *testing.T) {
	seen := map[types.Kind]bool{types.Null: true}
	for _, p := range pageTypes {
		seen[p.typ.Kind] = true
		if p.text == "" {
			continue
		}
		kernel, err := Cast(tText, p.typ, false)
		if err != nil {
			t.Fatal(err)
		}
		in, out := vector.New(tText, 1), vector.New(p.typ, 1)
		in.AppendString(p.text)
		ctx := &Ctx{}
		kernel(ctx, []*vector.Vector{in}, 1, out)
		if got := string(AppendText(nil, out, 0)); got != p.text || len(ctx.Errs) > 0 {
			t.Errorf("%s: '%s' comes back as '%s' %v", p.typ, p.text, got, ctx.Errs)
		}
	}
	for k := types.Null; k <= types.Point; k++ {
		if !seen[k] {
			t.Errorf("%s is not on the page", k)
		}
	}
}

func typesTable() string {
	var b strings.Builder
	b.WriteString("| type | holds | in memory | Arrow |\n|---|---|---|---|\n")
	for _, p := range pageTypes {
		dt := arrow.DataType(p.typ).String()
		dt, _, _ = strings.Cut(dt, ", metadata") // of parts
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", p.names, p.values, classNames[p.typ.Class()], strings.Split(dt, "\n")[0])
	}
	return b.String()
}

// castsTable tells for each pair whether there is a cast (c), and whether it is made on assignment too (a).
func castsTable() string {
	columns := []types.Type{types.Of(types.Bool), types.Of(types.Int64), types.Of(types.Float64), types.DecimalOf(10, 2), types.Of(types.String), types.Of(types.Bytes), types.Of(types.JSON),
		types.Of(types.Date), types.Of(types.Time), types.Of(types.Datetime), types.Of(types.Timestamp), types.Of(types.Year), types.EnumOf("a"), types.SetOf("a"),
		types.Of(types.Interval), types.Of(types.Point), types.ArrayOf(types.Of(types.Int64)), types.MapOf(tText, tInt), types.StructOf(types.Field{Name: "a", Type: tInt})}
	name := func(t types.Type) string {
		switch {
		case t.Kind == types.Int64:
			return "integers"
		case t.Kind == types.Float64:
			return "FLOAT, DOUBLE"
		}
		return t.Kind.String()
	}
	var b strings.Builder
	b.WriteString("| from \\ to |")
	for _, to := range columns {
		fmt.Fprintf(&b, " %s |", name(to))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, from := range columns {
		fmt.Fprintf(&b, "| **%s** |", name(from))
		for _, to := range columns {
			switch {
			case from.Kind == to.Kind:
				b.WriteString(" = |")
			case types.ImplicitCast(from, to):
				b.WriteString(" a |")
			case types.CanCast(from, to):
				b.WriteString(" c |")
			default:
				b.WriteString("   |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
