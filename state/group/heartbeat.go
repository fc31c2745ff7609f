package group

import "time"

// Heartbeat keeps a member's session alive and tells it of rebalances.
func (c *Coordinator) Heartbeat(now time.Time, groupID, memberID, instanceID string, generation int32) Code {
	g, m, code := c.member(groupID, memberID, instanceID)
	if code != None {
		return code
	}
	if generation != g.generation {
		return IllegalGeneration
	}
	m.touch(now)
	if g.state == Preparing {
		return RebalanceInProgress
	}
	return None
}
