package physical

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/millrace/millrace/sql/types"
)

// Identities gives nodes their state identity: a hash of what the node does, the types of its rows and the identities below. It does
// not depend on the statement's text or on what stands above, so that an edited query keeps the state of the parts that did not change.
// Equal subtrees of one plan (a self-join) are told apart by their number.
type Identities struct {
	seen map[uint64]uint64
}

// NewIdentities starts a plan.
func NewIdentities() *Identities { return &Identities{seen: map[uint64]uint64{}} }

// Of computes the identity of a node whose inputs have theirs.
func (ids *Identities) Of(n Node) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(Describe(n))) // a hash never fails
	for _, f := range n.Properties().Fields {
		_, _ = h.Write([]byte(typeText(f.Type)))
	}
	var b [8]byte
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

func typeText(t types.Type) string { return ";" + t.String() }
