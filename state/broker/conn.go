package broker

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

// Timeouts of a connection.
const (
	idleTimeout  = 10 * time.Minute // without a request
	writeTimeout = 2 * time.Minute  // for one answer to leave
)

// readBufferBytes is for the heads of requests; larger bodies are read past the buffer.
const readBufferBytes = 16 << 10

// errMalformed marks a request that cannot be answered; the connection is closed and one line is logged.
var errMalformed = errors.New("malformed request")

// conn is one client connection: a reader goroutine that decodes requests and starts their handlers in order, and a writer goroutine
// that waits for and sends the answers in the same order.
type conn struct {
	broker   *Broker
	net      net.Conn
	listener *listener
	host     string // the client's address without the port
	id       identity
	queue    chan pending

	mutedUntil atomic.Int64 // nanoseconds since 1970; requests stay unread until then
}

// pending is a request whose answer has not been sent.
type pending struct {
	key         int16
	correlation int32
	reply       reply
	bytes       int64 // to give back to the budget
	raw         bool  // the answer is rawAnswer, in a frame without a header
	rawAnswer   []byte
	from        sender
	throttle    time.Duration // for which the client is to be held back
	begun       time.Time     // when it was read
}

// request is one decoded request and where it came from.
type request struct {
	conn     *conn
	clientID string
	who      auth.Principal
	body     kmsg.Request
	throttle time.Duration // set by handlers that charge more than bytes and time
}

// serve takes over a connection.
func (b *Broker) serve(nc net.Conn, l *listener) error {
	c := &conn{broker: b, net: nc, listener: l, host: hostOf(nc.RemoteAddr()), queue: make(chan pending, maxPipelined)}
	b.mu.RLock()
	closed := b.closed
	b.mu.RUnlock()
	b.connMu.Lock()
	defer b.connMu.Unlock()
	if closed || b.conns == nil {
		return ErrClosed
	}
	if err := b.admitConn(c); err != nil {
		return err
	}
	b.conns[c] = struct{}{}
	b.connsFrom[c.host]++
	b.count.connections.Add(1)
	b.connWG.Add(2)
	go c.readLoop()
	go c.writeLoop()
	return nil
}

// admitConn enforces the limits on connections. For the process itself the total alone counts. Caller holds connMu.
func (b *Broker) admitConn(c *conn) error {
	if len(b.conns) >= b.opts.MaxConns {
		return fmt.Errorf("too many connections: limit MaxConns is %d", b.opts.MaxConns)
	}
	if c.listener.trusted {
		return nil
	}
	if limit := b.opts.MaxConnsPerIP; limit > 0 && b.connsFrom[c.host] >= limit {
		return fmt.Errorf("too many connections from %s: limit MaxConnsPerIP is %d", c.host, limit)
	}
	if wait := b.quotas.ChargeConnection(b.opts.Now(), c.host); wait > 0 {
		return fmt.Errorf("too many new connections from %s: its quota has room again in %s", c.host, wait.Round(time.Millisecond))
	}
	return nil
}

// budgetWarning is how often at most it is said that requests wait for room.
const budgetWarning = 10 * time.Second

// takeBudget waits for room for a request of n bytes, and says so if there is none.
func (b *Broker) takeBudget(n int64) (int64, bool) {
	if taken, ok := b.inFlight.tryTake(n); ok {
		return taken, true
	}
	now := time.Now().UnixNano()
	if last := b.budgetWarned.Load(); now-last > int64(budgetWarning) && b.budgetWarned.CompareAndSwap(last, now) {
		b.opts.Logger.Warn("requests in flight are at their limit, reading waits", "limit_bytes", b.opts.MaxInFlightBytes)
	}
	return b.inFlight.take(n)
}

// closeConns stops reading everywhere, waits for the answers to leave until ctx ends, and then cuts what is left.
func (b *Broker) closeConns(ctx context.Context) {
	b.inFlight.close()
	b.connMu.Lock()
	conns := b.conns
	b.conns = nil
	for c := range conns {
		c.net.SetReadDeadline(time.Unix(1, 0))
	}
	b.connMu.Unlock()
	done := make(chan struct{})
	go func() {
		b.connWG.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		for c := range conns {
			c.net.Close()
		}
		<-done
	}
}

