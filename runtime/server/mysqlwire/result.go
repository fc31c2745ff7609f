package mysqlwire

import (
	"context"
	"fmt"
	"io"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// reply is the answer to a statement: rows, or a message.
type reply struct {
	fields []types.Field // nil: no rows
	info   string
	ops    bool // a changelog: the change kind comes first, as column op
	live   bool
	next   func(ctx context.Context) (*vector.Batch, error)
	close  func()
}

func replyOf(r *engine.Result) *reply {
	return &reply{fields: r.Fields, info: r.Message, ops: r.Changes, live: r.Live, next: r.Next, close: r.Close}
}

func done(format string, args ...any) *reply {
	return &reply{info: fmt.Sprintf(format, args...), close: func() {}}
}

// table builds small replies. Columns are text unless their name begins with # (BIGINT).
type table struct {
	fields []types.Field
	batch  *vector.Batch
}

func newTable(names ...string) *table {
	t := &table{}
	for _, n := range names {
		f := types.Field{Name: n, Type: types.Of(types.String)}
		if n[0] == '#' {
			f = types.Field{Name: n[1:], Type: types.Of(types.Int64)}
		}
		t.fields = append(t.fields, f)
	}
	t.batch = vector.NewBatch(t.fields, 16)
	return t
}

// add appends a row: strings, ints, or nil for NULL, as the columns want them.
func (t *table) add(values ...any) {
	for i, v := range values {
		switch x := v.(type) {
		case string:
			t.batch.Cols[i].AppendString(x)
		case int:
			t.batch.Cols[i].AppendI64(int64(x))
		default:
			t.batch.Cols[i].AppendNull()
		}
	}
	t.batch.EndRow(vector.Insert)
}

func (t *table) reply() *reply {
	b := t.batch
	return &reply{fields: t.fields, close: func() {}, next: func(context.Context) (*vector.Batch, error) {
		if b == nil || b.Rows() == 0 {
			return nil, io.EOF
		}
		out := b
		b = nil
		return out, nil
	}}
}

// opField is the column of change kinds.
var opField = types.Field{Name: "op", Type: types.Type{Kind: types.String, Precision: 2}}

// writeReply sends a reply, one flush per batch. An error of the statement is sent to the client; one that is returned ends the
// connection.
func (c *conn) writeReply(ctx context.Context, r *reply, binary bool) error {
	if r.fields == nil {
		if err := c.writeOK(r.info); err != nil {
			return err
		}
		return c.w.flush()
	}
	if err := c.writeHead(r); err != nil {
		return err
	}
	var scratch []byte
	for {
		b, err := r.next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return c.fail(err)
		}
		for k := range b.Rows() {
			if scratch, err = c.writeRow(b, b.Row(k), scratch, r.ops, binary); err != nil {
				return err
			}
		}
		if err := c.w.flush(); err != nil {
			return err
		}
	}
	if err := c.writeEOF(); err != nil {
		return err
	}
	return c.w.flush()
}

// writeHead sends the columns; a live query's go out at once, so that the client knows that it runs.
func (c *conn) writeHead(r *reply) error {
	fields := r.fields
	if r.ops {
		fields = append([]types.Field{opField}, fields...)
	}
	if err := c.w.end(appendLenInt(c.w.begin(), uint64(len(fields)))); err != nil {
		return err
	}
	for _, f := range fields {
		if err := c.writeColumn("", f, false); err != nil {
			return err
		}
	}
	if c.caps&capDeprecateEOF == 0 {
		if err := c.writeEOF(); err != nil {
			return err
		}
	}
	if r.live {
		return c.w.flush()
	}
	return nil
}

// writeRow sends physical row i of b.
func (c *conn) writeRow(b *vector.Batch, i int, scratch []byte, ops, binary bool) ([]byte, error) {
	buf := c.w.begin()
	if !binary {
		if ops {
			buf = appendLenString(buf, b.Change(i).String())
		}
		for _, v := range b.Cols {
			buf, scratch = appendTextValue(buf, scratch, v, i)
		}
		return scratch, c.w.end(buf)
	}
	shift := 2 // of the NULL bits, by the protocol
	columns := len(b.Cols)
	if ops {
		shift, columns = shift+1, columns+1
	}
	buf = append(buf, 0)
	bits := len(buf)
	for range (columns + 9) / 8 {
		buf = append(buf, 0)
	}
	if ops {
		buf = appendLenString(buf, b.Change(i).String())
	}
	for k, v := range b.Cols {
		if isNull(v, i) {
			buf[bits+(k+shift)/8] |= 1 << ((k + shift) % 8)
			continue
		}
		buf, scratch = appendBinaryValue(buf, scratch, v, i)
	}
	return scratch, c.w.end(buf)
}
