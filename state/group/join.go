package group

import (
	"bytes"
	"time"
)

// JoinRequest asks to become or stay a member.
type JoinRequest struct {
	Group            string
	MemberID         string
	InstanceID       string // "" = dynamic member
	ClientID         string
	ClientHost       string
	SessionTimeout   time.Duration
	RebalanceTimeout time.Duration
	ProtocolType     string
	Protocols        []Protocol // in order of preference
	// RequireMemberID: the client understands MEMBER_ID_REQUIRED (v4 and later).
	RequireMemberID bool
	// CanSkipAssignment: the client understands SkipAssignment (v9 and later).
	CanSkipAssignment bool
}

// JoinResponse is what a member learns of the generation it is in.
type JoinResponse struct {
	Code           Code
	Generation     int32
	ProtocolType   string
	Protocol       string
	Leader         string
	SkipAssignment bool
	MemberID       string
	Members        []JoinMember // for the leader only
}

// JoinMember is one subscription, for the leader to assign by.
type JoinMember struct {
	MemberID   string
	InstanceID string
	Metadata   []byte
}

// Join handles JoinGroup; the answer is a JoinReply, maybe much later.
func (c *Coordinator) Join(now time.Time, t Ticket, r JoinRequest) {
	if code := c.checkJoin(r); code != None {
		c.refuseJoin(t, r.MemberID, code)
		return
	}
	g := c.groups[r.Group]
	if g != nil && g.consumers != nil {
		if g.hasMembers() {
			c.refuseJoin(t, r.MemberID, InconsistentGroupProtocol)
			return
		}
		c.becomeClassic(g)
	}
	if r.MemberID != "" {
		if g == nil {
			c.refuseJoin(t, r.MemberID, UnknownMemberID)
			return
		}
		c.joinKnown(now, t, g, r)
		return
	}
	if g == nil {
		g = c.obtain(r.Group)
	}
	c.joinNew(now, t, g, r)
}

func (c *Coordinator) checkJoin(r JoinRequest) Code {
	switch {
	case r.Group == "":
		return InvalidGroupID
	case r.SessionTimeout < c.opts.MinSessionTimeout || r.SessionTimeout > c.opts.MaxSessionTimeout:
		return InvalidSessionTimeout
	case r.ProtocolType == "" || len(r.Protocols) == 0:
		return InconsistentGroupProtocol
	}
	return None
}

func (c *Coordinator) refuseJoin(t Ticket, memberID string, code Code) {
	c.emit(JoinReply{t, JoinResponse{Code: code, Generation: -1, MemberID: memberID}})
}

// joinNew admits somebody without a member id.
func (c *Coordinator) joinNew(now time.Time, t Ticket, g *group, r JoinRequest) {
	old := g.static[r.InstanceID]
	if r.InstanceID == "" {
		old = ""
	}
	if !g.supports(r.ProtocolType, r.Protocols, old) {
		c.refuseJoin(t, "", InconsistentGroupProtocol)
		return
	}
	if old != "" {
		c.rejoinStatic(now, t, g, r)
		return
	}
	if len(g.members)+len(g.joining) >= maxMembers {
		c.refuseJoin(t, "", GroupMaxSizeReached)
		return
	}
	id := c.opts.NewMemberID(r.ClientID)
	if r.InstanceID == "" && r.RequireMemberID {
		// Two round trips, so that a client that times out and retries does
		// not leave a ghost member behind every time.
		g.joining[id] = now.Add(r.SessionTimeout)
		c.refuseJoin(t, id, MemberIDRequired)
		return
	}
	c.admit(now, t, g, id, r)
}

// admit adds a member and starts, or goes on with, a rebalance.
func (c *Coordinator) admit(now time.Time, t Ticket, g *group, id string, r JoinRequest) {
	m := &member{id: id, instanceID: r.InstanceID}
	if len(g.members) == 0 {
		g.protocolType = r.ProtocolType
	}
	m.update(r)
	m.touch(now)
	m.join = t
	g.add(m)
	c.rebalance(now, g)
}

func (m *member) update(r JoinRequest) {
	m.clientID, m.clientHost = r.ClientID, r.ClientHost
	m.session, m.rebalance = r.SessionTimeout, r.RebalanceTimeout
	m.protocols = r.Protocols
}

