package checkpoint

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/millrace/millrace/runtime/task"
)

func ack(t int, epoch uint64) task.Ack { return task.Ack{Task: t, Epoch: epoch} }

func final(t int) task.Ack { return task.Ack{Task: t, Final: true} }

func TestCoordinatorCommitsAtTheLastAck(t *testing.T) {
	c := NewCoordinator([]int{1, 2, 3}, nil)
	if c.Begin(7) != nil || !c.Busy() {
		t.Fatal("nothing is acknowledged yet")
	}
	if c.Ack(ack(2, 7)) != nil || c.Ack(ack(1, 7)) != nil {
		t.Fatal("task 3 is missing")
	}
	if got := c.Waiting(); !slices.Equal(got, []int{3}) {
		t.Errorf("waiting for %v", got)
	}
	commit := c.Ack(ack(3, 7))
	if commit == nil || commit.Epoch != 7 || commit.Done || c.Busy() {
		t.Fatalf("got %+v", commit)
	}
}

// TestCoordinatorFinals: a Final counts for the earliest epoch that its task has not acknowledged, in every order of the others.
func TestCoordinatorFinals(t *testing.T) {
	type step struct {
		begin uint64
		ack   task.Ack
	}
	cases := []struct {
		name  string
		steps []step
		want  []string // "epoch done" per commit
	}{
		{"instead of the ack", []step{{begin: 1}, {ack: final(1)}, {ack: ack(2, 1)}}, []string{"1 false"}},
		{"after the others", []step{{begin: 1}, {ack: ack(2, 1)}, {ack: final(1)}}, []string{"1 false"}},
		{"before any epoch", []step{{ack: final(1)}, {begin: 1}, {ack: ack(2, 1)}}, []string{"1 false"}},
		{"after its ack: the next epoch", []step{{begin: 1}, {ack: ack(1, 1)}, {ack: final(1)}, {ack: ack(2, 1)}, {begin: 2}, {ack: ack(2, 2)}}, []string{"1 false", "2 false"}},
		{"all, before any epoch", []step{{ack: final(1)}, {ack: final(2)}, {begin: 1}}, []string{"1 true"}},
		{"all, within an epoch", []step{{begin: 1}, {ack: final(1)}, {ack: final(2)}}, []string{"1 true"}},
		{"all, one after its ack", []step{{begin: 1}, {ack: ack(1, 1)}, {ack: final(1)}, {ack: final(2)}, {begin: 2}}, []string{"1 false", "2 true"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := NewCoordinator([]int{1, 2}, nil)
			var got []string
			for _, s := range tc.steps {
				var commit *Commit
				if s.begin != 0 {
					commit = c.Begin(s.begin)
				} else {
					commit = c.Ack(s.ack)
				}
				if commit != nil {
					got = append(got, fmt.Sprint(commit.Epoch, commit.Done))
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestCoordinatorKeepsSplitsAndWatermarks(t *testing.T) {
	from := &Commit{Splits: []task.Split{{Source: "s", Split: "a", Position: []byte("1")}, {Source: "s", Split: "b", Position: []byte("2")}}, Watermarks: map[string]int64{"l": 5}}
	c := NewCoordinator([]int{1}, from)
	c.Begin(1)
	got := c.Ack(task.Ack{Task: 1, Splits: []task.Split{{Source: "s", Split: "a", Position: []byte("9")}}, Watermarks: map[string]int64{"l": 4, "m": 1}})
	if len(got.Splits) != 2 || string(got.Splits[0].Position) != "9" || string(got.Splits[1].Position) != "2" {
		t.Errorf("splits %+v", got.Splits)
	}
	if want := map[string]int64{"l": 5, "m": 1}; !maps.Equal(got.Watermarks, want) {
		t.Errorf("watermarks %v: they never go back", got.Watermarks)
	}
}

func TestCoordinatorConcludes(t *testing.T) {
	c := NewCoordinator([]int{1, 2}, nil)
	if c.Ack(task.Ack{Task: 2, Final: true, Delta: []byte("x")}) != nil {
		t.Fatal("no epoch is under way")
	}
	got := c.Conclude(3)
	if got == nil || got.Epoch != 3 || !got.Done || len(got.Deltas) != 1 {
		t.Errorf("got %+v", got)
	}
}

// The simulation: two sources, two tasks behind them, one root. Every task notes the tokens it has seen; they travel as deltas of acks.

type simMessage struct {
	token   int // source*1000 + number
	barrier uint64
	end     bool
}

type simTask struct {
	id      int
	source  int // 1-based; 0: none
	given   int
	total   int
	control []uint64
	in      [][]simMessage
	aligned []bool
	ended   []bool
	out     []simEdge
	epoch   uint64
	seen    []byte // tokens since the last ack, "1001,"
	over    bool
}

type simEdge struct {
	to *simTask
	at int
}

type simulation struct {
	rng   *rand.Rand
	tasks []*simTask
	acks  []task.Ack // on their way to the coordinator
}

func newSimulation(seed uint64) *simulation {
	s := &simulation{rng: rand.New(rand.NewPCG(seed, 3))}
	for id := range 5 {
		s.tasks = append(s.tasks, &simTask{id: id})
	}
	connect := func(from, to *simTask) {
		from.out = append(from.out, simEdge{to, len(to.in)})
		to.in, to.aligned, to.ended = append(to.in, nil), append(to.aligned, false), append(to.ended, false)
	}
	for i, src := range s.tasks[:2] {
		src.source, src.total = i+1, s.rng.IntN(20)
		connect(src, s.tasks[2])
		connect(src, s.tasks[3])
	}
	connect(s.tasks[2], s.tasks[4])
	connect(s.tasks[3], s.tasks[4])
	return s
}

func (e simEdge) send(m simMessage) { e.to.in[e.at] = append(e.to.in[e.at], m) }

func (s *simulation) ack(t *simTask, epoch uint64, final bool) {
	a := task.Ack{Task: t.id, Epoch: epoch, Final: final, Delta: slices.Clone(t.seen)}
	if t.source > 0 {
		a.Splits = []task.Split{{Source: "s", Split: strconv.Itoa(t.source), Position: strconv.AppendInt(nil, int64(t.given), 10)}}
		a.Delta = nil
	}
	t.seen = nil
	s.acks = append(s.acks, a)
}

// step lets a task do one thing; false when it has nothing to do.
func (s *simulation) step(t *simTask) bool {
	switch {
	case t.over:
		return false
	case t.source > 0:
		return s.stepSource(t)
	}
	start := s.rng.IntN(len(t.in))
	for k := range t.in {
		i := (start + k) % len(t.in)
		if t.aligned[i] || len(t.in[i]) == 0 {
			continue
		}
		m := t.in[i][0]
		t.in[i] = t.in[i][1:]
		switch {
		case m.end:
			t.ended[i] = true
		case m.barrier > 0:
			t.aligned[i], t.epoch = true, m.barrier
		default:
			t.seen = fmt.Appendf(t.seen, "%d,", t.id*100000+m.token)
			if len(t.out) > 0 {
				t.out[0].send(m)
			}
		}
		s.align(t)
		return true
	}
	return false
}

func (s *simulation) stepSource(t *simTask) bool {
	switch {
	case len(t.control) > 0 && s.rng.IntN(3) == 0:
		s.ack(t, t.control[0], false)
		for _, e := range t.out {
			e.send(simMessage{barrier: t.control[0]})
		}
		t.control = t.control[1:]
	case t.given < t.total:
		t.out[s.rng.IntN(len(t.out))].send(simMessage{token: t.source*1000 + t.given})
		t.given++
	case s.rng.IntN(4) == 0:
		s.finish(t)
	}
	return true
}

func (s *simulation) finish(t *simTask) {
	s.ack(t, 0, true)
	for _, e := range t.out {
		e.send(simMessage{end: true})
	}
	t.over = true
}

// align does what a task does after a barrier or an end.
func (s *simulation) align(t *simTask) {
	all, any := true, false
	for i := range t.in {
		all = all && t.ended[i]
		any = any || t.aligned[i]
	}
	if all {
		s.finish(t)
		return
	}
	for i := range t.in {
		if !any || !t.ended[i] && !t.aligned[i] {
			return
		}
	}
	s.ack(t, t.epoch, false)
	for _, e := range t.out {
		e.send(simMessage{barrier: t.epoch})
	}
	clear(t.aligned)
}

// TestCoordinatorSimulation: after every commit, each token that the committed source positions cover has been seen by exactly the tasks on
// its way, exactly once, and no other token has.
func TestCoordinatorSimulation(t *testing.T) {
	for seed := range uint64(3000) {
		if err := simulate(newSimulation(seed)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func simulate(s *simulation) error {
	c := NewCoordinator([]int{0, 1, 2, 3, 4}, nil)
	seen := map[string]int{} // "level.token" -> times
	epoch := uint64(0)
	for range 100_000 {
		var commit *Commit
		switch n := s.rng.IntN(10); {
		case n < 2 && len(s.acks) > 0:
			commit, s.acks = c.Ack(s.acks[0]), s.acks[1:]
		case n == 2 && !c.Busy():
			epoch++
			if commit = c.Begin(epoch); commit == nil {
				for _, t := range s.tasks[:2] {
					t.control = append(t.control, epoch)
				}
			}
		default:
			s.step(s.tasks[s.rng.IntN(len(s.tasks))])
		}
		if commit == nil {
			continue
		}
		if err := checkCut(s, commit, seen); err != nil {
			return err
		}
		if commit.Done {
			return checkDone(s, commit)
		}
	}
	return fmt.Errorf("never done: waiting for %v", c.Waiting())
}

func checkCut(s *simulation, commit *Commit, seen map[string]int) error {
	for _, d := range commit.Deltas {
		for tok := range bytesFields(d) {
			n, _ := strconv.Atoi(tok)
			level := "middle"
			if n/100000 == 4 {
				level = "root"
			}
			seen[fmt.Sprint(level, n%100000)]++
		}
	}
	want := 0
	for _, sp := range commit.Splits {
		source, _ := strconv.Atoi(sp.Split)
		upTo, _ := strconv.Atoi(string(sp.Position))
		for i := range upTo {
			for _, level := range []string{"middle", "root"} {
				want++
				if n := seen[fmt.Sprint(level, source*1000+i)]; n != 1 {
					return fmt.Errorf("epoch %d: %s has token %d of source %d %d times", commit.Epoch, level, i, source, n)
				}
			}
		}
	}
	if len(seen) != want {
		return fmt.Errorf("epoch %d: %d tokens seen, positions cover %d", commit.Epoch, len(seen), want)
	}
	return nil
}

func bytesFields(d []byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		start := 0
		for i, b := range d {
			if b == ',' {
				if !yield(string(d[start:i])) {
					return
				}
				start = i + 1
			}
		}
	}
}

func checkDone(s *simulation, commit *Commit) error {
	for _, sp := range commit.Splits {
		i, _ := strconv.Atoi(sp.Split)
		if string(sp.Position) != strconv.Itoa(s.tasks[i-1].total) {
			return fmt.Errorf("done at position %s of source %d, which has %d", sp.Position, i, s.tasks[i-1].total)
		}
	}
	return nil
}
