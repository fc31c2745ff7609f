package function

import (
	"fmt"
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// hotArg is a column of a benchmark: values repeated over the batch, or one constant.
type hotArg struct {
	typ      types.Type
	values   []any
	constant bool
}

func hotText(values ...any) hotArg  { return hotArg{tText, values, false} }
func hotInt(values ...any) hotArg   { return hotArg{tInt, values, false} }
func hotFloat(values ...any) hotArg { return hotArg{tFloat, values, false} }
func hotConst(x any) hotArg {
	switch x.(type) {
	case string:
		return hotArg{tText, []any{x}, true}
	case float64:
		return hotArg{tFloat, []any{x}, true}
	}
	return hotArg{tInt, []any{x}, true}
}

func (a hotArg) column(n int) *vector.Vector {
	v := vector.New(a.typ, n)
	for i := range n {
		switch x := a.values[i%len(a.values)].(type) {
		case string:
			v.AppendString(x)
		case float64:
			v.AppendF64(x)
		case int:
			v.AppendI64(int64(x))
		case types.Int128:
			v.AppendI128(x)
		}
	}
	return v
}

var (
	hotDocs  = hotText(`{"a": 1, "b": {"c": [1, 2, 3]}, "s": "x"}`, `{"a": 2, "b": {"c": []}, "s": "yy"}`)
	hotTimes = hotArg{tDatetime, []any{1767349230 * 1_000_000, 1767949230 * 1_000_000}, false}
	hotClock = hotArg{tTime, []any{3_600_000_000, 90_000_000}, false}
	hotPoint = hotArg{tPoint, []any{types.IntervalOf(0x402ACCCCCCCCCCCD, 0x404A400000000000)}, false}
)

// hotCalls are typical calls of every family.
var hotCalls = []struct {
	family, name string
	args         []hotArg
}{
	{"math", "cbrt", []hotArg{hotFloat(2.5, 27.0)}}, {"math", "gcd", []hotArg{hotInt(12, 35), hotInt(18, 49)}}, {"math", "clamp", []hotArg{hotFloat(1.5, 20.0), hotConst(0.0), hotConst(10.0)}}, {"math", "bin", []hotArg{hotInt(12, 70000)}},
	{"text", "insert", []hotArg{hotText("Quadratic", "stream"), hotInt(3), hotInt(4), hotText("What")}}, {"text", "soundex", []hotArg{hotText("Quadratically", "Robert")}}, {"text", "levenshtein", []hotArg{hotText("kitten"), hotText("sitting")}},
	{"text", "jaro_winkler", []hotArg{hotText("MARTHA"), hotText("MARHTA")}}, {"text", "strip_accents", []hotArg{hotText("Crème Brûlée", "plain")}}, {"text", "mask_inner", []hotArg{hotText("4111111111111111"), hotConst(4), hotConst(4)}}, {"text", "quote", []hotArg{hotText("it's")}},
	{"time", "addtime", []hotArg{hotTimes, hotClock}}, {"time", "to_char", []hotArg{hotTimes, hotConst("YYYY-MM-DD HH24:MI:SS")}}, {"time", "at_time_zone", []hotArg{hotTimes, hotConst("Europe/Berlin")}}, {"time", "at_time_zone", []hotArg{hotTimes, hotText("Europe/Berlin", "+02:00")}},
	{"time", "date_ceil", []hotArg{hotConst("hour"), hotTimes}}, {"time", "business_days", []hotArg{hotTimes, hotTimes}}, {"time", "extract", []hotArg{hotConst("day_second"), hotTimes}},
	{"json", "json_extract", []hotArg{hotDocs, hotConst("$.b.c[last]")}}, {"json", "json_extract", []hotArg{hotDocs, hotConst("$**.c")}}, {"json", "json_set", []hotArg{hotDocs, hotConst("$.b.d"), hotInt(7)}}, {"json", "json_contains", []hotArg{hotDocs, hotText(`{"a": 1}`)}},
	{"json", "json_merge_patch", []hotArg{hotDocs, hotText(`{"a": null, "z": 1}`)}}, {"json", "json_search", []hotArg{hotDocs, hotConst("all"), hotText("x")}}, {"json", "json_pretty", []hotArg{hotDocs}},
	{"hash", "xxhash64", []hotArg{hotText("stream of rows")}}, {"hash", "murmur3", []hotArg{hotText("stream of rows")}}, {"hash", "sha256", []hotArg{hotText("stream of rows")}}, {"hash", "hmac", []hotArg{hotConst("sha256"), hotConst("key"), hotText("stream of rows")}},
	{"hash", "aes_encrypt", []hotArg{hotText("stream of rows"), hotConst("password")}},
	{"network", "inet_aton", []hotArg{hotText("10.0.5.9", "192.168.1.1")}}, {"network", "cidr_contains", []hotArg{hotConst("10.0.0.0/8"), hotText("10.0.5.9", "192.168.1.1")}}, {"network", "parse_url", []hotArg{hotText("https://u@a.org:8080/p/q?k=v&x=1#r"), hotConst("HOST")}}, {"network", "url_encode", []hotArg{hotText("a b&c")}},
	{"misc", "uuid_to_bin", []hotArg{hotText("6ccd780c-baba-1026-9564-5b8c656024db")}},
	{"geo", "st_distance_sphere", []hotArg{hotPoint, hotPoint}}, {"geo", "st_contains", []hotArg{hotConst("POLYGON((0 0, 20 0, 20 60, 0 60, 0 0))"), hotPoint}}, {"geo", "geotile", []hotArg{hotFloat(52.52), hotFloat(13.405), hotConst(14)}}, {"geo", "st_geohash", []hotArg{hotPoint, hotConst(8)}}, {"geo", "geohash_neighbors", []hotArg{hotText("ezs42")}},
	{"conditional", "zeroifnull", []hotArg{hotInt(1, 2)}},
	{"regexp", "regexp_like", []hotArg{hotText("id=42;", "none"), hotConst("[0-9]+")}},
}

func hotBound(t testing.TB, name string, given []hotArg, n int) (Bound, []*vector.Vector) {
	args, cols := make([]Arg, len(given)), make([]*vector.Vector, len(given))
	for i, a := range given {
		args[i].Type = a.typ
		if a.constant {
			args[i].Const = a.column(1)
		}
		cols[i] = a.column(n)
	}
	bound, err := Lookup(name).Bind(args)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for i, want := range bound.ArgTypes {
		if want.Class() != cols[i].Type.Class() || want.Kind == types.Decimal {
			kernel, err := Cast(cols[i].Type, want, false)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			cast := vector.New(want, n)
			kernel(&Ctx{}, cols[i:i+1], n, cast)
			cols[i] = cast
		}
	}
	return bound, cols
}

// maxBatchAllocs is what a batch may allocate for scratch; rows allocate nothing.
const maxBatchAllocs = 16

// TestHotFunctionAllocations: what kernels allocate does not grow with the rows.
func TestHotFunctionAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const n = 1024
	for _, c := range hotCalls {
		bound, cols := hotBound(t, c.name, c.args, n)
		out, ctx := vector.New(bound.Ret, n), &Ctx{}
		run := func() {
			out.Reset()
			bound.Kernel(ctx, cols, n, out)
		}
		run()
		if len(ctx.Errs) > 0 {
			t.Errorf("%s: %v", c.name, ctx.Errs[0].Err)
		}
		if allocs := testing.AllocsPerRun(3, run); allocs > maxBatchAllocs {
			t.Errorf("%s: %v allocations per batch of %d rows", c.name, allocs, n)
		}
	}
}

// BenchmarkFunctions measures typical calls, by family.
func BenchmarkFunctions(b *testing.B) {
	const n = vector.MaxRows
	for k, c := range hotCalls {
		b.Run(fmt.Sprintf("%s/%s_%d", c.family, c.name, k), func(b *testing.B) {
			bound, cols := hotBound(b, c.name, c.args, n)
			out, ctx := vector.New(bound.Ret, n), &Ctx{}
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				bound.Kernel(ctx, cols, n, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}
