package broker

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Sizes of one direction of an in-memory connection: it starts small and doubles while the writer finds it full.
const (
	pipeMinBytes = 32 << 10
	pipeMaxBytes = 1 << 20
)

// pipeAddr is the address of both ends of an in-memory connection.
type pipeAddr struct{}

func (pipeAddr) Network() string { return "memory" }
func (pipeAddr) String() string  { return InternalAddr }

// newPipe makes an in-memory duplex connection. Unlike net.Pipe each direction has a buffer, so a writer does not wait for the
// reader's goroutine to be scheduled for every call.
func newPipe() (a, b net.Conn) {
	x, y := newRing(), newRing()
	return &pipeConn{in: x, out: y}, &pipeConn{in: y, out: x}
}

// pipeConn is one end: it reads from one ring and writes to the other.
type pipeConn struct {
	in, out *ring
}

func (c *pipeConn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *pipeConn) Write(p []byte) (int, error) { return c.out.write(p) }
func (c *pipeConn) LocalAddr() net.Addr         { return pipeAddr{} }
func (c *pipeConn) RemoteAddr() net.Addr        { return pipeAddr{} }

// Close ends both directions. The peer still reads what was written before.
func (c *pipeConn) Close() error {
	c.in.close(true)
	c.out.close(false)
	return nil
}

func (c *pipeConn) SetDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

// deadline wakes the sleepers of a ring when it passes.
type deadline struct {
	timer   *time.Timer
	expired bool
	round   int // tells a timer that fired too late that it has been replaced
}

// ring is one direction: a bounded buffer between one or more writers and readers.
type ring struct {
	mu         sync.Mutex
	changed    sync.Cond
	buf        []byte // guarded by mu
	head, n    int    // guarded by mu; n bytes are waiting from head on, wrapping
	readerGone bool   // guarded by mu
	writerGone bool   // guarded by mu
	readBy     deadline
	writeBy    deadline
}

func newRing() *ring {
	r := &ring{buf: make([]byte, pipeMinBytes)}
	r.changed.L = &r.mu
	return r
}

func (r *ring) read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.n == 0 {
		switch {
		case r.readerGone:
			return 0, io.ErrClosedPipe
		case r.readBy.expired:
			return 0, os.ErrDeadlineExceeded
		case r.writerGone:
			return 0, io.EOF
		case len(p) == 0:
			return 0, nil
		}
		r.changed.Wait()
	}
	if r.readerGone {
		return 0, io.ErrClosedPipe
	}
	total := 0
	for total < len(p) && r.n > 0 {
		chunk := r.buf[r.head:min(r.head+r.n, len(r.buf))]
		m := copy(p[total:], chunk)
		r.head = (r.head + m) % len(r.buf)
		r.n -= m
		total += m
	}
	r.changed.Broadcast()
	return total, nil
}

func (r *ring) write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := 0
	for {
		switch {
		case r.readerGone || r.writerGone:
			return total, io.ErrClosedPipe
		case r.writeBy.expired:
			return total, os.ErrDeadlineExceeded
		case total == len(p):
			return total, nil
		}
		if r.n+len(p)-total > len(r.buf) {
			r.grow(r.n + len(p) - total)
		}
		if r.n == len(r.buf) {
			r.changed.Wait()
			continue
		}
		for total < len(p) && r.n < len(r.buf) {
			tail := (r.head + r.n) % len(r.buf)
			end := len(r.buf)
			if tail < r.head {
				end = r.head
			}
			m := copy(r.buf[tail:end], p[total:])
			r.n += m
			total += m
		}
		r.changed.Broadcast()
	}
}

// grow enlarges the buffer towards want bytes. Caller holds mu.
func (r *ring) grow(want int) {
	size := len(r.buf)
	for size < want && size < pipeMaxBytes {
		size *= 2
	}
	if size == len(r.buf) {
		return
	}
	buf := make([]byte, size)
	m := copy(buf, r.buf[r.head:min(r.head+r.n, len(r.buf))])
	copy(buf[m:], r.buf[:r.n-m])
	r.buf, r.head = buf, 0
}

func (r *ring) close(byReader bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if byReader {
		r.readerGone = true
	} else {
		r.writerGone = true
	}
	r.changed.Broadcast()
}

func (r *ring) setDeadline(d *deadline, t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.round++
	d.expired = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.expired = true
		r.changed.Broadcast()
		return
	}
	round := d.round
	d.timer = time.AfterFunc(wait, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if d.round == round {
			d.expired = true
			r.changed.Broadcast()
		}
	})
}
