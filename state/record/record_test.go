package record

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

func TestFields(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	b := AppendString([]byte{7}, "name")
	b = AppendTime(AppendTime(b, at), time.Time{})
	b = binary.AppendUvarint(binary.AppendVarint(b, -5), 300)
	for cut := range b { // each prefix gives an error, and no field after it
		r := Reader{Data: b[:cut]}
		r.Byte()
		_ = r.String()
		r.Time()
		r.Time()
		r.Varint()
		if n := r.Uvarint(); r.Err == nil || n != 0 {
			t.Errorf("cut at %d: %d, %v", cut, n, r.Err)
		}
	}
	r := Reader{Data: b}
	if v, s, a, none, n, u := r.Byte(), r.String(), r.Time(), r.Time(), r.Varint(), r.Uvarint(); v != 7 || s != "name" || !a.Equal(at) || !none.IsZero() || n != -5 || u != 300 || r.Err != nil || len(r.Data) != 0 {
		t.Errorf("read %d %q %v %v %d %d, %v, %d bytes left", v, s, a, none, n, u, r.Err, len(r.Data))
	}
}

// FuzzReader: whatever the bytes, reads end, and never run past them.
func FuzzReader(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{0, 1, 2, 3, 4})
	f.Add(bytes.Repeat([]byte{0xff}, 12), []byte{3, 3})
	f.Fuzz(func(t *testing.T, data, what []byte) {
		r := Reader{Data: data}
		for _, w := range what {
			before := len(r.Data)
			switch w % 5 {
			case 0:
				r.Byte()
			case 1:
				r.Varint()
			case 2:
				r.Uvarint()
			case 3:
				_ = r.String()
			case 4:
				r.Time()
			}
			if len(r.Data) > before || r.Err != nil && len(r.Data) != before && w%5 != 3 {
				t.Fatalf("%d bytes before, %d after, %v", before, len(r.Data), r.Err)
			}
		}
	})
}
