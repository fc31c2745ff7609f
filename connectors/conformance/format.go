package conformance

import (
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/vector"
)

// Format describes a format by rows that it must carry unchanged.
type Format struct {
	Name    string
	Columns []connectors.Column
	Options map[string]string
	Batch   func(t testing.TB) *vector.Batch
	Bad     []string // records that are none
}

// Run encodes each row, decodes it again and compares; a bad record between two good ones must leave no trace.
func (f Format) Run(t *testing.T) {
	spec, err := format.Lookup(f.Name)
	if err != nil {
		t.Fatal(err)
	}
	opts, err := connectors.CheckOptions(f.Options, spec.Options)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := format.NewEncoder(f.Name, f.Columns, nil, opts)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := format.NewDecoder(f.Name, f.Columns, opts)
	if err != nil {
		t.Fatal(err)
	}
	in, out := f.Batch(t), NewBatch(f.Columns)
	for i := range in.N {
		rec, err := enc.Encode([]byte("before"), in, i)
		if err != nil || string(rec[:6]) != "before" {
			t.Fatalf("row %d: %v: Encode must append", i, err)
		}
		if derr := dec.Decode(rec[6:], nil, out); derr != nil {
			t.Fatalf("row %d written as %s: %v", i, rec[6:], derr)
		}
		if got, want := Render(out, i), Render(in, i); got != want {
			t.Errorf("row %d written as %s: got %s, want %s", i, rec[6:], got, want)
		}
		for _, bad := range f.Bad {
			if dec.Decode([]byte(bad), nil, out) == nil {
				t.Errorf("%q is accepted", bad)
			}
			if out.N != i+1 || len(out.Op) > out.N {
				t.Fatalf("%q has left a part of a row", bad)
			}
		}
	}
}
