package broker

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestMaxConns(t *testing.T) {
	b, err := Open(Options{DataDir: t.TempDir(), MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(context.Background())
	first := dialRaw(t, b)
	dialRaw(t, b)
	if c, err := b.Dial(context.Background()); err == nil {
		c.Close()
		t.Fatal("a third connection was accepted")
	}
	first.net.Close()
	deadline := time.Now().Add(5 * time.Second)
	for {
		c, err := b.Dial(context.Background())
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of a closed connection is not given back:", err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestByteBudget(t *testing.T) {
	var b byteBudget
	b.init(100)
	if n, ok := b.take(250); n != 100 || !ok {
		t.Fatalf("larger than the budget: %d, %v", n, ok)
	}
	got := make(chan bool)
	go func() { _, ok := b.take(1); got <- ok }()
	select {
	case <-got:
		t.Fatal("the budget was overdrawn")
	case <-time.After(10 * time.Millisecond):
	}
	b.give(100)
	if !<-got {
		t.Fatal("no room after giving back")
	}
	go func() { _, ok := b.take(100); got <- ok }()
	b.close()
	if <-got {
		t.Fatal("room in a closed budget")
	}
}

// TestCloseWakesLongPolls: closing does not wait for fetches to time out, and they get an answer.
func TestCloseWakesLongPolls(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	c := dialRaw(t, b)
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 4, 60_000, 1, 1000
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic = "t"
	rt.Partitions = append(rt.Partitions, kmsg.NewFetchRequestTopicPartition())
	req.Topics = append(req.Topics, rt)
	c.send(kmsg.NewPtrMetadataRequest())
	c.send(req)
	if err := c.receive(0, kmsg.NewPtrMetadataRequest().ResponseKind(), false); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := b.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("closing took %v", d)
	}
	if _, err := io.ReadAll(c.r); err != nil {
		t.Errorf("reading to the end: %v", err)
	}
	if _, err := b.Dial(context.Background()); err == nil {
		t.Error("a closed broker takes connections")
	}
	if err := b.CreateTopic("u", 1, nil); err == nil {
		t.Error("a closed broker creates topics")
	}
}
