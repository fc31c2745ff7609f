package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/millrace/millrace/connectors/format"
	formatjson "github.com/millrace/millrace/connectors/format/json"
	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// sql runs one statement and streams its rows. An error before the first line has status 400; later ones come as an error line.
func (h *Handler) sql(w http.ResponseWriter, r *http.Request) {
	var req Request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes)).Decode(&req); err != nil {
		http.Error(w, `{"error":{"code":"MR-5003","message":"the body is no JSON of the form {\"sql\": \"...\"}","offset":-1}}`, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	res, err := exec(r.Context(), h.session(req.Session), &req)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		_ = enc.Encode(Line{Error: errorOf(err)})
		return
	}
	defer res.Close()
	if enc.Encode(HeadOf(res)) != nil {
		return
	}
	flush(w)
	s := &stream{w: w, res: res}
	if err := s.run(r); err != nil {
		_ = enc.Encode(Line{Error: errorOf(err)})
		return
	}
	_ = enc.Encode(Line{End: true, Rows: s.rows})
}

// exec runs the statement of a request with its parameters.
func exec(ctx context.Context, s *engine.Session, req *Request) (*engine.Result, error) {
	if len(req.Params) == 0 {
		return s.Exec(ctx, req.SQL)
	}
	p, err := s.Prepare(req.SQL)
	if err != nil {
		return nil, err
	}
	values := make([]*ast.Literal, len(req.Params))
	for i, raw := range req.Params {
		if values[i], err = literal(raw); err != nil {
			return nil, err
		}
	}
	return s.ExecPrepared(ctx, p, values)
}

// literal reads the value of a parameter.
func literal(raw json.RawMessage) (*ast.Literal, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, diag.New(diag.BadParameter, -1, "a parameter is no JSON value: %v", err)
	}
	switch x := v.(type) {
	case json.Number:
		return engine.NumberLiteral(x.String()), nil
	case map[string]any, []any:
		return nil, diag.New(diag.BadParameter, -1, "a parameter is null, true, false, a number or a string").WithHint("pass JSON as a string")
	}
	return engine.Literal(v)
}

// TimeStyle is how the TIMESTAMPs of a result are written: with a Z, but as plain wall clocks in a session that has a time zone.
func TimeStyle(res *engine.Result) format.TimeStyle {
	if res.Zone != nil {
		return format.TimeSQL
	}
	return format.TimeISO
}

// HeadOf describes a result.
func HeadOf(res *engine.Result) Head {
	h := Head{Message: res.Message, Notices: res.Notices, Live: res.Live, Changes: res.Changes, Key: res.Key, Job: res.Job}
	if res.Zone != nil {
		h.TimeZone = res.Zone.String()
	}
	for _, f := range res.Fields {
		h.Columns = append(h.Columns, Column{Name: f.Name, Type: f.Type.String()})
	}
	return h
}

func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

type stream struct {
	w    http.ResponseWriter
	res  *engine.Result
	buf  []byte
	rows int64
}

// run writes batches as they come, one flush per batch.
func (s *stream) run(r *http.Request) error {
	for {
		b, err := s.res.Next(r.Context())
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.buf = s.buf[:0]
		for k := range b.Rows() {
			s.buf = AppendRow(s.buf, b, b.Row(k), s.res)
			s.buf = append(s.buf, '\n')
			s.rows++
		}
		if _, err := s.w.Write(s.buf); err != nil {
			return err
		}
		flush(s.w)
	}
}

// AppendRow appends a row line: {"op":"+I","row":[1,"a",null]}.
func AppendRow(dst []byte, b *vector.Batch, row int, res *engine.Result) []byte {
	dst = append(dst, '{')
	if res.Changes {
		dst = append(dst, `"op":"`...)
		dst = append(dst, b.Change(row).String()...)
		dst = append(dst, `",`...)
	}
	dst = append(dst, `"row":[`...)
	for i, col := range b.Cols {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = formatjson.AppendValue(dst, col, row, TimeStyle(res))
	}
	return append(dst, "]}"...)
}
