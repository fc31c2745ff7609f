package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors/kafka/property"
	"github.com/millrace/millrace/sql/diag"
)

// Times of waiting for a cluster.
const (
	connectTimeout = 5 * time.Second
	requestTimeout = 15 * time.Second
)

// Client talks to one cluster. Its methods are safe for concurrent use.
type Client struct {
	brokers []string
	options []kgo.Opt
	cl      *kgo.Client
	adm     *kadm.Client
}

// Open connects to the cluster behind a list of host:port with commas, with properties as Kafka's clients name them. Nobody there is a
// diag.CannotConnect.
func Open(ctx context.Context, brokers string, properties map[string]string) (*Client, error) {
	c := &Client{}
	var err error
	for name := range properties {
		if !property.Known(name) {
			return nil, fmt.Errorf("unknown property '%s'%w", name, silent{ErrUsage})
		}
	}
	if c.options, err = property.Options(func(name string) (string, bool) { v, ok := properties[name]; return v, ok }); err != nil {
		return nil, fmt.Errorf("%w%w", err, silent{ErrUsage})
	}
	for _, b := range strings.Split(brokers, ",") {
		if b = strings.TrimSpace(b); b != "" {
			c.brokers = append(c.brokers, b)
		}
	}
	if len(c.brokers) == 0 {
		return nil, diag.New(diag.CannotConnect, -1, "no broker is named").WithHint("--brokers HOST:PORT")
	}
	cl, err := c.newClient()
	if err != nil {
		return nil, err
	}
	c.cl, c.adm = cl, kadm.NewClient(cl)
	c.adm.SetTimeoutMillis(int32(requestTimeout.Milliseconds()))
	pingCtx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := cl.Ping(pingCtx); err != nil {
		cl.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, diag.New(diag.CannotConnect, -1, "cannot connect to a Kafka broker at %s: %v", brokers, err).Wrap(err).
			WithHint("start one with `millrace serve`, or name another by --brokers")
	}
	return c, nil
}

// newClient makes a client of the cluster with more options.
func (c *Client) newClient(more ...kgo.Opt) (*kgo.Client, error) {
	opts := append([]kgo.Opt{
		kgo.SeedBrokers(c.brokers...), kgo.ClientID("millrace-cli"), kgo.DialTimeout(connectTimeout), kgo.RetryTimeout(requestTimeout),
		kgo.DisableClientMetrics(), kgo.MetadataMinAge(100 * time.Millisecond),
	}, slices.Concat(c.options, more)...)
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("making a Kafka client: %w", err)
	}
	return cl, nil
}

// Close ends the connections.
func (c *Client) Close() { c.cl.Close() }

// ErrUsage is wrapped by errors of arguments, which no cluster can mend.
var ErrUsage = errors.New("wrong argument")

// explain makes a cluster's answer an error for users. what is a gerund with its object.
func explain(what string, err error, message string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID) {
		return diag.New(diag.UnknownTopic, -1, "%s: there is no such topic or partition", what).Wrap(err).WithHint("`millrace topic ls` lists the topics")
	}
	if errors.Is(err, kerr.InvalidRecord) && message == "" {
		return fmt.Errorf("%s: INVALID_RECORD: the broker refused the record; a compacted topic takes none without a key%w", what, silent{err})
	}
	var k *kerr.Error
	if errors.As(err, &k) && message == "" {
		message = k.Message + ": " + k.Description
	}
	if message == "" {
		message = err.Error()
	}
	return fmt.Errorf("%s: %s%w", what, message, silent{err})
}

// silent keeps an error in the chain without repeating its text.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }
