package group

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// ConsumerHeartbeat is ConsumerGroupHeartbeat (KIP-848): it joins (Epoch 0), stays (the member's epoch), leaves (-1) or leaves for a
// while (-2, static members). Fields that did not change since the last one are left out.
type ConsumerHeartbeat struct {
	Group, MemberID, InstanceID, RackID, ClientID, ClientHost string
	Epoch                                                     int32
	RebalanceTimeout                                          time.Duration // negative: not told
	Subscribed                                                []string      // nil: not told
	Pattern                                                   *string       // nil: not told
	Assignor                                                  *string       // nil: not told
	Owned                                                     []TopicPartitions
	OwnedTold                                                 bool
}

// TopicPartitions are partitions of one topic.
type TopicPartitions struct {
	Topic      TopicID
	Partitions []int32
}

// ConsumerHeartbeatResponse is its answer.
type ConsumerHeartbeatResponse struct {
	Code     Code
	Message  string
	MemberID string
	Epoch    int32
	Interval time.Duration
	// Assigned counts if Told: the member gives up what is not in it, then takes the rest.
	Assigned []TopicPartitions
	Told     bool
}

// ConsumerHeartbeatReply answers a ConsumerHeartbeat.
type ConsumerHeartbeatReply struct {
	Ticket   Ticket
	Response ConsumerHeartbeatResponse
}

func (ConsumerHeartbeatReply) action() {}

// refusal is an error of a heartbeat.
type refusal struct {
	code    Code
	message string
}

