package json

import (
	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
)

func init() {
	format.Register(&format.Spec{
		Name: "json",
		Doc:  "one JSON object per record; fields are found by the columns' names, STRUCT, ARRAY and MAP columns are nested values",
		Example: `CREATE SOURCE bids (auction BIGINT, price DECIMAL(12,2), at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL 5 SECOND)
WITH (connector='file', path='bids.jsonl', format='json')`,
		Options: options,
		Decoder: newDecoder,
		Encoder: newEncoder,
	})
}

var options = []connectors.Option{
	{Name: "op_field", Doc: "the field that holds the change kind of each record: +I, -U, +U or -D; not set: records are inserts"},
	{Name: "timestamp_format", Type: connectors.OptEnum, Values: []string{"iso", "sql", "epoch_ms"}, Default: "iso",
		Doc: "how instants are written: 2026-01-02T10:00:00.000Z, 2026-01-02 10:00:00.000, or milliseconds; all are read"},
	{Name: "epoch_unit", Type: connectors.OptEnum, Values: []string{"s", "ms", "us"}, Default: "ms",
		Doc: "the unit of instants that are numbers in the input"},
	{Name: "fail_on_missing", Type: connectors.OptBool, Default: "false",
		Doc: "a field that is missing makes the record an error; otherwise it is NULL (a NOT NULL column always needs its field)"},
}
