package json

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/types"
)

// nexmarkRecords are bids, auctions and persons in the usual shares, about 331 bytes each.
func nexmarkRecords(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		ts := fmt.Sprintf("2026-01-02T10:%02d:%02d.%03dZ", i/60000%60, i/1000%60, i%1000)
		extra := strings.Repeat("abcdefgh", 8)
		switch {
		case i%50 == 0:
			out[i] = fmt.Appendf(nil, `{"event_type":0,"person":{"id":%d,"name":"Ada Byron","emailAddress":"ada@example.org","creditCard":"1234 5678 9012 3456","city":"Portland","state":"OR","dateTime":"%s","extra":"%s"},"auction":null,"bid":null}`, 1000+i, ts, extra)
		case i%50 < 4:
			out[i] = fmt.Appendf(nil, `{"event_type":1,"person":null,"auction":{"id":%d,"itemName":"teapot","description":"an old \"teapot\"","initialBid":%d,"reserve":%d,"dateTime":"%s","expires":"%s","seller":%d,"category":%d,"extra":"%s"},"bid":null}`, i, i%97, i%997, ts, ts, i%1000, i%5, extra)
		default:
			out[i] = fmt.Appendf(nil, `{"event_type":2,"person":null,"auction":null,"bid":{"auction":%d,"bidder":%d,"price":%d,"channel":"channel-%d","url":"https://www.nexmark.example/item.htm?query=1&channel_id=%d","dateTime":"%s","extra":"%s"}}`, 1000+i%2000, 1000+i%900, 100+i*7%99999, i%10000, i%10000, ts, extra+extra)
		}
	}
	return out
}

func field(name string, k types.Kind) types.Field {
	t := types.Of(k)
	if k == types.Timestamp {
		t.Precision = 3
	}
	return types.Field{Name: name, Type: t}
}

func nexmarkColumns(columns int) []connectors.Column {
	bid := []types.Field{field("auction", types.Int64), field("bidder", types.Int64), field("price", types.Int64), field("dateTime", types.Timestamp),
		field("channel", types.String), field("url", types.String), field("extra", types.String)}
	auction := []types.Field{field("id", types.Int64), field("itemName", types.String), field("description", types.String),
		field("initialBid", types.Int64), field("reserve", types.Int64), field("dateTime", types.Timestamp), field("expires", types.Timestamp),
		field("seller", types.Int64), field("category", types.Int64), field("extra", types.String)}
	person := []types.Field{field("id", types.Int64), field("name", types.String), field("emailAddress", types.String),
		field("creditCard", types.String), field("city", types.String), field("state", types.String), field("dateTime", types.Timestamp)}
	out := []connectors.Column{{Name: "event_type", Type: types.Of(types.Int32)}}
	switch columns {
	case 5:
		return append(out, connectors.Column{Name: "bid", Type: types.StructOf(bid[:4]...)})
	case 8:
		return append(out, connectors.Column{Name: "bid", Type: types.StructOf(bid...)})
	}
	return append(out, connectors.Column{Name: "bid", Type: types.StructOf(bid...)},
		connectors.Column{Name: "auction", Type: types.StructOf(auction...)}, connectors.Column{Name: "person", Type: types.StructOf(person...)})
}

func BenchmarkDecode(b *testing.B) {
	records := nexmarkRecords(4096)
	size := 0
	for _, r := range records {
		size += len(r)
	}
	for _, columns := range []int{5, 8, 25} {
		b.Run(fmt.Sprintf("columns=%d", columns), func(b *testing.B) {
			d, batch := makeDecoder(b, nexmarkColumns(columns), nil)
			b.ReportAllocs()
			b.SetBytes(int64(size / len(records)))
			for i := 0; b.Loop(); i++ {
				if i%len(records) == 0 {
					batch.Reset()
				}
				if err := d.Decode(records[i%len(records)], nil, batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	d, batch := makeDecoder(b, nexmarkColumns(8), nil)
	for _, r := range nexmarkRecords(4096) {
		if err := d.Decode(r, nil, batch); err != nil {
			b.Fatal(err)
		}
	}
	e := makeEncoder(b, nexmarkColumns(8), nil, nil)
	b.ReportAllocs()
	var dst []byte
	for i := 0; b.Loop(); i++ {
		if i%batch.N == 0 {
			dst = dst[:0]
		}
		dst, _ = e.Encode(dst, batch, i%batch.N)
	}
}

func TestNoAllocations(t *testing.T) {
	records := nexmarkRecords(512)
	d, batch := makeDecoder(t, nexmarkColumns(25), nil)
	e := makeEncoder(t, nexmarkColumns(25), nil, nil)
	var dst []byte
	run := func() {
		batch.Reset()
		dst = dst[:0]
		for _, r := range records {
			if err := d.Decode(r, nil, batch); err != nil {
				t.Fatal(err)
			}
		}
		for i := range batch.N {
			dst, _ = e.Encode(dst, batch, i)
		}
	}
	run()
	if n := testing.AllocsPerRun(5, run); n != 0 {
		t.Errorf("%v allocations per %d rows", n, len(records))
	}
}
