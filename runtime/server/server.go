package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/server/httpapi"
	"github.com/millrace/millrace/sql/diag"
)

// Options configure a server.
type Options struct {
	Engine     engine.Options
	HTTPListen string
}

// Server is a running server.
type Server struct {
	Engine *engine.Engine
	http   *http.Server
	addr   net.Addr
}

// Start listens first, so that a taken port costs nothing, then opens the engine, then serves.
func Start(opt Options) (*Server, error) {
	l, err := net.Listen("tcp", opt.HTTPListen)
	if err != nil {
		return nil, diag.New(diag.BadConfiguration, -1, "cannot listen on %s for HTTP: %v", opt.HTTPListen, err).Wrap(err).
			WithHint("another program has the port; choose one with --http-listen")
	}
	e, err := engine.Open(opt.Engine)
	if err != nil {
		l.Close()
		return nil, err
	}
	s := &Server{Engine: e, addr: l.Addr(), http: &http.Server{Handler: httpapi.New(e), ReadHeaderTimeout: 10 * time.Second}}
	go func() {
		if err := s.http.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			opt.Engine.Logger.Error("HTTP server ended", "err", err)
		}
	}()
	return s, nil
}

// HTTPAddr returns the address of the HTTP port.
func (s *Server) HTTPAddr() string { return s.addr.String() }

// Close stops serving, then the engine behind its last checkpoints.
func (s *Server) Close(ctx context.Context) error {
	// Live queries never end by themselves: the engine ends them, so the listener is closed first and connections last.
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
