package broker

import (
	"sync"
	"time"
)

// timers are the delayed actions of a broker. Those still waiting at Close never run, and Close waits for those that run.
type timers struct {
	mu      sync.Mutex
	waiting map[*time.Timer]struct{} // guarded by mu
	stopped bool                     // guarded by mu
	running sync.WaitGroup
}

// after runs fn on its own goroutine when d has passed. The cancel function is safe to call at any time and does not wait for fn.
func (b *Broker) after(d time.Duration, fn func()) (cancel func()) {
	t := &b.timers
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return func() {}
	}
	if t.waiting == nil {
		t.waiting = map[*time.Timer]struct{}{}
	}
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		if t.begin(timer) {
			defer t.running.Done()
			fn()
		}
	})
	t.waiting[timer] = struct{}{}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		timer.Stop()
		delete(t.waiting, timer)
	}
}

// begin claims a fired timer; false means it was cancelled or the broker is closing.
func (t *timers) begin(timer *time.Timer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.waiting[timer]; !ok || t.stopped {
		return false
	}
	delete(t.waiting, timer)
	t.running.Add(1)
	return true
}

// stop drops the waiting timers and waits for the running ones.
func (t *timers) stop() {
	t.mu.Lock()
	t.stopped = true
	for timer := range t.waiting {
		timer.Stop()
	}
	clear(t.waiting)
	t.mu.Unlock()
	t.running.Wait()
}
