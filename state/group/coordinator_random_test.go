package group

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// actor is a consumer that does random things with what it was told last.
type actor struct {
	name, instance string
	member         string
	generation     int32
	leads          bool
	members        []JoinMember
	asked          Ticket // unanswered; 0 = none
}

// TestRandom lets actors join, sync, beat, commit, vanish and crash in random
// order, over a disk that is slow at times, and checks after each step what must always hold.
func TestRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &random{t: t, w: newWorld(Options{})}
		for i := range rapid.IntRange(1, 4).Draw(t, "actors") {
			a := &actor{name: fmt.Sprintf("a%d", i)}
			if rapid.Bool().Draw(t, "static") {
				a.instance = a.name
			}
			r.actors = append(r.actors, a)
		}
		for range rapid.IntRange(20, 200).Draw(t, "steps") {
			r.step()
			r.settle()
			r.check()
		}
		r.quiesce()
	})
}

type random struct {
	t          *rapid.T
	w          *world
	actors     []*actor
	generation int32
}

func (r *random) step() {
	a := rapid.SampledFrom(r.actors).Draw(r.t, "actor")
	w := r.w
	switch rapid.IntRange(0, 11).Draw(r.t, "what") {
	case 0, 1:
		r.join(a)
	case 2, 3:
		r.sync(a)
	case 4:
		w.c.Heartbeat(w.now, "g", a.member, a.instance, a.generation)
	case 5:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 12).Draw(r.t, "seconds")) * time.Second)
		w.c.Tick(w.now)
	case 6:
		req := CommitRequest{Group: "g", MemberID: a.member, InstanceID: a.instance, Generation: a.generation}
		req.Offsets = []CommitOffset{{TopicPartition: TopicPartition{"t", 0}, Offset: rapid.Int64Range(0, 99).Draw(r.t, "offset")}}
		pid := rapid.Int64Range(0, 2).Draw(r.t, "pid")
		if pid == 0 {
			w.c.Commit(w.now, w.next("commit"), req)
		} else {
			w.c.CommitTxn(w.now, w.next("commit"), pid, req)
		}
	case 7:
		w.c.EndTxn(w.next("end"), rapid.Int64Range(1, 2).Draw(r.t, "pid"), []string{"g"}, rapid.Bool().Draw(r.t, "commit"))
	case 8:
		w.c.Leave(w.now, "g", []Leaver{{a.member, a.instance}})
		a.member, a.generation = "", -1
	case 9:
		if rapid.IntRange(0, 2).Draw(r.t, "crash") == 0 {
			r.crash()
		}
	case 10:
		w.hold = true
	case 11:
		w.disk(rapid.Bool().Draw(r.t, "durable"))
	}
}

// crash loses what was not durable, and all who wait.
func (r *random) crash() {
	r.w.restart(r.t)
	r.generation = 0 // a rebalance that was cut short is forgotten, with its generation
	clear(r.w.names)
	for _, a := range r.actors {
		a.asked = 0
	}
}

func (r *random) join(a *actor) {
	if a.asked != 0 {
		a.member = "" // it lost patience and starts over
	}
	a.asked = r.w.next(a.name)
	r.w.c.Join(r.w.now, a.asked, JoinRequest{
		Group: "g", MemberID: a.member, InstanceID: a.instance, ClientID: a.name, RequireMemberID: true,
		SessionTimeout: 10 * time.Second, RebalanceTimeout: 20 * time.Second,
		ProtocolType: "consumer", Protocols: []Protocol{{"range", nil}},
	})
}

func (r *random) sync(a *actor) {
	req := SyncRequest{Group: "g", MemberID: a.member, InstanceID: a.instance, Generation: a.generation, Assignments: map[string][]byte{}}
	if a.leads {
		for _, m := range a.members {
			req.Assignments[m.MemberID] = fmt.Appendf(nil, "%d/%s", a.generation, m.MemberID)
		}
	}
	r.w.c.Sync(r.w.now, r.w.next(a.name), req)
}

