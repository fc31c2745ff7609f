package keyed

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// fault keeps the first background fault of a Pebble instance. Pebble retries failed flushes for ever and calls Fatalf where it cannot go
// on; both must reach the job as an error, neither may end the process or block it.
//
// Every call into Pebble that writes runs under do, in a goroutine of its own: Fatalf then ends that goroutine (or Pebble's own
// background one) by Goexit, which is all that Pebble asks of it, and do returns the fault to the caller.
type fault struct {
	once   sync.Once
	failed chan struct{} // closed once err is set
	err    error

	wg sync.WaitGroup // calls under do
}

func newFault() *fault { return &fault{failed: make(chan struct{})} }

func (f *fault) set(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.failed)
	})
}

// get returns the fault, nil when there is none.
func (f *fault) get() error {
	select {
	case <-f.failed:
		return fmt.Errorf("state store failed and must be reopened: %w", f.err)
	default:
		return nil
	}
}

// do runs fn unless the store has failed, and returns early when it fails meanwhile; fn may then still be running or blocked.
func (f *fault) do(fn func() error) error {
	if err := f.get(); err != nil {
		return err
	}
	done := make(chan error, 1)
	f.wg.Add(1)
	go func() {
		defer f.wg.Done()
		result := errors.New("storage engine gave up")
		defer func() { done <- result }()
		defer f.catch()
		result = fn()
	}()
	select {
	case err := <-done:
		return err
	case <-f.failed:
		return f.get()
	}
}

// catch turns a panic into the fault: Pebble panics where a failed directory sync leaves it unsure of what is on the disk.
func (f *fault) catch() {
	if p := recover(); p != nil {
		f.set(fmt.Errorf("storage engine panicked: %v", p))
	}
}

// logger is Pebble's logger: silent, but a fatal message becomes the fault.
type logger struct{ fault *fault }

func (l logger) Infof(string, ...any)  {}
func (l logger) Errorf(string, ...any) {}

// Fatalf must not return.
func (l logger) Fatalf(format string, args ...any) {
	l.fault.set(fmt.Errorf(format, args...))
	runtime.Goexit()
}
