package nexmark

import (
	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/generate"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func init() {
	connectors.Register(&connectors.Spec{
		Name: "nexmark",
		Doc:  "the events of the Nexmark benchmark: persons, auctions and bids of an auction house",
		Example: `CREATE SOURCE bid WITH (connector='nexmark', stream='bid', events='1000000');
CREATE SOURCE events WITH (connector='nexmark', stream='all', rate='5000', pace='real')`,
		Options:  options,
		Bounded:  func(v connectors.Values) bool { return v.Int("events") > 0 },
		Columns:  func(v connectors.Values) []connectors.Column { return columnsOf(v.String("stream")) },
		Source:   newSource,
		Metadata: nil,
	})
}

// defaultStart is the time of event 0 when pace is fast: runs can then be compared.
const defaultStart = "2026-01-02 08:00:00"

var options = []connectors.Option{
	{Name: "stream", Type: connectors.OptEnum, Values: []string{"all", "bid", "auction", "person"}, Default: "all",
		Doc: "all: event_type with one STRUCT column per kind, as the benchmark has them in a topic; bid, auction, person: that kind's fields"},
	{Name: "events", Type: connectors.OptInt, Default: "0", Doc: "rows in all; 0: endless"},
	{Name: "rate", Type: connectors.OptInt, Default: "10000", Doc: "events of all kinds per second of event time; of 50 events 46 are bids, 3 auctions, 1 a person"},
	{Name: "pace", Type: connectors.OptEnum, Values: []string{"fast", "real"}, Default: "fast",
		Doc: "fast: as fast as they are read; real: event time is the wall clock"},
	{Name: "start", Default: "", Doc: "event time of the first row; default: " + defaultStart + ", or now when pace is real"},
	{Name: "seed", Type: connectors.OptInt, Default: "1", Doc: "another seed gives other events"},
	{Name: "partitions", Type: connectors.OptInt, Default: "1", Doc: "parts that can be read in parallel"},
}

func newSource(cfg connectors.SourceConfig) (connectors.Source, error) {
	o := cfg.Options
	stream, rate := o.String("stream"), o.Int("rate")
	if rate <= 0 {
		return nil, diag.New(diag.BadOption, -1, "option 'rate': %d is not above 0", rate)
	}
	bound, err := generate.Bind(cfg.Columns, columnsOf(stream))
	if err != nil {
		return nil, err
	}
	g := generate.Options{Splits: int(o.Int("partitions")), Rows: o.Int("events")}
	if o.String("pace") == "real" {
		g.PerSecond = float64(rate) * share(stream)
	} else if err := g.SetStart(defaultStart); err != nil {
		return nil, err
	}
	if err := g.SetStart(o.String("start")); err != nil {
		return nil, err
	}
	seed := o.Int("seed")
	g.NewRow = func() generate.Row {
		w := writer{columns: cfg.Columns, bound: bound, stream: stream}
		return func(n, start int64, dst *vector.Batch) {
			index := eventIndex(stream, n)
			w.event.make(seed, index, start+timeOf(index, rate))
			w.append(dst)
		}
	}
	return generate.NewSource(g)
}

// share is the part of all events that a stream has.
func share(stream string) float64 {
	switch stream {
	case "person":
		return float64(persons) / group
	case "auction":
		return float64(auctions) / group
	case "bid":
		return float64(bids) / group
	}
	return 1
}

// timeOf gives the time of event n at a rate, without overflow for any row that can be reached.
func timeOf(n, rate int64) int64 { return n/rate*types.Second + n%rate*types.Second/rate }

// The shares of the kinds in each group of events; a group begins with its persons.
const (
	group    = 50
	persons  = 1
	auctions = 3
	bids     = group - persons - auctions
)

// eventIndex maps row n of a stream to the event in the whole.
func eventIndex(stream string, n int64) int64 {
	switch stream {
	case "person":
		return n * group
	case "auction":
		return n/auctions*group + persons + n%auctions
	case "bid":
		return n/bids*group + persons + auctions + n%bids
	}
	return n
}

func field(name string, k types.Kind) types.Field {
	t := types.Of(k)
	if k == types.Timestamp {
		t.Precision = 3
	}
	return types.Field{Name: name, Type: t}
}

var (
	personFields = []types.Field{field("id", types.Int64), field("name", types.String), field("emailAddress", types.String),
		field("creditCard", types.String), field("city", types.String), field("state", types.String), field("dateTime", types.Timestamp),
		field("extra", types.String)}
	auctionFields = []types.Field{field("id", types.Int64), field("itemName", types.String), field("description", types.String),
		field("initialBid", types.Int64), field("reserve", types.Int64), field("dateTime", types.Timestamp), field("expires", types.Timestamp),
		field("seller", types.Int64), field("category", types.Int64), field("extra", types.String)}
	bidFields = []types.Field{field("auction", types.Int64), field("bidder", types.Int64), field("price", types.Int64),
		field("channel", types.String), field("url", types.String), field("dateTime", types.Timestamp), field("extra", types.String)}
	allFields = []types.Field{field("event_type", types.Int32), {Name: "person", Type: types.StructOf(personFields...)},
		{Name: "auction", Type: types.StructOf(auctionFields...)}, {Name: "bid", Type: types.StructOf(bidFields...)},
		field("dateTime", types.Timestamp)}
)

// columnsOf gives the columns of a stream; raw, the event as JSON, is the last.
func columnsOf(stream string) []connectors.Column {
	fields := allFields
	switch stream {
	case "person":
		fields = personFields
	case "auction":
		fields = auctionFields
	case "bid":
		fields = bidFields
	}
	out := make([]connectors.Column, 0, len(fields)+1)
	for _, f := range fields {
		out = append(out, connectors.Column{Name: f.Name, Type: f.Type, NotNull: f.Type.Kind != types.Struct})
	}
	return append(out, connectors.Column{Name: "raw", Type: types.Of(types.String), NotNull: true})
}
