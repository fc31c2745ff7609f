package function

import (
	"fmt"
	"sync"
	"time"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// epochFuncs is the part of the time table that turns instants into numbers and wall clocks of zones, and back.
func epochFuncs() []*Func {
	return []*Func{
		def("utc_timestamp()", "now() as the wall clock of UTC, a DATETIME.", bindNow(func(ctx *Ctx) int64 { return ctx.Now }, tDatetime), "typeof(utc_timestamp())", "DATETIME(6)").stable(),
		def("utc_date()", "The day of now() in UTC.", bindNow(func(ctx *Ctx) int64 { return types.FloorDiv(ctx.Now, types.Day) }, tDate), "typeof(utc_date())", "DATE").stable(),
		def("utc_time()", "The clock of now() in UTC.", bindNow(func(ctx *Ctx) int64 { return clockOf(ctx.Now) }, tTime), "typeof(utc_time())", "TIME(6)").stable(),
		def("current_timezone()", "The session's time zone.", fixed(tText, func(ctx *Ctx, _ []*vector.Vector, n int, out *vector.Vector) {
			name := "UTC"
			if ctx.Zone != nil {
				name = ctx.Zone.String()
			}
			for range n {
				out.AppendString(name)
			}
		}), "current_timezone()", "UTC").stable(),
		fromEpoch("from_epoch_s(n)", "seconds", types.Second, "from_epoch_s(60)", "1970-01-01 00:01:00"),
		fromEpoch("from_epoch_ms(n)", "milliseconds", types.Millisecond, "from_epoch_ms(1500)", "1970-01-01 00:00:01.500"),
		fromEpoch("from_epoch_us(n)", "microseconds", 1, "from_epoch_us(1500000)", "1970-01-01 00:00:01.500"),
		def("from_epoch_ns(n)", "The instant of that many nanoseconds since 1970-01-01 UTC, cut to microseconds.", fixed(tStamp, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return types.FloorDiv(a[0].I64[i], 1000), true
		}), tInt), "from_epoch_ns(1500000000)", "1970-01-01 00:00:01.500"),
		toEpoch("to_epoch_s(t)", "Seconds", types.Second, "to_epoch_s(TIMESTAMP '1970-01-01 00:01:00')", "60"),
		toEpoch("to_epoch_us(t)", "Microseconds", 1, "to_epoch_us(TIMESTAMP '1970-01-01 00:00:01.5')", "1500000"),
		def("to_timestamp_ltz(n, precision)", "The instant of n units since 1970-01-01 UTC, precision telling the unit: 0 seconds, 3 milliseconds, 6 microseconds, 9 nanoseconds.", bindTimestampLTZ, "to_timestamp_ltz(1500, 3)", "1970-01-01 00:00:01.500", "to_timestamp_ltz(NULL, 3)", "NULL"),
		def("at_time_zone(t, zone) | t AT TIME ZONE zone", "The wall clock (DATETIME) of a TIMESTAMP in a zone; the instant (TIMESTAMP) of a DATETIME or text that is the wall clock of a zone. Zones are names such as 'Europe/Berlin' or offsets such as '+02:00'; NULL for an unknown zone in a column.", bindAtTimeZone,
			"at_time_zone(TIMESTAMP '2026-07-01 10:00:00', 'Europe/Berlin')", "2026-07-01 12:00:00", "at_time_zone('2026-07-01 12:00:00', 'Europe/Berlin')", "2026-07-01 10:00:00", "at_time_zone('2026-07-01 12:00:00', NULL)", "NULL").readingFrom(types.Timestamp, 0),
		def("utc_offset(t, zone)", "By how many seconds the clocks of a zone are ahead of UTC at an instant.", bindOffset, "utc_offset(TIMESTAMP '2026-07-01 10:00:00', 'Europe/Berlin')", "7200"),
		def("to_iso8601(t)", "A date or time in ISO 8601 with a T between day and clock; TIMESTAMPs in UTC with a Z.", bindISO, "to_iso8601(TIMESTAMP '2026-01-02 10:20:30.25')", "2026-01-02T10:20:30.250Z", "to_iso8601('2026-01-02')", "2026-01-02").reading(types.Timestamp),
	}
}

func fromEpoch(signature, unit string, size int64, examples ...string) *Func {
	return def(signature, "The instant of that many "+unit+" since 1970-01-01 UTC; NULL outside the years 0 to 9999.", fixed(tStamp, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		return epochMicros(a[0].I64[i], size)
	}), tInt), append(examples, signature[:len(signature)-3]+"(NULL)", "NULL")...)
}

func epochMicros(n, size int64) (int64, bool) {
	if n < types.MinMicros/size || n > types.MaxMicros/size {
		return 0, false
	}
	return n * size, true
}

func toEpoch(signature, unit string, size int64, examples ...string) *Func {
	return def(signature, unit+" since 1970-01-01 UTC.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		return types.FloorDiv(a[0].I64[i], size), true
	}), tStamp), examples...).reading(types.Timestamp)
}

