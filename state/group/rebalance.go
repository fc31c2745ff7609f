package group

import "time"

// rebalance starts a rebalance, or looks whether the one under way is done.
func (c *Coordinator) rebalance(now time.Time, g *group) {
	if g.state != Preparing {
		c.prepare(now, g)
	} else if g.rebalanceEarliest.After(now) {
		// Still gathering the first members: each newcomer prolongs the wait,
		// within the rebalance timeout.
		g.rebalanceDeadline = g.rebalanceStart.Add(g.rebalanceTimeout())
		g.rebalanceEarliest = earlier(now.Add(c.opts.InitialRebalanceDelay), g.rebalanceDeadline)
	}
	c.completeIfReady(now, g)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (c *Coordinator) prepare(now time.Time, g *group) {
	for _, m := range g.inOrder() {
		if m.sync != 0 {
			c.emit(SyncReply{m.sync, SyncResponse{Code: RebalanceInProgress}})
			m.sync = 0
			m.touch(now)
		}
	}
	g.rebalanceStart = now
	g.rebalanceDeadline = now.Add(g.rebalanceTimeout())
	g.rebalanceEarliest = now
	if g.state == Empty {
		g.rebalanceEarliest = earlier(now.Add(c.opts.InitialRebalanceDelay), g.rebalanceDeadline)
	}
	g.state = Preparing
}

// completeIfReady ends the preparing phase when all are there, or time is up.
func (c *Coordinator) completeIfReady(now time.Time, g *group) {
	if g.state != Preparing {
		return
	}
	if len(g.members) == 0 {
		c.becomeEmpty(now, g)
		return
	}
	timeout := !now.Before(g.rebalanceDeadline)
	if !timeout && (now.Before(g.rebalanceEarliest) || !g.allJoined()) {
		return
	}
	for _, m := range g.inOrder() {
		// Static members keep their place until their session ends.
		if m.join == 0 && m.instanceID == "" {
			g.remove(m)
		}
	}
	if len(g.members) == 0 {
		c.becomeEmpty(now, g)
		return
	}
	if !g.electJoined() {
		// Only absent static members are left: wait another round for them.
		g.rebalanceDeadline = now.Add(max(g.rebalanceTimeout(), time.Second))
		return
	}
	c.nextGeneration(now, g)
}

// electJoined makes sure that the leader is somebody who will get the answer.
func (g *group) electJoined() bool {
	if m := g.members[g.leader]; m != nil && m.join != 0 {
		return true
	}
	for _, m := range g.inOrder() {
		if m.join != 0 {
			g.leader = m.id
			return true
		}
	}
	return false
}

func (c *Coordinator) becomeEmpty(now time.Time, g *group) {
	g.state = Empty
	g.generation++
	g.protocol, g.leader = "", ""
	g.emptySince = now
	c.persistGroup(g, nil)
}

func (c *Coordinator) nextGeneration(now time.Time, g *group) {
	g.generation++
	g.protocol = g.choose()
	g.state = Completing
	g.syncDeadline = now.Add(g.rebalanceTimeout())
	for _, m := range g.inOrder() {
		m.assignment, m.synced = nil, false
		if m.join == 0 {
			continue
		}
		m.touch(now)
		c.emit(JoinReply{m.join, g.joinResponse(m)})
		m.join = 0
	}
}

// persistGroup stores the generation with its members; done runs when the
// outcome is known.
func (c *Coordinator) persistGroup(g *group, done func(ok bool)) {
	g.known = true
	c.persist([]change{g.record()}, done)
}

func (g *group) record() change {
	return change{
		kind: kindGroup, group: g.id, generation: g.generation, emptySince: g.emptySince,
		protocolType: g.protocolType, protocol: g.protocol, leader: g.leader, members: g.inOrder(),
	}
}

// expel removes a member and lets the others rebalance.
func (c *Coordinator) expel(now time.Time, g *group, m *member) {
	c.dropWaiting(m, UnknownMemberID)
	g.remove(m)
	switch g.state {
	case Stable, Completing:
		c.rebalance(now, g)
	case Preparing:
		c.completeIfReady(now, g)
	}
}
