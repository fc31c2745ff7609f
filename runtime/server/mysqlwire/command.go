package mysqlwire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Commands of the protocol.
const (
	comQuit            = 0x01
	comInitDB          = 0x02
	comQuery           = 0x03
	comFieldList       = 0x04
	comStatistics      = 0x09
	comProcessInfo     = 0x0a
	comProcessKill     = 0x0c
	comPing            = 0x0e
	comChangeUser      = 0x11
	comStmtPrepare     = 0x16
	comStmtExecute     = 0x17
	comStmtLongData    = 0x18
	comStmtClose       = 0x19
	comStmtReset       = 0x1a
	comSetOption       = 0x1b
	comStmtFetch       = 0x1c
	comResetConnection = 0x1f
)

var errQuit = errors.New("the client left")

// execute runs one command. An error it returns ends the connection; errors of statements are answers.
func (c *conn) execute(payload []byte) error {
	if len(payload) == 0 {
		return c.answer(wireError{1047, "08S01", "Unknown command"})
	}
	body := payload[1:]
	switch payload[0] {
	case comQuit:
		return errQuit
	case comPing:
		return c.answer(nil)
	case comInitDB:
		return c.answer(c.use(string(body)))
	case comQuery:
		c.srv.count()
		return c.query(string(body))
	case comFieldList:
		d := decoder{b: body}
		return c.fieldList(d.nulString(), string(d.b))
	case comStatistics:
		uptime, threads, questions := c.srv.status()
		text := fmt.Sprintf("Uptime: %d  Threads: %d  Questions: %d", uptime, threads, questions)
		if err := c.w.end(append(c.w.begin(), text...)); err != nil {
			return err
		}
		return c.w.flush()
	case comProcessInfo:
		return c.writeReply(c.ctx, c.processlist(), false)
	case comProcessKill:
		d := decoder{b: body}
		return c.answer(c.killOther(uint32(d.uint(4)), false))
	case comChangeUser:
		return c.changeUser(body)
	case comResetConnection:
		c.reset()
		return c.answer(nil)
	case comSetOption:
		if d := (decoder{b: body}); d.uint(2) != 1 || d.bad {
			return c.answer(wireError{1047, "08S01", "several statements in one packet are not supported"})
		}
		if err := c.writeEOF(); err != nil {
			return err
		}
		return c.w.flush()
	case comStmtPrepare, comStmtExecute, comStmtLongData, comStmtClose, comStmtReset, comStmtFetch:
		return c.statementCommand(payload[0], body)
	}
	return c.answer(wireError{1047, "08S01", fmt.Sprintf("Unknown command %d", payload[0])})
}

// answer sends OK, or the error.
func (c *conn) answer(err error) error {
	if err != nil {
		return c.fail(err)
	}
	if err := c.writeOK(""); err != nil {
		return err
	}
	return c.w.flush()
}

// fail sends an error of a statement and keeps it for SHOW WARNINGS.
func (c *conn) fail(err error) error {
	e := errorOf(err)
	c.warn("Error", e.number, e.message)
	return c.writeError(e)
}

func (c *conn) warn(level string, number uint16, message string) {
	if len(c.warnings) < maxWarnings {
		c.warnings = append(c.warnings, warning{level, number, message})
	}
}

func (c *conn) changeUser(body []byte) error {
	l, err := parseChangeUser(body, c.caps)
	if err != nil {
		return err
	}
	c.reset()
	if err := c.use(l.database); err != nil {
		return c.fail(err)
	}
	c.user = l.user
	c.setClient()
	return c.answer(nil)
}

// query runs the text of COM_QUERY.
func (c *conn) query(text string) error {
	return c.answerText(text, func(ctx context.Context, r *reply) error { return c.writeReply(ctx, c.watch(ctx, r), false) })
}

// answerText runs a statement and lets write send its reply.
func (c *conn) answerText(text string, write func(ctx context.Context, r *reply) error) error {
	ctx, end := c.begin(text)
	defer end()
	ctx, cancel := c.limit(ctx)
	defer cancel()
	r, err := c.statement(ctx, text)
	if err != nil {
		return c.fail(c.reason(ctx, err))
	}
	defer r.close()
	return write(ctx, r)
}

