package datagen

import (
	"strings"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/generate"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

func init() {
	connectors.Register(&connectors.Spec{
		Name: "datagen",
		Doc:  "generated rows for any schema: random or sequential values, the same for the same seed",
		Example: `CREATE SOURCE orders (id BIGINT, price DECIMAL(8,2), item VARCHAR, at TIMESTAMP(3), WATERMARK FOR at AS at)
WITH (connector='datagen', rows_per_second='100', fields.id.kind='sequence', fields.price.max='500', fields.item.length='6')`,
		Options: []connectors.Option{
			{Name: "rows_per_second", Type: connectors.OptInt, Default: "10", Doc: "rows a second over all partitions; 0: as fast as they are read"},
			{Name: "number_of_rows", Type: connectors.OptInt, Default: "0", Doc: "rows in all; 0: endless"},
			{Name: "partitions", Type: connectors.OptInt, Default: "1", Doc: "parts that can be read in parallel"},
			{Name: "seed", Type: connectors.OptInt, Default: "1", Doc: "another seed gives other values"},
			{Name: "fields.", Prefix: true, Doc: "fields.COLUMN.kind (random or sequence), .start, .end, .min, .max, .length, .null_percent, .values (a,b,c)"},
		},
		Bounded: func(v connectors.Values) bool { return v.Int("number_of_rows") > 0 },
		Source:  newSource,
	})
}

func newSource(cfg connectors.SourceConfig) (connectors.Source, error) {
	o := cfg.Options
	fields, err := fieldOptions(cfg.Columns, o)
	if err != nil {
		return nil, err
	}
	makers := make([]maker, len(cfg.Columns))
	for i, c := range cfg.Columns {
		if makers[i], err = newMaker(c, fields[c.Name]); err != nil {
			return nil, err
		}
	}
	seed, perSecond := o.Int("seed"), o.Int("rows_per_second")
	return generate.NewSource(generate.Options{
		Splits: int(o.Int("partitions")), Rows: o.Int("number_of_rows"), PerSecond: float64(perSecond),
		NewRow: func() generate.Row {
			var scratch []byte
			return func(n, start int64, dst *vector.Batch) {
				at := start + int64(float64(n)/float64(max(perSecond, 1))*1e6)
				for i := range makers {
					r := generate.At(seed, n, makers[i].salt)
					scratch = makers[i].append(dst.Cols[i], &r, n, at, scratch)
				}
				dst.EndRow(vector.Insert)
			}
		},
	})
}

// fieldOptions sorts the options fields.COLUMN.NAME by column. The spec cannot know the columns, so this is where they are checked;
// options of columns that the plan does not need are not.
func fieldOptions(cols []connectors.Column, o connectors.Values) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for key, value := range o.Prefixed("fields.") {
		dot := strings.LastIndexByte(key, '.')
		if dot < 0 {
			return nil, diag.New(diag.BadOption, -1, "option 'fields.%s' is not fields.COLUMN.NAME", key)
		}
		column, name := key[:dot], key[dot+1:]
		if !knownField[name] {
			return nil, diag.New(diag.BadOption, -1, "unknown option 'fields.%s'", key).
				WithHint("a field has kind, start, end, min, max, length, null_percent, values")
		}
		if out[column] == nil {
			out[column] = map[string]string{}
		}
		out[column][name] = value
	}
	return out, nil
}

var knownField = map[string]bool{"kind": true, "start": true, "end": true, "min": true, "max": true, "length": true,
	"null_percent": true, "values": true}
