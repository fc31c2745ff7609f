package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// Limits of delivering.
const (
	produceOverhead  = 128       // bytes of a batch with one record beside its key, value and headers, at most
	topicMaxDefault  = 1_048_588 // Kafka's default of max.message.bytes
	maxFences        = 5         // fences in one delivery after which another writer must be at work
	maxBuffered      = 50_000    // records in the client's buffer
	maxBufferedBytes = 64 << 20
	emptyMarker      = -1 // epoch of a sink that has delivered nothing
)

// sinkOptions are the options of a sink, read and checked.
type sinkOptions struct {
	topic          string
	key            []int
	exactlyOnce    bool
	txnTimeout     time.Duration
	maxBytes       int
	connectTimeout time.Duration
}

func readSinkOptions(cfg connectors.SinkConfig) (o sinkOptions, err error) {
	v := cfg.Options
	o = sinkOptions{
		topic:          v.String("topic"),
		key:            cfg.Key,
		exactlyOnce:    v.String("delivery") != atLeastOnce,
		txnTimeout:     v.Duration("transaction_timeout"),
		maxBytes:       int(min(v.Size("max_message_bytes"), 1<<30)),
		connectTimeout: v.Duration("connect_timeout"),
	}
	if err := checkTopicName(o.topic); err != nil {
		return o, err
	}
	if o.txnTimeout < time.Second || o.txnTimeout > 24*time.Hour {
		return o, badOption("transaction_timeout", "must be from 1s to 24h")
	}
	if o.maxBytes < 1024 {
		return o, badOption("max_message_bytes", "must be at least 1024")
	}
	if v.Has("key") {
		o.key = nil
		for _, name := range splitList(v.String("key")) {
			i := slices.IndexFunc(cfg.Columns, func(c connectors.Column) bool { return strings.EqualFold(c.Name, name) })
			if i < 0 {
				return o, badOption("key", "'%s' is no column of '%s'", name, cfg.Relation)
			}
			o.key = append(o.key, i)
		}
	}
	if v.Bool("upsert") && len(o.key) == 0 {
		return o, diag.New(diag.NoKey, -1, "upsert='true' needs a key").WithHint("add PRIMARY KEY (..) NOT ENFORCED to '%s', or key = 'column'", cfg.Relation)
	}
	return o, nil
}

// sink delivers epochs to one topic.
type sink struct {
	cfg    connectors.SinkConfig
	opts   sinkOptions
	health *health
	stager *stager // Encode only

	session *session // Deliver and Close only; nil: to be opened again
	// fail is called at the named steps of a delivery; tests make it fail there.
	fail func(step string) error
}

func newSink(cfg connectors.SinkConfig) (connectors.Sink, error) {
	opts, err := readSinkOptions(cfg)
	if err != nil {
		return nil, err
	}
	s := &sink{cfg: cfg, opts: opts, health: newHealth(cfg.Env, cfg.Relation), fail: func(string) error { return nil }}
	if _, err := clientOptions(cfg.Env, cfg.Options, s.health); err != nil {
		return nil, err
	}
	if s.stager, err = newStager(cfg, opts.key); err != nil {
		return nil, err
	}
	return s, nil
}

// Health is nil when all is well, else what keeps the sink from delivering.
func (s *sink) Health() error { return s.health.Health() }

// Open implements connectors.Sink.
func (s *sink) Open(ctx context.Context) error {
	err := s.connect(ctx, s.opts.connectTimeout)
	if _, ok := diag.As(err); ok || err == nil || ctx.Err() != nil {
		return err
	}
	return diag.New(diag.SinkUnavailable, -1, "cannot write to topic '%s' for '%s': %v", s.opts.topic, s.cfg.Relation, err).Wrap(err).
		WithHint("check the option 'brokers', that the brokers run and what this user may do")
}

// connect opens a session, trying for the given time (0: until ctx ends).
func (s *sink) connect(ctx context.Context, timeout time.Duration) error {
	return s.health.attempt(ctx, timeout, func(ctx context.Context) error {
		if s.session != nil {
			return nil
		}
		n, err := openSession(ctx, s)
		if err == nil {
			s.session = n
		}
		return err
	})
}

