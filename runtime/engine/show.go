package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/job"
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// shows is the table of SHOW statements.
var shows = []struct {
	what string
	run  func(s *Session, x *ast.Show) (*Result, error)
}{
	{"TABLES", showRelations()},
	{"SOURCES", showRelations(catalog.Source, catalog.Table)},
	{"SINKS", showRelations(catalog.Sink)},
	{"VIEWS", showRelations(catalog.View, catalog.MaterializedView)},
	{"MATERIALIZED VIEWS", showRelations(catalog.MaterializedView)},
	{"JOBS", showJobs},
	{"SAVEPOINTS", func(s *Session, x *ast.Show) (*Result, error) {
		return showSavepoints(s, func(name string) bool { return function.MatchName(x.Like, name) }).result(), nil
	}},
	{"FUNCTIONS", showFunctions},
	{"CONNECTORS", showConnectors},
	{"FORMATS", showFormats},
	{"TOPICS", showTopics},
	{"COLUMNS", func(s *Session, x *ast.Show) (*Result, error) { return s.columns(x.From, x.Like) }},
	{"VARIABLES", showVariables},
	{"PROCESSLIST", showProcesslist},
	{"DATABASES", showDatabases},
	{"ERRORS", func(s *Session, x *ast.Show) (*Result, error) { return s.ring(s.e.errors, x.From.Text) }},
	{"LATE", func(s *Session, x *ast.Show) (*Result, error) { return s.ring(s.e.late, x.From.Text) }},
	{"CREATE", showCreate},
}

func (s *Session) show(x *ast.Show) (*Result, error) {
	var names []string
	for _, sh := range shows {
		if sh.what == x.What || sh.what == "CREATE" && strings.HasPrefix(x.What, "CREATE ") {
			r, err := sh.run(s, x)
			if err != nil || x.Where == nil {
				return r, err
			}
			return s.filter(r, x.Where)
		}
		names = append(names, sh.what)
	}
	return nil, diag.New(diag.NotSupported, x.At(), "SHOW %s is not supported", x.What).WithHint("SHOW %s", strings.Join(names, " | "))
}

func showRelations(kinds ...catalog.Kind) func(*Session, *ast.Show) (*Result, error) {
	return func(s *Session, x *ast.Show) (*Result, error) {
		r := newRows("name", "kind", "connector")
		for _, rel := range s.e.catalog.List(kinds...) {
			if !hidden(rel) && function.MatchName(x.Like, rel.Name) {
				r.add(rel.Name, rel.Kind.String(), rel.Connector)
			}
		}
		return r.result(), nil
	}
}

func showJobs(s *Session, x *ast.Show) (*Result, error) {
	r := newRows("name", "state", "rows_in", "rows_out", "late", "errors", "lag", "watermark", "commits", "restarts", "error").
		integers("rows_in", "rows_out", "late", "errors", "lag", "commits", "restarts")
	for _, j := range s.e.Jobs() {
		st := j.Status()
		if !function.MatchName(x.Like, st.Name) {
			continue
		}
		var lag, mark, cause any
		if st.Lag >= 0 {
			lag = st.Lag
		}
		if t := WatermarkText(st.Watermark); t != "" {
			mark = t
		}
		if st.Err != nil {
			cause = st.Err.Error()
		}
		r.add(st.Name, string(st.State), st.RowsIn, st.RowsOut, st.Late, st.Errors, lag, mark, st.Commits, int64(st.Restarts), cause)
	}
	return r.result(), nil
}

// WatermarkText gives a watermark for people; "" when there is none.
func WatermarkText(t int64) string {
	switch t {
	case operator.MinTime:
		return ""
	case operator.MaxTime:
		return "end"
	}
	return string(types.AppendTimestamp(nil, t, 3, false))
}

