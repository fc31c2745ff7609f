package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
)

// source reads the partitions of one or more topics over one client. Its dispatcher spreads what the client fetches over the
// queues of the open readers.
type source struct {
	cfg    connectors.SourceConfig
	opts   sourceOptions
	format string
	health *health
	*committer

	mu       sync.Mutex
	client   *kgo.Client        // guarded by mu; nil until the first call
	admin    *kadm.Client       // guarded by mu
	dispatch *dispatcher        // guarded by mu
	first    map[string]bool    // guarded by mu; splits that the first listing found; nil before
	known    []connectors.Split // guarded by mu; what the last listing found
}

func newSource(cfg connectors.SourceConfig) (connectors.Source, error) {
	opts, err := readSourceOptions(cfg.Options)
	if err != nil {
		return nil, err
	}
	s := &source{cfg: cfg, opts: opts, format: formatOf(cfg.Options), health: newHealth(cfg.Env, cfg.Relation)}
	s.committer = newCommitter(s, opts.group)
	if _, err := clientOptions(cfg.Env, cfg.Options, s.health); err != nil {
		return nil, err
	}
	if opts.upsert && len(cfg.Key) == 0 {
		return nil, diag.New(diag.NoKey, -1, "upsert='true' needs a primary key").WithHint("add PRIMARY KEY (..) NOT ENFORCED to '%s'", cfg.Relation)
	}
	if _, err := s.newRowDecoder(); err != nil {
		return nil, err
	}
	return s, nil
}

func formatOf(v connectors.Values) string {
	if f := v.String("format"); f != "" {
		return f
	}
	return "json"
}

// newRowDecoder makes what a reader decodes with.
func (s *source) newRowDecoder() (rowDecoder, error) {
	d, err := format.NewDecoder(s.format, s.cfg.Columns, s.cfg.Options)
	if err != nil || !s.opts.upsert {
		return rowDecoder{values: d}, err
	}
	keys, err := newKeyDecoder(s.cfg.Columns, s.cfg.Key)
	return rowDecoder{values: d, keys: keys}, err
}

// Health is nil when all is well, else what keeps the source from reading; rows are late then, never lost.
func (s *source) Health() error { return s.health.Health() }

// connect makes the client, which connects by itself when it is first used.
func (s *source) connect() (*kgo.Client, *kadm.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, s.admin, nil
	}
	opts, err := clientOptions(s.cfg.Env, s.cfg.Options, s.health)
	if err != nil {
		return nil, nil, err
	}
	isolation := kgo.ReadUncommitted()
	if s.opts.readCommitted {
		isolation = kgo.ReadCommitted()
	}
	// Control records are kept because the end of a transactional topic is a control record: without them a reader could not
	// see that it has read to the end. No reset: an offset that is gone is an error to report, not a reason to jump.
	client, err := kgo.NewClient(append(opts, kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return nil, nil, diag.New(diag.BadOption, -1, "the options of '%s' do not fit together: %v", s.cfg.Relation, err)
	}
	s.client, s.admin = client, kadm.NewClient(client)
	return s.client, s.admin, nil
}

// unavailable makes the user's error of what attempt gave up on.
func (s *source) unavailable(err error) error {
	if _, ok := diag.As(err); ok || err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return diag.New(diag.SourceUnavailable, -1, "cannot read from Kafka for '%s': %v", s.cfg.Relation, err).Wrap(err).
		WithHint("check the option 'brokers' and that the brokers run")
}

