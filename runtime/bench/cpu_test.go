package bench

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// cpuTime is the processor time that this process has used, user and system.
func cpuTime(b testing.TB) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpuOf is the processor time of this process while f runs.
func cpuOf(b testing.TB, f func()) time.Duration {
	b.Helper()
	before := cpuTime(b)
	f()
	return cpuTime(b) - before
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}
