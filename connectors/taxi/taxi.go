package taxi

import (
	"strconv"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/generate"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

func init() {
	connectors.Register(&connectors.Spec{
		Name: "taxi",
		Doc: "the telemetry of a simulated taxi fleet: positions, trips, fares; with rows out of order, late, duplicate and broken. The column " +
			"raw is the message as JSON, to be published as it is",
		Example: `CREATE SOURCE sim WITH (connector='taxi', stream='positions', rate='200', out_of_order='5s', malformed_percent='0.5');
CREATE SINK topic (message VARCHAR, vehicle VARCHAR, PRIMARY KEY (vehicle) NOT ENFORCED) WITH (connector='kafka', topic='positions', format='raw')
AS SELECT raw, vehicle_id FROM sim`,
		Options: options,
		Bounded: func(v connectors.Values) bool { return v.Int("events") > 0 },
		Columns: func(v connectors.Values) []connectors.Column { return columnsOf(v.String("stream")) },
		Source:  newSource,
	})
}

// defaultStart is the time of the first row when pace is fast.
const defaultStart = "2026-01-02 08:00:00"

// Limits.
const (
	maxVehicles = 1_000_000
	lateBy      = int64(30 * types.Second) // how much later than out_of_order late rows are at most
)

var options = []connectors.Option{
	{Name: "stream", Type: connectors.OptEnum, Values: []string{"positions", "trips", "fares"}, Default: "positions",
		Doc: "positions: where vehicles are; trips: each trip's start and end; fares: what each ended trip cost"},
	{Name: "rate", Type: connectors.OptInt, Default: "100",
		Doc: "positions per second of event time; for trips and fares, when given, it shortens or lengthens trips until so many rows come"},
	{Name: "drivers", Type: connectors.OptInt, Default: "200", Doc: "vehicles, each with its driver"},
	{Name: "trip_seconds", Type: connectors.OptInt, Default: "240", Doc: "how long a trip takes"},
	{Name: "events", Type: connectors.OptInt, Default: "0", Doc: "rows in all; 0: endless"},
	{Name: "pace", Type: connectors.OptEnum, Values: []string{"real", "fast"}, Default: "real",
		Doc: "real: event time is the wall clock; fast: rows come as fast as they are read"},
	{Name: "start", Doc: "event time of the first row; default: now, or " + defaultStart + " when pace is fast"},
	{Name: "seed", Type: connectors.OptInt, Default: "1", Doc: "another seed gives another day"},
	{Name: "partitions", Type: connectors.OptInt, Default: "1", Doc: "parts that can be read in parallel"},
	{Name: "out_of_order", Type: connectors.OptDuration, Default: "0s", Doc: "a third of the rows come up to this much after their event time"},
	{Name: "late_percent", Default: "0", Doc: "share of rows that come later still, by up to 30 seconds"},
	{Name: "duplicate_percent", Default: "0", Doc: "share of rows that repeat the row before, at most 50"},
	{Name: "malformed_percent", Default: "0", Doc: "share of rows whose raw message is broken; their typed columns are whole"},
}

// settings are the checked options.
type settings struct {
	stream                      string
	fleet                       fleet
	rate                        int64 // positions
	partitions                  int64
	outOfOrder                  int64   // microseconds
	late, duplicates, malformed float64 // percent
}

func newSettings(o connectors.Values) (s settings, err error) {
	s = settings{stream: o.String("stream"), rate: o.Int("rate"), partitions: o.Int("partitions"), outOfOrder: o.Duration("out_of_order").Microseconds()}
	s.fleet = fleet{seed: o.Int("seed"), vehicles: o.Int("drivers")}
	switch {
	case s.fleet.vehicles <= 0 || s.fleet.vehicles > maxVehicles:
		return s, diag.New(diag.BadOption, -1, "option 'drivers': %d is not 1 to %d", s.fleet.vehicles, maxVehicles)
	case s.rate <= 0 || s.rate > types.Second:
		return s, diag.New(diag.BadOption, -1, "option 'rate': %d is not 1 to %d", s.rate, types.Second)
	case o.Int("trip_seconds") <= 0 || o.Int("trip_seconds") > 86400:
		return s, diag.New(diag.BadOption, -1, "option 'trip_seconds': %d is not 1 to 86400", o.Int("trip_seconds"))
	case s.outOfOrder < 0:
		return s, diag.New(diag.BadOption, -1, "option 'out_of_order' is negative")
	}
	s.fleet.step = max(1, o.Int("trip_seconds")*types.Second/s.fleet.vehicles)
	if o.Has("rate") && s.stream != "positions" {
		s.fleet.step = max(1, types.Second*s.rowsPerStep()/s.rate)
	}
	for name, target := range map[string]*float64{"late_percent": &s.late, "duplicate_percent": &s.duplicates, "malformed_percent": &s.malformed} {
		*target, err = strconv.ParseFloat(o.String(name), 64)
		if err != nil || !(*target >= 0 && *target <= 100) {
			return s, diag.New(diag.BadOption, -1, "option '%s': '%s' is not 0 to 100", name, o.String(name))
		}
	}
	return s, nil
}

func (s *settings) rowsPerStep() int64 {
	if s.stream == "trips" {
		return 2
	}
	return 1
}

// perSecond is how many rows come in a second of event time.
func (s *settings) perSecond() float64 {
	if s.stream == "positions" {
		return float64(s.rate)
	}
	return float64(s.rowsPerStep()) * float64(types.Second) / float64(s.fleet.step)
}

func newSource(cfg connectors.SourceConfig) (connectors.Source, error) {
	s, err := newSettings(cfg.Options)
	if err != nil {
		return nil, err
	}
	bound, err := generate.Bind(cfg.Columns, columnsOf(s.stream))
	if err != nil {
		return nil, err
	}
	g := generate.Options{Splits: int(s.partitions), Rows: cfg.Options.Int("events")}
	if cfg.Options.String("pace") == "real" {
		g.PerSecond = s.perSecond()
	} else if err := g.SetStart(defaultStart); err != nil {
		return nil, err
	}
	if err := g.SetStart(cfg.Options.String("start")); err != nil {
		return nil, err
	}
	g.NewRow = func() generate.Row {
		w := &writer{settings: s, fields: streams[s.stream], bound: bound}
		return w.row
	}
	return generate.NewSource(g)
}
