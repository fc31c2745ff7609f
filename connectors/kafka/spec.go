package kafka

import (
	"slices"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
)

const example = `CREATE TABLE trips (id BIGINT, zone VARCHAR, fare DECIMAL(10,2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH (connector = 'kafka', topic = 'trips', brokers = 'kafka-1:9092,kafka-2:9092', format = 'json');`

func init() {
	connectors.Register(&connectors.Spec{
		Name:          "kafka",
		Doc:           "topics of Kafka, of brokers that speak its protocol, and of the embedded broker",
		Example:       example,
		Options:       slices.Concat(commonOptions, sourceOptionSpec, sinkOptionSpec, settingOptions()),
		Formats:       []string{"json", "csv", "raw"},
		Metadata:      format.KafkaMetadata,
		Bounded:       func(v connectors.Values) bool { return v.String("scan_bounded") != "" },
		Source:        newSource,
		Sink:          newSink,
		SinkMode:      sinkMode,
		SourceChanges: sourceChanges,
	})
}

var commonOptions = []connectors.Option{
	{Name: "topic", Required: true, Doc: "the topic; a source takes several, separated by commas"},
	{Name: "brokers", Doc: "where to connect first, as host:port,host:port; default: the embedded broker"},
	{Name: "connect_timeout", Type: connectors.OptDuration, Default: "30s",
		Doc: "how long to go on trying to reach the brokers before the statement fails; a job that runs never gives up"},
	{Name: "upsert", Type: connectors.OptBool, Default: "false",
		Doc: "the topic is a changelog by key: a record writes the row of its key, one without a value deletes it; needs a primary key"},
}

var sourceOptionSpec = []connectors.Option{
	{Name: "scan_startup", Type: connectors.OptEnum, Default: startEarliest,
		Values: []string{startEarliest, startLatest, startTimestamp, startOffsets, startGroup},
		Doc:    "where a new job begins; a job that goes on does so at its checkpoint"},
	{Name: "scan_startup_timestamp", Doc: "for scan_startup='timestamp': '2026-01-02 10:00:00' in UTC, or milliseconds since the epoch"},
	{Name: "scan_startup_offsets", Doc: "for scan_startup='offsets': partition:offset pairs, '0:10,1:20'; other partitions from the beginning"},
	{Name: "scan_bounded", Type: connectors.OptEnum, Values: []string{"", startLatest, startTimestamp, startOffsets},
		Doc: "where reading ends; default: never. 'latest' is the end of each partition when the job began"},
	{Name: "scan_bounded_timestamp", Doc: "for scan_bounded='timestamp'; records of that time and later are not read"},
	{Name: "scan_bounded_offsets", Doc: "for scan_bounded='offsets': partition:offset pairs; those offsets are not read any more"},
	{Name: "group_id", Doc: "consumer group to which offsets are committed after each checkpoint, for lag monitors, and that scan_startup='group' reads"},
	{Name: "isolation", Type: connectors.OptEnum, Values: []string{"read_committed", "read_uncommitted"}, Default: "read_committed",
		Doc: "whether records of open and aborted transactions are read"},
	{Name: "on_data_loss", Type: connectors.OptEnum, Values: []string{"fail", "continue"}, Default: "fail",
		Doc: "what to do when the records to be read next have been deleted: end the job, or log the gap and go on behind it"},
}

var sinkOptionSpec = []connectors.Option{
	{Name: "key", Doc: "columns of the record's key, 'a,b'; default: the primary key"},
	{Name: "partitioner", Type: connectors.OptEnum, Values: []string{"key", "sticky", "round_robin"}, Default: "key",
		Doc: "key: by the key's hash as Java clients do, without a key in runs; sticky: in runs; round_robin: one by one"},
	{Name: "partitions", Type: connectors.OptInt, Default: "-1", Doc: "partitions of the topic if the sink has to create it; default: the broker's"},
	{Name: "replication", Type: connectors.OptInt, Default: "-1", Doc: "replicas of the topic if the sink has to create it; default: the broker's"},
	{Name: "create_topic", Type: connectors.OptBool, Default: "true", Doc: "create the topic if it is missing"},
	{Name: "compression", Type: connectors.OptEnum, Values: []string{"none", "gzip", "snappy", "lz4", "zstd"}, Default: "lz4",
		Doc: "compression of record batches"},
	{Name: "delivery", Type: connectors.OptEnum, Values: []string{exactlyOnce, atLeastOnce}, Default: exactlyOnce,
		Doc: "exactly_once: one transaction per epoch; at_least_once: plain records, seen sooner, repeated after a crash"},
	{Name: "transaction_timeout", Type: connectors.OptDuration, Default: "1m",
		Doc: "after this time the broker aborts a transaction that was not ended; not above the broker's transaction.max.timeout.ms"},
	{Name: "max_message_bytes", Type: connectors.OptSize, Default: "1000000",
		Doc: "larger records are refused and go to the table errors; the topic's max.message.bytes applies too"},
}

const (
	exactlyOnce = "exactly_once"
	atLeastOnce = "at_least_once"
)

// sinkMode: upsert topics are keyed; with op_field the format writes the kind of every change; else only new rows fit.
func sinkMode(v connectors.Values, hasKey bool) connectors.SinkMode {
	switch {
	case v.Bool("upsert"):
		return connectors.Upsert
	case v.String("op_field") != "":
		return connectors.Retract
	}
	return connectors.Append
}

func sourceChanges(v connectors.Values) connectors.SinkMode { return sinkMode(v, true) }

// badOption is the error for an option whose value passed its type but makes no sense.
func badOption(name, form string, args ...any) *diag.Error {
	return diag.New(diag.BadOption, -1, "option '%s': "+form, append([]any{name}, args...)...)
}
