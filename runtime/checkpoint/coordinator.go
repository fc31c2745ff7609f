package checkpoint

import (
	"slices"

	"github.com/millrace/millrace/runtime/task"
)

// Stage is one sink's output of an epoch.
type Stage struct {
	Sink string
	Rows int64
	Data []byte
}

// Commit is everything that becomes true at the end of an epoch. Splits and Watermarks are complete, Deltas and Stages only this
// epoch's.
type Commit struct {
	Epoch      uint64
	Splits     []task.Split
	Watermarks map[string]int64 // by leaf
	Delivered  map[string]uint64
	Done       bool // every task has ended: the job is complete
	Stages     []Stage
	Deltas     [][]byte
	Publish    []func() // not durable: what to run after the commit
}

// Empty tells whether the commit says nothing that the one before did not.
func (c *Commit) Empty() bool { return len(c.Stages) == 0 && len(c.Deltas) == 0 && len(c.Publish) == 0 }

// Coordinator collects acknowledgements. It is a pure state machine: no clock, no I/O, no goroutine; not safe for concurrent use.
//
//	          Begin(n)                    last ack
//	idle ───────────────> collecting ───────────────> idle, Commit(n)
//	                       Ack(n), Final
//
// Invariant: a Final counts for the earliest epoch that its task has not acknowledged. A task that ends before it has seen barrier n
// sends Final instead of its ack for n, and its neighbours' acks for n include all its output; one that ends after its ack for n
// belongs to n+1.
type Coordinator struct {
	epoch      uint64 // being collected; 0: none
	waiting    map[int]bool
	final      map[int]bool
	parked     []task.Ack // finals for the next epoch
	collected  []task.Ack
	tasks      []int
	splits     map[[2]string]task.Split
	watermarks map[string]int64
}

// NewCoordinator makes a coordinator for the tasks that take part in checkpoints.
func NewCoordinator(tasks []int, from *Commit) *Coordinator {
	c := &Coordinator{tasks: slices.Clone(tasks), final: map[int]bool{}, splits: map[[2]string]task.Split{}, watermarks: map[string]int64{}}
	if from != nil {
		for _, s := range from.Splits {
			c.splits[[2]string{s.Source, s.Split}] = s
		}
		for k, v := range from.Watermarks {
			c.watermarks[k] = v
		}
	}
	return c
}

// Busy tells whether an epoch is being collected.
func (c *Coordinator) Busy() bool { return c.epoch != 0 }

// Waiting returns the tasks whose acknowledgement is missing.
func (c *Coordinator) Waiting() []int {
	var out []int
	for t := range c.waiting {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// AllFinal tells whether every task has ended.
func (c *Coordinator) AllFinal() bool { return len(c.final) == len(c.tasks) }

// Begin starts collecting an epoch; the caller then sends the barrier. A Commit comes back at once when every task has ended.
func (c *Coordinator) Begin(epoch uint64) *Commit {
	c.epoch = epoch
	c.collected, c.parked = c.parked, nil
	c.waiting = map[int]bool{}
	for _, t := range c.tasks {
		if !c.final[t] {
			c.waiting[t] = true
		}
	}
	return c.maybeCommit()
}

// Ack takes an acknowledgement; it returns the commit when it was the last.
func (c *Coordinator) Ack(a task.Ack) *Commit {
	if a.Final {
		c.final[a.Task] = true
		if !c.waiting[a.Task] {
			c.parked = append(c.parked, a)
			return nil
		}
	}
	delete(c.waiting, a.Task)
	c.collected = append(c.collected, a)
	return c.maybeCommit()
}

// Conclude ends the job when the tasks at its end have ended, though others have not (LIMIT): what those would still say is of no use.
func (c *Coordinator) Conclude(epoch uint64) *Commit {
	if c.epoch == 0 {
		c.epoch = epoch
	}
	c.collected, c.parked = append(c.collected, c.parked...), nil
	for _, t := range c.tasks {
		c.final[t] = true
	}
	c.waiting = nil
	return c.maybeCommit()
}

func (c *Coordinator) maybeCommit() *Commit {
	if c.epoch == 0 || len(c.waiting) > 0 {
		return nil
	}
	commit := &Commit{Epoch: c.epoch, Done: c.AllFinal() && len(c.parked) == 0}
	// Tasks own ascending ranges of key groups: in their order their deltas are nearly in the store's.
	slices.SortStableFunc(c.collected, func(a, b task.Ack) int { return a.Task - b.Task })
	for _, a := range c.collected {
		c.merge(a, commit)
	}
	for _, s := range c.splits {
		commit.Splits = append(commit.Splits, s)
	}
	slices.SortFunc(commit.Splits, func(a, b task.Split) int {
		if a.Source != b.Source {
			return compare(a.Source, b.Source)
		}
		return compare(a.Split, b.Split)
	})
	commit.Watermarks = make(map[string]int64, len(c.watermarks))
	for k, v := range c.watermarks {
		commit.Watermarks[k] = v
	}
	c.epoch, c.collected = 0, nil
	return commit
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (c *Coordinator) merge(a task.Ack, commit *Commit) {
	for _, s := range a.Splits {
		c.splits[[2]string{s.Source, s.Split}] = s
	}
	for leaf, t := range a.Watermarks {
		if old, ok := c.watermarks[leaf]; !ok || t > old {
			c.watermarks[leaf] = t
		}
	}
	if len(a.Delta) > 0 {
		commit.Deltas = append(commit.Deltas, a.Delta)
	}
	if len(a.Stage) > 0 {
		commit.Stages = append(commit.Stages, Stage{Sink: a.Sink, Rows: a.StageRows, Data: a.Stage})
	}
	commit.Publish = append(commit.Publish, a.Publish...)
}
