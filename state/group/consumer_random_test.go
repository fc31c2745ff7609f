package group

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// reader848 is a client of the consumer protocol: it has partitions, gives up at once or later what it is told to, and tells so.
type reader848 struct {
	id, instance string
	epoch        int32
	has          partitionSet
	told         partitionSet // the last assignment; nil: taken over
	asked        Ticket       // unanswered; 0: none
	silent       time.Time    // when it sent the last heartbeat that was answered well
	sent         time.Time    // when it sent the last one
	full         bool         // an answer was lost: the next heartbeat tells everything
}

// randomConsumers lets clients join, beat, leave, come back, vanish and start over, topics grow and go, and the coordinator crash over
// a slow disk. After each step no partition is in two hands; in the end all are assigned.
type randomConsumers struct {
	t       *rapid.T
	w       *world
	readers []*reader848
}

func TestRandomConsumers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &randomConsumers{t: t, w: newWorld(Options{})}
		r.setTopics()
		for i := range rapid.IntRange(1, 5).Draw(t, "readers") {
			a := &reader848{id: fmt.Sprintf("m%d", i)}
			if rapid.IntRange(0, 2).Draw(t, "static") == 0 {
				a.instance = fmt.Sprintf("i%d", i)
			}
			r.readers = append(r.readers, a)
		}
		for range rapid.IntRange(20, 200).Draw(t, "steps") {
			r.step()
			r.settle()
			r.check()
		}
		r.quiesce()
	})
}

func (r *randomConsumers) setTopics() {
	var topics []TopicMeta
	for _, name := range []string{"t", "u", "v"} {
		if n := rapid.Int32Range(0, 5).Draw(r.t, name); n > 0 {
			topics = append(topics, TopicMeta{Name: name, ID: TopicID{name[0]}, Partitions: n})
		}
	}
	r.w.topics = topics
	r.w.c.SetTopics(r.w.now, topics)
}

func (r *randomConsumers) step() {
	a := rapid.SampledFrom(r.readers).Draw(r.t, "reader")
	w := r.w
	switch rapid.IntRange(0, 14).Draw(r.t, "what") {
	case 0, 1, 2, 3, 4, 5:
		r.beat(a, nil)
	case 6, 7:
		a.take()
	case 8:
		if a.epoch > 0 {
			a.leave(r, rapid.Bool().Draw(r.t, "for a while") && a.instance != "")
		}
	case 9:
		a.has, a.told, a.epoch, a.asked = nil, nil, 0, 0 // the process dies
	case 10:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(r.t, "seconds")) * time.Second)
		for _, a := range r.readers {
			if w.now.Sub(a.silent) >= 30*time.Second { // a client gives up before its session or its revocation times out
				a.has, a.told, a.epoch, a.asked = nil, nil, 0, 0
			}
		}
		w.c.Tick(w.now)
	case 11:
		r.setTopics()
	case 12:
		if rapid.IntRange(0, 2).Draw(r.t, "crash") == 0 {
			w.restart(r.t)
			for _, a := range r.readers {
				a.full, a.asked = a.full || a.asked != 0, 0
			}
		}
	case 13:
		w.hold = true
	case 14:
		w.disk(rapid.Bool().Draw(r.t, "durable"))
	}
}

// beat sends a heartbeat as KIP-848's client does; topics changes the subscription.
func (r *randomConsumers) beat(a *reader848, topics []string) {
	if a.asked != 0 {
		return // one at a time
	}
	h := ConsumerHeartbeat{Group: "g", MemberID: a.id, InstanceID: a.instance, Epoch: a.epoch, RebalanceTimeout: -1, Subscribed: topics}
	if a.epoch == 0 {
		h.RebalanceTimeout, h.OwnedTold = 300*time.Second, true
		if topics == nil {
			h.Subscribed = [][]string{{"t"}, {"t", "u"}, {"u", "v"}, {"t", "u", "v"}}[rapid.IntRange(0, 3).Draw(r.t, "topics")]
		}
		a.silent = r.w.now
	} else if a.full {
		// What it tells to have is final: a client that told so while it is still taking partitions over would have them twice,
		// with Kafka's coordinator too.
		a.take()
		h.RebalanceTimeout, h.OwnedTold, h.Owned, h.Subscribed = 300*time.Second, true, grouped(a.has), []string{"t", "u"}
		a.full = false
	} else if rapid.Bool().Draw(r.t, "tell") || topics != nil {
		a.take()
		h.OwnedTold, h.Owned = true, grouped(a.has)
	}
	a.asked, a.sent = r.w.next(a.id), r.w.now
	r.w.c.ConsumerHeartbeat(r.w.now, a.asked, h)
}

