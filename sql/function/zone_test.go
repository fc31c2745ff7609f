package function

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace/millrace/sql/types"
)

// TestZoneClock compares with the time package: every instant is one of those that show its wall clock, the first; a wall clock
// that no instant shows is the end of its gap.
func TestZoneClock(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "+14:00", "-13:59"} {
		loc, err := ParseZone(name)
		if err != nil {
			t.Fatal(err)
		}
		c, r := NewZoneClock(loc), rand.New(rand.NewPCG(1, 2))
		x := int64(0)
		for i := range 20_000 {
			if x += r.Int64N(40 * types.Minute); i%50 == 0 {
				x = r.Int64N(4*365*types.Day) + time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
			}
			_, offset := time.UnixMicro(x).In(loc).Zone()
			wall := x + int64(offset)*types.Second
			if got := c.Wall(x); got != wall {
				t.Fatalf("%s: wall clock of %d is %d, not %d", name, x, got, wall)
			}
			fresh := NewZoneClock(loc)
			first := c.Instant(wall)
			if first > x || c.Wall(first) != wall || first != fresh.Instant(wall) {
				t.Fatalf("%s: instant of %d is %d, was %d", name, wall, first, x)
			}
			gap := c.Instant(x) // any wall clock
			if back := c.Wall(gap); back < x || back != x && c.Wall(gap-1) >= x {
				t.Fatalf("%s: %d is no end of the gap at %d", name, gap, x)
			}
		}
	}
}

func TestParseZone(t *testing.T) {
	for name, ok := range map[string]bool{"UTC": true, "SYSTEM": true, "system": true, "Europe/Berlin": true, "+14:00": true, "-13:59": true, "+5:30": true,
		"+14:01": false, "-14:00": false, "+2": false, "+02:60": false, "+-2:00": false, "02:00": false, "Local": false, "Europe/Nowhere": false, "../UTC": false} {
		if _, err := ParseZone(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func BenchmarkZoneClock(b *testing.B) {
	loc, _ := ParseZone("Europe/Berlin")
	ctx := &Ctx{Zone: loc}
	x := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	b.Run("wall", func(b *testing.B) {
		for i := range int64(b.N) {
			ctx.toWall(x + i)
		}
	})
	b.Run("instant", func(b *testing.B) {
		for i := range int64(b.N) {
			ctx.fromWall(x + i)
		}
	})
	b.Run("lookup", func(b *testing.B) {
		for i := range int64(b.N) {
			time.UnixMicro(x + i).In(loc).Zone()
		}
	})
}
