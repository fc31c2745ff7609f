package opensearch

import (
	"math"
	"strings"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/types"
)

// Numbers up to here survive a detour over double precision, as scaled_float makes one.
const maxScaledDigits = 15

// maxKeyword bounds the characters of an indexed keyword: Lucene refuses terms of more than 32766 bytes.
const maxKeyword = 8191

type object = map[string]any

// mapping is the mapping of an index for the columns of a sink. Columns that it leaves out (JSON, MAP) are mapped by OpenSearch when the
// first value comes.
func mapping(columns []connectors.Column, geo []geoPoint, timestampFormat string) object {
	properties := object{}
	for _, c := range columns {
		if m := fieldMapping(c.Type, timestampFormat); m != nil && c.MetadataKey == "" {
			properties[c.Name] = m
		}
	}
	for _, g := range geo {
		properties[g.field] = object{"type": "geo_point"}
	}
	return object{"properties": properties}
}

var simpleMappings = map[types.Kind]string{
	types.Bool: "boolean", types.Int8: "byte", types.Int16: "short", types.Int32: "integer", types.Int64: "long",
	types.Uint8: "short", types.Uint16: "integer", types.Uint32: "long", types.Uint64: "unsigned_long",
	types.Float32: "float", types.Float64: "double", types.Bytes: "binary",
	types.Year: "short", types.Point: "geo_point",
}

func fieldMapping(t types.Type, timestampFormat string) object {
	if name, ok := simpleMappings[t.Kind]; ok {
		return object{"type": name}
	}
	switch t.Kind {
	case types.Decimal:
		return decimalMapping(t)
	case types.String, types.Enum, types.Set, types.Time, types.Interval:
		return object{"type": "keyword", "ignore_above": maxKeyword}
	case types.Date:
		return object{"type": "date", "format": "strict_date"}
	case types.Datetime, types.Timestamp:
		return object{"type": "date", "format": dateFormat(t, timestampFormat)}
	case types.Array:
		return fieldMapping(*t.Elem, timestampFormat) // every field may hold several values
	case types.Struct:
		properties := object{}
		for _, f := range t.Fields {
			if m := fieldMapping(f.Type, timestampFormat); m != nil {
				properties[f.Name] = m
			}
		}
		return object{"properties": properties}
	}
	return nil
}

func decimalMapping(t types.Type) object {
	switch {
	case t.Scale == 0 && t.Precision <= 18:
		return object{"type": "long"}
	case t.Precision <= maxScaledDigits:
		return object{"type": "scaled_float", "scaling_factor": math.Pow10(t.Scale)}
	}
	return object{"type": "double"}
}

func dateFormat(t types.Type, timestampFormat string) string {
	formats := "strict_date_optional_time||epoch_millis"
	if timestampFormat == "sql" {
		formats += "||yyyy-MM-dd HH:mm:ss"
		if t.Precision > 0 {
			formats += "." + strings.Repeat("S", t.Precision)
		}
	}
	return formats
}
