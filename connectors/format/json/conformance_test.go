package json_test

import (
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/conformance"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func TestConforms(t *testing.T) {
	cols := []connectors.Column{
		{Name: "id", Type: types.Of(types.Int64)}, {Name: "price", Type: types.DecimalOf(30, 4)}, {Name: "f", Type: types.Of(types.Float64)},
		{Name: "s", Type: types.Of(types.String)}, {Name: "b", Type: types.Of(types.Bytes)}, {Name: "j", Type: types.Of(types.JSON)},
		{Name: "d", Type: types.Of(types.Date)}, {Name: "c", Type: types.Of(types.Time)}, {Name: "t", Type: types.Of(types.Timestamp)},
		{Name: "a", Type: types.ArrayOf(types.StructOf(types.Field{Name: "x", Type: types.Of(types.Bool)}))},
		{Name: "m", Type: types.MapOf(types.Of(types.String), types.ArrayOf(types.Of(types.Int32)))},
	}
	for _, style := range []string{"iso", "sql"} {
		conformance.Format{Name: "json", Columns: cols, Options: map[string]string{"op_field": "op", "timestamp_format": style},
			Batch: func(t testing.TB) *vector.Batch {
				b := conformance.NewBatch(cols)
				conformance.Fill(t, b, cols, connectors.Values{},
					`{"id":-1,"price":-12345678901234567890.0001,"f":1e-9,"s":"é\u0001\"\\","b":"AAE=","j":[1,{"k":"\n"}],"d":"2024-02-29","c":"-01:02:03.5","t":"1969-12-31 23:59:59.999999","a":[{"x":true},null,{"x":null}],"m":{"p":[1,null],"q":[]}}`,
					`{}`, `{"s":"","a":[],"m":{}}`)
				b.Op = []vector.Change{vector.Insert, vector.UpdateBefore, vector.Delete}
				return b
			},
			Bad: []string{``, `{`, `{"op":"+I","a":[{"x":true},{"x":7}]}`, `{"op":"+I","m":{"p":[1,2,"z"]}}`, `{"op":"+I","id":1}x`},
		}.Run(t)
	}
}
