package engine

import (
	"bytes"
	"encoding/base64"
	"os"
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/parser"
)

// maxShownModule bounds the modules that SHOW CREATE FUNCTION writes out, so that its statement works without their file.
const maxShownModule = 64 << 10

func (s *Session) showCreateFunction(name ast.Name) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	f := s.e.catalog.Function(name.Text)
	if f == nil {
		return nil, s.e.unknownFunction(name)
	}
	r := newRows("name", "create_statement")
	r.add(f.Name, s.e.functionStatement(f))
	return r.result(), nil
}

// functionStatement is the statement of a function; a small module stands in it.
func (e *Engine) functionStatement(f *catalog.Function) string {
	st := e.store.findKind(kindFunction, f.Name)
	if st == nil || st.Module == "" {
		return f.SQL
	}
	stmt, err := parser.Parse(f.SQL)
	x, ok := stmt.(*ast.CreateFunction)
	if err != nil || !ok || strings.HasPrefix(x.Text, base64Prefix) {
		return f.SQL
	}
	info, err := os.Stat(e.modulePath(st.Module))
	if err != nil || info.Size() > maxShownModule {
		return f.SQL
	}
	module, err := os.ReadFile(e.modulePath(st.Module))
	if err != nil {
		return f.SQL
	}
	for _, t := range parser.Tokens(f.SQL) {
		if t.Off == int(x.TextPos) {
			return f.SQL[:t.Off] + "'" + base64Prefix + base64.StdEncoding.EncodeToString(module) + "'" + f.SQL[t.End:]
		}
	}
	return f.SQL
}

func describeUserFunction(f *catalog.Function) *Result {
	r := newRows("property", "value")
	r.add("signature", f.Signature())
	r.add("language", f.Language)
	deterministic := "yes"
	if !f.Deterministic {
		deterministic = "no"
	}
	r.add("deterministic", deterministic)
	if f.Language == "wasm" {
		for _, o := range functionOptions {
			value, ok := f.Options[o.Name]
			if !ok {
				value = o.Default
			}
			if o.Name == "export" && !ok {
				value = f.Name
			}
			r.add(o.Name, value)
		}
	}
	if len(f.Uses) > 0 {
		r.add("calls", strings.Join(f.Uses, ", "))
	}
	return r.result()
}

// showCreateJob writes CREATE JOB for the job of an INSERT, of a statement set or of CREATE JOB, with the options in force now; the job of a
// view or sink is part of that. All options are written out: another engine may have other defaults.
func (s *Session) showCreateJob(name ast.Name) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	_, st, err := s.e.jobNamed(name)
	if err != nil {
		return nil, err
	}
	r := newRows("name", "create_statement")
	if rel := s.e.catalog.Get(st.Name); rel != nil && rel.SQL == st.SQL {
		r.add(rel.Name, redact(rel))
		return r.result(), nil
	}
	r.add(st.Job.Name, jobStatement(st))
	return r.result(), nil
}

func jobStatement(st *storedStatement) string {
	text := trimStatement(st.SQL)
	if stmt, err := parser.Parse(st.SQL); err == nil {
		if x, ok := stmt.(*ast.CreateJob); ok {
			text = text[x.Statement.At():]
		}
	}
	var b bytes.Buffer
	b.WriteString("CREATE JOB " + quoteName(st.Job.Name))
	var names []string
	for _, v := range variables {
		if _, set := st.Variables[v.name]; v.job && set {
			names = append(names, v.name)
		}
	}
	slices.Sort(names)
	for i, k := range names {
		sep := ", "
		if i == 0 {
			sep = " WITH ("
		}
		b.WriteString(sep + k + " = " + ast.QuoteText(st.Variables[k]))
	}
	if len(names) > 0 {
		b.WriteString(")")
	}
	return b.String() + " AS " + text
}
