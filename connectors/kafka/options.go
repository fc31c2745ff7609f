package kafka

import (
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// The places where reading may begin or end.
const (
	startEarliest  = "earliest"
	startLatest    = "latest"
	startTimestamp = "timestamp"
	startOffsets   = "offsets"
	startGroup     = "group"
)

// maxTopics bounds the topics of one source.
const maxTopics = 1000

// place is a place in a topic: where reading begins or ends.
type place struct {
	kind    string          // one of the start constants; "": nowhere
	millis  int64           // startTimestamp
	offsets map[int32]int64 // startOffsets
}

// sourceOptions are the options of a source, read and checked.
type sourceOptions struct {
	topics         []string
	start, end     place
	group          string
	readCommitted  bool
	skipLoss       bool
	upsert         bool
	connectTimeout time.Duration
}

func readSourceOptions(v connectors.Values) (o sourceOptions, err error) {
	o = sourceOptions{
		topics:         splitList(v.String("topic")),
		group:          v.String("group_id"),
		readCommitted:  v.String("isolation") != "read_uncommitted",
		skipLoss:       v.String("on_data_loss") == "continue",
		upsert:         v.Bool("upsert"),
		connectTimeout: v.Duration("connect_timeout"),
	}
	if len(o.topics) == 0 || len(o.topics) > maxTopics {
		return o, badOption("topic", "names no topic, or more than %d", maxTopics)
	}
	for _, t := range o.topics {
		if err := checkTopicName(t); err != nil {
			return o, err
		}
	}
	if o.start, err = readPlace(v, "scan_startup"); err != nil {
		return o, err
	}
	if o.end, err = readPlace(v, "scan_bounded"); err != nil {
		return o, err
	}
	if o.start.kind == startGroup && o.group == "" {
		return o, diag.New(diag.MissingOption, -1, "option 'group_id' is missing").WithHint("scan_startup='group' begins at that group's offsets")
	}
	return o, nil
}

// checkTopicName applies Kafka's rule for names of topics.
func checkTopicName(name string) error {
	ok := len(name) > 0 && len(name) <= 249 && name != "." && name != ".."
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
	}
	if !ok {
		return badOption("topic", "'%s' is no name of a topic", name).WithHint("1 to 249 letters, digits, dots, underscores and hyphens")
	}
	return nil
}

// readPlace reads option NAME and NAME_timestamp or NAME_offsets, which it may need.
func readPlace(v connectors.Values, name string) (p place, err error) {
	p.kind = v.String(name)
	for kind, option := range map[string]string{startTimestamp: name + "_timestamp", startOffsets: name + "_offsets"} {
		switch {
		case p.kind == kind && !v.Has(option):
			return p, diag.New(diag.MissingOption, -1, "option '%s' is missing", option).WithHint("%s='%s' needs it", name, kind)
		case p.kind != kind && v.Has(option):
			return p, badOption(option, "has no meaning without %s='%s'", name, kind)
		}
	}
	switch p.kind {
	case startTimestamp:
		p.millis, err = parseMillis(name+"_timestamp", v.String(name+"_timestamp"))
	case startOffsets:
		p.offsets, err = parseOffsets(name+"_offsets", v.String(name+"_offsets"))
	}
	return p, err
}

func parseMillis(option, s string) (int64, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return n, nil
	}
	if micros, ok := types.ParseTimestamp([]byte(s)); ok && micros >= 0 {
		return micros / types.Millisecond, nil
	}
	return 0, badOption(option, "'%s' is no time", s).WithHint("'2026-01-02 10:00:00' in UTC, or milliseconds since 1970")
}

func parseOffsets(option, s string) (map[int32]int64, error) {
	out := map[int32]int64{}
	for _, pair := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' }) {
		left, right, found := strings.Cut(strings.TrimSpace(pair), ":")
		id, err1 := strconv.ParseInt(left, 10, 32)
		offset, err2 := strconv.ParseInt(right, 10, 64)
		if !found || err1 != nil || err2 != nil || id < 0 || offset < 0 {
			return nil, badOption(option, "'%s' is no partition:offset", pair).WithHint("for example '0:10,1:20'")
		}
		if _, twice := out[int32(id)]; twice {
			return nil, badOption(option, "partition %d is named twice", id)
		}
		out[int32(id)] = offset
	}
	if len(out) == 0 {
		return nil, badOption(option, "names no partition").WithHint("for example '0:10,1:20'")
	}
	return out, nil
}
