package engine

import (
	"io"
	"log/slog"
	"time"

	"github.com/millrace/millrace/state/broker"
)

// Options configure an engine. The zero value is a temporary engine: everything it keeps is gone after Close.
type Options struct {
	DataDir     string // "": a temporary folder
	KafkaListen string // address of the embedded broker's Kafka port; "": reachable inside the process only
	Advertised  string // host:port told to Kafka clients; default: the address listened on
	// Broker holds the embedded broker's further options: ports, security, limits. Folder, main port and logger are those of the engine.
	// nil: topics are created when clients ask for them, and everybody may do everything.
	Broker *broker.Options
	Memory int64 // bytes for caches of keyed state; 0: 64 MiB
	Stdout io.Writer
	Logger *slog.Logger
	Clock  func() time.Time
	// Variables are the defaults of session variables, as set by configuration.
	Variables map[string]string
}

// Limits.
const (
	defaultCacheBytes = 64 << 20
	maxErrorRows      = 10_000 // kept in each of the tables errors and late
	resultBatches     = 4      // of a query that wait for a slow client
	maxRelations      = 10_000
)

func (o Options) withDefaults() Options {
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Memory <= 0 {
		o.Memory = defaultCacheBytes
	}
	return o
}
