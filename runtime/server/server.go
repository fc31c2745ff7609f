package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/server/httpapi"
	"github.com/millrace/millrace/runtime/server/mysqlwire"
	"github.com/millrace/millrace/sql/diag"
)

// Options configure a server.
type Options struct {
	Engine      engine.Options
	HTTPListen  string
	MySQLListen string // "": no MySQL port
}

// Server is a running server.
type Server struct {
	Engine    *engine.Engine
	http      *http.Server
	addr      net.Addr
	mysql     *mysqlwire.Server // nil: no MySQL port
	mysqlAddr net.Addr
}

// Start listens first, so that a taken port costs nothing, then opens the engine, then serves.
func Start(opt Options) (*Server, error) {
	l, err := listen(opt.HTTPListen, "HTTP", "--http-listen")
	if err != nil {
		return nil, err
	}
	var ml net.Listener
	if opt.MySQLListen != "" {
		if ml, err = listen(opt.MySQLListen, "MySQL clients", "--mysql-listen"); err != nil {
			l.Close()
			return nil, err
		}
	}
	e, err := engine.Open(opt.Engine)
	if err != nil {
		l.Close()
		if ml != nil {
			ml.Close()
		}
		return nil, err
	}
	logger := opt.Engine.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{Engine: e, addr: l.Addr(), http: &http.Server{Handler: httpapi.New(e), ReadHeaderTimeout: 10 * time.Second}}
	serve := func(what string, run func(net.Listener) error, l net.Listener) {
		if err := run(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			logger.Error(what+" server ended", "err", err)
		}
	}
	go serve("HTTP", s.http.Serve, l)
	if ml != nil {
		h := newHandoff(ml.Addr())
		s.mysqlAddr = ml.Addr()
		s.mysql = mysqlwire.New(mysqlwire.Options{Engine: e, HTTP: h.give, Logger: logger})
		go serve("HTTP", s.http.Serve, h)
		go serve("MySQL", s.mysql.Serve, ml)
	}
	return s, nil
}

func listen(addr, what, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, diag.New(diag.BadConfiguration, -1, "cannot listen on %s for %s: %v", addr, what, err).Wrap(err).
			WithHint("another program has the port; choose one with %s", flag)
	}
	return l, nil
}

// HTTPAddr returns the address of the HTTP port.
func (s *Server) HTTPAddr() string { return s.addr.String() }

// MySQLAddr returns the address of the MySQL port, "" when there is none.
func (s *Server) MySQLAddr() string {
	if s.mysqlAddr == nil {
		return ""
	}
	return s.mysqlAddr.String()
}

// Close stops serving, then the engine behind its last checkpoints.
func (s *Server) Close(ctx context.Context) error {
	// Live queries never end by themselves: the engine ends them, so the listener is closed first and connections last.
	if s.mysql != nil {
		s.mysql.Close()
	}
	shut, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	httpErr := s.http.Shutdown(shut)
	err := s.Engine.Close(ctx)
	if httpErr != nil {
		_ = s.http.Close()
	}
	if err != nil {
		return fmt.Errorf("closing the engine: %w", err)
	}
	return nil
}