func (c *conn) readLoop() {
	b := c.broker
	defer b.connWG.Done()
	defer close(c.queue)
	if err := c.identify(); err != nil {
		if !peerLeft(err) {
			b.opts.Logger.Warn("closing connection", "peer", c.net.RemoteAddr(), "listener", c.listener.opts.Name, "error", err)
		}
		return
	}
	knownBy := time.Now().Add(authTimeout)
	r := bufio.NewReaderSize(c.net, readBufferBytes)
	for b.ctx.Err() == nil {
		deadline := time.Now().Add(idleTimeout)
		if !c.id.known {
			deadline = knownBy
		}
		c.net.SetReadDeadline(deadline)
		if b.ctx.Err() != nil {
			return // closeConns may have set its deadline just before ours
		}
		err := c.readNext(r)
		if err == nil {
			continue
		}
		if !peerLeft(err) {
			b.opts.Logger.Warn("closing connection", "peer", c.net.RemoteAddr(), "error", err)
		}
		return
	}
}

// peerLeft reports errors that are the ordinary end of a connection.
func peerLeft(err error) bool {
	for _, end := range []error{errLastAnswer, io.EOF, net.ErrClosed, io.ErrClosedPipe, os.ErrDeadlineExceeded, syscall.ECONNRESET} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// errLastAnswer ends reading after a request whose answer closes the connection.
var errLastAnswer = errors.New("connection ends with this answer")

func (c *conn) readNext(r *bufio.Reader) error {
	if c.id.raw {
		return c.readRawToken(r)
	}
	return c.readRequest(r)
}

// readRawToken reads a message of an authentication begun by SaslHandshake version 0: a size and the bytes. A failure is not
// answered; the connection just ends.
func (c *conn) readRawToken(r *bufio.Reader) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size := int(int32(binary.BigEndian.Uint32(head[:])))
	if size < 0 || size > maxAuthRequestBytes {
		return fmt.Errorf("%w: SASL message of %d bytes, limit %d", errMalformed, size, maxAuthRequestBytes)
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(r, message); err != nil {
		return err
	}
	answer, err := c.step(message)
	if err != nil {
		authPause(c.broker.ctx)
		return errLastAnswer
	}
	c.queue <- pending{key: keySASLAuthenticate, raw: true, rawAnswer: answer}
	return nil
}

// readRequest reads one request, runs its handler and queues the answer.
func (c *conn) readRequest(r *bufio.Reader) error {
	var head [12]byte // size, key, version, correlation id
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size := int(int32(binary.BigEndian.Uint32(head[:])))
	key := int16(binary.BigEndian.Uint16(head[4:]))
	limit := maxControlRequestBytes
	switch {
	case !c.id.known:
		limit = maxAuthRequestBytes
	case key == keyProduce:
		limit = c.broker.opts.MaxRequestBytes
	}
	if size < 8 || size > min(limit, c.broker.opts.MaxRequestBytes) {
		return fmt.Errorf("%w: size %d of request key %d, limit %d", errMalformed, size, key, limit)
	}
	if err := c.mayServe(key); err != nil {
		return err
	}
	if !c.awaitUnmuted() {
		return net.ErrClosed
	}
	taken, ok := c.broker.takeBudget(int64(size))
	if !ok {
		return net.ErrClosed
	}
	c.broker.count.requests.Add(1)
	c.broker.count.bytesIn.Add(int64(size))
	var p pending
	var err error
	version := int16(binary.BigEndian.Uint16(head[6:]))
	if key == keyProduce {
		// Only produce is sure to be done with the bytes when its handler returns: the log has written them.
		buf := getBuffer(size - 8)
		p, err = c.readBody(r, key, version, (*buf)[:size-8])
		putBuffer(buf)
	} else {
		p, err = c.readBody(r, key, version, make([]byte, size-8))
	}
	if err != nil {
		c.broker.inFlight.give(taken)
		return err
	}
	p.key, p.correlation, p.bytes = key, int32(binary.BigEndian.Uint32(head[8:])), taken
	c.mute(p.throttle)
	c.queue <- p
	if p.reply.last {
		return errLastAnswer
	}
	return nil
}

func (c *conn) readBody(r io.Reader, key, version int16, body []byte) (pending, error) {
	if _, err := io.ReadFull(r, body); err != nil {
		return pending{}, err
	}
	return c.handle(key, version, body)
}

// handle decodes the body, runs the handler and charges its sender. A panic closes this connection only.
func (c *conn) handle(key, version int16, body []byte) (p pending, err error) {
	start := time.Now()
	p.begun = start
	defer func() {
		if v := recover(); v != nil {
			stack := string(debug.Stack())
			c.broker.opts.Logger.Error("request handler panicked", "key", key, "version", version, "panic", v, "stack", stack)
			err = fmt.Errorf("handling request key %d: panic: %v", key, v)
		}
	}()
	ep := findRequest(key)
	if ep == nil {
		return p, fmt.Errorf("%w: unknown key %d", errMalformed, key)
	}
	if version < ep.min || version > ep.max {
		if key == keyAPIVersions { // must be answered whatever the body is: this is how clients learn our versions
			p.reply = ready(unsupportedAPIVersions())
			return p, nil
		}
		return p, fmt.Errorf("%w: %s version %d is not supported", errMalformed, ep.name, version)
	}
	req := kmsg.RequestForKey(key)
	req.SetVersion(version)
	clientID, rest, err := parseHeader(body, req.IsFlexible())
	if err != nil {
		return p, fmt.Errorf("reading header of %s: %w", ep.name, err)
	}
	if err := req.ReadFrom(rest); err != nil {
		return p, fmt.Errorf("%w: %s version %d: %w", errMalformed, ep.name, version, err)
	}
	from := &request{conn: c, clientID: clientID, who: c.id.who, body: req}
	p.reply = ep.handle(c.broker, from)
	p.from, p.throttle = from.sender(), c.chargeRequest(from, int64(len(body)), time.Since(start))
	return p, nil
}

// parseHeader reads what follows the correlation id in a request header: the client id and, in flexible versions, tags.
func parseHeader(b []byte, flexible bool) (clientID string, rest []byte, err error) {
	if len(b) < 2 {
		return "", nil, errMalformed
	}
	n := int(int16(binary.BigEndian.Uint16(b)))
	b = b[2:]
	if n > len(b) {
		return "", nil, errMalformed
	}
	if n > 0 {
		clientID, b = string(b[:n]), b[n:]
	}
	if !flexible {
		return clientID, b, nil
	}
	tags, b, ok := takeUvarint(b)
	for ; ok && tags > 0; tags-- {
		var size uint64
		if _, b, ok = takeUvarint(b); !ok {
			break
		}
		if size, b, ok = takeUvarint(b); ok {
			if ok = size <= uint64(len(b)); ok {
				b = b[size:]
			}
		}
	}
	if !ok {
		return "", nil, errMalformed
	}
	return clientID, b, nil
}

func takeUvarint(b []byte) (uint64, []byte, bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}

func (c *conn) writeLoop() {
	b := c.broker
	defer b.connWG.Done()
	var failed error
	for p := range c.queue {
		if failed == nil {
			if failed = c.answer(p); failed != nil {
				c.net.Close() // stops the reader; go on draining what it queued
			}
		}
		b.inFlight.give(p.bytes)
	}
	c.net.Close()
	b.connMu.Lock()
	delete(b.conns, c)
	if b.connsFrom[c.host]--; b.connsFrom[c.host] == 0 {
		delete(b.connsFrom, c.host)
	}
	b.connMu.Unlock()
}

// answer waits for one response and sends it.
func (c *conn) answer(p pending) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.broker.opts.Logger.Error("answering panicked", "key", p.key, "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("answering request key %d: panic: %v", p.key, v)
		}
	}()
	if p.raw {
		return c.send(append(binary.BigEndian.AppendUint32(nil, uint32(len(p.rawAnswer))), p.rawAnswer...))
	}
	if p.key == keyFetch {
		c.broker.count.fetches.Add(1)
	}
	resp := p.reply.resp
	if p.reply.later != nil {
		resp = p.reply.later(c.broker.ctx)
	}
	if resp == nil {
		return nil
	}
	c.holdBack(resp, p.throttle)
	size := 0
	if s, ok := resp.(interface{ sizeHint() int }); ok {
		size = s.sizeHint()
	}
	buf := getBuffer(size + 64)
	defer putBuffer(buf)
	*buf = appendFrame(*buf, p, resp)
	if f, ok := resp.(*fetchReply); ok {
		c.chargeFetch(p, f, *buf)
	}
	if len(*buf) > 1<<31-1 {
		return fmt.Errorf("answer to request key %d is too large: %d bytes", p.key, len(*buf))
	}
	err = c.send(*buf)
	c.broker.count.answered(p.key, time.Since(p.begun))
	return err
}

func (c *conn) send(frame []byte) error {
	c.net.SetWriteDeadline(time.Now().Add(writeTimeout))
	n, err := c.net.Write(frame)
	c.broker.count.bytesOut.Add(int64(n))
	return err
}

// appendFrame encodes a response with its size and header.
func appendFrame(dst []byte, p pending, resp kmsg.Response) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(p.correlation))
	if resp.IsFlexible() && p.key != keyAPIVersions { // ApiVersions keeps the old header so that any client can read it
		dst = append(dst, 0)
	}
	dst = resp.AppendTo(dst)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}
