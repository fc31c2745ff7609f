package broker

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/state/log"
)

// configKind is the type of a topic setting, with the protocol's number.
type configKind int8

const (
	configBoolean configKind = 1
	configString  configKind = 2
	configInt     configKind = 3
	configLong    configKind = 5
	configList    configKind = 7
)

// topicSetting is one topic setting: what it is called, what it takes, and what it does to the log. A nil apply means the value is
// accepted and stored because clients set it, but changes nothing here; doc says so.
type topicSetting struct {
	name  string
	kind  configKind
	def   string
	doc   string
	min   int64                // of numbers
	oneOf []string             // of strings
	check func(v string) error // of strings with a form of their own
	apply func(o *log.Options, v int64, s string)
}

// acceptedOnly documents a setting that Kafka's tools and MirrorMaker copy from cluster to cluster.
const acceptedOnly = "Accepted without effect."

// topicSettings is the whole table, in the order DescribeConfigs lists it.
var topicSettings = []topicSetting{
	{name: "cleanup.policy", kind: configList, def: "delete", oneOf: []string{"delete", "compact"},
		doc: "What happens to old records: delete drops them by age and size, compact keeps the newest of each key.",
		apply: func(o *log.Options, _ int64, s string) {
			o.Compact = strings.Contains(s, "compact")
			if !strings.Contains(s, "delete") {
				o.RetentionAge, o.RetentionBytes = 0, 0
			}
		}},
	{name: "compression.type", kind: configString, def: "producer", oneOf: []string{"producer"}, doc: "Batches are stored as sent."},
	{name: "delete.retention.ms", kind: configLong, def: "86400000", doc: "How long a tombstone stays in a compacted topic.",
		apply: func(o *log.Options, v int64, _ string) { o.DeleteRetention = longMillis(v) }},
	{name: "flush.messages", kind: configLong, def: "9223372036854775807", min: 1,
		doc: "With flush.policy=async: after how many records the disk is synced. With ack each acknowledgement waits for it anyway.",
		apply: func(o *log.Options, v int64, _ string) {
			if v < math.MaxInt64 {
				o.FlushRecords = v
			}
		}},
	{name: "flush.ms", kind: configLong, def: "9223372036854775807",
		doc:   "With flush.policy=async: how long records stay unsynced at most.",
		apply: func(o *log.Options, v int64, _ string) { o.FlushInterval = millis(v) }},
	{name: "flush.policy", kind: configString, def: "ack", oneOf: []string{"ack", "async"},
		doc: "ack: acknowledged and visible only after fdatasync. async: safe against the death of the process only.",
		apply: func(o *log.Options, _ int64, s string) {
			o.Flush = log.FlushAck
			if s == "async" {
				o.Flush = log.FlushAsync
			}
		}},
	{name: "max.message.bytes", kind: configInt, def: strconv.Itoa(defaultMaxMessageBytes), doc: "The largest record batch accepted.",
		apply: func(o *log.Options, v int64, _ string) { o.MaxBatchBytes = max(v, 1) }},
	{name: "message.timestamp.type", kind: configString, def: "CreateTime", oneOf: []string{"CreateTime", "LogAppendTime"},
		doc:   "Whose clock stamps the records.",
		apply: func(o *log.Options, _ int64, s string) { o.LogAppendTime = s == "LogAppendTime" }},
	{name: "min.cleanable.dirty.ratio", kind: configString, def: "0.5", check: checkRatio,
		doc:   "The part of a compacted topic's closed segments that must be new before they are compacted again.",
		apply: func(o *log.Options, _ int64, s string) { o.MinDirtyRatio, _ = strconv.ParseFloat(s, 64) }},
	{name: "min.compaction.lag.ms", kind: configLong, def: "0", doc: "The age below which records are not compacted.",
		apply: func(o *log.Options, v int64, _ string) { o.MinCompactionLag = longMillis(v) }},
	{name: "max.compaction.lag.ms", kind: configLong, def: "9223372036854775807", min: 1,
		doc:   "The age from which on records of a compacted topic are compacted, however few they are.",
		apply: func(o *log.Options, v int64, _ string) { o.MaxCompactionLag = millis(v) }},
	{name: "min.insync.replicas", kind: configInt, def: "1", min: 1, doc: "Accepted without effect: there is one replica."},
	{name: "retention.bytes", kind: configLong, def: "-1", min: -1, doc: "Size above which the oldest segments are dropped; -1: no limit.",
		apply: func(o *log.Options, v int64, _ string) { o.RetentionBytes = max(v, 0) }},
	{name: "retention.ms", kind: configLong, def: "604800000", min: -1, doc: "Age above which segments are dropped; -1: never.",
		apply: func(o *log.Options, v int64, _ string) { o.RetentionAge = millis(v) }},
	{name: "segment.bytes", kind: configInt, def: "268435456", min: 1024, doc: "Size at which a segment is closed.",
		apply: func(o *log.Options, v int64, _ string) { o.SegmentBytes = v }},
	{name: "segment.ms", kind: configLong, def: "604800000", min: 1, doc: "Age at which a segment is closed.",
		apply: func(o *log.Options, v int64, _ string) { o.SegmentAge = millis(v) }},
	{name: "compression.gzip.level", kind: configInt, def: "-1", min: -1, doc: acceptedOnly},
	{name: "compression.lz4.level", kind: configInt, def: "9", min: 1, doc: acceptedOnly},
	{name: "compression.zstd.level", kind: configInt, def: "3", min: math.MinInt32, doc: acceptedOnly},
	{name: "file.delete.delay.ms", kind: configLong, def: "60000", doc: acceptedOnly},
	{name: "flush.messages", kind: configLong, def: "9223372036854775807", min: 1, doc: acceptedOnly},
	{name: "flush.ms", kind: configLong, def: "9223372036854775807", doc: acceptedOnly},
	{name: "follower.replication.throttled.replicas", kind: configList, doc: acceptedOnly},
	{name: "index.interval.bytes", kind: configInt, def: "4096", doc: acceptedOnly},
	{name: "leader.replication.throttled.replicas", kind: configList, doc: acceptedOnly},
	{name: "local.retention.bytes", kind: configLong, def: "-2", min: -2, doc: acceptedOnly},
	{name: "local.retention.ms", kind: configLong, def: "-2", min: -2, doc: acceptedOnly},
	{name: "message.timestamp.after.max.ms", kind: configLong, def: "9223372036854775807", doc: acceptedOnly},
	{name: "message.timestamp.before.max.ms", kind: configLong, def: "9223372036854775807", doc: acceptedOnly},
	{name: "preallocate", kind: configBoolean, def: "false", oneOf: []string{"true", "false"}, doc: acceptedOnly},
	{name: "remote.log.copy.disable", kind: configBoolean, def: "false", oneOf: []string{"true", "false"}, doc: acceptedOnly},
	{name: "remote.log.delete.on.disable", kind: configBoolean, def: "false", oneOf: []string{"true", "false"}, doc: acceptedOnly},
	{name: "remote.storage.enable", kind: configBoolean, def: "false", oneOf: []string{"false"}, doc: "Always false: all segments are local."},
	{name: "segment.index.bytes", kind: configInt, def: "10485760", min: 4, doc: acceptedOnly},
	{name: "segment.jitter.ms", kind: configLong, def: "0", doc: acceptedOnly},
	{name: "unclean.leader.election.enable", kind: configBoolean, def: "false", oneOf: []string{"true", "false"},
		doc: "Accepted without effect: there is one replica."},
}

