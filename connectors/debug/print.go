package debug

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/connectors/format/json"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func init() {
	connectors.Register(&connectors.Spec{
		Name:    "print",
		Doc:     "writes each row to standard output as soon as it is there, change kind first: +I[1, north, 2026-01-02 10:00:00.000]",
		Example: "CREATE SINK look WITH (connector='print') AS SELECT zone, COUNT(*) FROM trips GROUP BY zone",
		Options: []connectors.Option{
			{Name: "prefix", Doc: "text before each row; default: none"},
			{Name: "style", Type: connectors.OptEnum, Values: []string{"row", "json"}, Default: "row",
				Doc: `row: +I[1, north]; json: {"op":"+I","id":1,"zone":"north"}`},
		},
		Sink:     newPrint,
		SinkMode: anyChanges,
	})
}

func anyChanges(connectors.Values, bool) connectors.SinkMode { return connectors.Retract }

type printer struct {
	cfg    connectors.SinkConfig
	prefix string
	out    io.Writer
	enc    format.Encoder // style json
	buf    []byte
}

func newPrint(cfg connectors.SinkConfig) (connectors.Sink, error) {
	p := &printer{cfg: cfg, prefix: cfg.Options.String("prefix"), out: os.Stdout}
	if cfg.Env != nil && cfg.Env.Stdout != nil {
		p.out = cfg.Env.Stdout
	}
	if cfg.Options.String("style") == "json" {
		spec, err := format.Lookup("json")
		if err != nil {
			return nil, err
		}
		opts, err := connectors.CheckOptions(map[string]string{"op_field": "op"}, spec.Options)
		if err != nil {
			return nil, err
		}
		p.enc, err = format.NewEncoder("json", cfg.Columns, nil, opts)
		return p, err
	}
	return p, nil
}

// Open does nothing.
func (p *printer) Open(context.Context) error { return nil }

// Write prints the rows in one write, so that lines of several tasks do not mix.
func (p *printer) Write(b *vector.Batch) error {
	var err error
	p.buf, err = p.Encode(p.buf[:0], b)
	if err != nil {
		return err
	}
	return p.write(p.buf)
}

func (p *printer) write(lines []byte) error {
	if _, err := p.out.Write(lines); err != nil {
		return fmt.Errorf("printing rows: %w", err)
	}
	return nil
}

// Encode appends the rows as lines.
func (p *printer) Encode(stage []byte, b *vector.Batch) ([]byte, error) {
	var err error
	for k := range b.Rows() {
		i := b.Row(k)
		stage = append(stage, p.prefix...)
		if p.enc != nil {
			if stage, err = p.enc.Encode(stage, b, i); err != nil {
				return stage, err
			}
		} else {
			stage = appendRow(stage, b, i)
		}
		stage = append(stage, '\n')
	}
	return stage, nil
}

func appendRow(dst []byte, b *vector.Batch, i int) []byte {
	dst = append(append(dst, b.Change(i).String()...), '[')
	for c, v := range b.Cols {
		if c > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendValue(dst, v, i)
	}
	return append(dst, ']')
}

// appendValue writes a value as the shell shows it; nested ones as JSON.
func appendValue(dst []byte, v *vector.Vector, i int) []byte {
	switch class := v.Type.Class(); {
	case v.IsNull(i):
		return append(dst, "NULL"...)
	case class == types.ClassList || class == types.ClassStruct:
		return json.AppendValue(dst, v, i, format.TimeSQL)
	case v.Type.Kind == types.String && bytes.IndexByte(v.Bytes(i), '\n') >= 0:
		return format.AppendJSONString(dst, v.Bytes(i))
	}
	return format.AppendScalar(dst, v, i, format.TimeSQL)
}

// Deliver prints what was staged, for engines that do not write eagerly; a repeated delivery prints again.
func (p *printer) Deliver(_ context.Context, _ uint64, stage []byte) ([]connectors.Rejected, error) {
	return nil, p.write(stage)
}

// Close does nothing.
func (p *printer) Close() error { return nil }