func bindTimestampLTZ(args []Arg) (Bound, error) {
	want, err := match(args, 2, []types.Type{tInt, tInt})
	if err != nil {
		return Bound{}, err
	}
	precision, ok := constInt(args[1])
	size := map[int64]int64{0: types.Second, 3: types.Millisecond, 6: 1, 9: 1}[precision]
	if !ok || size == 0 {
		return Bound{}, fmt.Errorf("argument 2 must be 0, 3, 6 or 9")
	}
	return Bound{Ret: tStamp, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		n := a[0].I64[i]
		if precision == 9 {
			n = types.FloorDiv(n, 1000)
		}
		return epochMicros(n, size)
	})}, nil
}

// maxKnownZones bounds namedZones: there are some six hundred names, and offsets of whole minutes.
const maxKnownZones = 4096

// namedZones remembers the zones that columns have named.
var namedZones = struct {
	sync.RWMutex
	known map[string]*time.Location
}{known: map[string]*time.Location{}}

// zoneOf is ParseZone for every row; nil when there is no such zone.
func zoneOf(name []byte) *time.Location {
	namedZones.RLock()
	known := namedZones.known[string(name)]
	namedZones.RUnlock()
	if known != nil {
		return known
	}
	zone, err := ParseZone(string(name))
	if err != nil {
		return nil
	}
	namedZones.Lock()
	defer namedZones.Unlock()
	if len(namedZones.known) < maxKnownZones {
		namedZones.known[string(name)] = zone
	}
	return zone
}

// zones gives the clock of each row's zone from a constant or a column; it keeps the last one of a batch.
type zones struct {
	constant bool
	clock    ZoneClock
	known    bool
	name     []byte
}

func newZones(constant *time.Location) zones {
	return zones{constant: constant != nil, clock: NewZoneClock(constant), known: constant != nil}
}

// at is nil when there is no such zone.
func (z *zones) at(v *vector.Vector, i int) *ZoneClock {
	if z.constant {
		return &z.clock
	}
	if name := v.Bytes(i); !z.known || string(name) != string(z.name) {
		zone := zoneOf(name)
		z.name, z.known, z.clock = append(z.name[:0], name...), zone != nil, NewZoneClock(zone)
	}
	if !z.known {
		return nil
	}
	return &z.clock
}

// constantZone reads a zone that is the same for all rows; nil when it is not constant.
func constantZone(a Arg, n int) (*time.Location, error) {
	name, ok := constText(a)
	if !ok {
		if a.Type.Kind != types.String && a.Type.Kind != types.Null {
			return nil, fmt.Errorf("argument %d must be the name of a time zone, not %s", n, a.Type)
		}
		return nil, nil
	}
	return ParseZone(name)
}

func bindAtTimeZone(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	t, err := temporalArg(args[0], 1)
	if err != nil {
		return Bound{}, err
	}
	if t.Kind == types.Time {
		return Bound{}, fmt.Errorf("a TIME has no zone: argument 1 must be a TIMESTAMP or DATETIME")
	}
	zone, err := constantZone(args[1], 2)
	if err != nil {
		return Bound{}, err
	}
	ret, move := tStamp, (*ZoneClock).Instant
	if t.Kind == types.Timestamp {
		ret, move = tDatetime, (*ZoneClock).Wall
	} else {
		t = tDatetime
	}
	return Bound{Ret: ret, ArgTypes: []types.Type{t, tText}, Strict: true, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		in := newZones(zone)
		for i := range n {
			x := min(max(a[0].I64[i], types.MinMicros), types.MaxMicros)
			at := in.at(a[1], i)
			r := x
			if at != nil {
				r = move(at, x)
			}
			out.I64[i] = r
			if at == nil || r < types.MinMicros || r > types.MaxMicros {
				out.SetNull(i)
			}
		}
	}}, nil
}

func bindOffset(args []Arg) (Bound, error) {
	want, err := match(args, 2, []types.Type{tStamp, tText})
	if err != nil {
		return Bound{}, err
	}
	zone, err := constantZone(args[1], 2)
	if err != nil {
		return Bound{}, err
	}
	return Bound{Ret: tInt, ArgTypes: want, Strict: true, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		in := newZones(zone)
		for i := range n {
			x := min(max(a[0].I64[i], types.MinMicros), types.MaxMicros)
			out.I64[i] = 0
			if at := in.at(a[1], i); at != nil {
				out.I64[i] = (at.Wall(x) - x) / types.Second
			} else {
				out.SetNull(i)
			}
		}
	}}, nil
}

func bindISO(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	t, err := temporalArg(args[0], 1)
	return Bound{Ret: tText, ArgTypes: []types.Type{t}, Strict: true, Kernel: rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		x := a[0].I64[i]
		switch t.Kind {
		case types.Date:
			return types.AppendDate(dst, x), true
		case types.Time:
			return types.AppendTime(dst, cutTime(x), shownDigits(x, t.Precision)), true
		}
		dst = types.AppendTimestamp(dst, x, shownDigits(x, t.Precision), true)
		if t.Kind == types.Datetime { // no zone is known
			dst = dst[:len(dst)-1]
		}
		return dst, true
	})}, err
}
