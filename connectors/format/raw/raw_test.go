package raw

import (
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func TestRaw(t *testing.T) {
	cols := []connectors.Column{{Name: "m", Type: types.Of(types.String)}, {Name: "k", Type: types.Of(types.String), MetadataKey: "key"}}
	d, err := format.NewDecoder("raw", cols, connectors.Values{})
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch([]types.Field{{Name: "m", Type: cols[0].Type}, {Name: "k", Type: cols[1].Type}}, 4)
	if err := d.Decode([]byte(`{"broken`), &format.Meta{Key: []byte("v1")}, b); err != nil {
		t.Fatal(err)
	}
	if err := d.Decode([]byte("\xff"), nil, b); err == nil || b.N != 1 {
		t.Errorf("text that is not UTF-8: %v", err)
	}
	e, err := format.NewEncoder("raw", cols, nil, connectors.Values{})
	if err != nil {
		t.Fatal(err)
	}
	value, _ := e.Encode(nil, b, 0)
	key, ok := e.Key(nil, b, 0)
	if string(value) != `{"broken` || !ok || string(key) != "v1" {
		t.Errorf("value %s, key %s", value, key)
	}
	two := []connectors.Column{{Name: "a", Type: types.Of(types.String)}, {Name: "b", Type: types.Of(types.String)}}
	if _, err := format.NewEncoder("raw", two, nil, connectors.Values{}); err == nil {
		t.Error("two value columns are accepted")
	}
	if _, err := format.NewEncoder("raw", two, []int{1}, connectors.Values{}); err != nil {
		t.Error(err)
	}
}
