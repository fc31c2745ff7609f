package exchange

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/millrace/millrace/runtime/flow"
)

func message(n int) flow.Message { return flow.Message{Kind: flow.Watermark, Time: int64(n)} }

// TestCredit: a producer blocks when its channel is full, and goes on when the receiver has taken one.
func TestCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := NewInbox()
		c := in.Add(0, 0)
		sent := 0
		go func() {
			for i := range ChannelCapacity + 3 {
				if c.Send(message(i)) != nil {
					return
				}
				sent++
			}
		}()
		synctest.Wait()
		if sent != ChannelCapacity {
			t.Fatalf("%d sent without credit", sent)
		}
		for i := range ChannelCapacity + 3 {
			_, _, m, ok := in.Receive()
			if !ok || m.Time != int64(i) {
				t.Fatalf("message %d is %+v", i, m)
			}
			synctest.Wait()
			if want := min(ChannelCapacity+1+i, ChannelCapacity+3); sent != want {
				t.Fatalf("%d sent after %d taken, want %d", sent, i+1, want)
			}
		}
	})
}

// TestHold: a held channel delivers nothing and does not stop the others; nothing is lost when it is let go.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := NewInbox()
		a, b := in.Add(0, 0), in.Add(0, 1)
		a.Hold(true)
		for i := range 3 {
			if a.Send(message(i)) != nil || b.Send(message(10+i)) != nil {
				t.Fatal("closed")
			}
		}
		for i := range 3 {
			if _, c, m, _ := in.Receive(); c != b || m.Time != int64(10+i) {
				t.Fatalf("got %d from channel %d", m.Time, c.Index)
			}
		}
		got := false
		go func() {
			_, _, _, got = in.Receive()
		}()
		synctest.Wait()
		if got {
			t.Fatal("a held channel has delivered")
		}
		in.Control("go on")
		synctest.Wait()
		a.Hold(false)
		for i := range 3 {
			if _, c, m, _ := in.Receive(); c != a || m.Time != int64(i) {
				t.Fatalf("got %d", m.Time)
			}
		}
	})
}

// TestControlOvertakes: control messages come first, in their order, also when everything is held.
func TestControlOvertakes(t *testing.T) {
	in := NewInbox()
	c := in.Add(0, 0)
	if err := c.Send(message(1)); err != nil {
		t.Fatal(err)
	}
	in.Control("a")
	in.Control("b")
	for _, want := range []string{"a", "b"} {
		if ctl, _, _, ok := in.Receive(); !ok || ctl != want {
			t.Fatalf("got %v", ctl)
		}
	}
	if ctl, ch, _, _ := in.Receive(); ctl != nil || ch != c {
		t.Fatal("the row is lost")
	}
}

// TestCloseWakesEverybody: receiver and blocked producers return; later sends fail.
func TestCloseWakesEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, other := NewInbox(), NewInbox()
		c := in.Add(0, 0)
		var group sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			group.Go(func() {
				for errs[i] == nil {
					errs[i] = c.Send(message(0))
				}
			})
		}
		received := true
		group.Go(func() { _, _, _, received = other.Receive() })
		synctest.Wait()
		in.Close()
		other.Close()
		group.Wait()
		for i, err := range errs {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("producer %d: %v", i, err)
			}
		}
		if received || !errors.Is(c.Send(message(1)), ErrClosed) {
			t.Error("a closed inbox works")
		}
	})
}

// TestFairness: a channel that is always full does not starve another.
func TestFairness(t *testing.T) {
	in := NewInbox()
	a, b := in.Add(0, 0), in.Add(0, 1)
	for range ChannelCapacity {
		if a.Send(message(0)) != nil || b.Send(message(0)) != nil {
			t.Fatal("closed")
		}
	}
	turns := [2]int{}
	for range ChannelCapacity {
		_, c, _, _ := in.Receive()
		turns[c.Index]++
	}
	if turns[0] != turns[1] {
		t.Errorf("turns %v", turns)
	}
}

// TestOrderUnderLoad: many producers, one receiver: each channel keeps its order and loses nothing.
func TestOrderUnderLoad(t *testing.T) {
	const producers, messages = 4, 2000
	in := NewInbox()
	for p := range producers {
		c := in.Add(p, 0)
		go func() {
			for i := range messages {
				if c.Send(message(i)) != nil {
					return
				}
			}
		}()
	}
	next := [producers]int64{}
	for range producers * messages {
		_, c, m, _ := in.Receive()
		if m.Time != next[c.Leaf] {
			t.Fatalf("channel %d: %d after %d", c.Leaf, m.Time, next[c.Leaf])
		}
		next[c.Leaf]++
	}
}