// millis converts a setting to a duration: negative means none, and values beyond the range of Duration mean practically never.
func millis(v int64) time.Duration {
	if v < 0 || v > math.MaxInt64/int64(time.Millisecond) {
		return 0
	}
	return max(time.Duration(v)*time.Millisecond, 1)
}

// longMillis converts a waiting time: values beyond the range of Duration mean practically for ever.
func longMillis(v int64) time.Duration {
	return time.Duration(min(v, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// checkRatio accepts numbers from 0 to 1.
func checkRatio(v string) error {
	if f, err := strconv.ParseFloat(v, 64); err != nil || !(f >= 0 && f <= 1) {
		return fmt.Errorf("%w: %q is not a number from 0 to 1", ErrInvalidConfig, v)
	}
	return nil
}

func findSetting(name string) *topicSetting {
	for i := range topicSettings {
		if topicSettings[i].name == name {
			return &topicSettings[i]
		}
	}
	return nil
}

// parse checks a value and returns it as a number too, if it is one.
func (s *topicSetting) parse(v string) (int64, error) {
	switch s.kind {
	case configInt, configLong:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < s.min || (s.kind == configInt && n > math.MaxInt32) {
			return 0, fmt.Errorf("%w: %s=%q is not a number allowed", ErrInvalidConfig, s.name, v)
		}
		return n, nil
	}
	if s.check != nil {
		return 0, s.check(v)
	}
	if len(s.oneOf) == 0 {
		return 0, nil
	}
	for _, item := range strings.Split(v, ",") {
		if !slices.Contains(s.oneOf, strings.TrimSpace(item)) || (s.kind != configList && strings.Contains(v, ",")) {
			return 0, fmt.Errorf("%w: %s=%q, allowed are %s", ErrInvalidConfig, s.name, v, strings.Join(s.oneOf, ", "))
		}
	}
	return 0, nil
}

// settingValue is the value in force and whether the topic sets it itself.
func (b *Broker) settingValue(s *topicSetting, config map[string]string) (v string, own bool) {
	if v, ok := config[s.name]; ok {
		return v, true
	}
	if v, ok := b.opts.DefaultConfig[s.name]; ok {
		return v, false
	}
	return s.def, false
}

// logOptions turns a topic's configuration into the options of its logs.
func (b *Broker) logOptions(config map[string]string) (log.Options, error) {
	names := make([]string, 0, len(config))
	for name := range config {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if findSetting(name) == nil {
			return log.Options{}, fmt.Errorf("%w: unknown setting %q", ErrInvalidConfig, name)
		}
	}
	o := log.Options{Committer: b.committer, Now: b.opts.Now}
	// cleanup.policy clears what the retention settings set, so the table is applied from its end.
	for i := len(topicSettings) - 1; i >= 0; i-- {
		s := &topicSettings[i]
		v, _ := b.settingValue(s, config)
		n, err := s.parse(v)
		if err != nil {
			return log.Options{}, err
		}
		if s.apply != nil {
			s.apply(&o, n, v)
		}
	}
	return o, nil
}
