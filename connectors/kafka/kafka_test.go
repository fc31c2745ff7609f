package kafka

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/millrace/millrace/connectors"
	_ "github.com/millrace/millrace/connectors/format/json"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// values checks options against the connector's spec, as the engine does.
func values(t testing.TB, set map[string]string) connectors.Values {
	t.Helper()
	all := map[string]string{"connector": "kafka", "topic": "t", "brokers": "127.0.0.1:1"}
	for k, v := range set {
		all[k] = v
	}
	spec, err := connectors.Lookup("kafka")
	if err != nil {
		t.Fatal(err)
	}
	v, err := spec.Check(all)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func column(name string, k types.Kind) connectors.Column {
	return connectors.Column{Name: name, Type: types.Of(k)}
}

func fieldsOf(columns []connectors.Column) []types.Field {
	var fields []types.Field
	for _, c := range columns {
		fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
	}
	return fields
}

func TestOptionsRefused(t *testing.T) {
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{map[string]string{"topic": "a b"}, "'a b' is no name of a topic"},
		{map[string]string{"topic": ","}, "names no topic"},
		{map[string]string{"scan_startup": "timestamp"}, "'scan_startup_timestamp' is missing"},
		{map[string]string{"scan_startup": "group"}, "'group_id' is missing"},
		{map[string]string{"scan_startup_offsets": "0:1"}, "no meaning without scan_startup='offsets'"},
		{map[string]string{"scan_startup": "offsets", "scan_startup_offsets": "0:x"}, "'0:x' is no partition:offset"},
		{map[string]string{"scan_startup": "offsets", "scan_startup_offsets": "0:1,0:2"}, "named twice"},
		{map[string]string{"scan_bounded": "timestamp", "scan_bounded_timestamp": "soon"}, "'soon' is no time"},
		{map[string]string{"kafka.security.protocol": "TLS"}, "none of PLAINTEXT"},
		{map[string]string{"kafka.sasl.mechanism": "GSSAPI"}, "none of PLAIN"},
		{map[string]string{"kafka.fetch.max.bytes": "0"}, "no number from 1"},
		{map[string]string{"kafka.sasl.jaas.config": "nothing"}, "no username"},
		{map[string]string{"kafka.ssl.ca.location": "/nowhere.pem"}, "nowhere.pem"},
		{map[string]string{"upsert": "true"}, "needs a primary key"},
	} {
		_, err := newSource(connectors.SourceConfig{Relation: "r", Columns: []connectors.Column{column("a", types.Int64)}, Options: values(t, c.set)})
		if _, ok := diag.As(err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want a diagnostic with %q", c.set, err, c.want)
		}
	}
}

func TestUnknownSettingSuggests(t *testing.T) {
	spec, _ := connectors.Lookup("kafka")
	_, err := spec.Check(map[string]string{"connector": "kafka", "topic": "t", "kafka.sasl.usernam": "u"})
	if err == nil || !strings.Contains(err.Error(), "did you mean 'kafka.sasl.username'") {
		t.Errorf("got %v", err)
	}
}

func TestNoBrokers(t *testing.T) {
	spec, _ := connectors.Lookup("kafka")
	v, err := spec.Check(map[string]string{"connector": "kafka", "topic": "t"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = newSource(connectors.SourceConfig{Env: &connectors.Env{}, Options: v})
	if d, ok := diag.As(err); !ok || d.Code != diag.MissingOption {
		t.Errorf("got %v", err)
	}
}

func TestSinkOptionsRefused(t *testing.T) {
	columns := []connectors.Column{column("a", types.Int64)}
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{map[string]string{"key": "b"}, "'b' is no column"},
		{map[string]string{"upsert": "true"}, "needs a key"},
		{map[string]string{"transaction_timeout": "10ms"}, "1s to 24h"},
		{map[string]string{"max_message_bytes": "10"}, "at least 1024"},
	} {
		_, err := newSink(connectors.SinkConfig{Relation: "r", Columns: columns, Options: values(t, c.set)})
		if _, ok := diag.As(err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want a diagnostic with %q", c.set, err, c.want)
		}
	}
}

func TestModes(t *testing.T) {
	for _, c := range []struct {
		set  map[string]string
		want connectors.SinkMode
	}{
		{nil, connectors.Append},
		{map[string]string{"upsert": "true"}, connectors.Upsert},
	} {
		if got := sinkMode(values(t, c.set), true); got != c.want {
			t.Errorf("%v: mode %d, want %d", c.set, got, c.want)
		}
	}
}

func TestPositionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := position{
			next:  rapid.Int64Range(0, 1<<62).Draw(t, "next"),
			epoch: rapid.Int32Range(-1, 1<<30).Draw(t, "epoch"),
			bound: rapid.Int64Range(-1, 1<<62).Draw(t, "bound"),
		}
		got, err := decodePosition(p.encode())
		if err != nil || got != p {
			t.Fatalf("%+v became %+v, %v", p, got, err)
		}
		for cut := range len(p.encode()) {
			if got, err := decodePosition(p.encode()[:cut]); err == nil {
				t.Fatalf("%d bytes of it became %+v", cut, got)
			}
		}
	})
}

func TestSplitRoundTrip(t *testing.T) {
	for _, p := range []partition{{"t", 0}, {"a-b-1", 12}, {"x.y_z", 2147483647}} {
		if got, err := parseSplit(p.split().ID); err != nil || got != p {
			t.Errorf("%v became %v, %v", p, got, err)
		}
	}
	for _, bad := range []string{"", "t", "-1", "t-", "t-x", "t-99999999999"} {
		if p, err := parseSplit(bad); err == nil {
			t.Errorf("%q became %v", bad, p)
		}
	}
}

