package group

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace/millrace/state/record"
)

// TestScripts runs testdata/script: each command is one event, its output what the
// coordinator did about it.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/script", func(t *testing.T, path string) {
		w := newWorld(Options{})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return w.run(t, d)
		})
	})
}

// world is a coordinator with a clock, a log and somebody who answers.
type world struct {
	c       *Coordinator
	opts    Options
	now     time.Time
	ids     int
	ticket  Ticket
	names   map[Ticket]string // what a ticket was for
	log     []record.Record
	held    []Append
	hold    bool
	replies map[Ticket]Action
	topics  []TopicMeta
}

func newWorld(opts Options) *world {
	w := &world{now: time.UnixMilli(0), names: map[Ticket]string{}, replies: map[Ticket]Action{}}
	opts.NewMemberID = func(client string) string {
		w.ids++
		return client + "-" + strconv.Itoa(w.ids)
	}
	w.opts = opts
	w.c = New(opts)
	return w
}

func (w *world) next(name string) Ticket {
	w.ticket++
	w.names[w.ticket] = name
	return w.ticket
}

// settle carries out actions until there are none, and tells of them.
func (w *world) settle() string {
	var b strings.Builder
	for {
		actions := w.c.Actions()
		if len(actions) == 0 {
			break
		}
		for _, a := range actions {
			w.act(&b, a)
		}
	}
	return b.String()
}

func (w *world) act(b *strings.Builder, a Action) {
	switch a := a.(type) {
	case Append:
		if w.hold {
			w.held = append(w.held, a)
			return
		}
		w.log = append(w.log, a.Records...)
		w.c.Appended(a.ID, true)
	case JoinReply:
		w.replies[a.Ticket] = a
		r := a.Response
		if r.Code != None {
			fmt.Fprintf(b, "%s: join %v member=%s\n", w.names[a.Ticket], r.Code, r.MemberID)
			return
		}
		fmt.Fprintf(b, "%s: joined as %s generation=%d protocol=%s leader=%s", w.names[a.Ticket], r.MemberID, r.Generation, r.Protocol, r.Leader)
		if r.SkipAssignment {
			b.WriteString(" skip-assignment")
		}
		for _, m := range r.Members {
			fmt.Fprintf(b, " [%s %s]", m.MemberID, m.Metadata)
		}
		b.WriteByte('\n')
	case SyncReply:
		w.replies[a.Ticket] = a
		fmt.Fprintf(b, "%s: synced %v assignment=%q\n", w.names[a.Ticket], a.Response.Code, a.Response.Assignment)
	case CommitReply:
		w.replies[a.Ticket] = a
		fmt.Fprintf(b, "%s: %v %v\n", w.names[a.Ticket], a.Code, a.Codes)
	case ConsumerHeartbeatReply:
		w.replies[a.Ticket] = a
		r := a.Response
		if r.Code != None {
			fmt.Fprintf(b, "%s: %v %s\n", w.names[a.Ticket], r.Code, r.Message)
			return
		}
		fmt.Fprintf(b, "%s: epoch=%d", w.names[a.Ticket], r.Epoch)
		if r.Told {
			fmt.Fprintf(b, " has %s", partitionText(r.Assigned))
		}
		b.WriteByte('\n')
	case TxnDone:
		w.replies[a.Ticket] = a
		fmt.Fprintf(b, "%s: settled %v\n", w.names[a.Ticket], a.Code)
	}
}

// args gives a command's arguments as a map.
func args(d *datadriven.TestData) map[string]string {
	m := map[string]string{}
	for _, a := range d.CmdArgs {
		m[a.Key] = strings.Join(a.Vals, ",")
	}
	return m
}

