package repl

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/millrace/millrace/cmd/millrace/output"
	"github.com/millrace/millrace/sql/parser"
)

// metaCommand is a command of the shell itself. SQL, when set, is the statement that it stands for; %s is its argument.
type metaCommand struct {
	names []string
	args  string
	doc   string
	sql   string
	run   func(s *shell, arg string)
}

// metaCommands is the table of meta commands, in the order of \h. It is filled by init, for \h prints it.
var metaCommands []metaCommand

func init() {
	metaCommands = []metaCommand{
		{names: []string{`\h`, `\?`, "help"}, args: "[STATEMENT]", doc: "this list, or what a statement looks like", run: help},
		{names: []string{`\q`, "quit", "exit"}, doc: "leave", run: func(s *shell, _ string) { s.quit = true }},
		{names: []string{`\c`}, doc: "clear the unfinished statement", run: func(s *shell, _ string) { s.pending = "" }},
		{names: []string{`\d`}, args: "[NAME]", doc: "list relations, or the columns of one", run: describe},
		{names: []string{`\dt`, ".tables"}, doc: "list relations", sql: "SHOW TABLES"},
		{names: []string{`\dv`}, doc: "list views", sql: "SHOW VIEWS"},
		{names: []string{`\df`}, args: "[PATTERN]", doc: "list functions", run: functions},
		{names: []string{`\j`, ".jobs"}, doc: "list jobs", sql: "SHOW JOBS"},
		{names: []string{".schema"}, args: "NAME", doc: "the statement that created a relation", sql: "SHOW CREATE TABLE %s"},
		{names: []string{`\.`, `\i`, "source"}, args: "FILE", doc: "run a file of SQL", run: source},
		{names: []string{`\format`, ".mode"}, args: "NAME", doc: "how results are printed: " + strings.Join(output.Formats, ", "), run: setFormat},
		{names: []string{`\x`}, doc: "vertical results on or off", run: toggleVertical},
		{names: []string{`\timing`, ".timer"}, doc: "times on or off", run: func(s *shell, _ string) { s.timing = !s.timing }},
	}
}

// meta runs text if it is a meta command.
func (s *shell) meta(text string) bool {
	word, arg, _ := strings.Cut(strings.TrimSuffix(text, ";"), " ")
	for _, m := range metaCommands {
		if !slices.Contains(m.names, strings.ToLower(word)) {
			continue
		}
		arg = strings.TrimSpace(arg)
		switch {
		case m.sql != "" && strings.Contains(m.sql, "%s") && arg == "":
			fmt.Fprintf(s.out, "%s %s\n", word, m.args)
		case m.sql != "" && strings.Contains(m.sql, "%s"):
			s.run(fmt.Sprintf(m.sql, arg), true)
		case m.sql != "":
			s.run(m.sql, false)
		default:
			m.run(s, arg)
		}
		return true
	}
	if strings.HasPrefix(text, `\`) && text != `\g` && text != `\G` {
		fmt.Fprintf(s.out, "unknown command %s; \\h lists the commands\n", word)
		return true
	}
	return false
}

// help lists the commands of the shell, or the statements whose names hold the words given.
func help(s *shell, arg string) {
	if arg != "" {
		statementHelp(s, arg)
		return
	}
	for _, m := range metaCommands {
		fmt.Fprintf(s.out, "  %-28s %s\n", strings.Join(m.names, " ")+" "+m.args, m.doc)
	}
	fmt.Fprintln(s.out, `  ;  \g  \G                    run the statement; \G prints rows vertically`)
	var names []string
	for _, x := range parser.Statements() {
		names = append(names, x.Name)
	}
	fmt.Fprintln(s.out, "statements: "+strings.Join(names, ", ")+`; \h NAME says more`)
}

// maxHelp is how many statements are explained in full; of more only the names are listed.
const maxHelp = 3

func statementHelp(s *shell, words string) {
	found := parser.FindStatements(words)
	switch {
	case len(found) == 0:
		fmt.Fprintf(s.out, "no statement is named %s; \\h lists them\n", strings.ToUpper(words))
	case len(found) > maxHelp:
		for _, x := range found {
			fmt.Fprintf(s.out, "  %s\n", x.Name)
		}
	default:
		for _, x := range found {
			fmt.Fprintf(s.out, "%s\n\n%s\n\n%s\n\n", x.Name, x.Syntax, x.Doc)
			for _, e := range x.Examples {
				fmt.Fprintf(s.out, "  %s;\n", strings.ReplaceAll(e, "\n", "\n  "))
			}
		}
	}
}

func describe(s *shell, arg string) {
	if arg == "" {
		s.run("SHOW TABLES", false)
		return
	}
	s.run("DESCRIBE "+arg, false)
}

func functions(s *shell, arg string) {
	if arg == "" {
		s.run("SHOW FUNCTIONS", false)
		return
	}
	s.run("SHOW FUNCTIONS LIKE '%"+strings.ReplaceAll(arg, "'", "''")+"%'", false)
}

func source(s *shell, arg string) {
	data, err := os.ReadFile(arg)
	if err != nil {
		fmt.Fprintln(s.out, "ERROR", err)
		return
	}
	script, err := parser.ParseScript(string(data))
	if err != nil {
		s.fail(err, string(data))
		return
	}
	for _, p := range script {
		if !s.run(p.Text, false) {
			return
		}
	}
}

func setFormat(s *shell, arg string) {
	if arg != "" && !slices.Contains(output.Formats, arg) {
		fmt.Fprintf(s.out, "unknown format '%s': %s\n", arg, strings.Join(output.Formats, ", "))
		return
	}
	s.format = arg
}

func toggleVertical(s *shell, _ string) {
	if s.format == "vertical" {
		s.format = ""
	} else {
		s.format = "vertical"
	}
}
