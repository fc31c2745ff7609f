package broker

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/millrace/millrace/state/log"
)

// leaderEpoch is the epoch stamped on batches: a broker alone leads every partition for ever.
const leaderEpoch = 0

// partition is one log of one topic. Immutable but for what the log guards itself.
type partition struct {
	topic *topic
	index int32
	log   *log.Log
}

func partitionDir(topicDir string, index int32) string {
	return filepath.Join(topicDir, strconv.Itoa(int(index)))
}

// ticket stands for an append that is in the log but perhaps not durable yet.
type ticket struct {
	log         *log.Log
	First, Last int64
}

// wait blocks until the append is visible, which under flush.policy=ack means durable.
func (t ticket) wait(ctx context.Context) error {
	return t.log.WaitVisible(ctx, t.Last+1)
}

// lookup finds a partition by name.
func (b *Broker) lookup(topic string, index int32) (*partition, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	t := b.topics[topic]
	if t == nil || index < 0 || int(index) >= len(t.partitions) {
		return nil, fmt.Errorf("%w: %s-%d", ErrUnknownTopic, topic, index)
	}
	return t.partitions[index], nil
}

// appendRecords writes records to a partition from inside the broker, as one batch. The batch options carry the producer, if any.
func (b *Broker) appendRecords(tp topicPartition, recs []log.Record, o log.BatchOptions) (ticket, error) {
	p, err := b.lookup(tp.topic, tp.partition)
	if err != nil {
		return ticket{}, err
	}
	now := b.opts.Now().UnixMilli()
	for i := range recs {
		if recs[i].TimestampMs == 0 {
			recs[i].TimestampMs = now
		}
	}
	res, err := p.log.Append(log.BuildBatch(nil, recs, o), log.AppendOptions{LeaderEpoch: leaderEpoch, Control: o.Control})
	if err != nil {
		return ticket{}, fmt.Errorf("appending to %s-%d: %w", tp.topic, tp.partition, err)
	}
	return ticket{p.log, res.First, res.Last}, nil
}

// appendControl writes the commit or abort marker that ends a producer's transaction in a partition.
func (b *Broker) appendControl(tp topicPartition, m log.Marker) (ticket, error) {
	p, err := b.lookup(tp.topic, tp.partition)
	if err != nil {
		return ticket{}, err
	}
	res, err := p.log.AppendMarker(m, leaderEpoch)
	if err != nil {
		return ticket{}, fmt.Errorf("ending transaction in %s-%d: %w", tp.topic, tp.partition, err)
	}
	return ticket{p.log, res.First, res.Last}, nil
}

// readAll calls fn for every record of a partition, oldest first. fn must copy what it keeps.
func (b *Broker) readAll(tp topicPartition, fn func(r *log.Record) error) error {
	p, err := b.lookup(tp.topic, tp.partition)
	if err != nil {
		return err
	}
	if err := p.log.Each(p.log.StartOffset(), fn); err != nil {
		return fmt.Errorf("reading %s-%d: %w", tp.topic, tp.partition, err)
	}
	return nil
}
