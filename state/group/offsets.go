package group

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// CommitRequest commits offsets. MemberID "" with Generation -1 commits from
// outside the group protocol: allowed while the group has no members, and in
// a transaction always.
type CommitRequest struct {
	Group      string
	MemberID   string
	InstanceID string
	Generation int32
	Offsets    []CommitOffset
}

// CommitOffset is one partition of a commit.
type CommitOffset struct {
	TopicPartition
	Offset      int64
	LeaderEpoch int32
	Metadata    string
}

// Commit handles OffsetCommit; the CommitReply comes once it is durable.
func (c *Coordinator) Commit(now time.Time, t Ticket, r CommitRequest) {
	if code := c.checkCommit(now, r, false); code != None {
		c.emit(CommitReply{Ticket: t, Code: code})
		return
	}
	changes, codes := commitChanges(now, r, change{kind: kindOffset})
	c.commit(t, changes, codes)
}

func (c *Coordinator) commit(t Ticket, changes []change, codes []Code) {
	if len(changes) == 0 {
		c.emit(CommitReply{Ticket: t, Codes: codes})
		return
	}
	c.persist(changes, func(ok bool) {
		if !ok {
			c.emit(CommitReply{Ticket: t, Code: CoordinatorNotAvailable})
			return
		}
		c.emit(CommitReply{Ticket: t, Codes: codes})
	})
}

// checkCommit says whether the committer may commit for the group now.
func (c *Coordinator) checkCommit(now time.Time, r CommitRequest, txn bool) Code {
	if r.Group == "" {
		return InvalidGroupID
	}
	anonymous := r.Generation < 0 && r.MemberID == "" && r.InstanceID == ""
	g := c.groups[r.Group]
	if g == nil {
		if r.Generation >= 0 {
			return IllegalGeneration
		}
		return None
	}
	if r.Generation < 0 && g.state == Empty && !g.hasMembers() || anonymous && txn {
		return None
	}
	if g.consumers != nil && g.hasMembers() {
		return c.checkEpoch(now, g.consumers, r, txn)
	}
	m, code := g.find(r.MemberID, r.InstanceID)
	switch {
	case code != None:
		return code
	case r.Generation != g.generation:
		return IllegalGeneration
	case g.state == Completing && !txn:
		return RebalanceInProgress
	}
	m.touch(now)
	return None
}

// checkEpoch says whether a member may commit at the epoch it tells. An older one than its present will do for partitions that it has
// had since (KIP-1251): a commit may cross the answer with the newer.
func (c *Coordinator) checkEpoch(now time.Time, cg *consumers, r CommitRequest, txn bool) Code {
	stale := StaleMemberEpoch
	if txn {
		stale = IllegalGeneration
	}
	m := cg.members[r.MemberID]
	if m == nil {
		return UnknownMemberID
	}
	if r.Generation > m.epoch || m.epoch == leftForAWhile {
		return stale
	}
	for _, o := range r.Offsets {
		if r.Generation == m.epoch {
			break
		}
		p := idPartition{c.topicID(o.Topic), o.Partition}
		if !m.assigned[p] || r.Generation < m.gotAt(p) {
			return stale
		}
	}
	m.expires = now.Add(c.opts.ConsumerSession)
	return None
}