// joinKnown handles a join with a member id: a first join after
// MEMBER_ID_REQUIRED, a rejoin for a rebalance, or a repeated request.
func (c *Coordinator) joinKnown(now time.Time, t Ticket, g *group, r JoinRequest) {
	if _, ok := g.joining[r.MemberID]; ok {
		if !g.supports(r.ProtocolType, r.Protocols, "") {
			c.refuseJoin(t, r.MemberID, InconsistentGroupProtocol)
			return
		}
		delete(g.joining, r.MemberID)
		c.admit(now, t, g, r.MemberID, r)
		return
	}
	m, code := g.find(r.MemberID, r.InstanceID)
	if code == None && !g.supports(r.ProtocolType, r.Protocols, m.id) {
		code = InconsistentGroupProtocol
	}
	if code != None {
		c.refuseJoin(t, r.MemberID, code)
		return
	}
	changed := !sameProtocols(m.protocols, r.Protocols)
	switch {
	case g.state == Completing && !changed:
		// The answer got lost on its way; give it again.
		m.touch(now)
		c.emit(JoinReply{t, g.joinResponse(m)})
	case g.state == Stable && !changed && g.leader != m.id:
		m.touch(now)
		c.emit(JoinReply{t, g.joinResponse(m)})
	default:
		// A leader that rejoins wants a new assignment: its view of the
		// topics changed.
		c.waitJoin(t, m)
		m.update(r)
		m.touch(now)
		c.rebalance(now, g)
	}
}

// waitJoin parks a join, answering one it replaces.
func (c *Coordinator) waitJoin(t Ticket, m *member) {
	if m.join != 0 {
		c.refuseJoin(m.join, m.id, RebalanceInProgress)
	}
	m.join = t
}

// find checks that a member id (and instance id, if given) names a member.
func (g *group) find(memberID, instanceID string) (*member, Code) {
	if instanceID != "" {
		current, ok := g.static[instanceID]
		if !ok {
			return nil, UnknownMemberID
		}
		if current != memberID {
			return nil, FencedInstanceID
		}
	}
	m := g.members[memberID]
	if m == nil {
		return nil, UnknownMemberID
	}
	return m, None
}

// rejoinStatic lets an instance take its place again under a new member id,
// fencing the old one. In a stable group nobody else need notice.
func (c *Coordinator) rejoinStatic(now time.Time, t Ticket, g *group, r JoinRequest) {
	m := g.members[g.static[r.InstanceID]]
	wasLeader := g.leader == m.id
	oldLeader := g.leader
	c.dropWaiting(m, FencedInstanceID)
	g.rename(m, c.opts.NewMemberID(r.ClientID))
	same := bytes.Equal(m.metadata(g.protocol), protocolMetadata(r.Protocols, g.protocol))
	m.update(r)
	m.touch(now)
	if g.state != Stable || !same || g.choose() != g.protocol {
		m.join = t
		c.rebalance(now, g)
		return
	}
	resp := g.joinResponse(m)
	if wasLeader && !r.CanSkipAssignment {
		// An old client that reads itself as leader would assign at once; name
		// its former self instead, so it acts as a follower.
		resp.Leader, resp.Members = oldLeader, nil
	}
	resp.SkipAssignment = wasLeader && r.CanSkipAssignment
	c.persistGroup(g, func(ok bool) {
		if !ok {
			// Were the new id lost in a crash, the instance would be fenced.
			resp = JoinResponse{Code: CoordinatorNotAvailable, Generation: -1, MemberID: resp.MemberID}
		}
		c.emit(JoinReply{t, resp})
	})
}

func protocolMetadata(protocols []Protocol, name string) []byte {
	return (&member{protocols: protocols}).metadata(name)
}

// dropWaiting answers whatever the member waits for with code.
func (c *Coordinator) dropWaiting(m *member, code Code) {
	if m.join != 0 {
		c.refuseJoin(m.join, m.id, code)
		m.join = 0
	}
	if m.sync != 0 {
		c.emit(SyncReply{m.sync, SyncResponse{Code: code}})
		m.sync = 0
	}
}

// joinResponse describes the current generation to a member.
func (g *group) joinResponse(m *member) JoinResponse {
	r := JoinResponse{
		Generation: g.generation, ProtocolType: g.protocolType, Protocol: g.protocol,
		Leader: g.leader, MemberID: m.id,
	}
	if g.leader == m.id {
		for _, other := range g.inOrder() {
			r.Members = append(r.Members, JoinMember{other.id, other.instanceID, other.metadata(g.protocol)})
		}
	}
	return r
}