func showFunctions(s *Session, x *ast.Show) (*Result, error) {
	r := newRows("name", "family", "signature", "description")
	for _, f := range s.e.catalog.Functions() {
		if function.MatchName(x.Like, f.Name) {
			r.add(f.Name, "user", f.Signature(), "LANGUAGE "+f.Language)
		}
	}
	for _, f := range function.All() {
		if function.MatchName(x.Like, f.Name) {
			r.add(f.Name, f.Family, strings.Join(f.Signatures, "; "), f.Doc)
		}
	}
	for _, f := range function.AllAggs() {
		if function.MatchName(x.Like, f.Name) {
			r.add(f.Name, "aggregate", strings.Join(f.Signatures, "; "), f.Doc)
		}
	}
	for _, f := range function.AllWindows() {
		if function.MatchName(x.Like, f.Name) {
			r.add(f.Name, "window", strings.Join(f.Signatures, "; "), f.Doc)
		}
	}
	return r.result(), nil
}

func showConnectors(_ *Session, x *ast.Show) (*Result, error) {
	r := newRows("name", "source", "sink", "formats", "description")
	for _, c := range connectors.All() {
		if function.MatchName(x.Like, c.Name) {
			r.add(c.Name, yes(c.Source != nil), yes(c.Sink != nil), strings.Join(c.Formats, ", "), c.Doc)
		}
	}
	return r.result(), nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func showTopics(s *Session, x *ast.Show) (*Result, error) {
	b, err := s.e.Broker()
	if err != nil {
		return nil, err
	}
	r := newRows("topic", "partitions", "records").integers("partitions", "records")
	for _, t := range b.Topics() {
		if t.Internal || !function.MatchName(x.Like, t.Name) {
			continue
		}
		var records int64
		for p := range t.Partitions {
			if w, err := b.Watermarks(t.Name, int32(p)); err == nil {
				records += w.HighWatermark - w.Start
			}
		}
		r.add(t.Name, int64(t.Partitions), records)
	}
	return r.result(), nil
}

func showVariables(s *Session, x *ast.Show) (*Result, error) {
	r := newRows("variable_name", "value", "default", "type", "description")
	vars := s.Variables()
	for _, v := range variables {
		if function.MatchName(x.Like, v.name) {
			doc := v.doc
			if v.known {
				doc = "accepted for MySQL clients; has no effect"
			}
			r.add(v.name, vars[v.name], v.value, v.domain(), doc)
		}
	}
	return r.result(), nil
}

func showDatabases(*Session, *ast.Show) (*Result, error) {
	r := newRows("database")
	r.add("millrace")
	return r.result(), nil
}

func showCreate(s *Session, x *ast.Show) (*Result, error) {
	switch x.What {
	case "CREATE FUNCTION":
		return s.showCreateFunction(x.From)
	case "CREATE JOB":
		return s.showCreateJob(x.From)
	}
	rel := s.e.catalog.Get(x.From.Text)
	if rel == nil {
		return nil, s.e.unknownRelation(x.From)
	}
	r := newRows("name", "create_statement")
	r.add(rel.Name, redact(rel))
	return r.result(), nil
}

// redact gives a relation's statement without the values of secret options.
func redact(rel *catalog.Relation) string {
	text := rel.SQL
	_, v, err := connectors.Resolve(rel.Connector, rel.Options)
	if err != nil {
		return text
	}
	for key := range rel.Options {
		if v.Secret(key) && rel.Options[key] != "" {
			text = strings.ReplaceAll(text, "'"+rel.Options[key]+"'", "'***'")
		}
	}
	return text
}

// columns is DESCRIBE and SHOW COLUMNS.
func (s *Session) columns(name ast.Name, pattern string) (*Result, error) {
	rel := s.e.catalog.Get(name.Text)
	if rel == nil {
		return nil, s.e.unknownRelation(name)
	}
	r := newRows("column", "type", "null", "key", "extra")
	for i, c := range rel.Columns {
		if !function.MatchName(pattern, c.Name) {
			continue
		}
		null, key := "YES", ""
		if c.NotNull {
			null = "NO"
		}
		if slices.Contains(rel.PrimaryKey, i) {
			key = "PRI"
		}
		r.add(c.Name, c.Type.String(), null, key, extra(rel, i))
	}
	return r.result(), nil
}

func extra(rel *catalog.Relation, i int) string {
	var parts []string
	c := rel.Columns[i]
	if c.Computed != nil {
		parts = append(parts, "computed")
	}
	if c.Metadata {
		parts = append(parts, "metadata from '"+c.MetadataKey+"'")
	}
	if rel.Watermark != nil && rel.Watermark.Column == i {
		parts = append(parts, "event time")
	}
	return strings.Join(parts, ", ")
}

func (s *Session) describe(x *ast.Describe) (*Result, error) {
	switch x.Kind {
	case "FUNCTION":
		return s.describeFunction(x)
	case "CONNECTOR":
		return describeConnector(x)
	case "JOB":
		return s.describeJob(x)
	case "SAVEPOINT":
		return s.describeSavepoint(x.Name)
	case "FORMAT":
		return describeFormat(x)
	case "TOPIC":
		return s.describeTopic(x.Name)
	}
	return s.columns(x.Name, "")
}

func (s *Session) describeFunction(x *ast.Describe) (*Result, error) {
	if f := s.e.catalog.Function(x.Name.Text); f != nil {
		return describeUserFunction(f), nil
	}
	r := newRows("signature", "description", "example", "result")
	f, a := function.Lookup(strings.ToLower(x.Name.Text)), function.LookupAgg(strings.ToLower(x.Name.Text))
	w := function.LookupWindow(x.Name.Text)
	if f != nil {
		addFunction(r, f.Signatures, f.Doc+notes(f), f.Examples)
	}
	if a != nil && f == nil {
		addFunction(r, a.Signatures, a.Doc, a.Examples)
	}
	if w != nil {
		addFunction(r, w.Signatures, w.Doc, w.Examples)
	}
	if f == nil && a == nil && w == nil {
		return nil, diag.New(diag.UnknownFunction, x.Name.At(), "unknown function '%s'", x.Name.Text).WithHint("SHOW FUNCTIONS lists them")
	}
	return r.result(), nil
}

// notes tells of a function's other names and whether its value may change.
func notes(f *function.Func) (text string) {
	if len(f.Aliases) > 0 {
		text = " Also: " + strings.Join(f.Aliases, ", ") + "."
	}
	switch {
	case f.Stable:
		text += " Constant within an epoch."
	case !f.Deterministic:
		text += " Not deterministic: a replay gives other values."
	}
	return text
}

func addFunction(r *rows, signatures []string, doc string, examples []function.Example) {
	r.add(strings.Join(signatures, "; "), doc, nil, nil)
	for _, e := range examples {
		r.add(nil, nil, e.SQL, e.Result)
	}
}

func describeConnector(x *ast.Describe) (*Result, error) {
	spec, err := connectors.Lookup(strings.ToLower(x.Name.Text))
	if err != nil {
		return nil, err
	}
	r := newRows("option", "default", "required", "description")
	format := ""
	if len(spec.Formats) > 0 {
		format = spec.Formats[0]
	}
	for _, o := range spec.AllOptions(format) {
		doc := o.Doc
		if len(o.Values) > 0 {
			doc += " (" + strings.Join(o.Values, ", ") + ")"
		}
		r.add(o.Name, o.Default, yes(o.Required), doc)
	}
	return r.result(), nil
}

func (s *Session) describeJob(x *ast.Describe) (*Result, error) {
	j := s.e.Job(x.Name.Text)
	if j == nil {
		return nil, s.e.unknownJob(x.Name)
	}
	st := j.Status()
	r := newRows("property", "value")
	r.add("name", st.Name)
	r.add("id", st.ID)
	r.add("state", string(st.State))
	r.add("started", st.Started.UTC().Format(time.RFC3339))
	r.add("epoch", fmt.Sprint(st.Epoch))
	r.add("last commit took", st.LastCommit.String())
	r.add("restarts", strconv.Itoa(st.Restarts))
	if st.Err != nil {
		r.add("error", st.Err.Error())
	}
	for _, n := range st.Nodes {
		r.add("operator "+n.Name, operatorText(n))
	}
	return r.result(), nil
}

func operatorText(n job.NodeStatus) string {
	t := fmt.Sprintf("%d rows in, %d out", n.RowsIn, n.RowsOut)
	if n.Late > 0 {
		t += fmt.Sprintf(", %d late", n.Late)
	}
	if n.Errors > 0 {
		t += fmt.Sprintf(", %d errors", n.Errors)
	}
	if w := WatermarkText(n.Watermark); w != "" {
		t += ", watermark " + w
	}
	return t
}
