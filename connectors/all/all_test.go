package all

import (
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
)

// TestSpecs holds every connector and format to what the reference documentation is made of.
func TestSpecs(t *testing.T) {
	check := func(kind, name, doc, example string, options []connectors.Option) {
		t.Helper()
		if doc == "" || example == "" {
			t.Errorf("%s %s lacks doc or example", kind, name)
		}
		seen := map[string]bool{}
		for _, o := range options {
			if o.Doc == "" {
				t.Errorf("%s %s: option %s lacks doc", kind, name, o.Name)
			}
			if seen[o.Name] {
				t.Errorf("%s %s: option %s is there twice", kind, name, o.Name)
			}
			seen[o.Name] = true
			if o.Default == "" {
				continue
			}
			if _, err := connectors.CheckOptions(map[string]string{o.Name: o.Default}, []connectors.Option{o}); err != nil {
				t.Errorf("%s %s: the default of option %s: %v", kind, name, o.Name, err)
			}
		}
	}
	for _, s := range connectors.All() {
		formats := s.Formats
		if len(formats) == 0 {
			formats = []string{""}
		}
		for _, f := range formats {
			check("connector", s.Name, s.Doc, s.Example, s.AllOptions(f))
			if f == "" {
				continue
			}
			if _, err := format.Lookup(f); err != nil {
				t.Errorf("connector %s: %v", s.Name, err)
			}
		}
		if s.Source == nil && s.Sink == nil {
			t.Errorf("connector %s is neither source nor sink", s.Name)
		}
	}
	for _, f := range format.All() {
		check("format", f.Name, f.Doc, f.Example, f.Options)
	}
}
