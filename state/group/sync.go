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

// assign ends a rebalance with the leader's assignment; members it forgot get
// an empty one.
func (c *Coordinator) assign(now time.Time, g *group, assignments map[string][]byte) {
	g.state = Stable
	for _, m := range g.inOrder() {
		m.assignment = assignments[m.id]
		if m.sync == 0 {
			continue
		}
		m.touch(now)
		c.emit(SyncReply{m.sync, g.syncResponse(m)})
		m.sync = 0
	}
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