// take gives up what is not in the last assignment and takes the rest.
func (a *reader848) take() {
	if a.told != nil {
		a.has, a.told = a.told, nil
	}
}

func (a *reader848) leave(r *randomConsumers, comesBack bool) {
	if a.asked != 0 {
		return
	}
	h := ConsumerHeartbeat{Group: "g", MemberID: a.id, InstanceID: a.instance, Epoch: -1, RebalanceTimeout: -1}
	if comesBack {
		h.Epoch = leftForAWhile
	}
	a.has, a.told, a.epoch = nil, nil, 0
	r.w.c.ConsumerHeartbeat(r.w.now, r.w.next("leave"), h)
}

func (r *randomConsumers) settle() {
	r.w.settle()
	for _, a := range r.readers {
		reply, ok := r.w.replies[a.asked].(ConsumerHeartbeatReply)
		if !ok || a.asked == 0 {
			continue
		}
		a.asked = 0
		resp := reply.Response
		switch resp.Code {
		case None:
			a.epoch, a.silent = resp.Epoch, a.sent
			if resp.Told {
				a.told = setOf(resp.Assigned)
				a.has = a.has.both(a.told) // gives up at once; take takes the rest
			}
		case CoordinatorNotAvailable:
			a.full = true
		case UnknownMemberID, FencedMemberEpoch, FencedInstanceID, UnreleasedInstanceID:
			a.has, a.told, a.epoch = nil, nil, 0
		default:
			r.t.Fatalf("%s: %v %s", a.id, resp.Code, resp.Message)
		}
	}
}

func (r *randomConsumers) check() {
	hands := map[idPartition]string{}
	for _, a := range r.readers {
		for p := range a.has {
			if other, taken := hands[p]; taken {
				r.t.Fatalf("%c%d is in the hands of %s and %s", p.topic[0], p.partition, other, a.id)
			}
			hands[p] = a.id
		}
	}
	g := r.w.c.groups["g"]
	if g == nil || g.consumers == nil {
		return
	}
	owners := 0
	for _, m := range g.consumers.members {
		if m.assigned.meets(m.revoking) {
			r.t.Fatalf("%s is to keep and to give up the same partition", m.id)
		}
		for _, s := range []partitionSet{m.assigned, m.revoking} {
			for p := range s {
				owners++
				if g.consumers.owners[p] != m.id {
					r.t.Fatalf("%c%d belongs to %s, not %s", p.topic[0], p.partition, g.consumers.owners[p], m.id)
				}
			}
		}
	}
	if owners != len(g.consumers.owners) {
		r.t.Fatalf("%d partitions with owners, %d in members", len(g.consumers.owners), owners)
	}
}

// quiesce lets all read the same topics undisturbed: soon each has its share, and the shares differ by one at most.
func (r *randomConsumers) quiesce() {
	w := r.w
	w.disk(true)
	r.settle()
	w.topics = []TopicMeta{{"t", TopicID{'t'}, 5}, {"u", TopicID{'u'}, 4}}
	w.c.SetTopics(w.now, w.topics)
	for range 20 {
		w.now = w.now.Add(10 * time.Second) // the dead are noticed
		w.c.Tick(w.now)
		for _, a := range r.readers {
			r.beat(a, []string{"t", "u"})
			r.settle()
			a.take()
			r.check()
		}
	}
	total, least, most := 0, 9, 0
	for _, a := range r.readers {
		total, least, most = total+len(a.has), min(least, len(a.has)), max(most, len(a.has))
	}
	if total != 9 || most-least > 1 {
		r.t.Fatalf("%d of 9 partitions assigned, from %d to %d each: %s", total, least, most, w.describeConsumers())
	}
	if d := w.c.DescribeConsumers("g"); d.State != "Stable" {
		r.t.Fatalf("the group is %s", d.State)
	}
}

// TestRangeAssignor: neighbours come together, and equal numbers of two topics at one member.
func TestRangeAssignor(t *testing.T) {
	w := newWorld(Options{})
	w.c.SetTopics(w.now, []TopicMeta{{"t", TopicID{'t'}, 5}, {"u", TopicID{'u'}, 2}})
	name := "range"
	for _, id := range []string{"b", "a"} {
		w.c.ConsumerHeartbeat(w.now, w.next(id), ConsumerHeartbeat{
			Group: "g", MemberID: id, Subscribed: []string{"t", "u"}, Assignor: &name, OwnedTold: true, RebalanceTimeout: time.Minute,
		})
		w.settle()
	}
	d := w.c.DescribeConsumers("g")
	if got := d.Assignor + " " + partitionText(d.Members[0].Target) + ", " + partitionText(d.Members[1].Target); got != "range t3 t4 u1, t0 t1 t2 u0" {
		t.Error(got)
	}
}