// stageColumns are two columns of the value and the three that hint at the record.
var stageColumns = []connectors.Column{
	column("id", types.Int64), column("name", types.String),
	{Name: "p", Type: types.Of(types.Int32), MetadataKey: "partition"},
	{Name: "ts", Type: types.Of(types.Timestamp), MetadataKey: "timestamp"},
	{Name: "h", Type: types.Of(types.JSON), MetadataKey: "headers"},
}

func TestStageRoundTrip(t *testing.T) {
	cfg := connectors.SinkConfig{Columns: stageColumns, Key: []int{0}, Options: values(t, map[string]string{"upsert": "true"})}
	s, err := newStager(cfg, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(fieldsOf(stageColumns), 8)
	row := func(op vector.Change, id int64, name string, hints bool) {
		b.Cols[0].AppendI64(id)
		b.Cols[1].AppendString(name)
		if hints {
			b.Cols[2].AppendI64(3)
			b.Cols[3].AppendI64(1_500_000)
			b.Cols[4].AppendString(`{"b":"two","a":1}`)
		} else {
			for _, c := range b.Cols[2:] {
				c.AppendNull()
			}
		}
		b.EndRow(op)
	}
	row(vector.Insert, 1, "one", true)
	row(vector.UpdateBefore, 1, "one", false)
	row(vector.UpdateAfter, 1, "uno", false)
	row(vector.Delete, 2, "two", false)
	stage, err := s.encode([]byte("before")[:0], b)
	if err != nil {
		t.Fatal(err)
	}
	records, err := decodeStage(stage, "topic")
	if err != nil || len(records) != 3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	first := records[0]
	if string(first.Key) != "1" || string(first.Value) != `{"id":1,"name":"one"}` || first.Partition != 3 || first.Timestamp.UnixMilli() != 1500 {
		t.Errorf("first record: %s=%s in %d at %v", first.Key, first.Value, first.Partition, first.Timestamp)
	}
	want := []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("two")}}
	if len(first.Headers) != 2 || first.Headers[0].Key != want[0].Key || string(first.Headers[1].Value) != "two" {
		t.Errorf("headers: %v", first.Headers)
	}
	if string(records[1].Value) != `{"id":1,"name":"uno"}` || records[1].Partition != -1 || !records[1].Timestamp.IsZero() {
		t.Errorf("second record: %s in %d", records[1].Value, records[1].Partition)
	}
	if string(records[2].Key) != "2" || records[2].Value != nil {
		t.Errorf("third record is no tombstone: %s=%s", records[2].Key, records[2].Value)
	}
	for cut := 1; cut < len(stage); cut++ {
		if records, err := decodeStage(stage[:cut], "topic"); err == nil && len(records) >= 3 {
			t.Errorf("%d of %d bytes gave %d records", cut, len(stage), len(records))
		} else if err != nil && !errors.Is(err, errStage) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

// TestStageAllocations: encoding rows into a stage that has room allocates nothing.
func TestStageAllocations(t *testing.T) {
	columns := stageColumns[:2]
	s, err := newStager(connectors.SinkConfig{Columns: columns, Options: values(t, nil)}, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(fieldsOf(columns), 100)
	for i := range 100 {
		b.Cols[0].AppendI64(int64(i))
		b.Cols[1].AppendString("name")
		b.EndRow(vector.Insert)
	}
	stage := make([]byte, 0, 1<<16)
	if n := testing.AllocsPerRun(20, func() { stage, err = s.encode(stage[:0], b) }); n > 0 || err != nil {
		t.Errorf("%v allocations for 100 rows, %v", n, err)
	}
}

func TestKeyDecoder(t *testing.T) {
	columns := []connectors.Column{column("v", types.Int64), column("id", types.Int64), column("name", types.String)}
	for _, c := range []struct {
		key  []string
		raw  string
		want string // id, name of the row; "": refused
	}{
		{[]string{"id"}, `7`, "7"},
		{[]string{"id"}, `{"id":7}`, "7"},
		{[]string{"name"}, `north`, "north"},
		{[]string{"name"}, `"north"`, "north"},
		{[]string{"name"}, `{"name":"north"}`, "north"},
		{[]string{"id", "name"}, `{"id":7,"name":"north"}`, "7north"},
		{[]string{"id"}, `x`, ""},
	} {
		d, err := newKeyDecoder(columns, c.key)
		if err != nil {
			t.Fatal(err)
		}
		b := vector.NewBatch(fieldsOf(columns), 1)
		if err := d.delete([]byte(c.raw), nil, b); err != nil || c.want == "" {
			if err == nil || c.want != "" || b.N != 0 {
				t.Errorf("%v from %q: %v, %d rows", c.key, c.raw, err, b.N)
			}
			continue
		}
		got := ""
		if !b.Cols[1].IsNull(0) {
			got += string(rune('0' + b.Cols[1].I64[0]))
		}
		if !b.Cols[2].IsNull(0) {
			got += string(b.Cols[2].Bytes(0))
		}
		if got != c.want || b.N != 1 || b.Change(0) != vector.Delete || !b.Cols[0].IsNull(0) {
			t.Errorf("%v from %q: row %q %s", c.key, c.raw, got, b.Change(0))
		}
	}
}

func TestFenced(t *testing.T) {
	if fenced(io.EOF) || final(io.EOF) {
		t.Error("a lost connection is no fence and nothing final")
	}
}
