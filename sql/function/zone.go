package function

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxOffset is more than any zone's clocks are ahead of UTC or behind it.
const maxOffset = 16 * types.Hour

// ZoneClock turns instants into the wall clocks of a zone and back. It remembers the span around the last instant in which the offset
// does not change: rows lie close together in time, and looking up a zone costs more than the rest of a kernel. The zero value is
// UTC. It belongs to one task.
type ZoneClock struct {
	zone       *time.Location
	start, end int64 // the span, microseconds UTC
	offset     int64 // microseconds ahead of UTC
}

// NewZoneClock makes a clock of a zone; nil is UTC.
func NewZoneClock(zone *time.Location) ZoneClock {
	if zone == time.UTC {
		zone = nil
	}
	return ZoneClock{zone: zone}
}

// move makes the span the one around an instant.
func (c *ZoneClock) move(micros int64) {
	at := time.UnixMicro(micros).In(c.zone)
	_, seconds := at.Zone()
	c.offset, c.start, c.end = int64(seconds)*types.Second, types.MinMicros-2*maxOffset, types.MaxMicros+2*maxOffset
	start, end := at.ZoneBounds()
	if !start.IsZero() {
		c.start = max(start.UnixMicro(), c.start)
	}
	if !end.IsZero() {
		c.end = min(end.UnixMicro(), c.end)
	}
}

// Wall moves an instant to the zone's wall clock.
func (c *ZoneClock) Wall(micros int64) int64 {
	if c.zone == nil {
		return micros
	}
	if micros < c.start || micros >= c.end {
		c.move(micros)
	}
	return micros + c.offset
}

// Instant is the inverse of Wall. By MySQL's rules a wall clock that the zone skips is the instant at which the gap ends, and of one that
// it repeats the first is meant (manual, UNIX_TIMESTAMP).
func (c *ZoneClock) Instant(wall int64) int64 {
	if c.zone == nil {
		return wall
	}
	// Far enough behind the beginning of a span no other one has the same wall clock.
	if x := wall - c.offset; x >= c.start+2*maxOffset && x < c.end {
		return x
	}
	wall = min(max(wall, types.MinMicros), types.MaxMicros) // NULL slots hold anything
	for c.move(wall - maxOffset); ; c.move(c.end) {
		x := wall - c.offset
		if x < c.start { // skipped
			return c.start
		}
		if x < c.end {
			return x
		}
	}
}

// WallClocks moves the TIMESTAMPs of a vector, also those within arrays, maps and structs, to the zone's wall clock, for showing them.
func (c *ZoneClock) WallClocks(v *vector.Vector) {
	if v.Type.Kind == types.Timestamp {
		for i, x := range v.I64 {
			v.I64[i] = c.Wall(x)
		}
	}
	for _, child := range v.Child {
		c.WallClocks(child)
	}
}

// shown gives values as their texts and JSON show them: TIMESTAMPs within them as wall clocks of the session's zone. It is v itself when
// there are none, or the zone is UTC.
func (c *Ctx) shown(v *vector.Vector) *vector.Vector {
	if c.inUTC() || !holdsInstants(v.Type) {
		return v
	}
	out := vector.New(v.Type, v.N)
	for i := range v.N {
		out.AppendFrom(v, i)
	}
	c.zoneClock().WallClocks(out)
	return out
}

// showing makes a kernel see its arguments as shown gives them.
func showing(k Kernel) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		if ctx.inUTC() {
			k(ctx, args, n, out)
			return
		}
		own := make([]*vector.Vector, len(args))
		for i, a := range args {
			own[i] = ctx.shown(a)
		}
		k(ctx, own, n, out)
	}
}

// holdsInstants tells whether values of a type are or hold TIMESTAMPs.
func holdsInstants(t types.Type) bool {
	if t.Kind == types.Timestamp || t.Key != nil && holdsInstants(*t.Key) || t.Elem != nil && holdsInstants(*t.Elem) {
		return true
	}
	return slices.ContainsFunc(t.Fields, func(f types.Field) bool { return holdsInstants(f.Type) })
}

// inUTC tells whether the session's wall clock is that of UTC, so that nothing is to be moved.
func (c *Ctx) inUTC() bool { return c.Zone == nil || c.Zone == time.UTC }

// zoneClock is the clock of the session's zone, made at its first use.
func (c *Ctx) zoneClock() *ZoneClock {
	if c.clock.zone != c.Zone {
		c.clock = NewZoneClock(c.Zone)
	}
	return &c.clock
}

// toWall moves an instant to the wall clock of the session's zone.
func (c *Ctx) toWall(micros int64) int64 {
	if c.inUTC() {
		return micros
	}
	return c.zoneClock().Wall(micros)
}

// fromWall is the instant of a wall clock of the session's zone.
func (c *Ctx) fromWall(wall int64) int64 {
	if c.inUTC() {
		return wall
	}
	return c.zoneClock().Instant(wall)
}

// Limits of offsets, those of MySQL (manual 7.1.15).
const (
	minOffset = -(13*types.Hour + 59*types.Minute)
	topOffset = 14 * types.Hour
)

// ParseZone reads an offset such as +02:00, from -13:59 to +14:00, the name of an IANA zone, or SYSTEM, which is UTC. UTC is time.UTC.
func ParseZone(name string) (*time.Location, error) {
	switch {
	case name == "", strings.EqualFold(name, "SYSTEM"), strings.EqualFold(name, "UTC"):
		return time.UTC, nil
	case name == "Local":
		return nil, fmt.Errorf("unknown time zone %q", name)
	case name[0] != '+' && name[0] != '-':
		zone, err := time.LoadLocation(name)
		if err != nil {
			return nil, fmt.Errorf("unknown time zone %q", name)
		}
		return zone, nil
	}
	hours, minutes, ok := strings.Cut(name[1:], ":")
	h, isNumber := parseInt([]byte(hours))
	m, isNumber2 := parseInt([]byte(minutes))
	micros := h*types.Hour + m*types.Minute
	if name[0] == '-' {
		micros = -micros
	}
	if !ok || !isNumber || !isNumber2 || len(hours) > 2 || len(minutes) != 2 || h < 0 || m < 0 || m > 59 || micros < minOffset || micros > topOffset {
		return nil, fmt.Errorf("%q is no offset such as +02:00, from -13:59 to +14:00", name)
	}
	if micros == 0 {
		return time.UTC, nil
	}
	return time.FixedZone(name, int(micros/types.Second)), nil
}
