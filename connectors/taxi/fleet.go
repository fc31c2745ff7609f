package taxi

import (
	"math"
	"strconv"

	"github.com/millrace/millrace/connectors/generate"
	"github.com/millrace/millrace/sql/types"
)

// What randomness is for, so that one draw does not depend on another.
const (
	forHome = iota + 1
	forPlace
	forTrip
	forMotion
	forOrder
	forDuplicate
	forBreak
	forEngine
)

// tripsPerHome is how many trips a vehicle makes around one zone before it moves on.
const tripsPerHome = 16

// jitter is how far from a zone's centre places lie, in degrees.
const jitter = 0.009

// fleet is the vehicles and their time table. A slot of step*vehicles microseconds is one trip.
type fleet struct {
	seed     int64
	vehicles int64
	step     int64 // microseconds between the ends of two trips of the fleet
}

func (f *fleet) slot() int64 { return f.step * f.vehicles }

// slotAt gives the trip that a vehicle makes at a time, and how much of it is done, 0..1.
func (f *fleet) slotAt(vehicle, micros int64) (k int64, done float64) {
	u := micros + vehicle*f.step
	k = types.FloorDiv(u, f.slot())
	return k, float64(u-k*f.slot()) / float64(f.slot())
}

// endAt gives the vehicle whose trip ends with step m of the time table, and the number of the trip that it begins then.
func (f *fleet) endAt(m int64) (vehicle, k int64) {
	k = types.FloorDiv(m+f.vehicles-1, f.vehicles)
	return k*f.vehicles - m, k
}

func (f *fleet) tripID(vehicle, k int64) int64 { return k*f.vehicles + vehicle }

// place is where a vehicle's trip k begins and k-1 ends.
func (f *fleet) place(vehicle, k int64) (zone int, lat, lon float64) {
	home := generate.At(f.seed, vehicle<<24^types.FloorDiv(k, tripsPerHome), forHome)
	r := generate.At(f.seed, vehicle<<32^k, forPlace)
	zone = near[home.Int(int64(len(near)))][r.Int(neighbours)]
	if r.Int(20) == 0 {
		zone = airport
	}
	lat = zones[zone].lat + (r.Float()*2-1)*jitter
	lon = zones[zone].lon + (r.Float()*2-1)*jitter*1.6
	return zone, lat, lon
}

// trip is a trip's facts.
type trip struct {
	id                 int64
	from, to           int // zones
	passengers         int64
	distance           float64 // km, 2 digits
	lat1, lon1         float64
	lat2, lon2         float64
	tipPercent, paying int64
}

// detour is how much longer streets are than the straight line.
const detour = 1.3

func (f *fleet) trip(vehicle, k int64) (t trip) {
	t.id = f.tripID(vehicle, k)
	t.from, t.lat1, t.lon1 = f.place(vehicle, k)
	t.to, t.lat2, t.lon2 = f.place(vehicle, k+1)
	t.distance = round(max(0.4, kilometres(t.lat1, t.lon1, t.lat2, t.lon2)*detour), 100)
	r := generate.At(f.seed, t.id, forTrip)
	t.passengers = 1 + r.Int(2)*r.Int(4)
	t.tipPercent, t.paying = r.Int(4)*5, r.Int(int64(len(payments)))
	return t
}

var payments = []string{"card", "card", "cash", "app", "app"}

func round(x, unit float64) float64 { return math.Round(x*unit) / unit }

// position is what a vehicle reports at a time.
type position struct {
	trip                trip
	zone                int
	lat, lon            float64
	speed, engine, fuel float64
	heading             int64
}

// Engines run at 84 to 97 degrees; one vehicle in overheatVehicles overheats on one trip in overheatTrips.
const (
	overheatVehicles = 25
	overheatTrips    = 3
	minute           = 60_000_000
)

func (f *fleet) position(vehicle, micros int64) (p position) {
	k, done := f.slotAt(vehicle, micros)
	p.trip = f.trip(vehicle, k)
	r := generate.At(f.seed, vehicle<<40^micros/1000, forMotion)
	eased := done * done * (3 - 2*done) // slow at both ends
	p.lat = round(p.trip.lat1+(p.trip.lat2-p.trip.lat1)*eased, 1e6)
	p.lon = round(p.trip.lon1+(p.trip.lon2-p.trip.lon1)*eased, 1e6)
	p.zone = p.trip.from
	if done >= 0.5 {
		p.zone = p.trip.to
	}
	// The mean speed of the trip, more in its middle, with traffic around it.
	mean := p.trip.distance / (float64(f.slot()) / 3.6e9)
	p.speed = round(min(130, mean*6*done*(1-done)*(0.8+0.4*r.Float())), 10)
	p.heading = (int64(math.Atan2(p.trip.lon2-p.trip.lon1, p.trip.lat2-p.trip.lat1)*180/math.Pi) + 360) % 360
	p.engine = round(86+9*eased+2*r.Float(), 10)
	if e := generate.At(f.seed, p.trip.id, forEngine); vehicle%overheatVehicles == 7 && e.Int(overheatTrips) == 0 {
		p.engine = round(p.engine+30*done, 10)
	}
	p.fuel = round(100-float64((micros/minute+vehicle*37)%95), 10)
	return p
}

// fare is what a trip costs, in cents.
type fare struct {
	tariff    int64
	fare, tip int64
}

func (f *fleet) fare(t *trip, micros int64) (out fare) {
	hour := types.FloorDiv(micros, types.Hour) % 24
	switch {
	case t.from == airport || t.to == airport:
		out.tariff = tariffAirport
	case hour < 6 || hour >= 22:
		out.tariff = tariffNight
	default:
		out.tariff = tariffDay
	}
	v := tariffAt(out.tariff, micros)
	out.fare = v.base + int64(float64(v.perKm)*t.distance) + v.perMinute*f.slot()/minute
	if payments[t.paying] != "cash" {
		out.tip = out.fare * t.tipPercent / 100
	}
	return out
}

// appendVehicle writes a vehicle's id: TX0042.
func appendVehicle(dst []byte, vehicle int64) []byte {
	dst = append(dst, "TX"...)
	for d := int64(1000); d > 1 && vehicle+1 < d; d /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, vehicle+1, 10)
}
