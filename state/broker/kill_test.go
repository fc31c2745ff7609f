package broker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/state/log"
)

// TestKillKeepsAcknowledged kills the broker's process under load, several times: every acknowledged record must be there
// afterwards, and none twice.
func TestKillKeepsAcknowledged(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	acked := map[string]bool{}
	for round := range 4 {
		v := startVictim(t, dir)
		c, err := kgo.NewClient(kgo.SeedBrokers(v.addr), kgo.RecordDeliveryTimeout(2*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		stop := time.Now().Add(time.Duration(50+rand.IntN(150)) * time.Millisecond)
		for i := 0; time.Now().Before(stop) || i < 100; i++ {
			value := fmt.Sprintf("%d-%d", round, i)
			c.Produce(context.Background(), &kgo.Record{Topic: "t", Value: []byte(value)}, func(_ *kgo.Record, err error) {
				if err == nil {
					mu.Lock()
					acked[value] = true
					mu.Unlock()
				}
			})
		}
		v.kill()
		c.Close()
	}
	mu.Lock() // a closed client may still be calling back
	defer mu.Unlock()
	if len(acked) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	b, err := Open(Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(context.Background())
	seen := map[string]int{}
	for p := range int32(2) {
		part, err := b.lookup("t", p)
		if err != nil {
			t.Fatal(err)
		}
		if err := part.log.Each(0, func(r *log.Record) error { seen[string(r.Value)]++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for v := range acked {
		if seen[v] == 0 {
			t.Fatalf("acknowledged record %s is lost (%d acknowledged, %d found)", v, len(acked), len(seen))
		}
	}
	for v, n := range seen {
		if n > 1 {
			t.Fatalf("record %s is there %d times", v, n)
		}
	}
}

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
