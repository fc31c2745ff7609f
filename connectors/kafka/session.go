package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/kafka/partitioner"
	"github.com/millrace/millrace/sql/diag"
)

// The steps of a delivery, in order; each may be the last one of a process.
const (
	stepBegun     = "begun"     // the transaction is open at the client
	stepProduced  = "produced"  // every record is acknowledged
	stepMarked    = "marked"    // the marker is part of the transaction
	stepCommitted = "committed" // the commit was answered, but nobody has heard of it yet
)

// errInjected ends a delivery as a crash would; only tests cause it.
var errInjected = errors.New("injected failure")

// session is one life of a producer: from InitProducerId, which fences every earlier life and ends its open transaction, to the first
// failure.
//
//	openSession ──> epoch known ──deliver(e > epoch)──> produce, mark, commit ──ok──> epoch = e
//	     ^                                                   │
//	     └──────────── close <────────── any error ──────────┘
type session struct {
	sink       *sink
	client     *kgo.Client
	partitions int32 // of the topic
	maxBytes   int   // largest record batch that option and topic allow
	epoch      int64 // last epoch that is in the topic, as its marker tells; emptyMarker: none
}

func openSession(ctx context.Context, s *sink) (_ *session, err error) {
	n := &session{sink: s, epoch: emptyMarker}
	opts, err := clientOptions(s.cfg.Env, s.cfg.Options, s.health)
	if err != nil {
		return nil, err
	}
	if err = n.prepareTopic(ctx, opts); err != nil {
		return nil, err
	}
	opts = append(opts, kgo.ProducerBatchMaxBytes(int32(n.maxBytes)), kgo.RecordPartitioner(s.partitioner()),
		kgo.ProducerBatchCompression(compression(s.cfg.Options.String("compression"))...),
		kgo.MaxBufferedRecords(maxBuffered), kgo.MaxBufferedBytes(max(maxBufferedBytes, 2*n.maxBytes)))
	if s.opts.exactlyOnce {
		opts = append(opts, kgo.TransactionalID(s.cfg.ID), kgo.TransactionTimeout(s.opts.txnTimeout))
	}
	if n.client, err = kgo.NewClient(opts...); err != nil {
		return nil, diag.New(diag.BadOption, -1, "the options of '%s' do not fit together: %v", s.cfg.Relation, err)
	}
	if s.opts.exactlyOnce {
		if err = n.readMarker(ctx); err != nil {
			n.client.Close()
			return nil, err
		}
	}
	return n, nil
}

// prepareTopic creates the topic if it is missing and learns its partitions and the size of its largest record batch.
func (n *session) prepareTopic(ctx context.Context, opts []kgo.Opt) error {
	s := n.sink
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return diag.New(diag.BadOption, -1, "the options of '%s' do not fit together: %v", s.cfg.Relation, err)
	}
	defer client.Close()
	topics := []string{s.opts.topic}
	counts, err := topicPartitions(ctx, client, false, topics)
	admin := kadm.NewClient(client)
	if unknown(err) && s.cfg.Options.Bool("create_topic") {
		if err := s.createTopic(ctx, admin); err != nil {
			return err
		}
		if counts, err = topicPartitions(ctx, client, false, topics); unknown(err) {
			err = fmt.Errorf("topic '%s' is being created", s.opts.topic)
		}
	}
	if err != nil {
		return err
	}
	n.partitions, n.maxBytes = counts[s.opts.topic], min(topicMaxDefault, s.opts.maxBytes)
	// Not every user may read a topic's configuration; then Kafka's default has to do.
	configs, err := admin.DescribeTopicConfigs(ctx, s.opts.topic)
	if err != nil || len(configs) != 1 || configs[0].Err != nil {
		return nil
	}
	for _, c := range configs[0].Configs {
		if v, err := strconv.Atoi(c.MaybeValue()); c.Key == "max.message.bytes" && err == nil && v > 0 {
			n.maxBytes = min(v, s.opts.maxBytes)
		}
	}
	return nil
}

func unknown(err error) bool {
	d, ok := diag.As(err)
	return ok && d.Code == diag.UnknownTopic
}

func (s *sink) createTopic(ctx context.Context, admin *kadm.Client) error {
	partitions, replication := s.cfg.Options.Int("partitions"), s.cfg.Options.Int("replication")
	_, err := admin.CreateTopic(ctx, int32(partitions), int16(replication), nil, s.opts.topic)
	switch {
	case err == nil:
		s.health.log.Info("kafka: topic created", "relation", s.cfg.Relation, "topic", s.opts.topic)
	case errors.Is(err, kerr.TopicAlreadyExists):
	case final(err):
		return diag.New(diag.UnknownTopic, -1, "topic '%s' does not exist and cannot be created: %v", s.opts.topic, err).Wrap(err).
			WithHint("check the options 'partitions' and 'replication', or create the topic by hand")
	default:
		return fmt.Errorf("creating topic '%s': %w", s.opts.topic, err)
	}
	return nil
}

