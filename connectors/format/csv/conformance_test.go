package csv_test

import (
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/conformance"
	_ "github.com/millrace/millrace/connectors/format/csv"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func TestConforms(t *testing.T) {
	cols := []connectors.Column{{Name: "id", Type: types.Of(types.Int64)}, {Name: "s", Type: types.Of(types.String)},
		{Name: "b", Type: types.Of(types.Bytes)}, {Name: "p", Type: types.DecimalOf(30, 4)}, {Name: "t", Type: types.Of(types.Timestamp)}}
	for _, opts := range []map[string]string{{}, {"delimiter": ";", "quote": "'", "null_text": "NULL", "op_field": "op"}} {
		bad := `x;y`
		if opts["op_field"] == "" {
			bad = `x,y,z,1,2`
		}
		conformance.Format{Name: "csv", Columns: cols, Options: opts, Bad: []string{bad}, Batch: func(t testing.TB) *vector.Batch {
			b := conformance.NewBatch(cols)
			conformance.Fill(t, b, cols, connectors.Values{}, `{"id":1,"s":"a,\";'b\n\r","b":"AAE=","p":-1.5,"t":"2026-01-02T03:04:05.000006Z"}`,
				`{}`, `{"s":""}`, `{"s":"NULL"}`, `{"s":" x "}`)
			return b
		}}.Run(t)
	}
}
