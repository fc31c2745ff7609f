package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
)

// Limits of talking to brokers.
const (
	attemptTimeout  = 10 * time.Second // one attempt to do something when connecting
	backoffMin      = 100 * time.Millisecond
	backoffMax      = 5 * time.Second
	dialTimeout     = 5 * time.Second
	retryTimeout    = 8 * time.Second // of the client's own retries within one attempt
	refreshTimeout  = 2 * time.Second // of looking for new partitions
	maxErrorBrokers = 64              // brokers whose last error Health remembers
)

// clientOptions are what sources and sinks have in common.
func clientOptions(env *connectors.Env, v connectors.Values, h *health) ([]kgo.Opt, error) {
	opts, err := settingOpts(v)
	if err != nil {
		return nil, err
	}
	opts = append([]kgo.Opt{
		kgo.ClientID("millrace"), kgo.SoftwareNameAndVersion("millrace", "1"), kgo.WithHooks(h),
		kgo.RetryTimeout(retryTimeout), kgo.DisableClientMetrics(), kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.FetchMaxWait(fetchMaxWait),
	}, opts...)
	if brokers := v.String("brokers"); brokers != "" {
		if !v.Has(settingPrefix + "socket.connection.setup.timeout.ms") {
			opts = append(opts, kgo.DialTimeout(dialTimeout))
		}
		return append(opts, kgo.SeedBrokers(splitList(brokers)...)), nil
	}
	if !embedded(env, v) {
		return nil, diag.New(diag.MissingOption, -1, "option 'brokers' is missing").
			WithHint("this engine has no embedded broker; name Kafka's: brokers = 'host:9092'")
	}
	seed := env.BrokerAddr
	if seed == "" {
		seed = "localhost:9092"
	}
	// Whatever address the broker advertises, it is the one inside this process.
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return env.DialBroker(ctx) }
	return append(opts, kgo.SeedBrokers(seed), kgo.Dialer(dial)), nil
}

// embedded tells whether the options mean the broker inside this process.
func embedded(env *connectors.Env, v connectors.Values) bool {
	return v.String("brokers") == "" && env != nil && env.DialBroker != nil
}

func splitList(s string) []string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func loggerOf(env *connectors.Env) *slog.Logger {
	if env != nil && env.Logger != nil {
		return env.Logger
	}
	return slog.New(slog.NewTextHandler(io.Discard, nil))
}

// health watches the client's connections: it logs when a broker goes away and comes back, each once, and keeps the state.
type health struct {
	log      *slog.Logger
	relation string

	mu    sync.Mutex
	down  map[string]error // guarded by mu; by address, at most maxErrorBrokers
	seeds map[string]bool  // guarded by mu; addresses once down that only the options name; at most maxErrorBrokers
	note  error            // guarded by mu; what the owner is waiting for at the moment
}

func newHealth(env *connectors.Env, relation string) *health {
	return &health{log: loggerOf(env), relation: relation, down: map[string]error{}, seeds: map[string]bool{}}
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (h *health) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if errors.Is(err, context.Canceled) {
		return // closing
	}
	addr := net.JoinHostPort(meta.Host, fmt.Sprint(meta.Port))
	h.mu.Lock()
	_, wasDown := h.down[addr]
	switch {
	case err == nil:
		delete(h.down, addr)
		delete(h.seeds, addr)
		if meta.NodeID >= 0 { // a broker of the cluster answers: where to find the cluster at first matters no more
			maps.DeleteFunc(h.down, func(addr string, _ error) bool { return h.seeds[addr] })
			clear(h.seeds)
		}
	case wasDown || len(h.down) < maxErrorBrokers:
		h.down[addr] = err
		h.seeds[addr] = meta.NodeID < 0 && (!wasDown || h.seeds[addr])
	}
	h.mu.Unlock()
	switch {
	case err != nil && !wasDown:
		h.log.Warn("kafka: broker is away, retrying", "relation", h.relation, "broker", addr, "err", err)
	case err == nil && wasDown:
		h.log.Info("kafka: broker is back", "relation", h.relation, "broker", addr)
	}
}

// setNote records what the owner is retrying; nil: nothing.
func (h *health) setNote(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note = err
}

// Health is nil when all is well, else what keeps the connector from going on.
func (h *health) Health() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.note != nil {
		return h.note
	}
	for addr, err := range h.down {
		return fmt.Errorf("broker %s is away: %w", addr, err)
	}
	return nil
}

// explain prefers the reason why connections fail to an err that only says that time is up.
func (h *health) explain(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for addr, reason := range h.down {
		return fmt.Errorf("broker %s: %w", addr, reason)
	}
	return err
}

// attempt calls f until it succeeds, fails with a *diag.Error, ctx ends or timeout is over (0: no limit), with growing pauses.
func (h *health) attempt(ctx context.Context, timeout time.Duration, f func(ctx context.Context) error) error {
	start, pause := time.Now(), backoffMin
	defer h.setNote(nil)
	for {
		limit := attemptTimeout
		if timeout > 0 {
			limit = min(limit, max(timeout-time.Since(start), backoffMin))
		}
		one, cancel := context.WithTimeout(ctx, limit)
		err := f(one)
		cancel()
		if err == nil {
			return nil
		}
		if final(err) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = h.explain(err)
		h.setNote(err)
		if timeout > 0 && time.Since(start)+pause > timeout {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, backoffMax)
	}
}

// final tells whether trying again is useless: a user's error, or a refusal by the broker such as a missing right.
func final(err error) bool {
	if _, ok := diag.As(err); ok {
		return true
	}
	var refusal *kerr.Error
	return errors.As(err, &refusal) && !refusal.Retriable && refusal != kerr.ConcurrentTransactions
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