// Splits implements connectors.Source: one split per partition. Once the topics were found, brokers that are away do not make it fail: it
// gives what is known, and the readers wait.
func (s *source) Splits(ctx context.Context) ([]connectors.Split, error) {
	client, _, err := s.connect()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	known, timeout := s.known, s.opts.connectTimeout
	s.mu.Unlock()
	if known != nil {
		timeout = min(timeout, refreshTimeout)
	}
	var splits []connectors.Split
	err = s.health.attempt(ctx, timeout, func(ctx context.Context) error {
		counts, err := topicPartitions(ctx, client, embedded(s.cfg.Env, s.cfg.Options), s.opts.topics)
		splits = splits[:0]
		for _, t := range s.opts.topics {
			for id := range counts[t] {
				splits = append(splits, partition{t, id}.split())
			}
		}
		return err
	})
	if err != nil {
		if known != nil && !final(err) && ctx.Err() == nil {
			return slices.Clone(known), nil
		}
		return nil, s.unavailable(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = slices.Clone(splits)
	if s.first == nil {
		s.first = map[string]bool{}
		for _, split := range splits {
			s.first[split.ID] = true
		}
	}
	return splits, nil
}

// topicPartitions asks how many partitions each topic has; a missing one is a *diag.Error.
func topicPartitions(ctx context.Context, client *kgo.Client, create bool, topics []string) (map[string]int32, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = create
	for _, t := range topics {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(t)
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("asking for metadata: %w", err)
	}
	counts := map[string]int32{}
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case errors.Is(err, kerr.UnknownTopicOrPartition) && !create:
			return nil, unknownTopic(ctx, client, *t.Topic)
		case err != nil:
			return nil, fmt.Errorf("asking for metadata of topic '%s': %w", *t.Topic, err)
		}
		counts[*t.Topic] = int32(len(t.Partitions))
	}
	for _, t := range topics {
		if counts[t] == 0 {
			return nil, fmt.Errorf("topic '%s' has no partitions yet", t)
		}
	}
	return counts, nil
}

// unknownTopic is the error for a topic that does not exist, with the name that may have been meant.
func unknownTopic(ctx context.Context, client *kgo.Client, topic string) error {
	var names []string
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil // all of them
	if resp, err := req.RequestWith(ctx, client); err == nil {
		for _, t := range resp.Topics {
			if t.Topic != nil && !t.IsInternal {
				names = append(names, *t.Topic)
			}
		}
	}
	slices.Sort(names)
	err := diag.New(diag.UnknownTopic, -1, "topic '%s' does not exist", topic)
	if near := diag.Suggest(topic, names); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	return err.WithHint("create it: kafka-topics.sh --bootstrap-server HOST:9092 --create --topic %s --partitions 4", topic)
}

