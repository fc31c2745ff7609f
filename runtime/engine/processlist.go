package engine

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// process is a running ad hoc query.
type process struct {
	id    int64
	since time.Time
	text  string
	stop  func()
}

// processes lists the running queries, oldest first.
func (e *Engine) processes() []process {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []process
	for _, p := range e.queries {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b process) int { return int(a.id - b.id) })
	return out
}

// kill is KILL [QUERY] id: it ends a running query. Connections belong to the MySQL port, which answers KILL itself.
func (s *Session) kill(ctx context.Context, x *ast.Kill) (*Result, error) {
	value, err := s.constant(ctx, x.ID)
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(value.Text, 10, 64)
	if err != nil {
		return nil, diag.New(diag.BadLiteral, x.ID.At(), "'%s' is no number of a query", value.Text)
	}
	for _, p := range s.e.processes() {
		if p.id == id {
			p.stop()
			return message("killed query %d", id), nil
		}
	}
	return nil, diag.New(diag.UnknownTable, x.ID.At(), "no query has the number %d", id).WithHint("SHOW PROCESSLIST lists them; a job is stopped with STOP JOB name")
}

func showProcesslist(s *Session, x *ast.Show) (*Result, error) {
	r := newRows("id", "seconds", "query").integers("id", "seconds")
	for _, p := range s.e.processes() {
		text := strings.Join(strings.Fields(p.text), " ")
		if runes := []rune(text); !x.Full && len(runes) > maxProcessChars {
			text = string(runes[:maxProcessChars]) + "..."
		}
		r.add(p.id, int64(time.Since(p.since).Seconds()), text)
	}
	return r.result(), nil
}

// maxProcessChars is how much of a query SHOW PROCESSLIST shows without FULL.
const maxProcessChars = 100
