package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/millrace/millrace/runtime/server/httpapi"
	"github.com/millrace/millrace/sql/diag"
)

// maxLineBytes bounds one line of an answer.
const maxLineBytes = 64 << 20

// Remote is a session on a server.
type Remote struct {
	addr    string
	session string
	http    http.Client
}

// dialAttempts: a MySQL port takes a client for a MySQL client whose request is late, so the first answer may be a greeting.
const dialAttempts = 3

// Dial checks that a server answers at addr (host:port of its HTTP port, or of its MySQL port, which speaks HTTP, too).
func Dial(ctx context.Context, addr string) (*Remote, error) {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("making a session id: %w", err)
	}
	r := &Remote{addr: addr, session: hex.EncodeToString(id[:])}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := r.healthy(ctx)
		if err == nil {
			return r, nil
		}
		if attempt == dialAttempts || !strings.Contains(err.Error(), "malformed HTTP") {
			return nil, cannotConnect(addr, err)
		}
	}
}

// healthy asks the server for a sign of life.
func (r *Remote) healthy(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.addr+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}

func cannotConnect(addr string, err error) error {
	return diag.New(diag.CannotConnect, -1, "cannot connect to a millrace server at %s: %v", addr, err).Wrap(err).
		WithHint("start one with: millrace serve; its ready line shows the http address")
}

// Name returns the server's address.
func (r *Remote) Name() string { return r.addr }

// Close ends the session.
func (r *Remote) Close() error { r.http.CloseIdleConnections(); return nil }

// Exec runs a statement.
func (r *Remote) Exec(ctx context.Context, sql string) (*Result, error) {
	body, err := json.Marshal(httpapi.Request{SQL: sql, Session: r.session})
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.addr+"/v1/sql", bytes.NewReader(body))
	if err != nil {
		return nil, cannotConnect(r.addr, err)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, cannotConnect(r.addr, err)
	}
	lines := bufio.NewReaderSize(resp.Body, 64<<10)
	rows := &remoteRows{lines: lines, sql: sql, ctx: ctx}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		_, err := rows.next(ctx)
		return nil, err
	}
	res := &Result{Next: rows.next, Close: func() { resp.Body.Close() }}
	head, err := rows.line()
	if err == nil {
		err = json.Unmarshal(head, &res.Head)
	}
	if err != nil {
		resp.Body.Close()
		return nil, cannotConnect(r.addr, err)
	}
	return res, nil
}

type remoteRows struct {
	ctx   context.Context
	lines *bufio.Reader
	sql   string
}

func (r *remoteRows) line() ([]byte, error) {
	line, err := r.lines.ReadBytes('\n')
	if len(line) > maxLineBytes {
		return nil, fmt.Errorf("a line of the answer is longer than %d bytes", maxLineBytes)
	}
	return line, err
}

func (r *remoteRows) next(ctx context.Context) (Row, error) {
	data, err := r.line()
	if err != nil {
		if ctx.Err() != nil || r.ctx.Err() != nil {
			return Row{}, context.Canceled
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("the server closed the connection")
		}
		return Row{}, diag.New(diag.CannotConnect, -1, "the answer ended early: %v", err).Wrap(err)
	}
	var line httpapi.Line
	if err := json.Unmarshal(data, &line); err != nil {
		return Row{}, fmt.Errorf("reading the server's answer: %w", err)
	}
	switch {
	case line.Error != nil:
		return Row{}, r.diag(line.Error)
	case line.End:
		return Row{}, io.EOF
	}
	return Row{Op: line.Op, Values: line.Row, Last: r.lines.Buffered() == 0}, nil
}

func (r *remoteRows) diag(e *httpapi.Error) error {
	var code int
	_, _ = fmt.Sscanf(e.Code, "MR-%d", &code)
	return &diag.Error{Code: diag.Code(code), Message: e.Message, Hint: e.Hint, Offset: e.Offset, End: e.End, Source: r.sql}
}
