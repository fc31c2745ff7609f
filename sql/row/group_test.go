package row

import (
	"fmt"
	"slices"
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
	"pgregory.net/rapid"
)

var groupSchemas = [][]types.Type{
	{types.Of(types.Int64)},
	{types.Of(types.Int64), types.Of(types.Timestamp)},
	{types.Of(types.String)},
	{types.Of(types.Int64), types.Of(types.String)},
	{types.Of(types.Float64)},
	{},
}

func drawKeys(t *rapid.T, schema []types.Type, n int) []*vector.Vector {
	cols := newColumns(schema)
	for _, v := range cols {
		for range n {
			x := rapid.Int64Range(0, 40).Draw(t, "x")
			switch {
			case x == 40:
				v.AppendNull()
			case v.Type.Class() == types.ClassI64:
				v.AppendI64(x)
			case v.Type.Class() == types.ClassF64:
				v.AppendF64(float64(x))
			default:
				v.AppendString(fmt.Sprint("key ", x))
			}
		}
	}
	return cols
}

// TestGroupTableAgreesWithMap plays random batches and releases against a Go map.
func TestGroupTableAgreesWithMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema := rapid.SampledFrom(groupSchemas).Draw(t, "schema")
		table, model := NewGroupTable(schema), map[string]int32{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			playBatch(t, table, model, schema)
			playRelease(t, table, model)
			checkGroups(t, table, model, schema)
		}
	})
}

func playBatch(t *rapid.T, table *GroupTable, model map[string]int32, schema []types.Type) {
	n := rapid.IntRange(1, 200).Draw(t, "n")
	keys := drawKeys(t, schema, n)
	var rows []int32
	for i := range int32(n) {
		if rapid.IntRange(0, 3).Draw(t, "in") > 0 {
			rows = append(rows, i)
		}
	}
	hash, gids := make([]uint64, len(rows)), make([]int32, len(rows))
	Hash(keys, rows, hash)
	table.Lookup(hash, keys, rows, gids)
	for k, i := range rows {
		want, ok := model[string(EncodeKey(nil, keys, int(i)))]
		if !ok {
			want = NoGroup
		}
		if gids[k] != want {
			t.Fatalf("lookup gives %d, want %d", gids[k], want)
		}
	}
	before := len(model)
	fresh := table.Groups(hash, keys, rows, gids)
	for k, i := range rows {
		key := string(EncodeKey(nil, keys, int(i)))
		if want, ok := model[key]; ok && want != gids[k] {
			t.Fatalf("group %d, want %d", gids[k], want)
		}
		model[key] = gids[k]
	}
	if fresh != len(model)-before {
		t.Fatalf("%d new groups, want %d", fresh, len(model)-before)
	}
}

func playRelease(t *rapid.T, table *GroupTable, model map[string]int32) {
	var names []string
	for key := range model {
		names = append(names, key)
	}
	slices.Sort(names)
	for _, key := range names {
		if rapid.IntRange(0, 2).Draw(t, "release") == 0 {
			table.Release(model[key])
			delete(model, key)
		}
	}
}

func checkGroups(t *rapid.T, table *GroupTable, model map[string]int32, schema []types.Type) {
	if table.Len() != len(model) {
		t.Fatalf("%d groups, want %d", table.Len(), len(model))
	}
	live := 0
	for gid := range table.All() {
		live++
		cols := newColumns(schema)
		table.AppendKey(gid, cols)
		key := string(EncodeKey(nil, cols, 0))
		if model[key] != gid || string(table.Key(gid)) != key {
			t.Fatalf("group %d holds %x, a key of group %d", gid, key, model[key])
		}
	}
	if live != len(model) || table.Cap() < live {
		t.Fatalf("%d groups iterated, want %d", live, len(model))
	}
}

