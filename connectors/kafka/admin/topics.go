package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Topic is a topic in a list.
type Topic struct {
	Name       string `json:"name"`
	Partitions int    `json:"partitions"`
	Replicas   int    `json:"replicas"`
	Internal   bool   `json:"internal"`
	Records    int64  `json:"records"` // offsets between start and end; compaction and transactions leave gaps
}

// Partition is one partition of a described topic.
type Partition struct {
	Partition int32   `json:"partition"`
	Leader    int32   `json:"leader"`
	Replicas  []int32 `json:"replicas"`
	InSync    []int32 `json:"in_sync"`
	Start     int64   `json:"start"`
	End       int64   `json:"end"`
}

// Config is one setting of a topic.
type Config struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Set   bool   `json:"set"` // by the topic itself, not a default
}

// TopicDetail is a described topic.
type TopicDetail struct {
	Topic
	ID     string      `json:"id"`
	Parts  []Partition `json:"partition_details"`
	Config []Config    `json:"config"`
}

// Topics lists the topics by name; internal ones too if asked for.
func (c *Client) Topics(ctx context.Context, internal bool) ([]Topic, error) {
	details, err := c.adm.ListTopicsWithInternal(ctx)
	if err != nil {
		return nil, explain("listing topics", err, "")
	}
	var names []string
	for _, d := range details.Sorted() {
		if internal || !d.IsInternal {
			names = append(names, d.Topic)
		}
	}
	out := make([]Topic, 0, len(names))
	if len(names) == 0 {
		return out, nil
	}
	starts, err := c.adm.ListStartOffsets(ctx, names...)
	if err != nil {
		return nil, explain("listing offsets", err, "")
	}
	ends, err := c.adm.ListEndOffsets(ctx, names...)
	if err != nil {
		return nil, explain("listing offsets", err, "")
	}
	for _, name := range names {
		t := summary(details[name])
		for p := range ends[name] {
			if s, e := starts[name][p], ends[name][p]; s.Err == nil && e.Err == nil {
				t.Records += e.Offset - s.Offset
			}
		}
		out = append(out, t)
	}
	return out, nil
}

func summary(d kadm.TopicDetail) Topic {
	return Topic{Name: d.Topic, Partitions: len(d.Partitions), Replicas: d.Partitions.NumReplicas(), Internal: d.IsInternal}
}

// Describe tells all about one topic.
func (c *Client) Describe(ctx context.Context, name string) (*TopicDetail, error) {
	what := "describing topic " + name
	details, err := c.adm.ListTopicsWithInternal(ctx, name)
	if err == nil {
		err = details[name].Err
	}
	if err != nil {
		return nil, explain(what, err, "")
	}
	d := details[name]
	out := &TopicDetail{Topic: summary(d), ID: d.ID.String(), Parts: []Partition{}, Config: []Config{}}
	ws, err := c.windows(ctx, name, -1)
	if err != nil {
		return nil, err
	}
	for _, p := range d.Partitions.Sorted() {
		w := ws[p.Partition]
		out.Parts = append(out.Parts, Partition{p.Partition, p.Leader, p.Replicas, p.ISR, w.start, w.end})
		out.Records += w.end - w.start
	}
	configs, err := c.adm.DescribeTopicConfigs(ctx, name)
	if err != nil {
		return nil, explain(what, err, "")
	}
	for _, rc := range configs {
		if rc.Err != nil {
			return nil, explain(what, rc.Err, rc.ErrMessage)
		}
		for _, e := range rc.Configs {
			out.Config = append(out.Config, Config{e.Key, e.MaybeValue(), e.Source.String() == "DYNAMIC_TOPIC_CONFIG"})
		}
	}
	slices.SortFunc(out.Config, func(a, b Config) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Create makes a topic. partitions -1 and replicas -1 take the cluster's defaults.
func (c *Client) Create(ctx context.Context, name string, partitions int, replicas int16, config map[string]string) error {
	values := make(map[string]*string, len(config))
	for k, v := range config {
		values[k] = &v
	}
	resp, err := c.adm.CreateTopics(ctx, int32(partitions), replicas, values, name)
	if err != nil {
		return explain("creating topic "+name, err, "")
	}
	r := resp[name]
	return explain("creating topic "+name, r.Err, r.ErrMessage)
}

// ErrExists: the topic is there already.
var ErrExists error = kerr.TopicAlreadyExists

// Delete removes a topic with its records.
func (c *Client) Delete(ctx context.Context, name string) error {
	resp, err := c.adm.DeleteTopics(ctx, name)
	if err != nil {
		return explain("deleting topic "+name, err, "")
	}
	r := resp[name]
	return explain("deleting topic "+name, r.Err, r.ErrMessage)
}

// Alteration is a change to a topic.
type Alteration struct {
	Set        map[string]string
	Unset      []string // back to the default
	Partitions int      // new number of partitions; 0 keeps it
}

// Alter changes settings first, then the number of partitions.
func (c *Client) Alter(ctx context.Context, name string, a Alteration) error {
	var changes []kadm.AlterConfig
	for k, v := range a.Set {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: k, Value: &v})
	}
	for _, k := range a.Unset {
		changes = append(changes, kadm.AlterConfig{Op: kadm.DeleteConfig, Name: k})
	}
	what := "altering topic " + name
	if len(changes) > 0 {
		resp, err := c.adm.AlterTopicConfigs(ctx, changes, name)
		if err != nil {
			return explain(what, err, "")
		}
		for _, r := range resp {
			if r.Err != nil {
				return explain(what, r.Err, r.ErrMessage)
			}
		}
	}
	if a.Partitions > 0 {
		resp, err := c.adm.UpdatePartitions(ctx, a.Partitions, name)
		if err != nil {
			return explain(what, err, "")
		}
		r := resp[name]
		return explain(what, r.Err, r.ErrMessage)
	}
	return nil
}

// Trimmed is what became of one partition.
type Trimmed struct {
	Partition int32 `json:"partition"`
	From      int64 `json:"from"`
	Start     int64 `json:"start"` // first offset there is now
}

// Trim deletes the records before a position. partition -1 means all.
func (c *Client) Trim(ctx context.Context, topic string, partition int32, before Position) ([]Trimmed, error) {
	to, ws, err := c.resolve(ctx, topic, partition, before)
	if err != nil {
		return nil, err
	}
	var offsets kadm.Offsets
	for p, o := range to {
		offsets.AddOffset(topic, p, o, -1)
	}
	resp, err := c.adm.DeleteRecords(ctx, offsets)
	if err != nil {
		return nil, explain("trimming topic "+topic, err, "")
	}
	var out []Trimmed
	var errs []error
	for p, r := range resp[topic] {
		if r.Err != nil {
			errs = append(errs, explain(fmt.Sprintf("trimming %s[%d]", topic, p), r.Err, ""))
			continue
		}
		out = append(out, Trimmed{p, ws[p].start, r.LowWatermark})
	}
	slices.SortFunc(out, func(a, b Trimmed) int { return int(a.Partition - b.Partition) })
	return out, errors.Join(errs...)
}
