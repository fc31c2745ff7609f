package physical

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// Identities gives nodes their state identity: a hash of what the node does, the types of its rows and the identities below. It does
// not depend on the statement's text or on what stands above, so that an edited query keeps the state of the parts that did not change.
// Equal subtrees of one statement (a self-join, two inserts from one source) are told apart by their number.
type Identities struct {
	seen map[uint64]uint64
}

// NewIdentities starts a statement.
func NewIdentities() *Identities { return &Identities{seen: map[uint64]uint64{}} }

// Of computes the identity of a node whose inputs have theirs.
func (ids *Identities) Of(n Node) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(Describe(n))) // a hash never fails
	for _, f := range n.Properties().Fields {
		_, _ = h.Write([]byte(typeText(f.Type)))
	}
	var b [8]byte
	if ambiguous(n) {
		for _, c := range columnsRead(n) {
			binary.LittleEndian.PutUint64(b[:], uint64(c))
			_, _ = h.Write(b[:])
		}
	}
	for _, c := range n.Inputs() {
		binary.LittleEndian.PutUint64(b[:], c.ID())
		_, _ = h.Write(b[:])
	}
	id := h.Sum64()
	ids.seen[id]++
	if again := ids.seen[id]; again > 1 {
		binary.LittleEndian.PutUint64(b[:], again)
		_, _ = h.Write(b[:])
		id = h.Sum64()
	}
	return id
}

// ambiguous tells whether two input columns have the same name: then the description does not tell which one is read.
func ambiguous(n Node) bool {
	seen := map[string]bool{}
	for _, c := range n.Inputs() {
		for _, f := range c.Properties().Fields {
			if seen[f.Name] {
				return true
			}
			seen[f.Name] = true
		}
	}
	return false
}

// columnsRead lists the input columns that a node reads, in the order in which it names them.
func columnsRead(n Node) []int {
	var out []int
	switch x := n.(type) {
	case *Filter:
		out = expr.Columns(x.Pred)
	case *Project:
		for _, e := range x.Exprs {
			out = append(out, expr.Columns(e)...)
		}
	case *Expand:
		for _, e := range x.Args {
			out = append(out, expr.Columns(e)...)
		}
		out = append(out, x.Keep...)
	case *GroupAggregate:
		out = append(append(out, x.Keys...), aggColumns(x.Aggs)...)
	case *WindowAggregate:
		out = append(append(out, x.Keys...), aggColumns(x.Aggs)...)
	case *Join:
		out = append(append(out, x.LeftKeys...), x.RightKeys...)
	case *TemporalJoin:
		out = append(append(out, x.LeftKeys...), x.RightKeys...)
	case *LookupJoin:
		out = append(append(out, x.LeftKeys...), x.RightKeys...)
	case *Deduplicate:
		out = x.Key
	case *Normalize:
		out = x.Key
	case *Exchange:
		out = x.Keys
	case *Over:
		out = append(out, x.PartitionBy...)
		for _, k := range x.Order {
			out = append(out, k.Col)
		}
		out = append(out, OverColumns(x.Calls)...)
	case *TopN:
		out = append(out, x.PartitionBy...)
		for _, k := range x.Order {
			out = append(out, k.Col)
		}
	}
	return out
}

func aggColumns(aggs []AggCall) []int {
	var out []int
	for _, a := range aggs {
		out = append(append(out, a.Args...), a.Filter)
	}
	return out
}

func typeText(t types.Type) string { return ";" + t.String() }