// TestGroupTableArenaIsBounded: releasing and inserting for ever does not grow the arena for ever.
func TestGroupTableArenaIsBounded(t *testing.T) {
	table := NewGroupTable([]types.Type{types.Of(types.String)})
	key := vector.New(types.Of(types.String), 1)
	hash, gid := make([]uint64, 1), make([]int32, 1)
	for i := range 200_000 {
		key.Reset()
		key.AppendString(fmt.Sprintf("some key of thirty bytes %06d", i))
		Hash([]*vector.Vector{key}, nil, hash)
		table.Groups(hash, []*vector.Vector{key}, nil, gid)
		table.Release(gid[0])
	}
	if table.Len() != 0 || table.Cap() != 1 || table.Bytes() > 1<<20 {
		t.Fatalf("%d groups, cap %d, %d bytes", table.Len(), table.Cap(), table.Bytes())
	}
}

func benchKeys(distinct int, text bool) []*vector.Vector {
	n := vector.MaxRows
	v := vector.New(types.Of(types.Int64), n)
	if text {
		v = vector.New(types.Of(types.String), n)
	}
	for i := range n {
		x := i * 7919 % distinct
		if text {
			v.AppendString(fmt.Sprintf("channel-%08d", x))
		} else {
			v.AppendI64(int64(x))
		}
	}
	return []*vector.Vector{v}
}

// TestGroupTableAllocations: no allocation once the table has grown.
func TestGroupTableAllocations(t *testing.T) {
	for name, keys := range map[string][]*vector.Vector{
		"int":   benchKeys(1000, false),
		"ints":  append(benchKeys(1000, false), benchKeys(10, false)...),
		"text":  benchKeys(1000, true),
		"mixed": append(benchKeys(1000, true), benchKeys(10, false)...),
	} {
		var schema []types.Type
		for _, k := range keys {
			schema = append(schema, k.Type)
		}
		table := NewGroupTable(schema)
		hash, gids := make([]uint64, vector.MaxRows), make([]int32, vector.MaxRows)
		run := func() {
			Hash(keys, nil, hash)
			table.Groups(hash, keys, nil, gids)
			table.Release(gids[0])
		}
		run()
		run()
		if n := testing.AllocsPerRun(5, run); n != 0 {
			t.Errorf("%s: %v allocations per batch", name, n)
		}
	}
}

func benchGroups(b *testing.B, distinct int, text bool) {
	v := vector.New(types.Of(types.Int64), distinct)
	if text {
		v = vector.New(types.Of(types.String), distinct)
	}
	for i := range distinct {
		x := i * 7919 % distinct
		if text {
			v.AppendString(fmt.Sprintf("channel-%08d", x))
		} else {
			v.AppendI64(int64(x))
		}
	}
	keys := []*vector.Vector{v}
	table := NewGroupTable([]types.Type{v.Type})
	hash, gids, rows := make([]uint64, 4096), make([]int32, 4096), make([]int32, 4096)
	b.ReportAllocs()
	at := 0
	for b.Loop() {
		for k := range rows {
			rows[k] = int32(at)
			if at++; at == distinct {
				at = 0
			}
		}
		Hash(keys, rows, hash)
		table.Groups(hash, keys, rows, gids)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
}

func BenchmarkGroupsInt1k(b *testing.B)    { benchGroups(b, 1000, false) }
func BenchmarkGroupsInt1M(b *testing.B)    { benchGroups(b, 1_000_000, false) }
func BenchmarkGroupsText1k(b *testing.B)   { benchGroups(b, 1000, true) }
func BenchmarkGroupsText100k(b *testing.B) { benchGroups(b, 100_000, true) }

func benchMap(b *testing.B, distinct int) {
	m, keys, gids := map[int64]int32{}, make([]int64, distinct), make([]int32, 4096)
	for i := range keys {
		keys[i] = int64(i * 7919 % distinct)
	}
	b.ReportAllocs()
	at := 0
	for b.Loop() {
		for range 4096 {
			x := keys[at]
			if at++; at == distinct {
				at = 0
			}
			gid, ok := m[x]
			if !ok {
				gid = int32(len(m))
				m[x] = gid
			}
			gids[at&4095] = gid
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
}

func BenchmarkMapInt1k(b *testing.B) { benchMap(b, 1000) }
func BenchmarkMapInt1M(b *testing.B) { benchMap(b, 1_000_000) }
