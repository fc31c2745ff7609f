package debug

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/conformance"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var columns = []connectors.Column{{Name: "id", Type: types.Of(types.Int64)}, {Name: "name", Type: types.Of(types.String)},
	{Name: "tags", Type: types.ArrayOf(types.Of(types.String))}}

func rows(t testing.TB) *vector.Batch {
	b := conformance.NewBatch(columns)
	conformance.Fill(t, b, columns, connectors.Values{}, `{"id":1,"name":"a b","tags":["x"]}`, `{"id":2,"name":"skipped"}`, `{"id":3,"name":"c\nd"}`)
	b.Op = []vector.Change{vector.Insert, vector.Insert, vector.Delete}
	b.Sel = []int32{0, 2}
	return b
}

func TestPrint(t *testing.T) {
	for style, want := range map[string]string{
		"row":  "> +I[1, a b, [\"x\"]]\n> -D[3, \"c\\nd\", NULL]\n",
		"json": `> {"id":1,"name":"a b","tags":["x"],"op":"+I"}` + "\n" + `> {"id":3,"name":"c\nd","tags":null,"op":"-D"}` + "\n",
	} {
		spec, err := connectors.Lookup("print")
		if err != nil {
			t.Fatal(err)
		}
		opts, err := spec.Check(map[string]string{"connector": "print", "style": style, "prefix": "> "})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		s, err := spec.Sink(connectors.SinkConfig{Env: &connectors.Env{Stdout: &out}, Columns: columns, Options: opts})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.(connectors.EagerSink).Write(rows(t)); err != nil || out.String() != want {
			t.Errorf("%v, got %s", err, out.String())
		}
	}
}

func TestBlackhole(t *testing.T) {
	b := &Blackhole{}
	if err := connectors.EagerSink(b).Write(rows(t)); err != nil || b.Rows() != 2 {
		t.Errorf("%d rows, %v", b.Rows(), err)
	}
}