func span(t *testing.T, s string, otherwise time.Duration) time.Duration {
	if s == "" {
		return otherwise
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func number(t *testing.T, s string, otherwise int64) int64 {
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	a := args(d)
	out := ""
	switch d.Cmd {
	case "join":
		w.join(t, a)
	case "sync":
		w.sync(t, a)
	case "heartbeat":
		out = fmt.Sprintln(w.c.Heartbeat(w.now, "g", a["member"], a["instance"], int32(number(t, a["generation"], -1))))
	case "beat":
		w.beat(t, a)
	case "topics":
		var topics []TopicMeta
		for name, n := range a {
			topics = append(topics, TopicMeta{Name: name, ID: TopicID{name[0]}, Partitions: int32(number(t, n, 1))})
		}
		w.topics = topics
		w.c.SetTopics(w.now, topics)
	case "describe-consumers":
		out = w.describeConsumers()
	case "leave":
		code, codes := w.c.Leave(w.now, "g", []Leaver{{a["member"], a["instance"]}})
		out = fmt.Sprintln(code, codes)
	case "wait":
		w.now = w.now.Add(span(t, a["for"], 0))
		w.c.Tick(w.now)
	case "commit", "commit-txn":
		w.commit(t, d.Cmd, a)
	case "end-txn":
		w.c.EndTxn(w.next("end"), number(t, a["pid"], 0), []string{"g"}, a["outcome"] == "commit")
	case "delete-offsets":
		w.c.DeleteOffsets(w.next("delete"), "g", []TopicPartition{{a["topic"], 0}})
	case "delete-group":
		w.c.DeleteGroup(w.next("delete"), "g")
	case "fetch":
		out = w.fetch(a)
	case "describe":
		out = w.describe()
	case "list":
		for _, l := range w.c.List() {
			out += fmt.Sprintf("%s %s %s %s\n", l.Group, l.ProtocolType, l.State, l.Type)
		}
	case "hold":
		w.hold = true
	case "disk":
		w.disk(a["result"] != "fail")
	case "restart":
		w.restart(t)
	default:
		t.Fatalf("unknown command %s", d.Cmd)
	}
	return out + w.settle()
}

func (w *world) join(t *testing.T, a map[string]string) {
	r := JoinRequest{
		Group: "g", MemberID: a["member"], InstanceID: a["instance"], ClientID: a["client"],
		SessionTimeout: span(t, a["session"], 10*time.Second), RebalanceTimeout: span(t, a["rebalance"], 30*time.Second),
		ProtocolType: "consumer", RequireMemberID: a["old-client"] == "", CanSkipAssignment: true,
	}
	for _, p := range strings.Split(a["offers"], ",") {
		if p == "" {
			p = "range"
		}
		r.Protocols = append(r.Protocols, Protocol{p, []byte(a["topics"])})
	}
	name := a["client"]
	if name == "" {
		name = a["member"]
	}
	w.c.Join(w.now, w.next(name), r)
}

func (w *world) sync(t *testing.T, a map[string]string) {
	r := SyncRequest{
		Group: "g", MemberID: a["member"], InstanceID: a["instance"],
		Generation: int32(number(t, a["generation"], -1)), Assignments: map[string][]byte{},
	}
	for k, v := range a {
		if id, ok := strings.CutPrefix(k, "give-"); ok {
			r.Assignments[id] = []byte(v)
		}
	}
	w.c.Sync(w.now, w.next(a["member"]), r)
}

func (w *world) commit(t *testing.T, cmd string, a map[string]string) {
	r := CommitRequest{
		Group: "g", MemberID: a["member"], InstanceID: a["instance"], Generation: int32(number(t, a["generation"], -1)),
		Offsets: []CommitOffset{{TopicPartition: TopicPartition{a["topic"], 0}, Offset: number(t, a["offset"], 0), Metadata: a["metadata"]}},
	}
	if cmd == "commit" {
		w.c.Commit(w.now, w.next("commit"), r)
		return
	}
	w.c.CommitTxn(w.now, w.next("commit-txn"), number(t, a["pid"], 0), r)
}

func (w *world) fetch(a map[string]string) string {
	var tps []TopicPartition
	if a["topic"] != "" {
		tps = []TopicPartition{{a["topic"], 0}}
	}
	_, stable := a["stable"]
	_, offsets := w.c.Fetch("g", tps, stable)
	out := ""
	for _, o := range offsets {
		out += fmt.Sprintf("%s %d %q %v\n", o.Topic, o.Offset, o.Metadata, o.Code)
	}
	return out
}

func (w *world) describe() string {
	d := w.c.Describe("g")
	out := fmt.Sprintf("%v %s %s %s\n", d.Code, d.State, d.ProtocolType, d.Protocol)
	for _, m := range d.Members {
		out += fmt.Sprintf("  %s instance=%s gets %q\n", m.MemberID, m.InstanceID, m.Assignment)
	}
	return out
}

// disk finishes the appends that were held back.
func (w *world) disk(ok bool) {
	w.hold = false
	held := w.held
	w.held = nil
	for _, a := range held {
		if ok {
			w.log = append(w.log, a.Records...)
		}
		w.c.Appended(a.ID, ok)
	}
}

// restart loses memory, and appends under way, but not the log.
func (w *world) restart(t interface{ Fatal(...any) }) {
	w.hold, w.held = false, nil
	w.c = New(w.opts)
	w.c.SetTopics(w.now, w.topics)
	for _, r := range compacted(w.log) {
		if err := w.c.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
	w.c.Start(w.now)
}

// compacted keeps the last record of each key, as the topic may do any time.
func compacted(log []record.Record) []record.Record {
	last := map[string]int{}
	for i, r := range log {
		last[string(r.Key)] = i
	}
	keep := make([]int, 0, len(last))
	for _, i := range last {
		keep = append(keep, i)
	}
	sort.Ints(keep)
	out := make([]record.Record, len(keep))
	for i, k := range keep {
		out[i] = log[k]
	}
	return out
}
