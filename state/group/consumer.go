package group

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// TopicID is a topic's id, as the protocol has it.
type TopicID [16]byte

// TopicMeta is what assignors must know of a topic.
type TopicMeta struct {
	Name       string
	ID         TopicID
	Partitions int32
}

// maxConsumers bounds the members of one group of the consumer protocol: each change writes the whole group.
const maxConsumers = 1000

// idPartition names a partition the way the consumer protocol does.
type idPartition struct {
	topic     TopicID
	partition int32
}

// partitionSet is a set of partitions; nil is empty.
type partitionSet map[idPartition]bool

// sorted lists the set in a fixed order.
func (s partitionSet) sorted() []idPartition {
	return slices.SortedFunc(maps.Keys(s), func(a, b idPartition) int {
		if c := slices.Compare(a.topic[:], b.topic[:]); c != 0 {
			return c
		}
		return int(a.partition) - int(b.partition)
	})
}

// without is s less other.
func (s partitionSet) without(other partitionSet) partitionSet {
	out := partitionSet{}
	for p := range s {
		if !other[p] {
			out[p] = true
		}
	}
	return out
}

// both is the intersection.
func (s partitionSet) both(other partitionSet) partitionSet {
	out := partitionSet{}
	for p := range s {
		if other[p] {
			out[p] = true
		}
	}
	return out
}

func (s partitionSet) meets(other partitionSet) bool {
	for p := range s {
		if other[p] {
			return true
		}
	}
	return false
}

// consumerState is where a member stands between what it has and what it is to have (KIP-848, "Reconciliation").
type consumerState byte

const (
	consumerStable     consumerState = iota // has its target
	consumerUnrevoked                       // has to give up partitions before it goes to the next epoch
	consumerUnreleased                      // waits for partitions that others still have
)

// leftForAWhile is the epoch of a static member that said it comes back.
const leftForAWhile = -2

// consumer is a member of a group of the consumer protocol (KIP-848): the coordinator assigns, members reconcile by heartbeats.
type consumer struct {
	id, instanceID, rackID, clientID, clientHost string
	topics                                       []string // sorted
	pattern                                      string   // "": none
	matcher                                      *regexp.Regexp
	assignor                                     string // preferred; "": none
	rebalance                                    time.Duration

	epoch    int32 // of the assignment it has confirmed or is being told; leftForAWhile: gone, its place is kept
	previous int32
	state    consumerState
	assigned partitionSet          // what it may have
	revoking partitionSet          // what it must give up and has not yet confirmed
	target   partitionSet          // what it is to have at the group's target epoch
	since    map[idPartition]int32 // the epoch at which it got what is assigned; what is not in it counts as got at epoch

	expires  time.Time
	revokeBy time.Time // counts while revoking is not empty
}

// consumers is the part of a group that only the consumer protocol has.
//
// Invariant: owners holds exactly the partitions that are assigned to or being revoked from a member, each once: that no partition is
// in two hands is this map.
type consumers struct {
	epoch       int32 // grows with each change of members, subscriptions or topics
	targetEpoch int32 // of the targets
	assignor    string
	members     map[string]*consumer
	order       []string          // member ids in order of arrival
	static      map[string]string // instance id → member id
	owners      map[idPartition]string
	writes      int // appends under way
}

func newConsumers() *consumers {
	return &consumers{members: map[string]*consumer{}, static: map[string]string{}, owners: map[idPartition]string{}}
}

func (cg *consumers) add(m *consumer) {
	cg.members[m.id] = m
	cg.order = append(cg.order, m.id)
	if m.instanceID != "" {
		cg.static[m.instanceID] = m.id
	}
	cg.own(m)
}

func (cg *consumers) remove(m *consumer) {
	cg.release(m)
	delete(cg.members, m.id)
	cg.order = slices.DeleteFunc(cg.order, func(id string) bool { return id == m.id })
	if cg.static[m.instanceID] == m.id {
		delete(cg.static, m.instanceID)
	}
}

func (cg *consumers) own(m *consumer) {
	for _, s := range []partitionSet{m.assigned, m.revoking} {
		for p := range s {
			cg.owners[p] = m.id
		}
	}
}

func (cg *consumers) release(m *consumer) {
	for _, s := range []partitionSet{m.assigned, m.revoking} {
		for p := range s {
			delete(cg.owners, p)
		}
	}
}

// inOrder lists members in order of arrival.
func (cg *consumers) inOrder() []*consumer {
	out := make([]*consumer, 0, len(cg.order))
	for _, id := range cg.order {
		out = append(out, cg.members[id])
	}
	return out
}

