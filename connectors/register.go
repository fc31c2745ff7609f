package connectors

import (
	"slices"
	"strings"
	"sync"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// MetadataColumn is a column that a connector can fill from outside the record's value.
type MetadataColumn struct {
	Key  string
	Type types.Type
	Doc  string
}

// Spec declares a connector. Options are its own; those of the chosen format are added by the registry.
type Spec struct {
	Name     string
	Doc      string
	Example  string
	Options  []Option
	Formats  []string // names of formats it works with, the default first; nil: it has its own schema
	Metadata []MetadataColumn
	// Bounded tells whether a source with these options comes to an end.
	Bounded func(v Values) bool
	// Source and Sink are nil when the connector cannot do it.
	Source func(cfg SourceConfig) (Source, error)
	Sink   func(cfg SinkConfig) (Sink, error)
	// SinkMode tells what changelog a sink with these options takes; hasKey says whether the relation has a key.
	SinkMode func(v Values, hasKey bool) SinkMode
	// SourceChanges tells whether a source with these options brings a changelog: Append (only +I), Upsert, Retract.
	SourceChanges func(v Values) SinkMode
	// Columns gives the schema of a connector that has its own (datagen, taxi); nil otherwise.
	Columns func(v Values) []Column
}

var registry = struct {
	sync.RWMutex
	specs         map[string]*Spec
	formatOptions map[string][]Option
}{specs: map[string]*Spec{}, formatOptions: map[string][]Option{}}

// Register adds a connector; called from init functions of implementations.
func Register(s *Spec) {
	registry.Lock()
	defer registry.Unlock()
	if _, taken := registry.specs[s.Name]; taken {
		panic("connectors: two connectors named " + s.Name)
	}
	registry.specs[s.Name] = s
}

// RegisterFormatOptions declares the options of a format; called by connectors/format when a format is registered.
func RegisterFormatOptions(format string, options []Option) {
	registry.Lock()
	defer registry.Unlock()
	registry.formatOptions[format] = options
}

// Lookup finds a connector by name; a *diag.Error with did-you-mean when there is none.
func Lookup(name string) (*Spec, error) {
	registry.RLock()
	defer registry.RUnlock()
	if s, ok := registry.specs[name]; ok {
		return s, nil
	}
	names := names()
	err := diag.New(diag.UnknownConnector, -1, "unknown connector '%s'", name)
	if near := diag.Suggest(name, names); near != "" {
		return nil, err.WithHint("did you mean '%s'?", near)
	}
	return nil, err.WithHint("connectors: %s", strings.Join(names, ", "))
}

func names() []string {
	var out []string
	for n := range registry.specs {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// All returns every connector by name.
func All() []*Spec {
	registry.RLock()
	defer registry.RUnlock()
	var out []*Spec
	for _, n := range names() {
		out = append(out, registry.specs[n])
	}
	return out
}

// Common options that every connector takes; the engine reads them.
var Common = []Option{
	{Name: "connector", Required: true, Doc: "the connector's name; SHOW CONNECTORS lists them"},
	{Name: "error_policy", Type: OptEnum, Values: []string{"dead_letter", "fail", "skip"}, Default: "dead_letter",
		Doc: "what becomes of a record that cannot be a row: a row in the table errors, the end of the job, or only a count"},
	{Name: "max_future", Type: OptDuration, Default: "1h",
		Doc: "event times further ahead of the clock than this go to the table errors and do not move the watermark"},
	{Name: "parallelism", Type: OptInt, Doc: "tasks that read this source; default: one per core, never more than splits"},
}

// Options returns every option that a relation with this connector and format may set.
func (s *Spec) AllOptions(format string) []Option {
	registry.RLock()
	defer registry.RUnlock()
	out := slices.Concat(Common, s.Options)
	if len(s.Formats) > 0 {
		out = append(out, Option{Name: "format", Type: OptEnum, Values: s.Formats, Default: s.Formats[0], Doc: "the format of the records"})
		out = append(out, registry.formatOptions[format]...)
	}
	return out
}

// Check validates the WITH options of a relation.
func (s *Spec) Check(set map[string]string) (Values, error) {
	format := set["format"]
	if format == "" && len(s.Formats) > 0 {
		format = s.Formats[0]
	}
	return CheckOptions(set, s.AllOptions(format))
}

// Resolve finds the connector of a relation and checks its WITH options.
func Resolve(connector string, set map[string]string) (*Spec, Values, error) {
	spec, err := Lookup(connector)
	if err != nil {
		return nil, Values{}, err
	}
	values, err := spec.Check(set)
	return spec, values, err
}
