package mysqlwire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// maxFrame is the payload of a full frame; one that is full is continued by the next.
const maxFrame = 1<<24 - 1

var (
	errPacketTooLarge = errors.New("packet exceeds the limit")
	errSequence       = errors.New("packets out of order")
	errMalformed      = errors.New("malformed packet")
)

// packetReader cuts a stream into payloads.
type packetReader struct {
	r     io.Reader
	limit int
	seq   byte // of the packet read last
}

// read gives the next payload, which belongs to the caller. Its sequence number must be want.
func (p *packetReader) read(want byte) ([]byte, error) {
	var payload []byte
	for {
		var head [4]byte
		if _, err := io.ReadFull(p.r, head[:]); err != nil {
			return nil, err
		}
		n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
		p.seq = head[3]
		if p.seq != want {
			return nil, errSequence
		}
		want++
		if len(payload)+n > p.limit {
			return nil, errPacketTooLarge
		}
		var err error
		if payload, err = appendFrom(payload, p.r, n); err != nil {
			return nil, err
		}
		if n < maxFrame {
			return payload, nil
		}
	}
}

// appendFrom reads n bytes. The buffer grows as they arrive, so that a header alone reserves nothing.
func appendFrom(dst []byte, r io.Reader, n int) ([]byte, error) {
	for n > 0 {
		step := min(n, readChunkBytes)
		at := len(dst)
		dst = append(dst, make([]byte, step)...)
		if _, err := io.ReadFull(r, dst[at:]); err != nil {
			return nil, fmt.Errorf("reading a packet: %w", err)
		}
		n -= step
	}
	return dst, nil
}

// packetWriter collects packets and writes them at flush, or when enough have come together.
type packetWriter struct {
	nc    net.Conn
	seq   byte
	buf   []byte
	start int // of the packet being built
}

// begin starts a packet and returns the buffer to append its payload to; end takes it back.
func (w *packetWriter) begin() []byte {
	w.start = len(w.buf)
	return append(w.buf, 0, 0, 0, 0)
}

// end completes the packet begun last.
func (w *packetWriter) end(buf []byte) error {
	w.buf = buf
	if n := len(buf) - w.start - 4; n < maxFrame {
		w.head(buf[w.start:], n)
	} else {
		w.split()
	}
	if len(w.buf) >= flushBytes {
		return w.flush()
	}
	return nil
}

func (w *packetWriter) head(at []byte, n int) {
	at[0], at[1], at[2], at[3] = byte(n), byte(n>>8), byte(n>>16), w.seq
	w.seq++
}

// split cuts a payload that does not fit a frame.
func (w *packetWriter) split() {
	payload := append([]byte(nil), w.buf[w.start+4:]...)
	w.buf = w.buf[:w.start]
	for {
		n := min(len(payload), maxFrame)
		at := len(w.buf)
		w.buf = append(append(w.buf, 0, 0, 0, 0), payload[:n]...)
		w.head(w.buf[at:], n)
		payload = payload[n:]
		if n < maxFrame {
			return
		}
	}
}

// flush writes what has been collected.
func (w *packetWriter) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	if err := w.nc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return fmt.Errorf("writing to the client: %w", err)
	}
	_, err := w.nc.Write(w.buf)
	if cap(w.buf) > 4*flushBytes {
		w.buf = nil // one huge row must not stay for the connection's life
	} else {
		w.buf = w.buf[:0]
	}
	if err != nil {
		return fmt.Errorf("writing to the client: %w", err)
	}
	return nil
}

// appendLenInt appends a length-encoded integer.
func appendLenInt(dst []byte, n uint64) []byte {
	switch {
	case n < 251:
		return append(dst, byte(n))
	case n < 1<<16:
		return append(dst, 0xfc, byte(n), byte(n>>8))
	case n < 1<<24:
		return append(dst, 0xfd, byte(n), byte(n>>8), byte(n>>16))
	}
	return binary.LittleEndian.AppendUint64(append(dst, 0xfe), n)
}

// appendLenString appends a length-encoded string.
func appendLenString[T string | []byte](dst []byte, s T) []byte {
	return append(appendLenInt(dst, uint64(len(s))), s...)
}

// decoder takes a payload apart. The first thing that is missing makes it bad; everything read from then on is zero.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) bytes(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.bad, d.b = true, nil
		return nil
	}
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) u8() byte {
	if b := d.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// uint reads n ≤ 8 bytes, little endian.
func (d *decoder) uint(n int) uint64 {
	var v uint64
	for i, b := range d.bytes(n) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

// nulString reads up to a zero byte, or to the end.
func (d *decoder) nulString() string {
	for i, c := range d.b {
		if c == 0 {
			s := string(d.b[:i])
			d.b = d.b[i+1:]
			return s
		}
	}
	s := string(d.b)
	d.b = nil
	return s
}

// lenInt reads a length-encoded integer.
func (d *decoder) lenInt() uint64 {
	switch c := d.u8(); c {
	case 0xfb, 0xff:
		d.bad = true
		return 0
	case 0xfc:
		return d.uint(2)
	case 0xfd:
		return d.uint(3)
	case 0xfe:
		return d.uint(8)
	default:
		return uint64(c)
	}
}

// lenBytes reads a length-encoded string; it aliases the payload.
func (d *decoder) lenBytes() []byte {
	n := d.lenInt()
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	return d.bytes(int(n))
}

func (d *decoder) err(what string) error {
	if d.bad {
		return fmt.Errorf("%s: %w", what, errMalformed)
	}
	return nil
}