// topicID finds a topic's id; zero when there is none.
func (c *Coordinator) topicID(name string) TopicID {
	i, ok := slices.BinarySearchFunc(c.topics, name, func(t TopicMeta, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return TopicID{}
	}
	return c.topics[i].ID
}

// CheckFetcher says whether a member of the consumer protocol may read offsets at its epoch (OffsetFetch v9); without a member id
// everybody may.
func (c *Coordinator) CheckFetcher(groupID, memberID string, epoch int32) Code {
	g := c.groups[groupID]
	if memberID == "" || g == nil || g.consumers == nil {
		return None
	}
	m := g.consumers.members[memberID]
	switch {
	case m == nil:
		return UnknownMemberID
	case epoch != m.epoch:
		return StaleMemberEpoch
	}
	return None
}

func commitChanges(now time.Time, r CommitRequest, proto change) ([]change, []Code) {
	codes := make([]Code, len(r.Offsets))
	changes := make([]change, 0, len(r.Offsets))
	for i, o := range r.Offsets {
		if len(o.Metadata) > maxMetadataBytes {
			codes[i] = OffsetMetadataTooLarge
			continue
		}
		ch := proto
		ch.group = r.Group
		ch.partition = o.TopicPartition
		ch.offset = Offset{o.Offset, o.LeaderEpoch, o.Metadata, now}
		changes = append(changes, ch)
	}
	return changes, codes
}

// FetchedOffset is a committed offset, or Offset -1 if there is none.
type FetchedOffset struct {
	TopicPartition
	Offset      int64
	LeaderEpoch int32
	Metadata    string
	Code        Code
}

// Fetch reads committed offsets: of the given partitions, or of all if nil.
// With requireStable a partition whose offset an open transaction may still
// change answers UNSTABLE_OFFSET_COMMIT, so that who takes over waits for it.
func (c *Coordinator) Fetch(groupID string, partitions []TopicPartition, requireStable bool) (Code, []FetchedOffset) {
	if groupID == "" {
		return InvalidGroupID, nil
	}
	g := c.groups[groupID]
	if g == nil {
		g = newGroup(groupID)
	}
	if partitions == nil {
		partitions = g.fetchable()
	}
	out := make([]FetchedOffset, 0, len(partitions))
	for _, tp := range partitions {
		f := FetchedOffset{TopicPartition: tp, Offset: -1, LeaderEpoch: -1}
		if requireStable && g.unstable(tp) {
			f.Code = UnstableOffsetCommit
		} else if o, ok := g.offsets[tp]; ok {
			f.Offset, f.LeaderEpoch, f.Metadata = o.Offset, o.LeaderEpoch, o.Metadata
		}
		out = append(out, f)
	}
	return None, out
}

// fetchable lists partitions with an offset, committed or pending.
func (g *group) fetchable() []TopicPartition {
	set := map[TopicPartition]bool{}
	for tp := range g.offsets {
		set[tp] = true
	}
	for _, offsets := range g.pending {
		for tp := range offsets {
			set[tp] = true
		}
	}
	out := make([]TopicPartition, 0, len(set))
	for tp := range set {
		out = append(out, tp)
	}
	sortPartitions(out)
	return out
}

// DeleteOffsets handles OffsetDelete; the answer is a CommitReply.
func (c *Coordinator) DeleteOffsets(t Ticket, groupID string, partitions []TopicPartition) {
	g := c.groups[groupID]
	code := None
	switch {
	case groupID == "":
		code = InvalidGroupID
	case g == nil:
		code = GroupIDNotFound
	case g.state != Empty && g.consumers == nil && g.protocolType != "consumer":
		code = NonEmptyGroup
	}
	if code != None {
		c.emit(CommitReply{Ticket: t, Code: code})
		return
	}
	codes := make([]Code, len(partitions))
	var changes []change
	for i, tp := range partitions {
		if g.subscribed(tp.Topic) {
			codes[i] = GroupSubscribedToTopic
		} else if _, ok := g.offsets[tp]; ok {
			changes = append(changes, change{kind: kindOffset, tombstone: true, group: g.id, partition: tp})
		}
	}
	c.commit(t, changes, codes)
}

// subscribed says whether a member of a consumer group reads the topic.
func (g *group) subscribed(topic string) bool {
	if g.consumers != nil {
		for _, m := range g.consumers.members {
			if m.subscribesTo(topic) {
				return true
			}
		}
	}
	for _, m := range g.members {
		for _, p := range m.protocols {
			if subscribes(p.Metadata, topic) {
				return true
			}
		}
	}
	return false
}

// subscribes looks into a ConsumerProtocolSubscription: int16 version, then
// an array of topics. Anything else counts as no subscription.
func subscribes(metadata []byte, topic string) bool {
	if len(metadata) < 6 {
		return false
	}
	n := int32(binary.BigEndian.Uint32(metadata[2:]))
	b := metadata[6:]
	for ; n > 0 && len(b) >= 2; n-- {
		l := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+l {
			return false
		}
		if string(b[2:2+l]) == topic {
			return true
		}
		b = b[2+l:]
	}
	return false
}