// Open implements connectors.Source.
func (s *source) Open(ctx context.Context, split connectors.Split, at connectors.Position) (connectors.Reader, error) {
	p, err := parseSplit(split.ID)
	if err != nil {
		return nil, err
	}
	client, _, err := s.connect()
	if err != nil {
		return nil, err
	}
	decoder, err := s.newRowDecoder()
	if err != nil {
		return nil, err
	}
	pos, end, err := s.locate(ctx, p, at)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.dispatch == nil {
		s.dispatch = startDispatcher(client, s.opts.readCommitted)
	}
	d := s.dispatch
	s.mu.Unlock()
	r := newReader(s, p, pos, decoder)
	r.queue, err = d.open(p, pos, end)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// extent asks which offsets of p can be read at this moment: from first to before end.
func (s *source) extent(ctx context.Context, p partition) (first, end int64, err error) {
	_, admin, err := s.connect()
	if err != nil {
		return 0, 0, err
	}
	list := admin.ListEndOffsets
	if s.opts.readCommitted {
		list = admin.ListCommittedOffsets
	}
	err = s.health.attempt(ctx, s.opts.connectTimeout, func(ctx context.Context) (err error) {
		if first, err = listed(admin.ListStartOffsets(ctx, p.topic))(p); err == nil {
			end, err = listed(list(ctx, p.topic))(p)
		}
		return err
	})
	return first, end, s.unavailable(err)
}

// locate turns the engine's position, or the options, into offsets. end is the end of the partition at this moment.
func (s *source) locate(ctx context.Context, p partition, at connectors.Position) (pos position, end int64, err error) {
	first, end, err := s.extent(ctx, p)
	if err != nil {
		return pos, 0, err
	}
	if at == nil {
		err = s.health.attempt(ctx, s.opts.connectTimeout, func(ctx context.Context) (err error) {
			pos, err = s.begin(ctx, p, first, end)
			return err
		})
		return pos, end, s.unavailable(err)
	}
	if pos, err = decodePosition(at); err != nil {
		return pos, 0, fmt.Errorf("reading the position of %s: %w", p, err)
	}
	if to := min(max(pos.next, first), end); to != pos.next {
		if err := s.lossAround(p, pos.next, to); err != nil {
			return pos, 0, err
		}
		pos.next, pos.epoch = to, -1
	}
	return pos, end, nil
}

// begin finds where a new job begins in a partition whose records go from first to end.
func (s *source) begin(ctx context.Context, p partition, first, end int64) (position, error) {
	pos := position{next: first, epoch: -1, bound: noBound}
	s.mu.Lock()
	late := s.first != nil && !s.first[p.split().ID]
	s.mu.Unlock()
	if !late { // a partition added to a running job is read from its beginning: its records are all newer than the job
		next, err := s.resolve(ctx, p, s.opts.start, end)
		if err != nil {
			return pos, err
		}
		pos.next = min(max(first, next), end)
	}
	if s.opts.end.kind != "" {
		bound, err := s.resolve(ctx, p, s.opts.end, end)
		if err != nil {
			return pos, err
		}
		if pos.bound = bound; bound == unnamed {
			pos.bound = end
		}
	}
	return pos, nil
}

// unnamed is the offset of a place that says nothing about a partition.
const unnamed int64 = -1

// resolve gives the offset of a place in p.
func (s *source) resolve(ctx context.Context, p partition, at place, end int64) (int64, error) {
	_, admin, err := s.connect()
	if err != nil {
		return 0, err
	}
	switch at.kind {
	case startLatest:
		return end, nil
	case startTimestamp:
		offset, err := listed(admin.ListOffsetsAfterMilli(ctx, at.millis, p.topic))(p)
		return min(offset, end), err
	case startOffsets:
		if offset, named := at.offsets[p.id]; named {
			return offset, nil
		}
	case startGroup:
		offsets, err := admin.FetchOffsets(kadm.RequireStable(ctx), s.opts.group)
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return 0, fmt.Errorf("fetching the offsets of group '%s': %w", s.opts.group, err)
		}
		if o, ok := offsets.Lookup(p.topic, p.id); ok && o.Err == nil && o.At >= 0 {
			return o.At, nil
		}
	}
	return unnamed, nil
}

// listed picks one partition out of listed offsets.
func listed(all kadm.ListedOffsets, err error) func(p partition) (int64, error) {
	return func(p partition) (int64, error) {
		o, ok := all.Lookup(p.topic, p.id)
		switch {
		case ok && o.Err == nil:
			return o.Offset, nil
		case ok:
			return 0, fmt.Errorf("listing offsets of %s: %w", p, o.Err)
		case err == nil:
			err = kerr.UnknownTopicOrPartition
		}
		return 0, fmt.Errorf("listing offsets of %s: %w", p, err)
	}
}

// loss decides about records [from, to) of p that are gone: an error, or nil after a line in the log.
func (s *source) loss(p partition, from, to int64) error {
	if s.opts.skipLoss {
		s.health.log.Warn("kafka: records were deleted before they were read", "relation", s.cfg.Relation, "partition", p.String(),
			"from", from, "to", to-1)
		return nil
	}
	return diag.New(diag.SourceUnavailable, -1, "offsets %d to %d of %s no longer exist: the broker has deleted them before they were read",
		from, to-1, p).WithHint("to go on at offset %d, set on_data_loss = 'continue'; to keep records longer, raise the topic's retention.ms", to)
}

// Close implements connectors.Source.
func (s *source) Close() error {
	s.committer.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dispatch != nil {
		s.dispatch.close()
		s.dispatch = nil
	}
	if s.client != nil {
		s.client.Close()
		s.client, s.admin = nil, nil
	}
	return nil
}
