package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// memoryInterval is how often the garbage collector is tuned.
const memoryInterval = 500 * time.Millisecond

// gcPercents says how far the heap may grow between collections, by what is alive. Batches are pooled, so a small engine would collect far
// too often by default; a large one would hold several times what it needs.
var gcPercents = []struct {
	below   uint64 // bytes alive
	percent int
}{{64 << 20, 400}, {256 << 20, 200}, {1 << 62, 100}}

// tuneMemory keeps the collector tuned for the life of the process, unless the user has decided by GOGC.
func tuneMemory() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(gcPercents[0].percent)
	go func() {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		set := gcPercents[0].percent
		for range time.Tick(memoryInterval) {
			metrics.Read(sample)
			for _, g := range gcPercents {
				if sample[0].Value.Uint64() >= g.below {
					continue
				}
				if g.percent != set {
					debug.SetGCPercent(g.percent)
					set = g.percent
				}
				break
			}
		}
	}()
}
