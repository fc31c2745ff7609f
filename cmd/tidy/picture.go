package main

// This file is the picture of who may import whom:
//
//	             cmd
//	              │
//	           runtime
//	    ┌─────────┼──────────┐
//	 planner    state    connectors     never import each other
//	    └─────────┼──────────┘
//	             sql

// layers says which top folders a top folder imports, besides itself.
var layers = map[string][]string{
	"sql":        nil,
	"planner":    {"sql"},
	"state":      {"sql"},
	"connectors": {"sql"},
	"runtime":    {"sql", "planner", "state", "connectors"},
	"cmd":        {"sql", "planner", "state", "connectors", "runtime"},
}

// floors orders the packages of a top folder: each imports only packages of rows above its own. A package that is not
// here has no place yet: put it in. A name that ends in "/" stands for the packages below it.
var floors = map[string][][]string{
	"sql": {
		{"sql/diag", "sql/invariant"},
		{"sql/types", "sql/ast"},
		{"sql/vector"},
		{"sql/row", "sql/arrow"},
		{"sql/function"},
		{"sql/expr"},
		{"sql/catalog"},
		{"sql/parser"},
		{"sql/format"},
	},
	"planner": {
		{"planner/physical"},
		{"planner/logical"},
		{"planner/props"},
		{"planner/bind", "planner/optimizer", "planner/lower"},
		{"planner"},
	},
	"state": {
		{"state/record"},
		{"state", "state/blob", "state/log", "state/keyed", "state/group", "state/txn"},
		{"state/snapshot"},
		{"state/broker/"}, // parts of the broker without sockets, clock or disk
		{"state/broker", "state/replica"},
	},
	"connectors": {
		{"connectors"},
		{"connectors/format", "connectors/generate"},
		{"connectors/format/"},
		{"connectors/kafka/property", "connectors/kafka/partitioner"},
		{"connectors/"}, // the implementations, and conformance
		{"connectors/all"},
	},
	"runtime": {
		{"runtime/flow", "runtime/operator", "runtime/metric", "runtime/wasm"},
		{"runtime/exchange", "runtime/watermark"},
		{"runtime/task"},
		{"runtime/checkpoint", "runtime/view"},
		{"runtime/build"},
		{"runtime/job"},
		{"runtime/engine"},
		{"runtime/server/", "runtime/sqltest", "runtime/bench"},
		{"runtime/server"},
	},
}

// strangers are pairs of neighbours that must not know each other although the floors would allow it.
var strangers = []struct{ from, to, why string }{
	{"sql/parser", "sql/types", "the parser knows no types"},
	{"sql/parser", "sql/vector", "the parser knows no data"},
	{"sql/parser", "sql/function", "the parser knows no functions"},
	{"sql/parser", "sql/expr", "the parser knows no bound expressions"},
	{"sql/function", "sql/ast", "functions know no syntax"},
	{"runtime/operator", "planner", "operators know no plans"},
	{"runtime/operator", "state", "operators reach their state through an interface of their own"},
	{"runtime/operator", "connectors", "operators know no connectors"},
	{"runtime/checkpoint", "runtime/operator", "checkpoint speaks in ids and acknowledgements"},
}

// openConnectors are the packages below connectors that others may import; all other ones are reached by name, through
// connectors.Register. The value lists who; nil is everyone.
var openConnectors = map[string][]string{
	"connectors/format":      nil,
	"connectors/format/json": {"cmd", "runtime/server/httpapi"}, // the wire form of rows over HTTP
	"connectors/kafka/admin": {"cmd"},                           // no connector: the commands topic, group and cluster, beside the client they need
	"connectors/all":         {"cmd"},
}

// fence keeps a foreign module in the packages that wrap it.
type fence struct {
	prefix  string
	dirs    []string // folders, with all below them
	inTests bool     // test files anywhere may use it
}

// fences: the first whose prefix fits decides.
var fences = []fence{
	{prefix: "github.com/cockroachdb/pebble", dirs: []string{"state/keyed"}},
	{prefix: "github.com/twmb/franz-go/pkg/kmsg", dirs: []string{"connectors/kafka", "state/broker"}, inTests: true},
	{prefix: "github.com/twmb/franz-go", dirs: []string{"connectors/kafka"}, inTests: true},
	{prefix: "github.com/pingcap/tidb", dirs: []string{"sql/parser"}},
	{prefix: "github.com/opensearch-project", dirs: []string{"connectors/opensearch"}},
	{prefix: "github.com/apache/arrow-go", dirs: []string{"connectors/format/parquet", "sql/arrow"}},
	{prefix: "github.com/c-bata/go-prompt", dirs: []string{"cmd/millrace/repl"}},
	{prefix: "github.com/spf13/cobra", dirs: []string{"cmd/millrace"}},
	{prefix: "github.com/BurntSushi/toml", dirs: []string{"cmd/millrace", "runtime/server"}},
	{prefix: "github.com/tetratelabs/wazero", dirs: []string{"runtime/wasm"}},
	{prefix: "github.com/prometheus", dirs: []string{"runtime/metric"}},
}
