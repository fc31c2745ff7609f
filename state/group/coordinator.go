package group

import (
	"sort"
	"time"

	"github.com/millrace/millrace/state/record"
)

// Options tunes a coordinator; the zero value is Kafka's defaults.
type Options struct {
	// MinSessionTimeout and MaxSessionTimeout bound what members may ask for.
	// Defaults: 1 s (Kafka 6 s; tests of clients ask for less) and 30 min.
	MinSessionTimeout time.Duration
	MaxSessionTimeout time.Duration
	// InitialRebalanceDelay is how long the first rebalance of an empty group
	// waits for more members. Default: none, a lone member starts at once.
	InitialRebalanceDelay time.Duration
	// OffsetRetention is how long offsets outlive the last member. Default: 7 days.
	OffsetRetention time.Duration
	// ConsumerSession is how long a member of the consumer protocol may be silent. Default: 45 s.
	ConsumerSession time.Duration
	// HeartbeatInterval is how often members of the consumer protocol are asked to beat: the pace of their rebalances.
	// Default: 3 s (Kafka 5 s).
	HeartbeatInterval time.Duration
	// NewMemberID makes a member id unique across restarts. Required: it is the
	// only source of randomness, so tests pass a counter.
	NewMemberID func(clientID string) string
}

func (o Options) withDefaults() Options {
	if o.MinSessionTimeout == 0 {
		o.MinSessionTimeout = time.Second
	}
	if o.MaxSessionTimeout == 0 {
		o.MaxSessionTimeout = 30 * time.Minute
	}
	if o.OffsetRetention == 0 {
		o.OffsetRetention = 7 * 24 * time.Hour
	}
	if o.ConsumerSession == 0 {
		o.ConsumerSession = 45 * time.Second
	}
	if o.HeartbeatInterval == 0 {
		o.HeartbeatInterval = 3 * time.Second
	}
	return o
}

// Ticket names a request that waits for its answer; the caller chooses it and
// finds it again in exactly one reply action.
type Ticket uint64

// Action is something the caller must do: [Append], [JoinReply], [SyncReply],
// [CommitReply], [TxnDone] or [ConsumerHeartbeatReply].
type Action interface{ action() }

// Append asks for the records to be written, as one atomic batch, to the
// offsets topic. The caller reports with Appended(ID, ok), in order of ID.
type Append struct {
	ID      uint64
	Records []record.Record
}

// JoinReply answers a Join.
type JoinReply struct {
	Ticket   Ticket
	Response JoinResponse
}

// SyncReply answers a Sync.
type SyncReply struct {
	Ticket   Ticket
	Response SyncResponse
}

// CommitReply answers Commit, CommitTxn, DeleteOffsets, DeleteGroup and Settled. Codes
// is parallel to the partitions asked for; nil means all get Code.
type CommitReply struct {
	Ticket Ticket
	Code   Code
	Codes  []Code
}

// TxnDone says that the pending offsets of a producer are settled, durably.
type TxnDone struct {
	Ticket Ticket
	Code   Code
}

func (Append) action()      {}
func (JoinReply) action()   {}
func (SyncReply) action()   {}
func (CommitReply) action() {}
func (TxnDone) action()     {}

// Coordinator holds all groups of a node. It is not safe for concurrent use.
//
// Offsets are exactly what replaying the durable prefix of the offsets topic
// gives: every change of them takes effect in apply, called from Replay and
// from Appended alike. Membership runs ahead of the log; what is stored is each
// generation as it was assigned, before its members learn their assignment, so
// a restart in a quiet group is noticed by nobody. A rebalance cut short by a
// crash is forgotten: its members find their generation illegal and join again.
type Coordinator struct {
	opts     Options
	groups   map[string]*group
	topics   []TopicMeta // by name
	actions  []Action
	appendID uint64
	inflight map[uint64]inflight // by append id
	// txnWrites counts appends of pending offsets under way per producer;
	// an EndTxn that finds some waits in txnEnds, else it would miss them.
	txnWrites map[int64]int
	txnEnds   map[int64][]txnEnd
}

// inflight is an append whose outcome is not known yet.
type inflight struct {
	changes []change
	done    func(ok bool)
}

// New makes an empty coordinator.
func New(opts Options) *Coordinator {
	return &Coordinator{
		opts:      opts.withDefaults(),
		groups:    map[string]*group{},
		inflight:  map[uint64]inflight{},
		txnWrites: map[int64]int{},
		txnEnds:   map[int64][]txnEnd{},
	}
}

// Actions hands over what is to be done and forgets it.
func (c *Coordinator) Actions() []Action {
	a := c.actions
	c.actions = nil
	return a
}

