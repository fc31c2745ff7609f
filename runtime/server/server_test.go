package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	_ "github.com/millrace/millrace/connectors/all"
	"github.com/millrace/millrace/runtime/engine"
)

func start(t *testing.T) *Server {
	t.Helper()
	s, err := Start(Options{HTTPListen: "127.0.0.1:0", MySQLListen: "127.0.0.1:0", Engine: engine.Options{}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestHTTPOnBothPorts runs statements over HTTP on the HTTP port and on the MySQL port.
func TestHTTPOnBothPorts(t *testing.T) {
	s := start(t)
	defer s.Close(t.Context())
	for _, addr := range []string{s.HTTPAddr(), s.MySQLAddr()} {
		resp, err := http.Post("http://"+addr+"/v1/sql", "application/json", strings.NewReader(`{"sql": "SELECT 1+1 AS two"}`))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.Contains(string(b), `{"row":[2]}`) {
			t.Errorf("%s: %s", addr, b)
		}
	}
}

// TestMySQLGreets: a silent client is greeted, and closing the server ends its connection.
func TestMySQLGreets(t *testing.T) {
	s := start(t)
	nc, err := net.Dial("tcp", s.MySQLAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 5)
	if _, err := io.ReadFull(nc, b); err != nil || b[4] != 10 {
		t.Errorf("greeting %x, %v", b, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(nc); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection ends with %v", err)
	}
}

func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Start(Options{HTTPListen: "127.0.0.1:0", MySQLListen: l.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), "--mysql-listen") {
		t.Errorf("got %v", err)
	}
}
