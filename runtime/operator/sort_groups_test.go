package operator

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// TestGroupSorter holds the order of groups against a plain sort of their keys, for numbers, texts with long common starts and NULLs.
func TestGroupSorter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, minRadix - 1, minRadix, 5000} {
		for name, value := range map[string]func() any{
			"numbers": func() any { return r.IntN(1<<r.IntN(40)) - 1000 },
			"texts":   func() any { return fmt.Sprintf("a common start %d", r.IntN(3000)) },
			"short":   func() any { return string(rune('a' + r.IntN(26)))[:r.IntN(2)] },
		} {
			k := types.Of(types.Int64)
			if name != "numbers" {
				k = types.Of(types.String)
			}
			col := vector.New(k, 0)
			for range n {
				if r.IntN(50) == 0 {
					col.AppendNull()
				} else {
					appendCell(col, value())
				}
			}
			table := row.NewGroupTable([]types.Type{k})
			hash, gids := make([]uint64, n), make([]int32, n)
			row.Hash([]*vector.Vector{col}, nil, hash)
			table.Groups(hash, []*vector.Vector{col}, nil, gids)
			var s groupSorter
			for gid := range table.All() {
				s.add(table, gid)
			}
			s.sort()
			checkSorted(t, table, s.refs, func(ref groupRef) []byte { return table.Key(ref.gid) })
			checkSorted(t, table, s.arrange(table, slices.Collect(table.All())), func(ref groupRef) []byte {
				return append([]byte{uint8(row.KeyGroup(table.Hash(ref.gid)))}, table.Key(ref.gid)...)
			})
		}
	}
}

func checkSorted(t *testing.T, table *row.GroupTable, refs []groupRef, key func(groupRef) []byte) {
	t.Helper()
	if len(refs) != table.Len() {
		t.Fatalf("%d of %d groups", len(refs), table.Len())
	}
	var last []byte
	for i, ref := range refs {
		k := bytes.Clone(key(ref))
		if i > 0 && bytes.Compare(last, k) >= 0 {
			t.Fatalf("%x stands before %x", last, k)
		}
		last = k
	}
}

func BenchmarkGroupSorter(b *testing.B) {
	const n = 200_000
	col := vector.New(types.Of(types.Int64), n)
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		col.AppendI64(r.Int64N(100_000_000))
	}
	table := row.NewGroupTable([]types.Type{types.Of(types.Int64)})
	hash, gids := make([]uint64, n), make([]int32, n)
	row.Hash([]*vector.Vector{col}, nil, hash)
	table.Groups(hash, []*vector.Vector{col}, nil, gids)
	var s groupSorter
	for b.Loop() {
		s.reset()
		for gid := range table.All() {
			s.add(table, gid)
		}
		s.sort()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(table.Len()), "ns/group")
}
