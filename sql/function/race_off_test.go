//go:build !race

package function

// raceEnabled tells whether the race detector is on.
const raceEnabled = false
