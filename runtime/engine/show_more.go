package engine

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/vector"
)

// filter keeps the rows of a SHOW that meet its WHERE condition.
func (s *Session) filter(r *Result, where ast.Expr) (*Result, error) {
	cond, err := planner.Condition(where, r.Fields, s.env(true))
	if err != nil {
		return nil, err
	}
	rows := vector.NewBatch(r.Fields, 16)
	for {
		b, err := r.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		fn := &function.Ctx{Now: s.e.opt.Clock().UnixMicro()}
		met := expr.Compile([]expr.Expr{cond}).Eval(fn, b)[0]
		if len(fn.Errs) > 0 {
			return nil, fn.Errs[0].Err
		}
		for k := range b.Rows() {
			if i := b.Row(k); !met.IsNull(i) && met.Bool(i) {
				rows.AppendRow(b, i)
			}
		}
	}
	return rowsOf(r, rows), nil
}

// rowsOf is a result with the columns of r and other rows.
func rowsOf(r *Result, b *vector.Batch) *Result {
	return (&rows{fields: r.Fields, batch: b}).result()
}

func showFormats(_ *Session, x *ast.Show) (*Result, error) {
	r := newRows("name", "read", "written", "description")
	for _, f := range format.All() {
		if function.MatchName(x.Like, f.Name) {
			r.add(f.Name, yes(f.Decoder != nil), yes(f.Encoder != nil), f.Doc)
		}
	}
	return r.result(), nil
}

func describeFormat(x *ast.Describe) (*Result, error) {
	f, err := format.Lookup(strings.ToLower(x.Name.Text))
	if err != nil {
		if d, ok := diag.As(err); ok {
			d.Offset = x.Name.At()
		}
		return nil, err
	}
	r := newRows("option", "default", "required", "description")
	for _, o := range f.Options {
		doc := o.Doc
		if len(o.Values) > 0 {
			doc += " (" + strings.Join(o.Values, ", ") + ")"
		}
		r.add(o.Name, o.Default, yes(o.Required), doc)
	}
	return r.result(), nil
}

// describeTopic lists the partitions of a topic of the embedded broker.
func (s *Session) describeTopic(name ast.Name) (*Result, error) {
	b, err := s.e.Broker()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range b.Topics() {
		if names = append(names, t.Name); t.Name != name.Text {
			continue
		}
		r := newRows("partition", "start", "end").integers("partition", "start", "end")
		for p := range t.Partitions {
			w, err := b.Watermarks(t.Name, int32(p))
			if err != nil {
				return nil, err
			}
			r.add(int64(p), w.Start, w.HighWatermark)
		}
		return r.result(), nil
	}
	unknown := diag.New(diag.UnknownTopic, name.At(), "the embedded broker has no topic '%s'", name.Text)
	if near := diag.Suggest(name.Text, names); near != "" {
		return nil, unknown.WithHint("did you mean '%s'?", near)
	}
	return nil, unknown.WithHint("SHOW TOPICS lists them")
}

// ring gives the rows of a system table, with job those of one job: the second column is the job's name.
func (s *Session) ring(from *ring, job string) (*Result, error) {
	all := newRingBatch(from)
	r := &rows{fields: from.fields, batch: all}
	if job != "" {
		r.batch = vector.NewBatch(from.fields, 16)
		for i := range all.N {
			if strings.EqualFold(string(all.Cols[1].Bytes(i)), job) {
				r.batch.AppendRow(all, i)
			}
		}
	}
	return r.result(), nil
}
