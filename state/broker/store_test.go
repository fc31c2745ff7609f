package broker

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestDamagedStateIsRefused(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir)
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, stateFile)
	data, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what string) {
		if b, err := Open(Options{DataDir: dir}); err == nil {
			b.Close(context.Background())
			t.Errorf("%s: opened", what)
		}
	}
	os.WriteFile(state, data[:len(data)/2], 0o644)
	refuse("half a state file")
	os.Remove(state)
	refuse("no state file, but topics")
	os.WriteFile(state, data, 0o644)
	b = openBroker(t, dir)
	if _, err := b.Watermarks("t", 0); err != nil {
		t.Error(err)
	}
}
