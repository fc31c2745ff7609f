package group

import (
	"maps"
	"time"
)

// reconcile brings a member a step nearer to its target, given what it says it has; it returns whether anything changed (KIP-848,
// "Member Epoch" and "Reconciliation"). A member gives up first and tells so; only then does it go to the target's epoch, and gets what
// is free by then.
func (cg *consumers) reconcile(now time.Time, m *consumer, r ConsumerHeartbeat) bool {
	if m.state == consumerUnrevoked {
		if !r.OwnedTold || setOf(r.Owned).meets(m.revoking) {
			return false
		}
	} else if m.state == consumerStable && m.epoch == cg.targetEpoch {
		return false
	}
	old := *m
	cg.release(m)
	m.revoking = nil
	cg.next(now, m, r)
	cg.own(m)
	return m.epoch != old.epoch || m.state != old.state || !maps.Equal(m.assigned, old.assigned) || !maps.Equal(m.revoking, old.revoking)
}

// next computes what the member may have now. Its own partitions count as free: the caller has released them.
func (cg *consumers) next(now time.Time, m *consumer, r ConsumerHeartbeat) {
	lost := m.assigned.without(m.target)
	if !r.OwnedTold || setOf(r.Owned).meets(lost) {
		if len(lost) > 0 {
			m.assigned, m.revoking = m.assigned.both(m.target), lost
			m.state, m.revokeBy = consumerUnrevoked, now.Add(m.rebalance)
			return
		}
	}
	assigned, waits := partitionSet{}, false
	for p := range m.target {
		if _, taken := cg.owners[p]; taken {
			waits = true
			continue
		}
		assigned[p] = true
	}
	since := make(map[idPartition]int32, len(assigned))
	for p := range assigned {
		since[p] = cg.targetEpoch
		if m.assigned[p] {
			since[p] = m.gotAt(p)
		}
	}
	if m.epoch != cg.targetEpoch {
		m.previous, m.epoch = m.epoch, cg.targetEpoch
	}
	m.assigned, m.since, m.state = assigned, since, consumerStable
	if waits {
		m.state = consumerUnreleased
	}
}

// gotAt is the epoch since which an assigned partition has been the member's without interruption, or a later one.
func (m *consumer) gotAt(p idPartition) int32 {
	if e, ok := m.since[p]; ok {
		return e
	}
	return m.epoch
}
