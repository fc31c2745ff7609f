package checkpoint

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/millrace/millrace/runtime/task"
)

func sample() *Commit {
	return &Commit{Epoch: 42, Done: true,
		Splits:     []task.Split{{Source: "s", Split: "p0", Position: []byte{0, 255}, Watermark: -5, Ended: true}},
		Watermarks: map[string]int64{"leaf": 9}, Delivered: map[string]uint64{"out": 41},
		Stages: []Stage{{Sink: "out", Rows: 2, Data: []byte("ab")}, {Sink: "other", Rows: 1, Data: []byte("c")}},
		Deltas: [][]byte{[]byte("dd"), {}, []byte("e")},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for _, c := range []*Commit{sample(), {Epoch: 1}} {
		data, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(data)
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, c)
		}
	}
}

// TestRecordCut: no prefix of a record decodes as another commit.
func TestRecordCut(t *testing.T) {
	data, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if _, err := Decode(data[:n]); !errors.Is(err, errBadRecord) {
			t.Fatalf("%d of %d bytes: %v", n, len(data), err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data, err := sample().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{recordVersion, 2, '{', '}'})
	f.Add([]byte(`` + "\x01\x1b" + `{"epoch":1,"deltas":[-1,5]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Decode(bytes.Clone(data))
		if err != nil {
			return
		}
		again, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(again)
		if err != nil || got.Epoch != c.Epoch || len(got.Deltas) != len(c.Deltas) || len(got.Stages) != len(c.Stages) {
			t.Fatalf("%+v became %+v: %v", c, got, err)
		}
	})
}
