package txn

import "github.com/millrace/millrace/state/record"

// Snapshot returns records that replay to the present state, or false while
// appends are under way or after one failed: then memory and log differ.
// Written to the topic in the place of all before them they are its compaction.
func (c *Coordinator) Snapshot() ([]record.Record, bool) {
	if len(c.inflight) > 0 || c.failed {
		return nil, false
	}
	out := make([]record.Record, 0, len(c.txns))
	for _, t := range c.sorted() {
		out = append(out, encodeTransaction(t))
	}
	return out, true
}
