package connectors

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/sql/diag"
)

// OptionType is the type of an option's value.
type OptionType uint8

// The option types.
const (
	OptString OptionType = iota
	OptInt
	OptBool
	OptDuration // 10s, 100ms
	OptSize     // 64MiB, 1000
	OptEnum     // one of Values
)

// Option documents one WITH option of a connector or format.
type Option struct {
	Name     string
	Type     OptionType
	Default  string
	Required bool
	Values   []string // OptEnum
	Prefix   bool     // Name is a prefix: kafka.*
	Secret   bool     // never shown
	Doc      string
}

// Values is the WITH options of a relation, checked against a spec; reading an option that is not set gives its default.
type Values struct {
	set  map[string]string
	spec []Option
}

// CheckOptions validates set against spec: unknown keys (with did-you-mean left to the caller's hint), missing and ill-typed values
// are *diag.Errors without position.
func CheckOptions(set map[string]string, spec []Option) (Values, error) {
	v := Values{set: set, spec: spec}
	for _, key := range sortedKeys(set) {
		o := v.find(key)
		if o == nil {
			return v, unknownOption(key, spec)
		}
		if err := o.check(set[key]); err != nil {
			bad := diag.New(diag.BadOption, -1, "option '%s': %v", key, err).WithHint("%s", o.Doc)
			if near := diag.Suggest(set[key], o.Values); near != "" {
				bad.WithHint("did you mean '%s'?", near)
			}
			return v, bad
		}
	}
	for _, o := range spec {
		if _, ok := set[o.Name]; o.Required && !ok {
			return v, diag.New(diag.MissingOption, -1, "option '%s' is missing", o.Name).WithHint("%s", o.Doc)
		}
	}
	return v, nil
}

func unknownOption(key string, spec []Option) error {
	var names []string
	for _, o := range spec {
		names = append(names, o.Name)
	}
	err := diag.New(diag.BadOption, -1, "unknown option '%s'", key)
	if near := diag.Suggest(key, names); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	if ours := elsewhere[strings.ToLower(key)]; slices.Contains(names, ours) {
		return err.WithHint("it is called '%s' here", ours)
	}
	if longer := withPrefix(names, key); len(longer) > 0 {
		names = longer
	}
	if len(names) > maxHintOptions {
		return err.WithHint("DESCRIBE CONNECTOR lists the options; a few: %s ..", strings.Join(names[:maxHintOptions], ", "))
	}
	return err.WithHint("known options: %s", strings.Join(names, ", "))
}

// elsewhere maps names of options in Flink, ksqlDB and Kafka's clients to ours.
var elsewhere = map[string]string{
	"properties.bootstrap.servers":  "brokers",
	"bootstrap.servers":             "brokers",
	"properties.group.id":           "group_id",
	"kafka_topic":                   "topic",
	"value_format":                  "format",
	"value.format":                  "format",
	"scan.startup.mode":             "scan_startup",
	"scan.startup.timestamp-millis": "scan_startup_timestamp",
	"scan.bounded.mode":             "scan_bounded",
	"auto.offset.reset":             "scan_startup",
	"rows-per-second":               "rows_per_second",
}

// maxHintOptions bounds the options that a hint lists.
const maxHintOptions = 12

// withPrefix gives the names that begin with a word.
func withPrefix(names []string, word string) []string {
	var out []string
	for _, n := range names {
		if strings.HasPrefix(n, word) {
			out = append(out, n)
		}
	}
	return out
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (v Values) find(key string) *Option {
	for i := range v.spec {
		o := &v.spec[i]
		if o.Name == key || o.Prefix && strings.HasPrefix(key, o.Name) {
			return o
		}
	}
	return nil
}

func (o *Option) check(value string) (err error) {
	switch o.Type {
	case OptInt:
		_, err = strconv.ParseInt(value, 10, 64)
	case OptBool:
		_, err = strconv.ParseBool(value)
	case OptDuration:
		_, err = time.ParseDuration(value)
	case OptSize:
		_, err = ParseSize(value)
	case OptEnum:
		if !slices.Contains(o.Values, value) {
			err = fmt.Errorf("'%s' is none of %s", value, strings.Join(o.Values, ", "))
		}
	}
	return err
}

// Has tells whether the option was given.
func (v Values) Has(name string) bool { _, ok := v.set[name]; return ok }

// String returns the option's value or default.
func (v Values) String(name string) string {
	if s, ok := v.set[name]; ok {
		return s
	}
	if o := v.find(name); o != nil {
		return o.Default
	}
	return ""
}

// Int returns an OptInt option; values were checked, so errors cannot occur.
func (v Values) Int(name string) int64 { n, _ := strconv.ParseInt(v.String(name), 10, 64); return n }

// Bool returns an OptBool option.
func (v Values) Bool(name string) bool { b, _ := strconv.ParseBool(v.String(name)); return b }

// Duration returns an OptDuration option.
func (v Values) Duration(name string) time.Duration {
	d, _ := time.ParseDuration(v.String(name))
	return d
}

// Size returns an OptSize option in bytes.
func (v Values) Size(name string) int64 { n, _ := ParseSize(v.String(name)); return n }

// Prefixed returns the given options that begin with prefix, without it.
func (v Values) Prefixed(prefix string) map[string]string {
	out := map[string]string{}
	for k, s := range v.set {
		if rest, ok := strings.CutPrefix(k, prefix); ok {
			out[rest] = s
		}
	}
	return out
}

// ParseSize reads a number of bytes: 1000, 64KiB, 8MiB, 1GiB, 5MB.
func ParseSize(s string) (int64, error) {
	units := []struct {
		suffix string
		factor int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}
	for _, u := range units {
		if digits, ok := strings.CutSuffix(s, u.suffix); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
			if err != nil || n < 0 || n > (1<<62)/u.factor {
				return 0, fmt.Errorf("'%s' is no size such as 64MiB", s)
			}
			return n * u.factor, nil
		}
	}
	return 0, fmt.Errorf("'%s' is no size", s)
}

// Secret tells whether the option's value must not be shown.
func (v Values) Secret(name string) bool {
	o := v.find(name)
	return o != nil && o.Secret
}
