package broker

import (
	"log/slog"
	"time"

	"github.com/millrace/millrace/state/broker/session"
)

// Limits and defaults.
const (
	defaultMaxConns          = 10_000
	defaultMaxRequestBytes   = 100 << 20
	defaultMaxInFlightBytes  = 1 << 30
	defaultMaxPartitions     = 100_000
	defaultRetentionInterval = 30 * time.Second
	defaultMaxMessageBytes   = 1048588 // as Kafka: 1 MiB and a batch header

	// maxControlRequestBytes bounds every request but Produce. Decoded structures are many times larger than their wire form, so a
	// hostile request must not be allowed the size of a produce request.
	maxControlRequestBytes = 16 << 20
	// maxPipelined is how many requests of one connection may wait for their answer; reading stops until one is answered.
	maxPipelined = 128
	// maxTopicPartitions bounds the partitions of one topic.
	maxTopicPartitions = 10_000
)

// InternalAddr is the address listeners of the in-memory connection advertise. It needs no name resolution: clients reach it by
// giving Broker.Dial as their dialer.
const InternalAddr = "millrace.internal:9092"

// Options configure a broker. DataDir is required; everything else has a default.
type Options struct {
	// DataDir holds everything the broker keeps. One broker at a time may use it.
	DataDir string
	// Listen is the TCP address of a port in the clear, e.g. ":9092". Empty: none.
	Listen string
	// AdvertisedAddr is the host:port told to clients of Listen. Default: the address listened on.
	AdvertisedAddr string
	// Listeners are further ports, with TLS or SASL. Their names must differ.
	Listeners []Listener
	// Security says who may come in and what they may do.
	Security Security
	// NodeID is this broker's id in metadata. Default 0.
	NodeID int32
	// AutoCreateTopics creates unknown topics on Metadata requests that allow it.
	AutoCreateTopics bool
	// DefaultPartitions is the partition count of topics that do not say. Default 1.
	DefaultPartitions int
	// DefaultConfig holds topic configuration for topics that do not set it themselves, e.g. {"retention.ms": "-1"}.
	DefaultConfig map[string]string
	// MaxConns bounds open connections. Default 10000.
	MaxConns int
	// MaxConnsPerIP bounds the open connections from one address. 0: no limit of its own.
	MaxConnsPerIP int
	// MaxRequestBytes bounds one request. Default 100 MiB.
	MaxRequestBytes int
	// MaxInFlightBytes bounds the requests read and not yet answered, over all connections. Default 1 GiB.
	MaxInFlightBytes int64
	// MaxPartitions bounds the partitions of all topics together. Default 100000.
	MaxPartitions int
	// FetchSessions bounds the fetch sessions kept for clients (KIP-227).
	FetchSessions session.Options
	// RetentionInterval is the time between retention rounds. Default 30 s.
	RetentionInterval time.Duration
	// Logger receives operational messages. Default: discarded.
	Logger *slog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	setDefault(&o.DefaultPartitions, 1)
	setDefault(&o.MaxConns, defaultMaxConns)
	setDefault(&o.MaxRequestBytes, defaultMaxRequestBytes)
	setDefault(&o.MaxInFlightBytes, int64(defaultMaxInFlightBytes))
	setDefault(&o.MaxPartitions, defaultMaxPartitions)
	setDefault(&o.RetentionInterval, defaultRetentionInterval)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}