// settle lets actors learn from the answers, each of which may come only once.
func (r *random) settle() {
	w := r.w
	w.settle()
	for tk, reply := range w.replies {
		if w.names[tk] == "" {
			r.t.Fatalf("ticket %d answered twice", tk)
		}
		name := w.names[tk]
		delete(w.names, tk)
		for _, a := range r.actors {
			if a.name != name {
				continue
			}
			switch reply := reply.(type) {
			case JoinReply:
				if tk == a.asked {
					r.joined(a, reply.Response)
				}
			case SyncReply:
				r.synced(a, reply.Response)
			}
		}
	}
	clear(w.replies)
}

func (r *random) joined(a *actor, resp JoinResponse) {
	a.asked = 0
	a.member = resp.MemberID
	if resp.Code != None {
		if resp.Code != MemberIDRequired {
			a.member = ""
		}
		return
	}
	a.generation, a.leads, a.members = resp.Generation, resp.Leader == resp.MemberID, resp.Members
}

// synced checks that an assignment is the one made for this generation. A
// static member that came back gets what was made for its former id.
func (r *random) synced(a *actor, resp SyncResponse) {
	if resp.Code != None || len(resp.Assignment) == 0 || a.instance != "" {
		return
	}
	if want := fmt.Sprintf("%d/%s", a.generation, a.member); string(resp.Assignment) != want {
		r.t.Fatalf("assignment %q, want %q", resp.Assignment, want)
	}
}

func (r *random) check() {
	g := r.w.c.groups["g"]
	if g == nil {
		return
	}
	if len(g.members) == 0 && g.state != Empty || len(g.members) > 0 && g.state == Empty {
		r.t.Fatalf("state %v with %d members", g.state, len(g.members))
	}
	if g.leader != "" && g.members[g.leader] == nil || g.leader == "" && len(g.members) > 0 {
		r.t.Fatalf("leader %q is no member", g.leader)
	}
	if len(g.order) != len(g.members) {
		r.t.Fatalf("order %v, members %v", g.order, g.members)
	}
	for instance, id := range g.static {
		if m := g.members[id]; m == nil || m.instanceID != instance {
			r.t.Fatalf("instance %s is %s, who is no member", instance, id)
		}
	}
	for _, m := range g.members {
		if m.join != 0 && g.state != Preparing {
			r.t.Fatalf("%s waits for a join in state %v", m.id, g.state)
		}
		if m.sync != 0 && g.state != Completing {
			r.t.Fatalf("%s waits for a sync in state %v", m.id, g.state)
		}
	}
	if g.generation < r.generation {
		r.t.Fatalf("generation went from %d to %d", r.generation, g.generation)
	}
	r.generation = g.generation
	r.checkReplay(g)
}

// checkReplay compares memory with what the compacted log says.
func (r *random) checkReplay(g *group) {
	again := New(r.w.opts)
	for _, rec := range compacted(r.w.log) {
		if err := again.Replay(rec); err != nil {
			r.t.Fatal(err)
		}
	}
	h := again.groups["g"]
	if h == nil {
		h = newGroup("g")
	}
	same := func(a, b Offset) bool { return a.Offset == b.Offset && a.CommittedAt.Equal(b.CommittedAt) }
	if !maps.EqualFunc(g.offsets, h.offsets, same) {
		r.t.Fatalf("offsets %v, in the log %v", g.offsets, h.offsets)
	}
	if len(g.pending) != len(h.pending) {
		r.t.Fatalf("pending %v, in the log %v", g.pending, h.pending)
	}
}

// quiesce: after long silence nobody is left, and no ticket without answer.
func (r *random) quiesce() {
	r.w.disk(true)
	for range 20 {
		r.w.now = r.w.now.Add(30 * time.Second)
		r.w.c.Tick(r.w.now)
		r.settle()
		r.check()
	}
	if g := r.w.c.groups["g"]; g != nil && len(g.members) > 0 {
		r.t.Fatalf("members left after silence: %v", g.order)
	}
	if len(r.w.names) > 0 {
		r.t.Fatalf("tickets without answer: %v", r.w.names)
	}
}
