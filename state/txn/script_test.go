package txn

import (
	"fmt"
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

// world is a coordinator with a clock, a log and somebody who writes markers.
type world struct {
	c       *Coordinator
	opts    Options
	now     time.Time
	ticket  Ticket
	names   map[Ticket]string
	log     []record.Record
	held    []Append
	hold    bool // appends wait
	stuck   bool // markers wait
	markers []WriteMarkers
}

func newWorld(opts Options) *world {
	next := int64(-1)
	opts.NewProducerID = func() (int64, error) {
		next++
		return next, nil
	}
	return &world{c: New(opts), opts: opts, now: time.UnixMilli(0), names: map[Ticket]string{}}
}

func (w *world) next(name string) Ticket {
	w.ticket++
	w.names[w.ticket] = name
	return w.ticket
}

func (w *world) settle() string {
	var b strings.Builder
	for {
		actions := w.c.Actions()
		if len(actions) == 0 {
			return b.String()
		}
		for _, a := range actions {
			w.act(&b, a)
		}
	}
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
	case WriteMarkers:
		outcome := "abort"
		if a.Commit {
			outcome = "commit"
		}
		fmt.Fprintf(b, "markers: %s %s by %d.%d to %v %v\n", outcome, a.TransactionalID, a.Producer.ID, a.Producer.Epoch, a.Partitions, a.Groups)
		w.markers = append(w.markers, a)
		if !w.stuck {
			w.writeMarkers(true)
		}
	case Reply:
		fmt.Fprintf(b, "%s: %v", w.names[a.Ticket], a.Code)
		if a.Code == None {
			fmt.Fprintf(b, " %d.%d", a.Producer.ID, a.Producer.Epoch)
		}
		b.WriteByte('\n')
	}
}

func (w *world) writeMarkers(ok bool) {
	markers := w.markers
	w.markers = nil
	for _, m := range markers {
		w.c.MarkersWritten(w.now, m.TransactionalID, ok)
	}
}

// producer reads "7.0" as id 7, epoch 0.
func producer(t *testing.T, s string) Producer {
	if s == "" {
		return noProducer
	}
	id, epoch, _ := strings.Cut(s, ".")
	i, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	e, err := strconv.ParseInt(epoch, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return Producer{i, int16(e)}
}

func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	a := map[string]string{}
	for _, arg := range d.CmdArgs {
		a[arg.Key] = strings.Join(arg.Vals, ",")
	}
	_, bump := a["bump"]
	p := producer(t, a["producer"])
	out := ""
	switch d.Cmd {
	case "init":
		w.init(t, a, p)
	case "add":
		var parts []Partition
		if a["topic"] != "" {
			parts = []Partition{{a["topic"], 0}}
		}
		var groups []string
		if a["group"] != "" {
			groups = []string{a["group"]}
		}
		w.c.Add(w.now, w.next("add"), "x", p, parts, groups)
	case "verify":
		var part *Partition
		if a["topic"] != "" {
			part = &Partition{a["topic"], 0}
		}
		out = fmt.Sprintln(w.c.Verify("x", p, part, a["group"]))
	case "commit", "abort":
		w.c.End(w.now, w.next(d.Cmd), "x", p, d.Cmd == "commit", bump)
	case "wait":
		span, err := time.ParseDuration(a["for"])
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(span)
		w.c.Tick(w.now)
	case "adopt":
		if a["group"] != "" {
			p.Epoch = AnyEpoch
			out = fmt.Sprintln(w.c.Adopt(w.now, p, nil, a["group"]))
		} else {
			out = fmt.Sprintln(w.c.Adopt(w.now, p, &Partition{a["topic"], 0}, ""))
		}
	case "list":
		for _, x := range w.c.List() {
			out += fmt.Sprintf("%s %v %d.%d %v\n", x.TransactionalID, x.State, x.Producer.ID, x.Producer.Epoch, x.Partitions)
		}
	default:
		w.trouble(t, d.Cmd, a)
	}
	return out + w.settle()
}

// trouble runs the commands about disk, markers and restarts.
func (w *world) trouble(t *testing.T, cmd string, a map[string]string) {
	switch cmd {
	case "hold":
		w.hold = true
	case "disk":
		w.hold = false
		held := w.held
		w.held = nil
		for _, h := range held {
			if a["result"] != "fail" {
				w.log = append(w.log, h.Records...)
			}
			w.c.Appended(h.ID, a["result"] != "fail")
		}
	case "markers-stuck":
		w.stuck = true
	case "markers":
		w.stuck = false
		w.writeMarkers(a["result"] != "fail")
	case "epoch": // a shortcut to many rounds
		w.c.txns["x"].producer = producer(t, a["is"])
	case "restart":
		w.restart(t)
	case "replay": // restart without start
		w.replay(t)
	case "start":
		w.c.Start()
	default:
		t.Fatalf("unknown command %s", cmd)
	}
}

func (w *world) init(t *testing.T, a map[string]string, current Producer) {
	_, idempotent := a["idempotent"]
	timeout := time.Minute
	if a["timeout"] != "" {
		var err error
		if timeout, err = time.ParseDuration(a["timeout"]); err != nil {
			t.Fatal(err)
		}
	}
	w.c.Init(w.now, w.next("init"), InitRequest{
		Transactional: !idempotent, TransactionalID: "x", Timeout: timeout, Current: current,
	})
}

// restart loses memory, appends and markers under way, but not the log.
func (w *world) restart(t *testing.T) {
	w.replay(t)
	w.c.Start()
}

func (w *world) replay(t *testing.T) {
	w.hold, w.held, w.stuck, w.markers = false, nil, false, nil
	w.c = New(w.opts)
	for _, r := range w.log {
		if err := w.c.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
}