// Replay takes one durable record of the offsets topic.
func (c *Coordinator) Replay(r record.Record) error {
	ch, err := decodeRecord(r)
	if err != nil {
		return err
	}
	switch {
	case ch.kind == kindGroup && !ch.tombstone:
		c.restore(ch)
	case ch.kind == kindConsumer && !ch.tombstone:
		g := c.obtain(ch.group)
		g.consumers, g.emptySince = ch.consumers, ch.emptySince
	case ch.kind == kindConsumer && c.groups[ch.group] != nil:
		c.groups[ch.group].consumers = nil
	}
	c.apply(ch)
	return nil
}

// Start ends replay: from now on restored members have to show up.
func (c *Coordinator) Start(now time.Time) {
	for _, g := range c.groups {
		for _, m := range g.members {
			m.touch(now)
		}
		if cg := g.consumers; cg != nil {
			for _, m := range cg.members {
				m.expires, m.revokeBy = now.Add(c.opts.ConsumerSession), now.Add(m.rebalance)
			}
			c.retarget(g)
		}
	}
}

// restore makes a group what its record says.
func (c *Coordinator) restore(ch change) {
	g := c.obtain(ch.group)
	clear(g.members)
	clear(g.static)
	g.order, g.state = nil, Empty
	for _, m := range ch.members {
		g.add(m)
		g.state = Stable
	}
	g.generation, g.emptySince = ch.generation, ch.emptySince
	g.protocolType, g.protocol, g.leader = ch.protocolType, ch.protocol, ch.leader
}

// Appended reports the outcome of an Append: ok means durable. Calls come in
// the order of the appends, else memory and log would disagree.
func (c *Coordinator) Appended(id uint64, ok bool) {
	in, found := c.inflight[id]
	if !found {
		return
	}
	delete(c.inflight, id)
	if ok {
		for _, ch := range in.changes {
			c.apply(ch)
		}
	}
	if in.done != nil {
		in.done(ok)
	}
}

func (c *Coordinator) emit(a Action) { c.actions = append(c.actions, a) }

// persist emits an Append of the changes; done runs when its outcome is known.
func (c *Coordinator) persist(changes []change, done func(ok bool)) {
	c.appendID++
	records := make([]record.Record, len(changes))
	for i, ch := range changes {
		records[i] = ch.encode()
	}
	c.inflight[c.appendID] = inflight{changes: changes, done: done}
	c.emit(Append{ID: c.appendID, Records: records})
}

// apply makes one durable change visible.
func (c *Coordinator) apply(ch change) {
	switch ch.kind {
	case kindOffset:
		if ch.tombstone {
			if g := c.groups[ch.group]; g != nil {
				delete(g.offsets, ch.partition)
				c.dropIfUnused(g)
			}
			return
		}
		c.obtain(ch.group).offsets[ch.partition] = ch.offset
	case kindPending:
		if ch.tombstone {
			if g := c.groups[ch.group]; g != nil {
				g.removePending(ch.producerID, ch.partition)
			}
			return
		}
		c.obtain(ch.group).addPending(ch.producerID, ch.partition, ch.offset)
	case kindGroup, kindConsumer:
		if g := c.groups[ch.group]; g != nil && (g.consumers != nil) == (ch.kind == kindConsumer) {
			g.known = !ch.tombstone
			c.dropIfUnused(g)
		}
	}
}

// Settled is answered by a CommitReply as soon as the outcome of all appends so far is known.
func (c *Coordinator) Settled(t Ticket) {
	in, ok := c.inflight[c.appendID] // outcomes come in order: the newest is the last
	if !ok {
		c.emit(CommitReply{Ticket: t})
		return
	}
	before := in.done
	in.done = func(ok bool) {
		if before != nil {
			before(ok)
		}
		reply := CommitReply{Ticket: t}
		if !ok {
			reply.Code = CoordinatorNotAvailable
		}
		c.emit(reply)
	}
	c.inflight[c.appendID] = in
}

// obtain finds a group, making it if needed.
func (c *Coordinator) obtain(id string) *group {
	g := c.groups[id]
	if g == nil {
		g = newGroup(id)
		c.groups[id] = g
	}
	return g
}

// dropIfUnused forgets a group without members, offsets or a durable record.
func (c *Coordinator) dropIfUnused(g *group) {
	if !g.hasMembers() && len(g.joining) == 0 && len(g.offsets) == 0 && len(g.pending) == 0 && !g.known {
		delete(c.groups, g.id)
	}
}

// sortedGroups visits groups in a fixed order, so that runs can be compared.
func (c *Coordinator) sortedGroups() []*group {
	out := make([]*group, 0, len(c.groups))
	for _, g := range c.groups {
		out = append(out, g)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}
