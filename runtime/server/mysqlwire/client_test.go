package mysqlwire

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	_ "github.com/millrace/millrace/connectors/all"
	"github.com/millrace/millrace/runtime/engine"
)

// harness is a server with an engine that keeps nothing.
type harness struct {
	t      *testing.T
	engine *engine.Engine
	srv    *Server
	addr   string
}

func startServer(t *testing.T, opt Options) *harness {
	t.Helper()
	e, err := engine.Open(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opt.Engine = e
	if opt.SpeakFirst == 0 {
		opt.SpeakFirst = 5 * time.Millisecond
	}
	h := &harness{t: t, engine: e, srv: New(opt), addr: l.Addr().String()}
	go func() { _ = h.srv.Serve(l) }()
	t.Cleanup(func() {
		h.srv.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = e.Close(ctx)
	})
	return h
}

// exec runs statements on a session of their own, outside the protocol.
func (h *harness) exec(statements ...string) {
	h.t.Helper()
	s := h.engine.NewSession()
	for _, x := range statements {
		r, err := s.Exec(context.Background(), x)
		if err != nil {
			h.t.Fatalf("%s: %v", x, err)
		}
		r.Close()
	}
}

// client is the other side of the protocol, as small as tests need it.
type client struct {
	prepared int // columns that the last preparation told
	t        *testing.T
	nc       net.Conn
	r        packetReader
	seq      byte
	caps     uint32
	id       uint32
	names    []string // of the result's columns
	kinds    []byte
}

const clientCaps = capProtocol41 | capSecureConnection | capPluginAuth | capConnectWithDB

func (h *harness) connect(caps uint32, plugin, auth string) (*client, error) {
	h.t.Helper()
	nc, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	c := &client{t: h.t, nc: nc, caps: caps | clientCaps, r: packetReader{r: bufio.NewReader(nc), limit: 64 << 20}}
	greeting, err := c.r.read(0)
	if err != nil {
		return nil, err
	}
	if greeting[0] == 0xff {
		return nil, parseError(greeting)
	}
	d := decoder{b: greeting[1:]}
	if v := d.nulString(); v != serverVersion {
		h.t.Errorf("version %q", v)
	}
	c.id = uint32(d.uint(4))
	p := binary.LittleEndian.AppendUint32(nil, c.caps)
	p = append(p, make([]byte, 4+1+23)...)
	p = append(append(p, "tester"...), 0)
	p = append(append(p, byte(len(auth))), auth...)
	p = append(append(p, databaseName...), 0)
	p = append(append(p, plugin...), 0)
	c.seq = 1
	c.write(p)
	for {
		answer, err := c.r.read(c.seq)
		if err != nil {
			return nil, err
		}
		c.seq++
		switch answer[0] {
		case 0:
			return c, nil
		case 1: // fast path
		case 0xfe:
			c.write([]byte(strings.Repeat("x", 20)))
		default:
			return nil, parseError(answer)
		}
	}
}

func (h *harness) dial() *client {
	h.t.Helper()
	c, err := h.connect(capDeprecateEOF, pluginSHA2, "")
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (c *client) write(payload []byte) {
	c.t.Helper()
	n := len(payload)
	head := []byte{byte(n), byte(n >> 8), byte(n >> 16), c.seq}
	c.seq++
	if _, err := c.nc.Write(append(head, payload...)); err != nil {
		c.t.Fatalf("writing: %v", err)
	}
}

func (c *client) send(command byte, body ...byte) {
	c.t.Helper()
	c.seq = 0
	c.write(append([]byte{command}, body...))
}

func (c *client) read() ([]byte, error) {
	p, err := c.r.read(c.seq)
	c.seq++
	return p, err
}

func parseError(p []byte) error {
	d := decoder{b: p[1:]}
	number := d.uint(2)
	d.bytes(1)
	return fmt.Errorf("%d %s %s", number, d.bytes(5), d.b)
}

// head reads the beginning of an answer: the number of columns, 0 after OK.
func (c *client) head() (int, error) {
	p, err := c.read()
	if err != nil {
		return 0, err
	}
	switch p[0] {
	case 0:
		return 0, nil
	case 0xff:
		return 0, parseError(p)
	}
	d := decoder{b: p}
	n := int(d.lenInt())
	c.names, c.kinds = nil, nil
	for range n {
		if p, err = c.read(); err != nil {
			return 0, err
		}
		d := decoder{b: p}
		for range 4 {
			d.lenBytes()
		}
		c.names = append(c.names, string(d.lenBytes()))
		d.lenBytes()
		d.bytes(1 + 2 + 4)
		c.kinds = append(c.kinds, d.u8())
	}
	if c.caps&capDeprecateEOF == 0 {
		if p, err = c.read(); err != nil || p[0] != 0xfe {
			return 0, fmt.Errorf("no EOF behind the columns: %x, %v", p, err)
		}
	}
	return n, nil
}

// row reads a row; io.EOF at the end.
func (c *client) row() ([]byte, error) {
	p, err := c.read()
	switch {
	case err != nil:
		return nil, err
	case p[0] == 0xff:
		return nil, parseError(p)
	case p[0] == 0xfe && len(p) < 9:
		return nil, io.EOF
	}
	return p, nil
}

// textRow takes a text row apart.
func textRow(p []byte, n int) string {
	d := decoder{b: p}
	var cells []string
	for range n {
		if len(d.b) > 0 && d.b[0] == 0xfb {
			d.u8()
			cells = append(cells, "NULL")
			continue
		}
		cells = append(cells, string(d.lenBytes()))
	}
	if d.bad || len(d.b) > 0 {
		return "malformed row"
	}
	return strings.Join(cells, "|")
}

// query gives the rows as text, cells parted by |, rows by blanks; errors as "number state message".
func (c *client) query(sql string) string {
	c.t.Helper()
	c.send(comQuery, []byte(sql)...)
	n, err := c.head()
	if err != nil {
		return err.Error()
	}
	if n == 0 {
		return "OK"
	}
	var rows []string
	for {
		p, err := c.row()
		if err == io.EOF {
			return strings.Join(rows, " ")
		}
		if err != nil {
			return err.Error()
		}
		rows = append(rows, textRow(p, n))
	}
}

// eventually waits for a condition that another goroutine makes true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// httpVia serves HTTP on handed connections.
func httpVia(t *testing.T) func(net.Conn) {
	conns := make(chan net.Conn)
	l := &chanListener{conns: conns, done: make(chan struct{})}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	return func(nc net.Conn) { conns <- nc }
}

type chanListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *chanListener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *chanListener) Close() error   { close(l.done); return nil }
func (l *chanListener) Addr() net.Addr { return &net.TCPAddr{} }
