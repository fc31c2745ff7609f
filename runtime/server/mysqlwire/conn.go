package mysqlwire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/runtime/engine"
)

// conn is one client. Its fields belong to the goroutine of serve, but for those guarded by mu.
type conn struct {
	srv      *Server
	nc       net.Conn
	id       uint32
	refused  bool // there are too many
	admitted atomic.Bool
	rd       packetReader
	w        packetWriter
	ctx      context.Context // ends with the connection
	cancel   context.CancelFunc

	caps     uint32
	user     string
	database string
	session  *engine.Session
	vars     map[string]string // MySQL's variables and the user's @x that were set
	stmts    map[uint32]*prepared
	nextStmt uint32
	warnings []warning

	mu     sync.Mutex
	stop   context.CancelFunc // of the running statement; guarded by mu
	text   string             // of the running statement; guarded by mu
	since  time.Time          // when it began, or the last one ended; guarded by mu
	client string             // user, for SHOW PROCESSLIST; guarded by mu
}

// warning is a row of SHOW WARNINGS.
type warning struct {
	level   string
	number  uint16
	message string
}

func newConn(s *Server, nc net.Conn, id uint32) *conn {
	c := &conn{srv: s, nc: nc, id: id, rd: packetReader{r: bufio.NewReader(nc), limit: maxHandshakeBytes}, w: packetWriter{nc: nc},
		since: time.Now()}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	c.reset()
	return c
}

// reset forgets what the client has set and prepared, as COM_RESET_CONNECTION does.
func (c *conn) reset() {
	c.database = databaseName
	c.session = c.srv.opt.Engine.NewSession()
	c.vars = map[string]string{}
	c.stmts = map[uint32]*prepared{}
	c.warnings = nil
}

// kill ends the connection from another goroutine.
func (c *conn) kill() {
	c.cancel()
	c.nc.Close()
}

// interrupt ends the running statement from another goroutine.
func (c *conn) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.stop()
	}
}

// serve runs the connection to its end. Whatever goes wrong here closes this connection only.
func (c *conn) serve() {
	handed := false
	defer func() {
		if r := recover(); r != nil {
			c.srv.opt.Logger.Error("MySQL connection failed", "id", c.id, "err", r, "stack", string(debug.Stack()))
		}
		c.cancel()
		if !handed {
			c.nc.Close()
		}
	}()
	head, err := sniff(c.nc, c.srv.opt.SpeakFirst)
	if err != nil {
		return
	}
	if head != nil {
		if c.srv.opt.HTTP != nil {
			handed = true
			c.srv.opt.HTTP(&replayed{Conn: c.nc, head: head})
		}
		return
	}
	if err := c.run(); err != nil && c.ctx.Err() == nil && !errors.Is(err, io.EOF) {
		c.srv.opt.Logger.Debug("MySQL connection ended", "id", c.id, "err", err)
	}
}

// run greets the client and executes its commands.
func (c *conn) run() error {
	if err := c.nc.SetReadDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return fmt.Errorf("setting the deadline of the login: %w", err)
	}
	if c.refused {
		return c.writeError(wireError{1040, "08004", fmt.Sprintf("Too many connections: there are %d", maxConnections)})
	}
	if err := c.handshake(); err != nil {
		return err
	}
	c.setClient()
	c.admitted.Store(true)
	c.rd.limit = maxPacketBytes
	if err := c.idle(); err != nil {
		return err
	}
	commands := make(chan command)
	c.srv.group.Go(func() { c.readCommands(commands) })
	for cmd := range commands {
		if cmd.err != nil {
			return c.refuse(cmd.err)
		}
		if err := c.nc.SetReadDeadline(time.Time{}); err != nil {
			return fmt.Errorf("lifting the deadline: %w", err)
		}
		c.w.seq = cmd.seq + 1
		if err := c.execute(cmd.payload); err != nil {
			return err
		}
		if err := c.idle(); err != nil {
			return err
		}
	}
	return nil
}

// command is a packet of the client, or why there are no more.
type command struct {
	payload []byte
	seq     byte
	err     error
}

// readCommands reads one packet ahead, so that a client that goes away is seen while its query runs: the read fails, and c.ctx ends.
func (c *conn) readCommands(out chan<- command) {
	defer close(out)
	for {
		payload, err := c.rd.read(0)
		if err != nil && !errors.Is(err, errPacketTooLarge) && !errors.Is(err, errSequence) {
			c.cancel()
		}
		select {
		case out <- command{payload: payload, seq: c.rd.seq, err: err}:
		case <-c.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// refuse tells the client why its packet ends the connection, where it can be told.
func (c *conn) refuse(err error) error {
	c.w.seq = c.rd.seq + 1
	switch {
	case errors.Is(err, errPacketTooLarge):
		_ = c.writeError(wireError{1153, "08S01", fmt.Sprintf("Got a packet bigger than 'max_allowed_packet' bytes (%d)", maxPacketBytes)})
		c.linger()
	case errors.Is(err, errSequence):
		_ = c.writeError(wireError{1156, "08S01", "Got packets out of order"})
		c.linger()
	}
	return err
}

// linger takes what the client is still sending, for a moment: closing on unread bytes would reset the connection and lose the error.
func (c *conn) linger() {
	if t, ok := c.nc.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.CopyN(io.Discard, c.nc, 2*maxPacketBytes)
}

// idle starts the time after which a silent client is closed.
func (c *conn) idle() error {
	limit := c.srv.opt.IdleTimeout
	if n, err := strconv.Atoi(c.vars["wait_timeout"]); err == nil && n > 0 {
		limit = min(limit, time.Duration(n)*time.Second)
	}
	if err := c.nc.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return fmt.Errorf("setting the idle timeout: %w", err)
	}
	return nil
}

// begin makes the context of a statement, which KILL QUERY, the end of the connection and max_execution_time end.
func (c *conn) begin(text string) (context.Context, func()) {
	ctx, cancel := context.WithCancel(c.ctx)
	c.mu.Lock()
	c.stop, c.text, c.since = cancel, clip(text, 4*maxProcesslistChars), time.Now()
	c.mu.Unlock()
	return ctx, func() {
		cancel()
		c.mu.Lock()
		c.stop, c.text, c.since = nil, "", time.Now()
		c.mu.Unlock()
	}
}

// setClient shows the user to other connections.
func (c *conn) setClient() {
	c.mu.Lock()
	c.client = c.user
	c.mu.Unlock()
}

// account is the user as CURRENT_USER() gives it.
func (c *conn) account() string {
	host, _, err := net.SplitHostPort(c.nc.RemoteAddr().String())
	if err != nil {
		host = "localhost"
	}
	return c.user + "@" + host
}
