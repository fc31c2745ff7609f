package group

import (
	"sort"
	"time"
)

// Tick lets time pass: sessions end, rebalances give up waiting, offsets of
// forgotten groups expire.
func (c *Coordinator) Tick(now time.Time) {
	for _, g := range c.sortedGroups() {
		c.tickMembers(now, g)
		c.tickConsumers(now, g)
		c.completeIfReady(now, g)
		c.expireOffsets(now, g)
		c.dropIfUnused(g)
	}
}

func (c *Coordinator) tickMembers(now time.Time, g *group) {
	for id, lapses := range g.joining {
		if !now.Before(lapses) {
			delete(g.joining, id)
		}
	}
	late := g.state == Completing && !now.Before(g.syncDeadline)
	for _, m := range g.inOrder() {
		if g.members[m.id] != m {
			continue // a rebalance that completed meanwhile dropped it
		}
		waiting := m.join != 0 || m.sync != 0
		expired := !waiting && !now.Before(m.expires)
		if expired || (late && !m.synced && g.state == Completing) {
			c.expel(now, g, m)
		}
	}
}

// expireOffsets deletes what an empty group has not used for the retention.
func (c *Coordinator) expireOffsets(now time.Time, g *group) {
	if g.state != Empty || len(g.joining) > 0 || g.hasMembers() {
		return
	}
	var expired []TopicPartition
	for tp, o := range g.offsets {
		since := o.CommittedAt
		if g.emptySince.After(since) {
			since = g.emptySince
		}
		if now.Sub(since) > c.opts.OffsetRetention && !g.unstable(tp) {
			expired = append(expired, tp)
		}
	}
	idle := g.known && len(g.offsets) == 0 && len(g.pending) == 0 && now.Sub(g.emptySince) > c.opts.OffsetRetention
	if len(expired) == 0 && !idle {
		return
	}
	sortPartitions(expired)
	changes := make([]change, 0, len(expired)+1)
	for _, tp := range expired {
		// Gone at once, or every tick until the append is durable would
		// delete it again.
		delete(g.offsets, tp)
		changes = append(changes, change{kind: kindOffset, tombstone: true, group: g.id, partition: tp})
	}
	if len(g.offsets) == 0 && len(g.pending) == 0 && g.known {
		g.known = false
		changes = append(changes, g.tombstone())
	}
	c.persist(changes, nil)
}

func sortPartitions(tps []TopicPartition) {
	sort.Slice(tps, func(i, j int) bool {
		if tps[i].Topic != tps[j].Topic {
			return tps[i].Topic < tps[j].Topic
		}
		return tps[i].Partition < tps[j].Partition
	})
}
