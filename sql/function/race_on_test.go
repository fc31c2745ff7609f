//go:build race

package function

// raceEnabled tells whether the race detector is on: it allocates and makes pools forget at random.
const raceEnabled = true
