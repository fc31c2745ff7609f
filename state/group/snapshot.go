package group

import "github.com/millrace/millrace/state/record"

// Snapshot returns records that replay to the present state, or false while
// appends or rebalances are under way: then log and memory differ. Written to
// the topic in the place of all before them they are its compaction.
func (c *Coordinator) Snapshot() ([]record.Record, bool) {
	if len(c.inflight) > 0 {
		return nil, false
	}
	var out []record.Record
	for _, g := range c.sortedGroups() {
		if g.known {
			if g.state == Preparing || g.state == Completing {
				return nil, false
			}
			if g.consumers != nil {
				out = append(out, g.consumerRecord().encode())
			} else {
				out = append(out, g.record().encode())
			}
		}
		for _, tp := range sortedKeys(g.offsets) {
			out = append(out, change{kind: kindOffset, group: g.id, partition: tp, offset: g.offsets[tp]}.encode())
		}
		for pid, offsets := range g.pending {
			for _, tp := range sortedKeys(offsets) {
				out = append(out, change{kind: kindPending, group: g.id, producerID: pid, partition: tp, offset: offsets[tp]}.encode())
			}
		}
	}
	return out, true
}