// Encode implements connectors.Sink.
func (s *sink) Encode(stage []byte, b *vector.Batch) ([]byte, error) {
	stage, err := s.stager.encode(stage, b)
	if err != nil {
		return stage, fmt.Errorf("encoding rows of '%s': %w", s.cfg.Relation, err)
	}
	return stage, nil
}

// Deliver implements connectors.Sink. After a failure of any kind the session is dropped: opening the next one ends whatever
// transaction is open and reads the marker, which tells whether the epoch is in the topic.
func (s *sink) Deliver(ctx context.Context, epoch uint64, stage []byte) ([]connectors.Rejected, error) {
	defer s.health.setNote(nil)
	fences := 0
	for pause := backoffMin; ; pause = min(2*pause, backoffMax) {
		if err := s.connect(ctx, 0); err != nil {
			return nil, err
		}
		records, err := decodeStage(stage, s.opts.topic) // anew each time: the client writes into the records that it is given
		if err != nil {
			return nil, fmt.Errorf("reading the stage of epoch %d: %w", epoch, err)
		}
		send, rejected := s.sift(records, epoch)
		if len(send) == 0 || s.opts.exactlyOnce && int64(epoch) <= s.session.epoch {
			return rejected, nil
		}
		if err = s.session.deliver(ctx, epoch, send); err == nil {
			return rejected, nil
		}
		s.drop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := s.giveUp(err, &fences); err != nil {
			return nil, err
		}
		s.health.setNote(fmt.Errorf("delivering epoch %d: %w", epoch, err))
		s.health.log.Warn("kafka: delivery failed, trying again", "relation", s.cfg.Relation, "epoch", epoch, "err", err)
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// giveUp tells whether err ends the delivery: after a few fences, and when the broker refuses for good.
func (s *sink) giveUp(err error, fences *int) error {
	switch {
	case errors.Is(err, errInjected):
		return err
	case fenced(err):
		if *fences++; *fences < maxFences {
			return nil
		}
		return diag.New(diag.SinkUnavailable, -1, "the broker ended the transaction of '%s' %d times: %v", s.cfg.Relation, *fences, err).Wrap(err).
			WithHint("either another process writes as '%s', or an epoch takes longer than transaction_timeout (%s)", s.cfg.ID, s.opts.txnTimeout)
	case final(err):
		if _, ok := diag.As(err); ok {
			return err
		}
		return diag.New(diag.SinkUnavailable, -1, "topic '%s' refuses the records of '%s': %v", s.opts.topic, s.cfg.Relation, err).Wrap(err)
	}
	return nil
}

// sift sorts out the records that the topic cannot take. It depends on the records alone, so a repeated delivery refuses the same.
func (s *sink) sift(records []*kgo.Record, epoch uint64) (send []*kgo.Record, rejected []connectors.Rejected) {
	unfit := func(r *kgo.Record) bool { return s.refusal(r) != nil }
	if !slices.ContainsFunc(records, unfit) {
		return records, nil
	}
	for i, r := range records {
		if err := s.refusal(r); err != nil {
			rejected = append(rejected, connectors.Rejected{
				Raw: slices.Clone(r.Value), Position: fmt.Sprintf("%s epoch %d record %d", s.opts.topic, epoch, i), Err: err,
			})
			continue
		}
		send = append(send, r)
	}
	return send, rejected
}

// refusal is why the topic cannot take r; nil when it can.
func (s *sink) refusal(r *kgo.Record) *diag.Error {
	if n := recordBytes(r); n > s.session.maxBytes {
		return diag.New(diag.SinkRejected, -1, "a record of %d bytes is larger than the limit of %d", n, s.session.maxBytes).
			WithHint("raise max_message_bytes and the topic's max.message.bytes")
	}
	if r.Partition >= s.session.partitions {
		return diag.New(diag.SinkRejected, -1, "there is no partition %d: topic '%s' has %d", r.Partition, s.opts.topic, s.session.partitions)
	}
	return nil
}

// recordBytes bounds the size of a batch that holds only r.
func recordBytes(r *kgo.Record) int {
	n := len(r.Key) + len(r.Value) + produceOverhead
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value) + 10
	}
	return n
}

func (s *sink) drop() {
	if s.session != nil {
		s.session.close()
		s.session = nil
	}
}

// Close implements connectors.Sink. It leaves no transaction open: there is none between two deliveries.
func (s *sink) Close() error {
	s.drop()
	return nil
}
