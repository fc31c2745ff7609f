package nexmark

import (
	"strconv"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// writer appends its event to the wanted columns. A STRUCT column may have been narrowed, so fields go by name.
type writer struct {
	columns []connectors.Column
	bound   []int // per wanted column: the index in columnsOf(stream)
	stream  string
	event   event
	raw     []byte
}

func (w *writer) append(dst *vector.Batch) {
	for i, c := range w.columns {
		v := dst.Cols[i]
		switch {
		case c.Name == "raw":
			w.raw = w.event.appendJSON(w.raw[:0], w.stream == "all")
			v.AppendBytes(w.raw)
		case w.stream != "all":
			w.event.field(v, w.event.kind, c.Name)
		case c.Name == "event_type":
			v.AppendI64(int64(w.event.kind))
		case c.Name == "dateTime":
			v.AppendI64(w.event.millis())
		default:
			w.nested(v, c, w.bound[i]-1) // person, auction and bid stand behind event_type
		}
	}
	dst.EndRow(vector.Insert)
}

func (w *writer) nested(v *vector.Vector, c connectors.Column, kind int) {
	if kind != w.event.kind {
		v.AppendNull()
		return
	}
	for j, f := range c.Type.Fields {
		w.event.field(v.Child[j], kind, f.Name)
	}
	v.EndStruct()
}

// millis is the event's time cut to TIMESTAMP(3).
func (e *event) millis() int64 { return types.FloorDiv(e.time, types.Millisecond) * types.Millisecond }

// field appends the field of that name of a kind of event.
func (e *event) field(v *vector.Vector, kind int, name string) {
	switch name {
	case "dateTime":
		v.AppendI64(e.millis())
		return
	case "extra":
		v.AppendBytes(e.extra)
		return
	}
	switch kind {
	case kindPerson:
		e.personField(v, name)
	case kindAuction:
		e.auctionField(v, name)
	default:
		e.bidField(v, name)
	}
}

func (e *event) personField(v *vector.Vector, name string) {
	switch name {
	case "id":
		v.AppendI64(e.id)
	case "name":
		v.AppendBytes(e.texts[0])
	case "emailAddress":
		v.AppendBytes(e.texts[1])
	case "creditCard":
		v.AppendBytes(e.texts[2])
	case "city":
		v.AppendBytes(e.texts[3])
	case "state":
		v.AppendBytes(e.texts[4])
	default:
		v.AppendNull()
	}
}

func (e *event) auctionField(v *vector.Vector, name string) {
	switch name {
	case "id":
		v.AppendI64(e.id)
	case "itemName":
		v.AppendBytes(e.texts[0])
	case "description":
		v.AppendBytes(e.texts[1])
	case "initialBid":
		v.AppendI64(e.initial)
	case "reserve":
		v.AppendI64(e.reserve)
	case "expires":
		v.AppendI64(types.FloorDiv(e.expires, types.Millisecond) * types.Millisecond)
	case "seller":
		v.AppendI64(e.seller)
	case "category":
		v.AppendI64(e.category)
	default:
		v.AppendNull()
	}
}

func (e *event) bidField(v *vector.Vector, name string) {
	switch name {
	case "auction":
		v.AppendI64(e.auction)
	case "bidder":
		v.AppendI64(e.bidder)
	case "price":
		v.AppendI64(e.price)
	case "channel":
		v.AppendBytes(e.texts[0])
	case "url":
		v.AppendBytes(e.texts[1])
	default:
		v.AppendNull()
	}
}

// appendJSON appends the event as the benchmark has it in topics; enveloped: with event_type and a field per kind.
func (e *event) appendJSON(dst []byte, enveloped bool) []byte {
	if enveloped {
		dst = strconv.AppendInt(append(dst, `{"event_type":`...), int64(e.kind), 10)
		dst = append(dst, `,"person":`...)
		dst = e.appendOrNull(dst, kindPerson)
		dst = append(dst, `,"auction":`...)
		dst = e.appendOrNull(dst, kindAuction)
		dst = append(dst, `,"bid":`...)
		dst = e.appendOrNull(dst, kindBid)
		return append(dst, '}')
	}
	return e.appendOrNull(dst, e.kind)
}

func (e *event) appendOrNull(dst []byte, kind int) []byte {
	if kind != e.kind {
		return append(dst, "null"...)
	}
	switch kind {
	case kindPerson:
		dst = number(append(dst, '{'), "id", e.id)
		for i, name := range [...]string{"name", "emailAddress", "creditCard", "city", "state"} {
			dst = text(dst, name, e.texts[i])
		}
		dst = instant(dst, "dateTime", e.time)
	case kindAuction:
		dst = number(append(dst, '{'), "id", e.id)
		dst = text(dst, "itemName", e.texts[0])
		dst = text(dst, "description", e.texts[1])
		dst = number(append(dst, ','), "initialBid", e.initial)
		dst = number(append(dst, ','), "reserve", e.reserve)
		dst = instant(dst, "dateTime", e.time)
		dst = instant(dst, "expires", e.expires)
		dst = number(append(dst, ','), "seller", e.seller)
		dst = number(append(dst, ','), "category", e.category)
	default:
		dst = number(append(dst, '{'), "auction", e.auction)
		dst = number(append(dst, ','), "bidder", e.bidder)
		dst = number(append(dst, ','), "price", e.price)
		dst = text(dst, "channel", e.texts[0])
		dst = text(dst, "url", e.texts[1])
		dst = instant(dst, "dateTime", e.time)
	}
	return append(text(dst, "extra", e.extra), '}')
}

func number(dst []byte, name string, v int64) []byte {
	dst = append(append(append(dst, '"'), name...), '"', ':')
	return strconv.AppendInt(dst, v, 10)
}

func text(dst []byte, name string, v []byte) []byte {
	dst = append(append(append(dst, ',', '"'), name...), '"', ':')
	return format.AppendJSONString(dst, v)
}

func instant(dst []byte, name string, micros int64) []byte {
	dst = append(append(append(dst, ',', '"'), name...), '"', ':', '"')
	return append(types.AppendTimestamp(dst, micros, 3, true), '"')
}
