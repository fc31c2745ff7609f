package mysqlwire

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/millrace/millrace/runtime/engine"
)

// Options configure a server.
type Options struct {
	Engine *engine.Engine
	// HTTP takes over connections whose clients speak HTTP, with what they have said already; nil: they are closed.
	HTTP        func(net.Conn)
	Logger      *slog.Logger
	IdleTimeout time.Duration // of a connection that says nothing; 0: 8 h
	SpeakFirst  time.Duration // how long to wait for HTTP clients; 0: 30 ms
}

// Server serves MySQL clients. It is safe for concurrent use.
type Server struct {
	opt     Options
	started time.Time
	ctx     context.Context
	cancel  context.CancelFunc
	group   sync.WaitGroup

	mu        sync.Mutex
	listener  net.Listener     // guarded by mu
	conns     map[uint32]*conn // guarded by mu; a place is taken before the greeting
	nextID    uint32           // guarded by mu
	questions int64            // guarded by mu
	closed    bool             // guarded by mu
}

// New makes a server; Serve starts it.
func New(opt Options) *Server {
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.IdleTimeout <= 0 {
		opt.IdleTimeout = defaultIdleTimeout
	}
	if opt.SpeakFirst <= 0 {
		opt.SpeakFirst = defaultSpeakFirst
	}
	s := &Server{opt: opt, started: time.Now(), conns: map[uint32]*conn{}}
	registerInformation(s)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Serve accepts connections until Close; it owns the listener.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	s.listener = l
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return l.Close()
	}
	wait := time.Millisecond
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			wait = time.Millisecond
			s.start(nc)
		case s.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return nil
		default: // out of file descriptors: others will end
			s.opt.Logger.Warn("accepting a MySQL connection", "err", err)
			select {
			case <-time.After(wait):
			case <-s.ctx.Done():
			}
			wait = min(2*wait, time.Second)
		}
	}
}

// start gives a connection its place and its goroutine.
func (s *Server) start(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		nc.Close()
		return
	}
	s.nextID++
	c := newConn(s, nc, s.nextID)
	c.refused = len(s.conns) >= maxConnections
	if len(s.conns) >= 2*maxConnections { // those that have only just come count, too
		nc.Close()
		return
	}
	s.conns[c.id] = c
	s.group.Go(func() {
		defer s.forget(c)
		c.serve()
	})
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c.id)
	s.mu.Unlock()
}

// list returns the connections that have been let in.
func (s *Server) list() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*conn
	for _, c := range s.conns {
		if c.admitted.Load() {
			out = append(out, c)
		}
	}
	return out
}

func (s *Server) find(id uint32) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[id]
}

func (s *Server) count() {
	s.mu.Lock()
	s.questions++
	s.mu.Unlock()
}

// status returns the uptime in seconds, the connections and the statements so far.
func (s *Server) status() (uptime, threads, questions int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(time.Since(s.started).Seconds()), int64(len(s.conns)), s.questions
}

// Close stops listening, ends every query and closes every connection. Connections that were handed to HTTP stay.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	if s.listener != nil {
		s.listener.Close()
	}
	s.cancel()
	for _, c := range s.conns {
		c.kill()
	}
	s.mu.Unlock()
	s.group.Wait()
}
