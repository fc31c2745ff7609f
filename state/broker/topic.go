package broker

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/millrace/millrace/state/log"
)

// maxTopicName is Kafka's limit; names become folder names.
const maxTopicName = 249

// topicID is the 16-byte id of a topic; it differs between a deleted topic and one created later under the same name.
type topicID = [16]byte

// topic is a named set of partitions. name, id and internal never change; partitions and config change under Broker.mu, and each
// change replaces the slice or map, so that a copy taken under the lock stays valid.
type topic struct {
	name       string
	id         topicID
	internal   bool
	partitions []*partition
	config     map[string]string // explicitly set only
	count      topicCounters
}

func (t *topic) close() error {
	var errs []error
	for _, p := range t.partitions {
		errs = append(errs, p.log.Close())
	}
	return errors.Join(errs...)
}

// TopicInfo describes a topic.
type TopicInfo struct {
	Name       string
	ID         [16]byte
	Partitions int
	Internal   bool
	Config     map[string]string // explicitly set only
}

// checkTopicName refuses names that Kafka refuses: they must be usable as folder names everywhere.
func checkTopicName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > maxTopicName {
		return fmt.Errorf("%w: %q", ErrInvalidTopic, name)
	}
	for _, c := range []byte(name) {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
		if !ok {
			return fmt.Errorf("%w: %q has characters other than letters, digits, '.', '_' and '-'", ErrInvalidTopic, name)
		}
	}
	return nil
}

// topicDir is the folder of a topic. The id is part of the name, so that a topic created anew never meets its predecessor's files.
func (b *Broker) topicDir(name string, id topicID) string {
	return filepath.Join(b.opts.DataDir, "topics", name+"."+hex.EncodeToString(id[:]))
}

// openTopics opens the logs of all topics on record and removes folders of topics that are not: their deletion or creation was cut
// short.
func (b *Broker) openTopics() error {
	known := map[string]bool{}
	for _, r := range b.store.state.Topics {
		t, err := b.openTopic(r)
		if err != nil {
			return err
		}
		b.topics[t.name], b.byID[t.id] = t, t
		known[filepath.Base(b.topicDir(t.name, t.id))] = true
	}
	entries, err := os.ReadDir(filepath.Join(b.opts.DataDir, "topics"))
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("listing topic folders: %w", err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			if err := os.RemoveAll(filepath.Join(b.opts.DataDir, "topics", e.Name())); err != nil {
				return fmt.Errorf("removing left-over topic folder: %w", err)
			}
		}
	}
	return nil
}

// openTopic opens or creates the logs of one topic.
func (b *Broker) openTopic(r topicRecord) (*topic, error) {
	t := &topic{name: r.Name, id: r.ID, internal: r.Internal, config: maps.Clone(r.Config)}
	opts, err := b.logOptions(t.config)
	if err != nil {
		return nil, fmt.Errorf("configuring topic %s: %w", r.Name, err)
	}
	parts, err := b.openPartitions(t, 0, r.Partitions, opts)
	if err != nil {
		return nil, err
	}
	t.partitions = parts
	return t, nil
}

func (b *Broker) openPartitions(t *topic, from, to int, opts log.Options) ([]*partition, error) {
	dir := b.topicDir(t.name, t.id)
	var parts []*partition
	for i := from; i < to; i++ {
		l, err := log.Open(partitionDir(dir, int32(i)), opts)
		if err != nil {
			for _, p := range parts {
				p.log.Close()
			}
			return nil, fmt.Errorf("opening %s-%d: %w", t.name, i, err)
		}
		parts = append(parts, &partition{t, int32(i), l})
	}
	return parts, nil
}

// CreateTopic creates a topic. partitions 0 takes the default; config may be nil. It is durable on return.
func (b *Broker) CreateTopic(name string, partitions int, config map[string]string) error {
	return b.createTopic(topicRecord{Name: name, Partitions: partitions, Config: config})
}

// ensureInternalTopic creates a coordinator's topic unless it is there.
func (b *Broker) ensureInternalTopic(name string, partitions int, config map[string]string) error {
	err := b.createTopic(topicRecord{Name: name, Partitions: partitions, Config: config, Internal: true})
	if errors.Is(err, ErrTopicExists) {
		return nil
	}
	return err
}

