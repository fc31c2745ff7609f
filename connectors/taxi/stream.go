package taxi

import (
	"strconv"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/generate"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// event is one row of a stream before it is written.
type event struct {
	vehicle int64
	time    int64 // event time, microseconds, whole milliseconds
	started bool  // trips: the trip starts, else it has ended
	pos     position
	trip    trip
	fare    fare
}

// field is one column of a stream: how it goes into a vector and into the message.
type field struct {
	name string
	typ  types.Type
	doc  string
	put  func(e *event, v *vector.Vector)
	json func(e *event, dst []byte) []byte
}

func integer(name string, k types.Kind, doc string, get func(e *event) int64) field {
	return field{name: name, typ: types.Of(k), doc: doc,
		put:  func(e *event, v *vector.Vector) { v.AppendI64(get(e)) },
		json: func(e *event, dst []byte) []byte { return strconv.AppendInt(dst, get(e), 10) }}
}

func double(name, doc string, get func(e *event) float64) field {
	return field{name: name, typ: types.Of(types.Float64), doc: doc,
		put:  func(e *event, v *vector.Vector) { v.AppendF64(get(e)) },
		json: func(e *event, dst []byte) []byte { return strconv.AppendFloat(dst, get(e), 'f', -1, 64) }}
}

func cents(name, doc string, get func(e *event) int64) field {
	return field{name: name, typ: types.DecimalOf(8, 2), doc: doc,
		put: func(e *event, v *vector.Vector) { v.AppendI128(types.I128(get(e))) },
		json: func(e *event, dst []byte) []byte {
			x := get(e)
			dst = strconv.AppendInt(dst, x/100, 10)
			return append(dst, '.', byte('0'+x/10%10), byte('0'+x%10))
		}}
}

func word(name, doc string, get func(e *event) string) field {
	return field{name: name, typ: types.Of(types.String), doc: doc,
		put:  func(e *event, v *vector.Vector) { v.AppendString(get(e)) },
		json: func(e *event, dst []byte) []byte { return append(append(append(dst, '"'), get(e)...), '"') }}
}

var vehicleField = field{name: "vehicle_id", typ: types.Of(types.String), doc: "TX0042",
	put: func(e *event, v *vector.Vector) {
		v.Data = appendVehicle(v.Data, e.vehicle)
		v.EndBytes()
	},
	json: func(e *event, dst []byte) []byte { return append(appendVehicle(append(dst, '"'), e.vehicle), '"') },
}

var timeField = field{name: "event_time", typ: types.Type{Kind: types.Timestamp, Precision: 3}, doc: "when it happened",
	put: func(e *event, v *vector.Vector) { v.AppendI64(e.time) },
	json: func(e *event, dst []byte) []byte {
		return append(types.AppendTimestamp(append(dst, '"'), e.time, 3, true), '"')
	},
}

var driverField = integer("driver_id", types.Int32, "the driver, see drivers.csv", func(e *event) int64 { return e.vehicle + 1 })

// streams are the columns of each stream, in order; raw comes behind them.
var streams = map[string][]field{
	"positions": {
		vehicleField, driverField,
		integer("trip_id", types.Int64, "the trip under way", func(e *event) int64 { return e.pos.trip.id }),
		timeField,
		integer("zone_id", types.Int32, "where it is, see zones.parquet", func(e *event) int64 { return int64(e.pos.zone) + 1 }),
		double("lat", "latitude", func(e *event) float64 { return e.pos.lat }),
		double("lon", "longitude", func(e *event) float64 { return e.pos.lon }),
		double("speed_kmh", "speed", func(e *event) float64 { return e.pos.speed }),
		integer("heading", types.Int32, "degrees from north", func(e *event) int64 { return e.pos.heading }),
		double("engine_temp", "degrees Celsius; a few vehicles overheat", func(e *event) float64 { return e.pos.engine }),
		double("fuel_percent", "what is left", func(e *event) float64 { return e.pos.fuel }),
	},
	"trips": {
		integer("trip_id", types.Int64, "the trip", func(e *event) int64 { return e.trip.id }),
		vehicleField, driverField, timeField,
		word("status", "started or ended", func(e *event) string {
			if e.started {
				return "started"
			}
			return "ended"
		}),
		integer("pickup_zone", types.Int32, "where it starts", func(e *event) int64 { return int64(e.trip.from) + 1 }),
		integer("dropoff_zone", types.Int32, "where it ends", func(e *event) int64 { return int64(e.trip.to) + 1 }),
		integer("passengers", types.Int32, "how many ride", func(e *event) int64 { return e.trip.passengers }),
		double("distance_km", "length of the way", func(e *event) float64 { return e.trip.distance }),
	},
	"fares": {
		integer("trip_id", types.Int64, "the trip that has ended", func(e *event) int64 { return e.trip.id }),
		vehicleField, driverField, timeField,
		integer("zone_id", types.Int32, "the zone of the pick-up", func(e *event) int64 { return int64(e.trip.from) + 1 }),
		integer("tariff_id", types.Int32, "see tariffs.jsonl", func(e *event) int64 { return e.fare.tariff }),
		double("distance_km", "length of the way", func(e *event) float64 { return e.trip.distance }),
		cents("fare", "by the tariff's version at event_time", func(e *event) int64 { return e.fare.fare }),
		cents("tip", "0 when paid in cash", func(e *event) int64 { return e.fare.tip }),
		word("payment", "card, cash or app", func(e *event) string { return payments[e.trip.paying] }),
	},
}

// columnsOf gives the columns of a stream; raw, the message as JSON, is the last.
func columnsOf(stream string) []connectors.Column {
	fields := streams[stream]
	out := make([]connectors.Column, 0, len(fields)+1)
	for _, f := range fields {
		out = append(out, connectors.Column{Name: f.name, Type: f.typ, NotNull: true})
	}
	return append(out, connectors.Column{Name: "raw", Type: types.Of(types.String), NotNull: true})
}

// writer makes the rows of one stream.
type writer struct {
	settings
	fields []field // of the stream
	bound  []int   // per wanted column: its field; len(fields): raw
	event  event
	raw    []byte
}

// row appends row n.
func (w *writer) row(n, start int64, dst *vector.Batch) {
	n = w.original(n)
	w.make(n, start)
	for i, f := range w.bound {
		if f < len(w.fields) {
			w.fields[f].put(&w.event, dst.Cols[i])
			continue
		}
		w.message(n)
		dst.Cols[i].AppendBytes(w.raw)
	}
	dst.EndRow(vector.Insert)
}

// make fills in the event of row n.
func (w *writer) make(n, start int64) {
	e := &w.event
	if w.stream == "positions" {
		e.vehicle = n % w.fleet.vehicles
		e.time = w.delay(n, start+n/w.rate*types.Second+n%w.rate*types.Second/w.rate)
		e.pos = w.fleet.position(e.vehicle, e.time)
		return
	}
	m := types.FloorDiv(start+w.fleet.step-1, w.fleet.step)
	if w.stream == "trips" { // each step one trip ends and the vehicle's next one starts
		e.started = n%2 == 1
		m += n / 2
	} else {
		m += n
	}
	vehicle, k := w.fleet.endAt(m)
	if !e.started {
		k--
	}
	e.vehicle, e.trip = vehicle, w.fleet.trip(vehicle, k)
	at := m * w.fleet.step
	if w.stream == "fares" {
		e.fare = w.fleet.fare(&e.trip, at)
	}
	e.time = w.delay(n, at)
	if w.stream == "fares" && e.time != at {
		e.fare = w.fleet.fare(&e.trip, e.time)
	}
}

// delay moves an event time back: some rows by up to out_of_order, late ones further. Times are whole milliseconds.
func (w *writer) delay(n, micros int64) int64 {
	if w.outOfOrder > 0 || w.late > 0 {
		r := generate.At(w.fleet.seed, n, forOrder)
		if r.Float()*100 < w.late {
			micros -= w.outOfOrder + 1 + r.Int(lateBy)
		} else if w.outOfOrder > 0 && r.Int(3) == 0 {
			micros -= r.Int(w.outOfOrder)
		}
	}
	return types.FloorDiv(micros, types.Millisecond) * types.Millisecond
}

// original maps a row to the one whose event it shows: itself, or for a duplicate the row before it in the same partition. Only every
// second row can be a duplicate, so that the row before never is.
func (w *writer) original(n int64) int64 {
	if w.duplicates == 0 || n/w.partitions%2 == 0 {
		return n
	}
	if r := generate.At(w.fleet.seed, n, forDuplicate); r.Float()*50 < w.duplicates {
		return n - w.partitions
	}
	return n
}

// message writes the event as JSON, now and then broken.
func (w *writer) message(n int64) {
	dst := w.raw[:0]
	for i := range w.fields {
		if i == 0 {
			dst = append(dst, '{', '"')
		} else {
			dst = append(dst, ',', '"')
		}
		dst = append(append(dst, w.fields[i].name...), '"', ':')
		dst = w.fields[i].json(&w.event, dst)
	}
	w.raw = append(dst, '}')
	if w.malformed == 0 {
		return
	}
	r := generate.At(w.fleet.seed, n, forBreak)
	if r.Float()*100 >= w.malformed {
		return
	}
	switch r.Int(4) {
	case 0: // cut off
		w.raw = w.raw[:len(w.raw)/2]
	case 1: // no JSON at all
		w.raw = append(w.raw[:0], "ERR sensor timeout 0x1F"...)
	case 2: // a field of the wrong type
		w.raw = append(w.raw[:len(w.raw)-1], `,"driver_id":"unknown"}`...)
	case 3: // a time that is none
		w.raw = append(w.raw[:len(w.raw)-1], `,"event_time":"yesterday"}`...)
	}
}
