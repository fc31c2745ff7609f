package taxi

import (
	"math"
	"slices"

	"github.com/millrace/millrace/sql/types"
)

// zone is a district with its centre. Its id is its index plus 1.
type zone struct {
	name, borough string
	lat, lon      float64
}

var zones = []zone{
	{"Mitte", "Mitte", 52.5200, 13.4050}, {"Tiergarten", "Mitte", 52.5145, 13.3501}, {"Wedding", "Mitte", 52.5496, 13.3551},
	{"Moabit", "Mitte", 52.5301, 13.3422}, {"Prenzlauer Berg", "Pankow", 52.5387, 13.4244}, {"Pankow", "Pankow", 52.5693, 13.4017},
	{"Weissensee", "Pankow", 52.5561, 13.4634}, {"Friedrichshain", "Friedrichshain-Kreuzberg", 52.5156, 13.4549},
	{"Kreuzberg", "Friedrichshain-Kreuzberg", 52.4988, 13.4030}, {"Neukoelln", "Neukoelln", 52.4811, 13.4354},
	{"Britz", "Neukoelln", 52.4467, 13.4388}, {"Tempelhof", "Tempelhof-Schoeneberg", 52.4607, 13.3857},
	{"Schoeneberg", "Tempelhof-Schoeneberg", 52.4822, 13.3560}, {"Steglitz", "Steglitz-Zehlendorf", 52.4562, 13.3320},
	{"Dahlem", "Steglitz-Zehlendorf", 52.4582, 13.2873}, {"Zehlendorf", "Steglitz-Zehlendorf", 52.4346, 13.2595},
	{"Wilmersdorf", "Charlottenburg-Wilmersdorf", 52.4867, 13.3177}, {"Charlottenburg", "Charlottenburg-Wilmersdorf", 52.5167, 13.3041},
	{"Westend", "Charlottenburg-Wilmersdorf", 52.5173, 13.2660}, {"Spandau", "Spandau", 52.5357, 13.1978},
	{"Reinickendorf", "Reinickendorf", 52.5768, 13.3340}, {"Tegel", "Reinickendorf", 52.5870, 13.2850},
	{"Lichtenberg", "Lichtenberg", 52.5130, 13.4990}, {"Treptow", "Treptow-Koepenick", 52.4930, 13.4690},
	{"Koepenick", "Treptow-Koepenick", 52.4457, 13.5745}, {"Airport BER", "Schoenefeld", 52.3667, 13.5033},
}

// airport is the index of the zone with a tariff of its own.
const airport = 25

// neighbours is how many zones around its home a vehicle serves, the home included.
const neighbours = 6

// near lists the zones nearest to each zone, itself first; most also serve the airport now and then.
var near = func() (out [][]int) {
	for i := range zones {
		order := make([]int, len(zones))
		for j := range order {
			order[j] = j
		}
		slices.SortFunc(order, func(a, b int) int {
			da, db := kilometres(zones[i].lat, zones[i].lon, zones[a].lat, zones[a].lon), kilometres(zones[i].lat, zones[i].lon, zones[b].lat, zones[b].lon)
			switch {
			case da < db:
				return -1
			case da > db:
				return 1
			}
			return a - b
		})
		out = append(out, order[:neighbours])
	}
	return out
}()

// kilometres is the distance of two points close to each other on a plane that touches the earth there.
func kilometres(lat1, lon1, lat2, lon2 float64) float64 {
	const perDegree = 111.195
	x := (lon2 - lon1) * math.Cos((lat1+lat2)/2*math.Pi/180)
	return perDegree * math.Hypot(lat2-lat1, x)
}

// The tariffs.
const (
	tariffDay = iota + 1
	tariffNight
	tariffAirport
)

// tariff is one version of a tariff, in cents, valid from a time until the next version of the same id.
type tariff struct {
	id                     int64
	name                   string
	base, perKm, perMinute int64
	validFrom              string
}

var tariffs = []tariff{
	{tariffDay, "day", 390, 200, 55, "2024-01-01 00:00:00"}, {tariffNight, "night", 450, 240, 60, "2024-01-01 00:00:00"},
	{tariffAirport, "airport", 690, 230, 60, "2024-01-01 00:00:00"},
	{tariffDay, "day", 430, 225, 58, "2025-07-01 00:00:00"}, {tariffNight, "night", 500, 260, 62, "2025-07-01 00:00:00"},
	{tariffAirport, "airport", 750, 250, 62, "2025-07-01 00:00:00"},
	// Within the simulator's default day, so that a join AS OF the event's time has something to tell apart.
	{tariffDay, "day", 450, 235, 60, "2026-01-02 08:10:00"}, {tariffAirport, "airport", 790, 260, 65, "2026-01-02 08:20:00"},
}

// tariffTimes are the tariffs' valid_from in microseconds.
var tariffTimes = func() (out []int64) {
	for _, t := range tariffs {
		micros, _ := types.ParseTimestamp([]byte(t.validFrom))
		out = append(out, micros)
	}
	return out
}()

// tariffAt is the version of a tariff at a time; before the first one, the first.
func tariffAt(id, micros int64) *tariff {
	found := -1
	for i, t := range tariffs {
		if t.id == id && (found < 0 || tariffTimes[i] <= micros) {
			found = i
		}
	}
	return &tariffs[found]
}
