package repl

import (
	"slices"
	"strings"

	prompt "github.com/c-bata/go-prompt"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/function"
)

// keywords are the words offered where a statement or clause may begin.
var keywords = strings.Fields(`SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT JOIN LEFT INNER ON USING AS UNION ALL DISTINCT CASE WHEN THEN ELSE END
	CREATE SOURCE TABLE SINK VIEW MATERIALIZED WITH WATERMARK FOR PRIMARY KEY NOT NULL METADATA INSERT INTO VALUES EXPLAIN SHOW DESCRIBE DROP
	SET TABLES SOURCES SINKS VIEWS JOBS FUNCTIONS CONNECTORS TOPICS VARIABLES JOB STOP RESUME EMIT CHANGES TUMBLE HOP SESSION DESCRIPTOR INTERVAL
	FUNCTION RETURNS LANGUAGE SAVEPOINT SAVEPOINTS ALTER RENAME RESCALE RESET PAUSE PREPARE EXECUTE DEALLOCATE PROCESSLIST FORMATS KILL
	SECOND MINUTE HOUR DAY SYSTEM_TIME OF AND OR IN IS BETWEEN LIKE`)

// completer offers words for where the cursor is: relations and columns of the embedded engine, functions, connectors, options, keywords.
type completer struct{ shell *shell }

func (c *completer) complete(d prompt.Document) []prompt.Suggest {
	word := d.GetWordBeforeCursorUntilSeparator(" \t\n(),=;.")
	before := c.shell.pending + d.TextBeforeCursor()
	if word == "" && !strings.HasSuffix(before, "'") {
		return nil
	}
	word = strings.TrimPrefix(word, "'")
	var found []prompt.Suggest
	for _, s := range c.candidates(before) {
		if word == "" || strings.HasPrefix(strings.ToLower(s.Text), strings.ToLower(word)) {
			found = append(found, s)
		}
	}
	return found
}

func (c *completer) candidates(before string) []prompt.Suggest {
	lower := strings.ToLower(before)
	if strings.HasPrefix(strings.TrimSpace(lower), `\`) {
		return metaSuggestions()
	}
	open := strings.LastIndex(lower, "with")
	if open >= 0 && strings.Count(lower[open:], "(") > strings.Count(lower[open:], ")") {
		return options(lower[open:])
	}
	var out []prompt.Suggest
	out = append(out, c.relations()...)
	for _, f := range function.All() {
		if len(f.Signatures) > 0 && f.Family != "operator" {
			out = append(out, prompt.Suggest{Text: f.Name, Description: f.Signatures[0]})
		}
	}
	for _, f := range function.AllAggs() {
		if len(f.Signatures) > 0 {
			out = append(out, prompt.Suggest{Text: f.Name, Description: f.Signatures[0]})
		}
	}
	for _, f := range function.AllWindows() {
		out = append(out, prompt.Suggest{Text: f.Name, Description: f.Signatures[0] + " OVER (..)"})
	}
	if c.shell.opt.Engine != nil {
		for _, f := range c.shell.opt.Engine.Catalog().Functions() {
			out = append(out, prompt.Suggest{Text: f.Name, Description: f.Signature()})
		}
	}
	for _, k := range keywords {
		out = append(out, prompt.Suggest{Text: k})
	}
	return out
}

func metaSuggestions() []prompt.Suggest {
	var out []prompt.Suggest
	for _, m := range metaCommands {
		for _, n := range m.names {
			out = append(out, prompt.Suggest{Text: n, Description: m.doc})
		}
	}
	return out
}

// relations are the names in the embedded engine's catalog, and their columns.
func (c *completer) relations() []prompt.Suggest {
	if c.shell.opt.Engine == nil {
		return nil
	}
	var out, columns []prompt.Suggest
	for _, r := range c.shell.opt.Engine.Catalog().List() {
		out = append(out, prompt.Suggest{Text: r.Name, Description: r.Kind.String()})
		for _, col := range r.Columns {
			s := prompt.Suggest{Text: col.Name, Description: r.Name + " " + col.Type.String()}
			if !slices.ContainsFunc(columns, func(x prompt.Suggest) bool { return x.Text == s.Text }) {
				columns = append(columns, s)
			}
		}
	}
	return append(out, columns...)
}

// options offers connector names behind `connector=`, else option names of the connector chosen in the clause.
func options(clause string) []prompt.Suggest {
	var out []prompt.Suggest
	last := clause[strings.LastIndexAny(clause, "(,")+1:]
	if name, _, ok := strings.Cut(last, "="); ok {
		if strings.TrimSpace(name) == "connector" {
			for _, s := range connectors.All() {
				out = append(out, prompt.Suggest{Text: s.Name, Description: s.Doc})
			}
		}
		return out
	}
	for _, s := range connectors.All() {
		if !strings.Contains(clause, "'"+s.Name+"'") {
			continue
		}
		format := ""
		if len(s.Formats) > 0 {
			format = s.Formats[0]
		}
		for _, o := range s.AllOptions(format) {
			out = append(out, prompt.Suggest{Text: o.Name, Description: o.Doc})
		}
	}
	if out == nil {
		out = append(out, prompt.Suggest{Text: "connector", Description: "the connector's name"})
	}
	return out
}