// reason says why a statement ended that its context ended.
func (c *conn) reason(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == nil:
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return errTimedOut
	}
	return errInterrupted
}

// watch makes the errors of a reply's rows those of reason.
func (c *conn) watch(ctx context.Context, r *reply) *reply {
	if next := r.next; next != nil {
		r.next = func(ctx context.Context) (*vector.Batch, error) {
			b, err := next(ctx)
			if err != nil && ctx.Err() != nil {
				err = c.reason(ctx, err)
			}
			return b, err
		}
	}
	return r
}

// limit applies max_execution_time, in milliseconds; 0 is none.
func (c *conn) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if ms, err := strconv.Atoi(c.vars["max_execution_time"]); err == nil && ms > 0 {
		return context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
	}
	return ctx, func() {}
}

// statement runs one statement: what MySQL clients say among themselves here, everything else in the engine.
func (c *conn) statement(ctx context.Context, text string) (*reply, error) {
	if !utf8.ValidString(text) {
		return nil, wireError{1300, "HY000", "Invalid utf8mb4 character string: statements are UTF-8"}
	}
	text = openComments(text)
	w := scan(text)
	if w.at(0) == "" {
		return nil, wireError{1065, "42000", "Query was empty"}
	}
	if !w.is(0, "SHOW", "WARNINGS") && !w.is(0, "SHOW", "COUNT") {
		c.warnings = nil
	}
	if r, err := c.chatter(ctx, w); r != nil || err != nil {
		return r, err
	}
	rewritten, edits := c.substitute(w)
	res, err := c.session.Exec(ctx, rewritten)
	if err != nil {
		return nil, edits.restore(err, text)
	}
	for _, n := range res.Notices {
		c.warn("Warning", unknownError.number, n)
	}
	return replyOf(res), nil
}

// fieldList answers COM_FIELD_LIST, which old shells send to complete names.
func (c *conn) fieldList(name, pattern string) error {
	rel := c.relation(name)
	if rel == nil {
		return c.fail(unknownTable(name))
	}
	for _, f := range rel.Fields() {
		if function.MatchName(pattern, f.Name) {
			if err := c.writeColumn(rel.Name, types.Field{Name: f.Name, Type: f.Type}, true); err != nil {
				return err
			}
		}
	}
	if err := c.writeEOF(); err != nil {
		return err
	}
	return c.w.flush()
}

func (c *conn) relation(name string) *catalog.Relation { return c.srv.opt.Engine.Catalog().Get(name) }

func unknownTable(name string) error {
	return wireError{1146, "42S02", fmt.Sprintf("MR-2101: unknown table '%s' (SHOW TABLES lists what there is)", clip(name, 64))}
}

// killOther ends another connection, or only its query.
func (c *conn) killOther(id uint32, query bool) error {
	other := c.srv.find(id)
	if other == nil || !other.admitted.Load() {
		return wireError{1094, "HY000", fmt.Sprintf("Unknown thread id: %d", id)}
	}
	if query {
		other.interrupt()
		return nil
	}
	if other == c {
		return wireError{1317, "70100", "a connection cannot kill itself; send COM_QUIT"}
	}
	other.kill()
	return nil
}

// statementCommand runs the commands of prepared statements.
func (c *conn) statementCommand(code byte, body []byte) error {
	if code == comStmtPrepare {
		c.srv.count()
		return c.prepare(string(body))
	}
	if len(body) < 4 {
		return fmt.Errorf("reading a command on a prepared statement: %w", errMalformed)
	}
	id := binary.LittleEndian.Uint32(body)
	p := c.stmts[id]
	switch code {
	case comStmtClose:
		delete(c.stmts, id)
		return nil // has no answer
	case comStmtLongData:
		if p != nil {
			p.longData(body[4:])
		}
		return nil // has no answer; what is wrong comes with the execution
	case comStmtFetch:
		return c.answer(wireError{1421, "HY000", "The statement has no open cursor: results are sent whole"})
	}
	if p == nil {
		return c.answer(wireError{1243, "HY000", fmt.Sprintf("Unknown prepared statement handler (%d)", id)})
	}
	if code == comStmtReset {
		p.resetData()
		return c.answer(nil)
	}
	c.srv.count()
	return c.executePrepared(p, body[4:])
}