// readMarker begins the life of the producer and learns which epoch was committed last.
func (n *session) readMarker(ctx context.Context) error {
	if _, _, err := n.client.ProducerID(ctx); err != nil {
		if errors.Is(err, kerr.InvalidTransactionTimeout) {
			return badOption("transaction_timeout", "%s is more than the broker's transaction.max.timeout.ms allows", n.sink.opts.txnTimeout)
		}
		return fmt.Errorf("beginning as producer '%s': %w", n.sink.cfg.ID, err)
	}
	offsets, err := kadm.NewClient(n.client).FetchOffsets(kadm.RequireStable(ctx), n.sink.cfg.ID)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the marker of '%s': %w", n.sink.cfg.ID, err)
	}
	if o, ok := offsets.Lookup(n.sink.opts.topic, 0); ok {
		if o.Err != nil {
			return fmt.Errorf("reading the marker of '%s': %w", n.sink.cfg.ID, o.Err)
		}
		n.epoch = o.At
	}
	return nil
}

// deliver writes the records of one epoch. Any error leaves the outcome open: the session must be closed.
func (n *session) deliver(ctx context.Context, epoch uint64, records []*kgo.Record) error {
	if !n.sink.opts.exactlyOnce {
		return n.produce(ctx, records)
	}
	if err := n.client.BeginTransaction(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	if err := n.sink.fail(stepBegun); err != nil {
		return err
	}
	if err := n.produce(ctx, records); err != nil {
		return err
	}
	if err := n.sink.fail(stepProduced); err != nil {
		return err
	}
	if err := n.mark(ctx, epoch); err != nil {
		return err
	}
	if err := n.sink.fail(stepMarked); err != nil {
		return err
	}
	if err := n.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	if err := n.sink.fail(stepCommitted); err != nil {
		return err
	}
	n.epoch = int64(epoch)
	return nil
}

// produce sends records and waits until the broker has acknowledged all.
func (n *session) produce(ctx context.Context, records []*kgo.Record) error {
	var mu sync.Mutex
	var first error
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				first = err
			}
		}
	}
	for _, r := range records {
		n.client.Produce(ctx, r, promise)
	}
	if err := n.client.Flush(ctx); err != nil {
		return fmt.Errorf("producing: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if first != nil {
		return fmt.Errorf("producing: %w", first)
	}
	return nil
}

// mark puts the epoch's number into the transaction, as the committed offset of a group that has no members. The offset becomes
// visible with the records or not at all.
func (n *session) mark(ctx context.Context, epoch uint64) error {
	id, generation, err := n.client.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("marking: %w", err)
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.Group = n.sink.cfg.ID, n.sink.cfg.ID
	add.ProducerID, add.ProducerEpoch = id, generation
	added, err := add.RequestWith(ctx, n.client)
	if err == nil {
		err = kerr.ErrorForCode(added.ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("adding the marker: %w", err)
	}
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.Group = n.sink.cfg.ID, n.sink.cfg.ID
	commit.ProducerID, commit.ProducerEpoch = id, generation
	p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset = 0, int64(epoch)
	p.Metadata = kmsg.StringPtr("millrace epoch")
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic, t.Partitions = n.sink.opts.topic, append(t.Partitions, p)
	commit.Topics = append(commit.Topics, t)
	committed, err := commit.RequestWith(ctx, n.client)
	if err != nil {
		return fmt.Errorf("writing the marker: %w", err)
	}
	for _, t := range committed.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("writing the marker: %w", err)
			}
		}
	}
	return nil
}

func (n *session) close() { n.client.Close() }

// fenced tells whether the broker has ended this producer's life: a newer one began, or the transaction took too long.
func fenced(err error) bool {
	for _, e := range []error{kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.InvalidTxnState, kerr.InvalidProducerIDMapping,
		kerr.UnknownProducerID, kerr.OutOfOrderSequenceNumber, kerr.TransactionAbortable} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func compression(name string) []kgo.CompressionCodec {
	switch name {
	case "gzip":
		return []kgo.CompressionCodec{kgo.GzipCompression()}
	case "snappy":
		return []kgo.CompressionCodec{kgo.SnappyCompression()}
	case "lz4":
		return []kgo.CompressionCodec{kgo.Lz4Compression()}
	case "zstd":
		return []kgo.CompressionCodec{kgo.ZstdCompression()}
	}
	return []kgo.CompressionCodec{kgo.NoCompression()}
}

// partitioner chooses by the option, or per record where a metadata column names the partition.
func (s *sink) partitioner() kgo.Partitioner {
	var p kgo.Partitioner
	switch s.cfg.Options.String("partitioner") {
	case "sticky":
		p = kgo.StickyPartitioner()
	case "round_robin":
		p = kgo.RoundRobinPartitioner()
	default:
		p = kgo.StickyKeyPartitioner(nil)
	}
	if s.stager.partition >= 0 {
		return partitioner.Pinned(p)
	}
	return p
}

var _ connectors.Sink = (*sink)(nil)
