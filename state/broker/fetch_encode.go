package broker

import (
	"encoding/binary"

	"github.com/millrace/millrace/state/broker/session"
	"github.com/millrace/millrace/state/log"
)

// The response, by version; [] are arrays, * marks what only flexible versions (12 and up) have:
//
//	throttle i32 | error i16 (7+) | session i32 (7+) | [ topic: name (to 12) or id (13+)
//	   | [ partition i32 | error i16 | high watermark i64 | stable i64 | start i64 (5+)
//	       | aborted [ producer i64, first i64, tags* ] | preferred replica i32 (11+) | records bytes
//	       | tags*: 0 diverging epoch { epoch i32, end i64, tags* } ] | tags* ] | tags*

// fetchEncoder appends in one of the two encodings.
type fetchEncoder struct {
	dst      []byte
	version  int16
	flexible bool
	left     int  // bytes of records the answer may still take
	first    bool // no records yet: the next batch goes out whatever its size
	aborted  []log.AbortedTxn
	round    *session.Round // nil without a session
}

// AppendTo encodes the answer, reading the logs on the way.
func (f *fetchReply) AppendTo(dst []byte) []byte {
	f.plan()
	e := fetchEncoder{dst: dst, version: f.Version, flexible: f.IsFlexible(), left: f.maxBytes, first: true, round: f.round}
	e.i32(f.ThrottleMillis)
	if e.version >= 7 {
		e.i16(f.ErrorCode)
		e.i32(f.SessionID)
	}
	e.count(len(f.topics))
	for i := range f.topics {
		t := &f.topics[i]
		if e.version >= 13 {
			e.dst = append(e.dst, t.id[:]...)
		} else {
			e.str(t.name)
		}
		e.count(len(t.parts))
		for j := range t.parts {
			before := e.left
			e.partition(&t.parts[j], f.isolation)
			if t.count != nil {
				t.count.fetches.Add(1)
				t.count.bytesOut.Add(int64(before - e.left))
				if t.parts[j].err != errNone {
					t.count.failedFetches.Add(1)
				}
			}
		}
		e.tags()
	}
	e.tags()
	return e.dst
}

// partition encodes one partition with as many records as the limits allow.
func (e *fetchEncoder) partition(p *fetchPart, iso log.Isolation) {
	e.i32(p.index)
	codeAt := len(e.dst)
	e.i16(p.err)
	e.i64(p.marks.HighWatermark)
	e.i64(p.marks.Stable)
	if e.version >= 5 {
		e.i64(p.marks.Start)
	}
	e.abortedList(p, iso)
	if e.version >= 11 {
		e.i32(-1)
	}
	if !p.records {
		e.emptyRecords()
	} else if err := e.records(p, iso); err != nil {
		binary.BigEndian.PutUint16(e.dst[codeAt:], uint16(errorCode(err)))
		if e.round != nil {
			e.round.Note(p.round, session.Answer{Failed: true})
		}
	}
	if p.diverged == nil || !e.flexible {
		e.tags()
		return
	}
	e.dst = append(e.dst, 1, 0, 13) // one tagged field, number 0, 13 bytes
	e.i32(p.diverged.epoch)
	e.i64(p.diverged.end)
	e.tags()
}

// abortedList is null for readers that do not ask for committed data only.
func (e *fetchEncoder) abortedList(p *fetchPart, iso log.Isolation) {
	if iso != log.ReadCommitted {
		e.nullArray()
		return
	}
	e.aborted = e.aborted[:0]
	if p.err == errNone && p.diverged == nil {
		e.aborted = p.log.Aborted(e.aborted, p.offset, p.upTo)
	}
	e.count(len(e.aborted))
	for _, a := range e.aborted {
		e.i64(a.ProducerID)
		e.i64(a.First)
		e.tags()
	}
}

// records reads batches into place and puts their length in front.
func (e *fetchEncoder) records(p *fetchPart, iso log.Isolation) error {
	if e.left <= 0 && !e.first {
		e.emptyRecords()
		return nil
	}
	o := log.ReadOptions{MaxBytes: max(1, min(p.maxBytes, e.left)), AtLeastOne: e.first, Isolation: iso, UpTo: p.upTo}
	lenAt := len(e.dst)
	guess := 4
	if e.flexible { // the length is a varint in front of bytes not read yet: guess its width, and move the bytes if that was wrong
		guess = uvarintLen(uint64(p.log.Available(p.offset, iso, int64(o.MaxBytes))) + 1)
	}
	e.dst = append(e.dst, 0, 0, 0, 0, 0)[:lenAt+guess]
	var err error
	e.dst, err = p.log.Read(e.dst, p.offset, o)
	n := len(e.dst) - lenAt - guess
	if err != nil {
		e.dst = e.dst[:lenAt]
		e.emptyRecords()
		return err
	}
	if !e.flexible {
		binary.BigEndian.PutUint32(e.dst[lenAt:], uint32(n))
	} else {
		width := uvarintLen(uint64(n) + 1)
		if width != guess {
			e.dst = append(e.dst, 0, 0, 0, 0, 0)
			copy(e.dst[lenAt+width:], e.dst[lenAt+guess:lenAt+guess+n])
			e.dst = e.dst[:lenAt+width+n]
		}
		binary.PutUvarint(e.dst[lenAt:lenAt+width], uint64(n)+1)
	}
	e.left -= n
	e.first = e.first && n == 0
	return nil
}

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

func (e *fetchEncoder) i16(v int16) { e.dst = binary.BigEndian.AppendUint16(e.dst, uint16(v)) }
func (e *fetchEncoder) i32(v int32) { e.dst = binary.BigEndian.AppendUint32(e.dst, uint32(v)) }
func (e *fetchEncoder) i64(v int64) { e.dst = binary.BigEndian.AppendUint64(e.dst, uint64(v)) }

// count opens an array of n items.
func (e *fetchEncoder) count(n int) {
	if e.flexible {
		e.dst = binary.AppendUvarint(e.dst, uint64(n)+1)
		return
	}
	e.i32(int32(n))
}

func (e *fetchEncoder) nullArray() {
	if e.flexible {
		e.dst = append(e.dst, 0)
		return
	}
	e.i32(-1)
}

func (e *fetchEncoder) str(s string) {
	if e.flexible {
		e.dst = binary.AppendUvarint(e.dst, uint64(len(s))+1)
	} else {
		e.i16(int16(len(s)))
	}
	e.dst = append(e.dst, s...)
}

// emptyRecords is an empty byte string, not null: Java's consumer expects one.
func (e *fetchEncoder) emptyRecords() {
	if e.flexible {
		e.dst = append(e.dst, 1)
		return
	}
	e.i32(0)
}

// tags closes a structure: flexible versions end each with a count of tagged fields, none here.
func (e *fetchEncoder) tags() {
	if e.flexible {
		e.dst = append(e.dst, 0)
	}
}