func (b *Broker) createTopic(r topicRecord) (err error) {
	defer func() { // after the locks are released; often a topic is there already
		if err == nil {
			b.topicsChanged()
		}
	}()
	b.adminMu.Lock()
	defer b.adminMu.Unlock()
	if err := b.checkNewTopic(&r); err != nil {
		return err
	}
	if _, err := rand.Read(r.ID[:]); err != nil {
		return fmt.Errorf("making topic id: %w", err)
	}
	t, err := b.openTopic(r)
	if err != nil {
		os.RemoveAll(b.topicDir(r.Name, r.ID))
		return err
	}
	err = syncFolders(filepath.Dir(b.topicDir(r.Name, r.ID)), b.opts.DataDir)
	if err == nil {
		err = b.store.update(func(s *brokerState) { s.Topics = append(s.Topics, r) })
	}
	if err != nil {
		t.close()
		os.RemoveAll(b.topicDir(r.Name, r.ID))
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.topics[t.name], b.byID[t.id] = t, t
	return nil
}

// checkNewTopic validates a topic to be created and fills in the default partition count. Caller holds adminMu.
func (b *Broker) checkNewTopic(r *topicRecord) error {
	if err := checkTopicName(r.Name); err != nil {
		return err
	}
	if r.Partitions == 0 {
		r.Partitions = b.opts.DefaultPartitions
	}
	if r.Partitions < 1 || r.Partitions > maxTopicPartitions {
		return fmt.Errorf("%w: %d, allowed are 1 to %d", ErrInvalidPartitions, r.Partitions, maxTopicPartitions)
	}
	if _, err := b.logOptions(r.Config); err != nil {
		return err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return ErrClosed
	}
	if b.topics[r.Name] != nil {
		return fmt.Errorf("%w: %s", ErrTopicExists, r.Name)
	}
	return b.checkPartitionBudget(r.Partitions)
}

// checkPartitionBudget enforces Options.MaxPartitions. Caller holds mu.
func (b *Broker) checkPartitionBudget(more int) error {
	for _, t := range b.topics {
		more += len(t.partitions)
	}
	if more > b.opts.MaxPartitions {
		return fmt.Errorf("%w: %d partitions in all, limit %d", ErrInvalidPartitions, more, b.opts.MaxPartitions)
	}
	return nil
}

// DeleteTopic removes a topic and its data.
func (b *Broker) DeleteTopic(name string) error {
	defer b.topicsChanged() // after the locks are released
	b.adminMu.Lock()
	defer b.adminMu.Unlock()
	b.mu.RLock()
	t := b.topics[name]
	b.mu.RUnlock()
	if t == nil {
		return fmt.Errorf("%w: %s", ErrUnknownTopic, name)
	}
	if t.internal {
		return fmt.Errorf("%w: %s is internal", ErrInvalidTopic, name)
	}
	if err := b.store.update(func(s *brokerState) { s.removeTopic(name) }); err != nil {
		return err
	}
	b.mu.Lock()
	delete(b.topics, name)
	delete(b.byID, t.id)
	b.mu.Unlock()
	var errs []error
	for _, p := range t.partitions {
		errs = append(errs, p.log.Delete())
	}
	errs = append(errs, os.RemoveAll(b.topicDir(t.name, t.id)))
	return errors.Join(errs...)
}

// AddPartitions raises a topic's partition count to total.
func (b *Broker) AddPartitions(name string, total int) error {
	defer b.topicsChanged() // after the locks are released
	b.adminMu.Lock()
	defer b.adminMu.Unlock()
	b.mu.RLock()
	t := b.topics[name]
	var have int
	var budget error
	if t != nil {
		have = len(t.partitions)
		budget = b.checkPartitionBudget(total - have)
	}
	b.mu.RUnlock()
	switch {
	case t == nil:
		return fmt.Errorf("%w: %s", ErrUnknownTopic, name)
	case total <= have || total > maxTopicPartitions:
		return fmt.Errorf("%w: topic has %d, cannot change to %d", ErrInvalidPartitions, have, total)
	case budget != nil:
		return budget
	}
	opts, err := b.logOptions(t.config)
	if err != nil {
		return err
	}
	parts, err := b.openPartitions(t, have, total, opts)
	if err != nil {
		return err
	}
	if err := b.store.update(func(s *brokerState) { s.topic(name).Partitions = total }); err != nil {
		for _, p := range parts {
			p.log.Delete()
		}
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t.partitions = append(t.partitions[:have:have], parts...)
	return nil
}

// SetTopicConfig replaces the explicitly set configuration of a topic.
func (b *Broker) SetTopicConfig(name string, config map[string]string) error {
	b.adminMu.Lock()
	defer b.adminMu.Unlock()
	b.mu.RLock()
	t := b.topics[name]
	b.mu.RUnlock()
	if t == nil {
		return fmt.Errorf("%w: %s", ErrUnknownTopic, name)
	}
	opts, err := b.logOptions(config)
	if err != nil {
		return err
	}
	config = maps.Clone(config)
	if err := b.store.update(func(s *brokerState) { s.topic(name).Config = config }); err != nil {
		return err
	}
	b.mu.Lock()
	t.config = config
	parts := t.partitions
	b.mu.Unlock()
	for _, p := range parts {
		p.log.SetOptions(opts)
	}
	return nil
}

// Topics lists all topics by name, internal ones included.
func (b *Broker) Topics() []TopicInfo {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]TopicInfo, 0, len(b.topics))
	for _, t := range b.topics {
		out = append(out, TopicInfo{t.name, t.id, len(t.partitions), t.internal, maps.Clone(t.config)})
	}
	sort.Slice(out, func(i, j int) bool { return strings.Compare(out[i].Name, out[j].Name) < 0 })
	return out
}

// Watermarks returns the offsets of one partition.
func (b *Broker) Watermarks(topic string, partition int32) (log.Watermarks, error) {
	p, err := b.lookup(topic, partition)
	if err != nil {
		return log.Watermarks{}, err
	}
	return p.log.Watermarks(), nil
}
