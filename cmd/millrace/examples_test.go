package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/sqltest"
)

// TestExamples runs the expected.test of every example.
func TestExamples(t *testing.T) {
	s, err := sqltest.RunPaths(t.Context(), []string{"../../examples"}, sqltest.Options{Out: os.Stdout})
	if err != nil {
		t.Fatal(err)
	}
	if s.Failed > 0 || s.Passed == 0 {
		t.Fatalf("%d passed, %d failed", s.Passed, s.Failed)
	}
}

// TestExamplesPlan checks every pipeline of the examples, with all its conditional parts.
func TestExamplesPlan(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/pipeline.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pipelines: %v", err)
	}
	for _, f := range files {
		text, err := readScript(f, []string{"OPENSEARCH_URL=http://127.0.0.1:9200"})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range engine.CheckScript(text) {
			t.Errorf("%s: %v", f, p)
		}
	}
}