// stateName is what Kafka's tools call the group's state.
func (cg *consumers) stateName() string {
	if len(cg.members) == 0 {
		return "Empty"
	}
	if cg.epoch > cg.targetEpoch {
		return "Assigning"
	}
	for _, m := range cg.members {
		if m.state != consumerStable || m.epoch != cg.targetEpoch && m.epoch != leftForAWhile {
			return "Reconciling"
		}
	}
	return "Stable"
}

// subscribesTo tells whether a member reads the topic. Patterns do not match internal topics.
func (m *consumer) subscribesTo(topic string) bool {
	if _, ok := slices.BinarySearch(m.topics, topic); ok {
		return true
	}
	return m.matcher != nil && !strings.HasPrefix(topic, "__") && m.matcher.MatchString(topic)
}

// compilePattern makes the pattern match whole names, in RE2's syntax as Kafka's.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	return regexp.Compile(`^(?:` + pattern + `)$`)
}

// hasMembers tells whether anybody is in the group, by either protocol.
func (g *group) hasMembers() bool {
	return len(g.members) > 0 || g.consumers != nil && len(g.consumers.members) > 0
}

// SetTopics tells of all topics there are, at start before Start and after each change. Groups that read a changed topic get new
// targets, of which their members learn at their next heartbeats.
func (c *Coordinator) SetTopics(now time.Time, topics []TopicMeta) {
	c.topics = slices.SortedFunc(slices.Values(topics), func(a, b TopicMeta) int { return strings.Compare(a.Name, b.Name) })
	for _, g := range c.sortedGroups() {
		c.retarget(g)
	}
}

// retarget computes the targets of a group anew and starts an epoch if they differ.
func (c *Coordinator) retarget(g *group) {
	cg := g.consumers
	if cg == nil || len(cg.members) == 0 {
		return
	}
	assignor, targets := c.assignTargets(cg)
	same := true
	for id, m := range cg.members {
		same = same && maps.Equal(m.target, targets[id])
	}
	if same {
		return
	}
	cg.epoch++
	cg.setTargets(assignor, targets)
	c.persistConsumers(g, nil)
}

func (cg *consumers) setTargets(assignor string, targets map[string]partitionSet) {
	cg.assignor, cg.targetEpoch = assignor, cg.epoch
	for id, m := range cg.members {
		m.target = targets[id]
	}
}

// persistConsumers stores the group; done runs when the outcome is known.
func (c *Coordinator) persistConsumers(g *group, done func(ok bool)) {
	g.known = true
	cg := g.consumers
	cg.writes++
	c.persist([]change{g.consumerRecord()}, func(ok bool) {
		cg.writes--
		if done != nil {
			done(ok)
		}
	})
}

func (g *group) consumerRecord() change {
	return change{kind: kindConsumer, group: g.id, emptySince: g.emptySince, consumers: g.consumers}
}

// expelConsumer removes a member; what it had is free at once, so its session must have ended or it must have left.
func (c *Coordinator) expelConsumer(now time.Time, g *group, m *consumer, done func(ok bool)) {
	cg := g.consumers
	cg.remove(m)
	cg.epoch++
	if len(cg.members) == 0 {
		g.emptySince = now
		cg.targetEpoch = cg.epoch
	} else {
		cg.setTargets(c.assignTargets(cg))
	}
	c.persistConsumers(g, done)
}

// tickConsumers ends sessions, and the patience with members that do not give up what they must.
func (c *Coordinator) tickConsumers(now time.Time, g *group) {
	if g.consumers == nil {
		return
	}
	for _, m := range g.consumers.inOrder() {
		if !now.Before(m.expires) || len(m.revoking) > 0 && !now.Before(m.revokeBy) {
			c.expelConsumer(now, g, m, nil)
		}
	}
}

// becomeConsumers makes an empty classic group one of the consumer protocol.
func (c *Coordinator) becomeConsumers(g *group) *consumers {
	if g.consumers == nil {
		g.consumers = newConsumers()
		g.consumers.epoch, g.consumers.targetEpoch = g.generation, g.generation
		if g.known {
			c.persist([]change{{kind: kindGroup, tombstone: true, group: g.id}, g.consumerRecord()}, nil)
		}
	}
	return g.consumers
}

// becomeClassic makes an empty group of the consumer protocol a classic one.
func (c *Coordinator) becomeClassic(g *group) {
	g.generation = g.consumers.epoch
	g.consumers = nil
	c.persist([]change{{kind: kindConsumer, tombstone: true, group: g.id}, g.record()}, nil)
	g.known = true
}
