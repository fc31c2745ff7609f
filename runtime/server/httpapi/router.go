package httpapi

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/metric"
	"github.com/millrace/millrace/sql/diag"
)

// Limits.
const (
	maxBodyBytes = 4 << 20
	maxSessions  = 1000
	sessionIdle  = time.Hour
)

// Handler serves an engine.
type Handler struct {
	engine *engine.Engine
	mux    *http.ServeMux

	mu       sync.Mutex
	sessions map[string]*session // guarded by mu
}

type session struct {
	*engine.Session
	used time.Time
}

// New makes the handler.
func New(e *engine.Engine) *Handler {
	h := &Handler{engine: e, mux: http.NewServeMux(), sessions: map[string]*session{}}
	h.mux.HandleFunc("POST /v1/sql", h.sql)
	h.mux.HandleFunc("GET /v1/jobs", h.jobs)
	h.mux.Handle("GET /metrics", metric.Handler(metric.Source{Broker: e.RunningBroker}))
	h.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	return h
}

// ServeHTTP routes a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// session finds or makes the session of a client; without an id each request has one of its own.
func (h *Handler) session(id string) *engine.Session {
	if id == "" {
		return h.engine.NewSession()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if s := h.sessions[id]; s != nil {
		s.used = now
		return s.Session
	}
	if len(h.sessions) >= maxSessions {
		h.expire(now)
	}
	s := &session{Session: h.engine.NewSession(), used: now}
	h.sessions[id] = s
	return s.Session
}

// expire drops idle sessions, or the oldest when none is idle. Caller holds mu.
func (h *Handler) expire(now time.Time) {
	oldest := ""
	for id, s := range h.sessions {
		if now.Sub(s.used) > sessionIdle {
			delete(h.sessions, id)
		} else if oldest == "" || s.used.Before(h.sessions[oldest].used) {
			oldest = id
		}
	}
	if len(h.sessions) >= maxSessions {
		delete(h.sessions, oldest)
	}
}

func (h *Handler) jobs(w http.ResponseWriter, _ *http.Request) {
	jobs := []Job{}
	for _, j := range h.engine.Jobs() {
		s := j.Status()
		out := Job{Name: s.Name, ID: s.ID, State: string(s.State), RowsIn: s.RowsIn, RowsOut: s.RowsOut, Late: s.Late, Errors: s.Errors, Lag: s.Lag,
			Watermark: engine.WatermarkText(s.Watermark), Commits: s.Commits, Restarts: s.Restarts}
		if s.Err != nil {
			out.Error = s.Err.Error()
		}
		jobs = append(jobs, out)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(jobs)
}

// errorOf gives any error its wire form.
func errorOf(err error) *Error {
	e, ok := diag.As(err)
	if !ok {
		return &Error{Code: diag.Internal.String(), Message: err.Error(), Offset: -1}
	}
	out := &Error{Code: e.Code.String(), Message: e.Message, Hint: e.Hint, Offset: e.Offset, End: e.End}
	if e.Source != "" && e.Offset >= 0 {
		out.Line, out.Column = diag.Position(e.Source, e.Offset)
	}
	return out
}
