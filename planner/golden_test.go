package planner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/millrace/millrace/planner/bind"
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/optimizer"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
	"github.com/millrace/millrace/sql/types"
)

// fakeConnectors reads what it is asked for from the relation's options: bounded, changes, mode, mode_with_key.
type fakeConnectors struct{}

var changelogs = map[string]physical.Changelog{"append": physical.AppendOnly, "upsert": physical.Upsert, "retract": physical.Retract}

func (fakeConnectors) Check(rel *catalog.Relation, _ bool) error {
	if rel.Connector == "" {
		return diag.New(diag.MissingOption, -1, "option 'connector' is missing")
	}
	if v := rel.Options["bounded"]; v != "" && v != "true" && v != "false" {
		return diag.New(diag.BadOption, -1, "option 'bounded': '%s' is no boolean", v)
	}
	return nil
}

func (fakeConnectors) Schema(rel *catalog.Relation) []types.Field {
	if rel.Connector != "datagen" {
		return nil
	}
	return []types.Field{{Name: "id", Type: types.Of(types.Int64)}, {Name: "name", Type: types.Of(types.String)}}
}

func (fakeConnectors) Metadata(*catalog.Relation) map[string]types.Type {
	return map[string]types.Type{"offset": types.Of(types.Int64), "partition": types.Of(types.Int32), "timestamp": types.Of(types.Timestamp)}
}
func (fakeConnectors) Bounded(rel *catalog.Relation) bool { return rel.Options["bounded"] == "true" }
func (fakeConnectors) SourceChanges(rel *catalog.Relation) physical.Changelog {
	return changelogs[rel.Options["changes"]]
}

func (fakeConnectors) SinkMode(rel *catalog.Relation, hasKey bool) physical.Changelog {
	if mode, ok := changelogs[rel.Options["mode_with_key"]]; ok && hasKey {
		return mode
	}
	return changelogs[rel.Options["mode"]]
}

// goldens runs the commands of a test file against the catalog of testdata/schema.sql:
//
//	define     CREATE statements, separated by semicolons: they go into the catalog
//	relation   one CREATE statement: prints the entry
//	explain    plans a job's statement;  query: plans an ad hoc query
//	logical    prints the bound plan, unoptimised
//	rule name=r  prints the plan after that rule alone, and whether it fired
func goldens(t *testing.T, path string) {
	env := Env{Catalog: catalog.New(), Connectors: fakeConnectors{}, Variables: map[string]string{}}
	schema, err := os.ReadFile("testdata/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := define(string(schema), env); err != nil {
		t.Fatal(caret(t, string(schema), err))
	}
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		out, err := runCommand(t, d, env)
		if err != nil {
			return caret(t, d.Input, err)
		}
		return out
	})
}

func runCommand(t *testing.T, d *datadriven.TestData, env Env) (string, error) {
	if d.Cmd == "define" {
		return "", define(d.Input, env)
	}
	stmt, err := parser.Parse(d.Input)
	if err != nil {
		return "", err
	}
	switch d.Cmd {
	case "relation":
		rel, err := BindRelation(stmt, env)
		if err != nil {
			return "", err
		}
		return printRelation(rel), nil
	case "explain":
		return Explain(stmt, env, format(d))
	case "query":
		env.AdHoc = true
		return Explain(stmt, env, format(d))
	case "logical", "rule":
		n, err := bound(stmt, env)
		if err != nil {
			return "", err
		}
		if d.Cmd == "logical" {
			return logical.Print(n), nil
		}
		return afterRule(d, n), nil
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return "", nil
}

func format(d *datadriven.TestData) string {
	return arg(d, "format")
}

func arg(d *datadriven.TestData, key string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return a.Vals[0]
		}
	}
	return ""
}

func define(text string, env Env) error {
	script, err := parser.ParseScript(text)
	if err != nil {
		return err
	}
	for _, p := range script {
		rel, err := BindRelation(p.Stmt, env)
		if err != nil {
			return err
		}
		if !env.Catalog.Add(rel, false) {
			return fmt.Errorf("%s exists", rel.Name)
		}
	}
	return nil
}

func bound(stmt ast.Statement, env Env) (logical.Node, error) {
	b := bind.New(&env)
	return b.Query(stmt.(*ast.QueryStmt).Query)
}

// afterRule applies one rule to the plan as the rules listed in before left it.
func afterRule(d *datadriven.TestData, n logical.Node) string {
	name := arg(d, "name")
	for _, a := range d.CmdArgs {
		if a.Key == "before" {
			n = optimizer.Optimize(n, nil, a.Vals...)
		}
	}
	fired := "did not fire\n"
	out := optimizer.Optimize(n, func(string) { fired = "fired\n" }, name)
	return fired + logical.Print(out)
}

func printRelation(r *catalog.Relation) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s connector=%s\n", r.Kind, r.Name, r.Connector)
	for _, c := range r.Columns {
		fmt.Fprintf(&s, "  %s %s", c.Name, c.Type)
		if c.Computed != nil {
			s.WriteString(" computed")
		}
		if c.Metadata {
			s.WriteString(" metadata " + c.MetadataKey)
		}
		if c.NotNull {
			s.WriteString(" NOT NULL")
		}
		s.WriteString("\n")
	}
	if len(r.PrimaryKey) > 0 {
		s.WriteString("  key (" + names(r, r.PrimaryKey) + ")\n")
	}
	if r.Watermark != nil {
		s.WriteString("  watermark for " + r.Columns[r.Watermark.Column].Name + "\n")
	}
	return s.String()
}

// caret shows an error below the line it is in. An error without a place, or a place outside the text, is a fault of the planner.
func caret(t *testing.T, text string, err error) string {
	d, ok := diag.As(err)
	if !ok {
		t.Fatalf("not a diagnostic: %v", err)
	}
	out := fmt.Sprintf("%s: %s\n", d.Code, d.Message)
	if d.Offset < 0 || d.Offset > len(text) {
		return out + "(no position)\n"
	}
	start := strings.LastIndexByte(text[:d.Offset], '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	out += "| " + line + "\n| " + strings.Repeat(" ", d.Offset-start) + "^\n"
	if d.Hint != "" {
		out += "hint: " + d.Hint + "\n"
	}
	return out
}

func TestGoldens(t *testing.T) {
	for _, pattern := range []string{"testdata/*.test", "optimizer/testdata/*.test"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no tests in %s: %v", pattern, err)
		}
		for _, f := range files {
			t.Run(strings.TrimSuffix(filepath.Base(f), ".test"), func(t *testing.T) { goldens(t, f) })
		}
	}
}
