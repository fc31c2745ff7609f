package build

import (
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/checkpoint"
	"github.com/millrace/millrace/runtime/exchange"
	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/runtime/view"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
	"github.com/millrace/millrace/state/keyed"
)

// Options are what a plan is built with.
type Options struct {
	JobID, JobName string
	Parallelism    int
	Env            *connectors.Env
	Zone           *time.Location
	Clock          func() time.Time
	State          *keyed.Store       // nil: nothing is kept
	Last           *checkpoint.Commit // nil: a fresh start
	Full           func()             // a sink's stage is full
	Views          func(name string) *view.Table
	View           func(w *physical.ViewWrite) *view.Table
	System         func(name string, b *vector.Batch) error
	Result         func(b *vector.Batch) error
	Rejected       func(stage, relation string, r connectors.Rejected)
	Late           func(stage string, b *vector.Batch, rows []int32) (publish func())
}

// Graph is a plan ready to run.
type Graph struct {
	Tasks   []*task.Task
	Sources []*Source
	Sinks   []*Sink
}

// Source is an open source and the tasks that read it.
type Source struct {
	Relation string
	Source   connectors.Source
	Fields   []types.Field
	Bounded  bool
	Initial  []SplitStart
	Known    map[string]bool
	Tasks    []SourceTask
	name     string // of the leaf, in checkpoints
}

// SourceTask names a leaf that reads a source.
type SourceTask struct {
	Task *task.Task
	Leaf int
}

// SplitStart is a split to read from a position into a channel.
type SplitStart struct {
	Split    string
	Position connectors.Position
	Channel  *exchange.Channel
}

// committer is implemented by sources that publish how far a job has come (Kafka's committed offsets).
type committer interface {
	Committed(positions map[string]connectors.Position)
}

// Committed tells the source how far the job has come.
func (s *Source) Committed(splits []task.Split) {
	c, ok := s.Source.(committer)
	if !ok {
		return
	}
	positions := map[string]connectors.Position{}
	for _, sp := range splits {
		if sp.Source == s.name && sp.Position != nil {
			positions[sp.Split] = sp.Position
		}
	}
	c.Committed(positions)
}

// Sink is a sink of the plan.
type Sink struct {
	Name     string // unique within the job
	Relation string
	Sink     connectors.Sink
	Eager    bool
}

// forgetter is implemented by sinks that leave a marker outside to know what they have written (files).
type forgetter interface{ Forget() error }

// Close closes sources and sinks. With forget the job will never go on: sinks remove their markers.
func (g *Graph) Close(forget bool) {
	for _, s := range g.Sources {
		s.Source.Close()
	}
	for _, s := range g.Sinks {
		s.Sink.Close()
		if f, ok := s.Sink.(forgetter); ok && forget {
			_ = f.Forget() // a marker left behind harms nobody: the next job replaces it
		}
	}
}