func refuse(code Code, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// ConsumerHeartbeat handles ConsumerGroupHeartbeat; the answer is a ConsumerHeartbeatReply, which comes when all it says is durable:
// else a restart could give a partition to another member while this one has it.
func (c *Coordinator) ConsumerHeartbeat(now time.Time, t Ticket, r ConsumerHeartbeat) {
	if no := c.beat(now, t, r); no != nil {
		c.emit(ConsumerHeartbeatReply{t, ConsumerHeartbeatResponse{Code: no.code, Message: no.message, MemberID: r.MemberID, Epoch: r.Epoch}})
	}
}

func (c *Coordinator) beat(now time.Time, t Ticket, r ConsumerHeartbeat) *refusal {
	if no := checkHeartbeat(r); no != nil {
		return no
	}
	g := c.groups[r.Group]
	if g != nil && g.consumers == nil && (len(g.members) > 0 || len(g.joining) > 0) {
		return refuse(InconsistentGroupProtocol, "group %s has members of the classic protocol", r.Group)
	}
	if r.Epoch < 0 {
		return c.leaveConsumers(now, t, g, r)
	}
	if r.Epoch > 0 && (g == nil || g.consumers == nil) {
		return refuse(UnknownMemberID, "group %s has no member %s", r.Group, r.MemberID)
	}
	if g == nil {
		g = c.obtain(r.Group)
	}
	cg := c.becomeConsumers(g)
	m, changed, no := cg.find(r)
	if no != nil {
		c.dropIfUnused(g)
		return no
	}
	if m.update(r) {
		changed = true
	}
	if changed {
		cg.epoch++
		cg.setTargets(c.assignTargets(cg))
	}
	before := m.assigned
	if cg.reconcile(now, m, r) {
		changed = true
	}
	m.expires = now.Add(c.opts.ConsumerSession)
	resp := ConsumerHeartbeatResponse{MemberID: m.id, Epoch: m.epoch, Interval: c.opts.HeartbeatInterval}
	full := r.Epoch == 0 || r.OwnedTold && r.RebalanceTimeout >= 0 && (r.Subscribed != nil || r.Pattern != nil)
	// Who still has what it must give up may not have heard of it.
	reminded := m.state == consumerUnrevoked && r.OwnedTold
	if full || reminded || !maps.Equal(before, m.assigned) {
		resp.Assigned, resp.Told = grouped(m.assigned), true
	}
	reply := ConsumerHeartbeatReply{t, resp}
	if !changed && (cg.writes == 0 || !resp.Told) {
		c.emit(reply)
		return nil
	}
	c.persistConsumers(g, func(ok bool) {
		if !ok {
			reply.Response = ConsumerHeartbeatResponse{Code: CoordinatorNotAvailable, MemberID: r.MemberID, Epoch: r.Epoch}
		}
		c.emit(reply)
	})
	return nil
}

func checkHeartbeat(r ConsumerHeartbeat) *refusal {
	switch {
	case r.Group == "":
		return refuse(InvalidRequest, "the group id is empty")
	case r.MemberID == "":
		return refuse(InvalidRequest, "the member id is empty")
	case r.Epoch < leftForAWhile:
		return refuse(InvalidRequest, "there is no epoch %d", r.Epoch)
	case r.Epoch == leftForAWhile && r.InstanceID == "":
		return refuse(InvalidRequest, "a member without instance id cannot leave for a while")
	case r.Epoch == 0 && r.RebalanceTimeout < 0:
		return refuse(InvalidRequest, "who joins must tell its rebalance timeout")
	case r.Epoch == 0 && (!r.OwnedTold || len(r.Owned) > 0):
		return refuse(InvalidRequest, "who joins has no partitions")
	case r.Epoch == 0 && len(r.Subscribed) == 0 && (r.Pattern == nil || *r.Pattern == ""):
		return refuse(InvalidRequest, "who joins must subscribe to topics")
	case r.Assignor != nil && *r.Assignor != "" && assignors[*r.Assignor] == nil:
		return refuse(UnsupportedAssignor, "there is no assignor %s; there are range and uniform", *r.Assignor)
	}
	if r.Pattern != nil {
		if _, err := compilePattern(*r.Pattern); err != nil {
			return refuse(InvalidRegularExpression, "%v", err)
		}
	}
	return nil
}

// find finds who beats, or admits it. Changed tells that the group has a new member.
func (cg *consumers) find(r ConsumerHeartbeat) (m *consumer, changed bool, no *refusal) {
	m = cg.members[r.MemberID]
	if r.Epoch == 0 {
		return cg.admit(m, r)
	}
	switch {
	case m == nil:
		return nil, false, refuse(UnknownMemberID, "group %s has no member %s", r.Group, r.MemberID)
	case r.InstanceID != "" && m.instanceID != r.InstanceID:
		return nil, false, refuse(FencedInstanceID, "member %s is not the instance %s", r.MemberID, r.InstanceID)
	case r.Epoch == m.epoch:
	case r.Epoch == m.previous && r.OwnedTold && len(setOf(r.Owned).without(m.assigned)) == 0:
		// The answer with the newer epoch was lost.
	default:
		return nil, false, refuse(FencedMemberEpoch, "member %s has epoch %d, not %d: it must give up its partitions and join again", r.MemberID, m.epoch, r.Epoch)
	}
	return m, false, nil
}

// admit makes a new member, or lets one start over. A static member takes the place of its instance that has left for a while.
func (cg *consumers) admit(m *consumer, r ConsumerHeartbeat) (*consumer, bool, *refusal) {
	if m != nil {
		cg.release(m)
		m.epoch, m.previous, m.state, m.assigned, m.revoking = 0, 0, consumerStable, nil, nil
		return m, false, nil
	}
	m = &consumer{id: r.MemberID, instanceID: r.InstanceID}
	if old := cg.members[cg.static[r.InstanceID]]; r.InstanceID != "" && old != nil {
		if old.epoch != leftForAWhile {
			return nil, false, refuse(UnreleasedInstanceID, "instance %s is in use by member %s", r.InstanceID, old.id)
		}
		cg.remove(old)
		m.assigned, m.target = old.assigned, old.target
		m.topics, m.pattern, m.matcher, m.assignor = old.topics, old.pattern, old.matcher, old.assignor
		cg.add(m)
		return m, true, nil
	}
	if len(cg.members) >= maxConsumers {
		return nil, false, refuse(GroupMaxSizeReached, "group %s has %d members already", r.Group, maxConsumers)
	}
	cg.add(m)
	return m, true, nil
}

// update takes what the heartbeat tells anew; subscribed tells whether that changes who may have what.
func (m *consumer) update(r ConsumerHeartbeat) (subscribed bool) {
	m.clientID, m.clientHost = r.ClientID, r.ClientHost
	if r.RackID != "" {
		m.rackID = r.RackID
	}
	if r.RebalanceTimeout >= 0 {
		m.rebalance = r.RebalanceTimeout
	}
	if r.Pattern != nil && *r.Pattern != m.pattern {
		m.pattern, subscribed = *r.Pattern, true
		m.matcher, _ = compilePattern(m.pattern) // checkHeartbeat has tried it
	}
	if r.Subscribed != nil {
		topics := slices.Compact(slices.Sorted(slices.Values(r.Subscribed)))
		subscribed = subscribed || !slices.Equal(topics, m.topics)
		m.topics = topics
	}
	if r.Assignor != nil && *r.Assignor != m.assignor {
		m.assignor, subscribed = *r.Assignor, true
	}
	return subscribed
}

func (c *Coordinator) leaveConsumers(now time.Time, t Ticket, g *group, r ConsumerHeartbeat) *refusal {
	if g == nil || g.consumers == nil {
		return refuse(UnknownMemberID, "group %s has no member %s", r.Group, r.MemberID)
	}
	m := g.consumers.members[r.MemberID]
	if m == nil {
		return refuse(UnknownMemberID, "group %s has no member %s", r.Group, r.MemberID)
	}
	if r.InstanceID != "" && m.instanceID != r.InstanceID {
		return refuse(FencedInstanceID, "member %s is not the instance %s", r.MemberID, r.InstanceID)
	}
	done := func(ok bool) {
		resp := ConsumerHeartbeatResponse{MemberID: r.MemberID, Epoch: r.Epoch}
		if !ok {
			resp.Code = CoordinatorNotAvailable
		}
		c.emit(ConsumerHeartbeatReply{t, resp})
	}
	if r.Epoch == leftForAWhile {
		g.consumers.release(m)
		m.epoch, m.revoking, m.state = leftForAWhile, nil, consumerStable
		g.consumers.own(m)
		m.expires = now.Add(c.opts.ConsumerSession)
		c.persistConsumers(g, done)
		return nil
	}
	c.expelConsumer(now, g, m, done)
	return nil
}

func setOf(list []TopicPartitions) partitionSet {
	s := partitionSet{}
	for _, t := range list {
		for _, p := range t.Partitions {
			s[idPartition{t.Topic, p}] = true
		}
	}
	return s
}

// grouped lists a set by topic, in a fixed order; it is never nil.
func grouped(s partitionSet) []TopicPartitions {
	out := []TopicPartitions{}
	for _, p := range s.sorted() {
		if len(out) == 0 || out[len(out)-1].Topic != p.topic {
			out = append(out, TopicPartitions{Topic: p.topic})
		}
		last := &out[len(out)-1]
		last.Partitions = append(last.Partitions, p.partition)
	}
	return out
}
