package group

import "time"

// SyncRequest asks for the assignment; the leader's carries everybody's.
type SyncRequest struct {
	Group        string
	MemberID     string
	InstanceID   string
	Generation   int32
	ProtocolType string // "" = not told (before v5)
	Protocol     string // "" = not told (before v5)
	Assignments  map[string][]byte
}

// SyncResponse carries a member's assignment.
type SyncResponse struct {
	Code         Code
	ProtocolType string
	Protocol     string
	Assignment   []byte
}

// Sync handles SyncGroup; the answer is a SyncReply once the leader has spoken.
func (c *Coordinator) Sync(now time.Time, t Ticket, r SyncRequest) {
	g, m, code := c.member(r.Group, r.MemberID, r.InstanceID)
	switch {
	case code != None:
	case r.Generation != g.generation:
		code = IllegalGeneration
	case r.ProtocolType != "" && r.ProtocolType != g.protocolType, r.Protocol != "" && r.Protocol != g.protocol:
		code = InconsistentGroupProtocol
	case g.state == Preparing:
		code = RebalanceInProgress
	}
	if code != None {
		c.emit(SyncReply{t, SyncResponse{Code: code}})
		return
	}
	m.touch(now)
	if g.state == Stable {
		c.emit(SyncReply{t, g.syncResponse(m)})
		return
	}
	if m.sync != 0 {
		c.emit(SyncReply{m.sync, SyncResponse{Code: RebalanceInProgress}})
	}
	m.sync, m.synced = t, true
	if m.id == g.leader {
		c.assign(now, g, r.Assignments)
	}
}

// assign takes the leader's assignment; members it forgot get an empty one. The
// group is stable, and its members are told, once that is durable.
func (c *Coordinator) assign(now time.Time, g *group, assignments map[string][]byte) {
	for _, m := range g.inOrder() {
		m.assignment = assignments[m.id]
	}
	generation := g.generation
	c.persistGroup(g, func(ok bool) {
		if g.state != Completing || g.generation != generation {
			return // a new rebalance has answered those who waited
		}
		if ok {
			g.state = Stable
		}
		for _, m := range g.inOrder() {
			if m.sync == 0 {
				continue
			}
			r := g.syncResponse(m)
			if !ok {
				r = SyncResponse{Code: CoordinatorNotAvailable}
			}
			m.touch(now)
			c.emit(SyncReply{m.sync, r})
			m.sync = 0
		}
		if !ok {
			c.rebalance(now, g)
		}
	})
}

func (g *group) syncResponse(m *member) SyncResponse {
	return SyncResponse{ProtocolType: g.protocolType, Protocol: g.protocol, Assignment: m.assignment}
}

// member finds a group's member for requests of those who must be one.
func (c *Coordinator) member(groupID, memberID, instanceID string) (*group, *member, Code) {
	if groupID == "" {
		return nil, nil, InvalidGroupID
	}
	g := c.groups[groupID]
	if g == nil {
		return nil, nil, UnknownMemberID
	}
	m, code := g.find(memberID, instanceID)
	return g, m, code
}
