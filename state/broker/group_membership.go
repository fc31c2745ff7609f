package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/group"
)

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// textPtr is the nullable form of s: "" is null.
func textPtr(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// notNil makes sure that bytes are not encoded as null where the protocol has no null.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// host is the client's address without the port, with the slash the Java tools print.
func (r *request) host() string { return "/" + r.conn.host }

func handleJoinGroup(b *Broker, r *request) reply {
	req := r.body.(*kmsg.JoinGroupRequest)
	j := group.JoinRequest{
		Group: req.Group, MemberID: req.MemberID, InstanceID: text(req.InstanceID),
		ClientID: r.clientID, ClientHost: r.host(),
		SessionTimeout:   time.Duration(req.SessionTimeoutMillis) * time.Millisecond,
		RebalanceTimeout: time.Duration(req.RebalanceTimeoutMillis) * time.Millisecond,
		ProtocolType:     req.ProtocolType,
		RequireMemberID:  req.Version >= 4, CanSkipAssignment: req.Version >= 9,
	}
	if req.Version == 0 {
		j.RebalanceTimeout = j.SessionTimeout
	}
	for _, p := range req.Protocols {
		j.Protocols = append(j.Protocols, group.Protocol{Name: p.Name, Metadata: p.Metadata})
	}
	if code := r.group(kmsg.ACLOperationRead, req.Group); code != errNone {
		return ready(joinResponse(req, group.JoinResponse{Code: group.Code(code), Generation: -1, MemberID: req.MemberID}))
	}
	ch := b.groups.ask(func(now time.Time, c *group.Coordinator, tk group.Ticket) { c.Join(now, tk, j) })
	return later(func(ctx context.Context) kmsg.Response {
		a, ok := await[group.Action, group.JoinReply](ctx, ch)
		if !ok {
			a.Response = group.JoinResponse{Code: group.CoordinatorNotAvailable, Generation: -1, MemberID: req.MemberID}
		}
		return joinResponse(req, a.Response)
	})
}

func joinResponse(req *kmsg.JoinGroupRequest, a group.JoinResponse) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
	resp.ErrorCode = int16(a.Code)
	resp.Generation = a.Generation
	resp.ProtocolType = textPtr(a.ProtocolType)
	resp.Protocol = textPtr(a.Protocol)
	if req.Version < 7 && resp.Protocol == nil {
		resp.Protocol = kmsg.StringPtr("") // null only since version 7
	}
	resp.LeaderID = a.Leader
	resp.SkipAssignment = a.SkipAssignment
	resp.MemberID = a.MemberID
	resp.Members = []kmsg.JoinGroupResponseMember{}
	for _, m := range a.Members {
		rm := kmsg.NewJoinGroupResponseMember()
		rm.MemberID, rm.InstanceID, rm.ProtocolMetadata = m.MemberID, textPtr(m.InstanceID), notNil(m.Metadata)
		resp.Members = append(resp.Members, rm)
	}
	return resp
}

func handleSyncGroup(b *Broker, r *request) reply {
	req := r.body.(*kmsg.SyncGroupRequest)
	sr := group.SyncRequest{
		Group: req.Group, MemberID: req.MemberID, InstanceID: text(req.InstanceID), Generation: req.Generation,
		ProtocolType: text(req.ProtocolType), Protocol: text(req.Protocol),
		Assignments: make(map[string][]byte, len(req.GroupAssignment)),
	}
	if code := r.group(kmsg.ACLOperationRead, req.Group); code != errNone {
		resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
		resp.ErrorCode, resp.MemberAssignment = code, []byte{}
		return ready(resp)
	}
	for _, a := range req.GroupAssignment {
		sr.Assignments[a.MemberID] = a.MemberAssignment
	}
	ch := b.groups.ask(func(now time.Time, c *group.Coordinator, tk group.Ticket) { c.Sync(now, tk, sr) })
	return later(func(ctx context.Context) kmsg.Response {
		a, ok := await[group.Action, group.SyncReply](ctx, ch)
		if !ok {
			a.Response.Code = group.CoordinatorNotAvailable
		}
		resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
		resp.ErrorCode = int16(a.Response.Code)
		resp.ProtocolType = textPtr(a.Response.ProtocolType)
		resp.Protocol = textPtr(a.Response.Protocol)
		resp.MemberAssignment = notNil(a.Response.Assignment)
		return resp
	})
}

func handleHeartbeat(b *Broker, r *request) reply {
	req := r.body.(*kmsg.HeartbeatRequest)
	resp := req.ResponseKind().(*kmsg.HeartbeatResponse)
	if resp.ErrorCode = r.group(kmsg.ACLOperationRead, req.Group); resp.ErrorCode != errNone {
		return ready(resp)
	}
	b.groups.do(func(now time.Time, c *group.Coordinator) {
		resp.ErrorCode = int16(c.Heartbeat(now, req.Group, req.MemberID, text(req.InstanceID), req.Generation))
	})
	return ready(resp)
}

func handleLeaveGroup(b *Broker, r *request) reply {
	req := r.body.(*kmsg.LeaveGroupRequest)
	resp := req.ResponseKind().(*kmsg.LeaveGroupResponse)
	resp.Members = []kmsg.LeaveGroupResponseMember{}
	if resp.ErrorCode = r.group(kmsg.ACLOperationRead, req.Group); resp.ErrorCode != errNone {
		return ready(resp)
	}
	leavers := []group.Leaver{{MemberID: req.MemberID}}
	if req.Version >= 3 {
		leavers = leavers[:0]
		for _, m := range req.Members {
			leavers = append(leavers, group.Leaver{MemberID: m.MemberID, InstanceID: text(m.InstanceID)})
		}
	}
	var code group.Code
	var codes []group.Code
	// Answered when durable: a member that is sure to be gone must not come back with a restart, for others to wait for.
	ch := b.groups.ask(func(now time.Time, c *group.Coordinator, tk group.Ticket) {
		code, codes = c.Leave(now, req.Group, leavers)
		c.Settled(tk)
	})
	return later(func(ctx context.Context) kmsg.Response {
		if a, ok := await[group.Action, group.CommitReply](ctx, ch); !ok {
			code = group.CoordinatorNotAvailable
		} else if code == group.None {
			code = a.Code
		}
		fillLeave(req, resp, code, codes)
		return resp
	})
}

// fillLeave tells the outcome; before version 3 there was one member.
func fillLeave(req *kmsg.LeaveGroupRequest, resp *kmsg.LeaveGroupResponse, code group.Code, codes []group.Code) {
	resp.ErrorCode = int16(code)
	if req.Version < 3 {
		if code == group.None {
			resp.ErrorCode = int16(codes[0])
		}
		return
	}
	for i, m := range req.Members {
		if code != group.None {
			break
		}
		rm := kmsg.NewLeaveGroupResponseMember()
		rm.MemberID, rm.InstanceID, rm.ErrorCode = m.MemberID, m.InstanceID, int16(codes[i])
		resp.Members = append(resp.Members, rm)
	}
}
