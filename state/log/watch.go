package log

import "context"

// Watcher is told when any of the logs it watches becomes longer for readers, fails or closes. One goroutine waits on C;
// the channel holds at most one token, so many advances cost one wake-up.
type Watcher struct {
	c chan struct{}
}

// NewWatcher makes a watcher that watches nothing yet.
func NewWatcher() *Watcher { return &Watcher{c: make(chan struct{}, 1)} }

// C delivers a token after an advance.
func (w *Watcher) C() <-chan struct{} { return w.c }

// Watch adds w to the log. Check the watermarks after Watch and before waiting, or an advance in between is missed.
func (l *Log) Watch(w *Watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[w] = struct{}{}
	if l.closed {
		w.poke()
	}
}

// Unwatch removes w from the log.
func (l *Log) Unwatch(w *Watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, w)
}

func (w *Watcher) poke() {
	select {
	case w.c <- struct{}{}:
	default:
	}
}

// notify wakes everybody waiting for an advance. Caller holds mu.
func (l *Log) notify() {
	if l.wake != nil {
		close(l.wake)
		l.wake = nil
	}
	for w := range l.watchers {
		w.poke()
	}
}

// WaitVisible blocks until everything below offset is visible (under FlushAck: durable), the log stops, or ctx ends.
func (l *Log) WaitVisible(ctx context.Context, offset int64) error {
	for {
		l.mu.Lock()
		if l.hw >= offset {
			l.mu.Unlock()
			return nil
		}
		if l.failed != nil {
			l.mu.Unlock()
			return l.failed
		}
		if l.wake == nil {
			l.wake = make(chan struct{})
		}
		wake := l.wake
		l.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
