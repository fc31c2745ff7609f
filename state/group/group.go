package group

import (
	"bytes"
	"sort"
	"time"
)

// State is where a group stands.
//
//	            join                all joined, or timeout
//	Empty ──────────▶ Preparing ───────────────────────▶ Completing
//	  ▲                 ▲    │ nobody left                   │ leader syncs
//	  └─────────────────┼────┘                               ▼
//	                    └───── join, leave, expiry ───── Stable
type State uint8

// States of a group.
const (
	Empty State = iota
	Preparing
	Completing
	Stable
)

// String names the state as Kafka's tools expect it.
func (s State) String() string {
	return [...]string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable"}[s]
}

// Protocol is one assignment strategy a member offers, with its subscription.
type Protocol struct {
	Name     string
	Metadata []byte
}

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Offset is a committed position.
type Offset struct {
	Offset      int64
	LeaderEpoch int32
	Metadata    string
	CommittedAt time.Time
}

// member is one consumer of a group.
type member struct {
	id         string
	instanceID string // "" = dynamic
	clientID   string
	clientHost string
	session    time.Duration
	rebalance  time.Duration
	protocols  []Protocol
	assignment []byte
	// expires is when the session ends. It does not count while the member
	// waits for a join or sync answer: the delay is ours then.
	expires time.Time
	join    Ticket // waiting join; 0 = none
	sync    Ticket // waiting sync; 0 = none
	synced  bool   // sent a sync in this generation
}

// group is one consumer group.
//
// Invariants: leader is "" or a key of members; static maps instance ids to
// keys of members; every member supports protocolType; state Empty ⇔ no members
// and no rebalance under way.
type group struct {
	id           string
	state        State
	generation   int32
	protocolType string
	protocol     string // chosen; "" until the first generation
	leader       string
	members      map[string]*member
	order        []string             // member ids in order of arrival, so that choices are reproducible
	static       map[string]string    // instance id → member id
	joining      map[string]time.Time // ids handed out with MEMBER_ID_REQUIRED → when they lapse
	emptySince   time.Time
	known        bool       // a durable group record exists
	consumers    *consumers // not nil: a group of the consumer protocol; then all of the classic one is empty

	rebalanceStart    time.Time
	rebalanceEarliest time.Time // initial delay: do not complete before
	rebalanceDeadline time.Time
	syncDeadline      time.Time

	offsets map[TopicPartition]Offset
	pending map[int64]map[TopicPartition]Offset // by producer id
}

func newGroup(id string) *group {
	return &group{
		id:      id,
		members: map[string]*member{},
		static:  map[string]string{},
		joining: map[string]time.Time{},
		offsets: map[TopicPartition]Offset{},
		pending: map[int64]map[TopicPartition]Offset{},
	}
}

func (g *group) add(m *member) {
	g.members[m.id] = m
	g.order = append(g.order, m.id)
	if m.instanceID != "" {
		g.static[m.instanceID] = m.id
	}
	if g.leader == "" {
		g.leader = m.id
	}
}

func (g *group) remove(m *member) {
	delete(g.members, m.id)
	for i, id := range g.order {
		if id == m.id {
			g.order = append(g.order[:i], g.order[i+1:]...)
			break
		}
	}
	if m.instanceID != "" && g.static[m.instanceID] == m.id {
		delete(g.static, m.instanceID)
	}
	if g.leader == m.id {
		g.leader = ""
		if len(g.order) > 0 {
			g.leader = g.order[0]
		}
	}
}

// rename gives a static member that came back a new id, in its old place.
func (g *group) rename(m *member, id string) {
	for i := range g.order {
		if g.order[i] == m.id {
			g.order[i] = id
		}
	}
	if g.leader == m.id {
		g.leader = id
	}
	delete(g.members, m.id)
	m.id = id
	g.members[id] = m
	g.static[m.instanceID] = id
}

// inOrder lists members in order of arrival.
func (g *group) inOrder() []*member {
	out := make([]*member, 0, len(g.order))
	for _, id := range g.order {
		out = append(out, g.members[id])
	}
	return out
}

// supports says whether a member with these protocols can live with the others.
func (g *group) supports(protocolType string, protocols []Protocol, except string) bool {
	if protocolType == "" || len(protocols) == 0 {
		return false
	}
	others := 0
	for id := range g.members {
		if id != except {
			others++
		}
	}
	if others == 0 {
		return true
	}
	if protocolType != g.protocolType {
		return false
	}
	for _, p := range protocols {
		if g.allOffer(p.Name, except) {
			return true
		}
	}
	return false
}

func (g *group) allOffer(name, except string) bool {
	for id, m := range g.members {
		if id != except && !m.offers(name) {
			return false
		}
	}
	return true
}

func (m *member) offers(name string) bool {
	for _, p := range m.protocols {
		if p.Name == name {
			return true
		}
	}
	return false
}

func (m *member) metadata(protocol string) []byte {
	for _, p := range m.protocols {
		if p.Name == protocol {
			return p.Metadata
		}
	}
	return nil
}

func sameProtocols(a, b []Protocol) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !bytes.Equal(a[i].Metadata, b[i].Metadata) {
			return false
		}
	}
	return true
}

// choose picks the protocol: each member votes for its first one that all
// offer; most votes win, and of equals the one the earliest member prefers.
func (g *group) choose() string {
	votes := map[string]int{}
	var candidates []string
	for _, m := range g.inOrder() {
		for _, p := range m.protocols {
			if g.allOffer(p.Name, "") {
				if votes[p.Name] == 0 {
					candidates = append(candidates, p.Name)
				}
				votes[p.Name]++
				break
			}
		}
	}
	sort.SliceStable(candidates, func(i, j int) bool { return votes[candidates[i]] > votes[candidates[j]] })
	if len(candidates) == 0 {
		return ""
	}
	return candidates[0]
}

// allJoined says whether the rebalance need not wait any longer.
func (g *group) allJoined() bool {
	if len(g.joining) > 0 {
		return false
	}
	for _, m := range g.members {
		if m.join == 0 {
			return false
		}
	}
	return true
}

func (g *group) rebalanceTimeout() time.Duration {
	var d time.Duration
	for _, m := range g.members {
		d = max(d, m.rebalance)
	}
	return d
}

// touch prolongs the session of a member.
func (m *member) touch(now time.Time) { m.expires = now.Add(m.session) }

func (g *group) addPending(pid int64, tp TopicPartition, o Offset) {
	if g.pending[pid] == nil {
		g.pending[pid] = map[TopicPartition]Offset{}
	}
	g.pending[pid][tp] = o
}

func (g *group) removePending(pid int64, tp TopicPartition) {
	delete(g.pending[pid], tp)
	if len(g.pending[pid]) == 0 {
		delete(g.pending, pid)
	}
}

// unstable says whether a transaction may still change the partition's offset.
func (g *group) unstable(tp TopicPartition) bool {
	for _, offsets := range g.pending {
		if _, ok := offsets[tp]; ok {
			return true
		}
	}
	return false
}
