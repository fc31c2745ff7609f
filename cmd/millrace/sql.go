package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/millrace/millrace/cmd/millrace/client"
	"github.com/millrace/millrace/cmd/millrace/output"
	"github.com/millrace/millrace/cmd/millrace/repl"
	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// shellFlags are the flags of the shell, with or without the word sql.
type shellFlags struct {
	host, execute, file, format, dataDir string
	port                                 int
	vars                                 []string
	noHeader, force                      bool
	timeout                              time.Duration
	maxRows                              int64
}

// defaultHTTPPort is the port of a server's HTTP address.
const defaultHTTPPort = 8030

func addShellFlags(c *cobra.Command) *shellFlags {
	s := &shellFlags{}
	f := c.Flags()
	f.BoolP("help", "", false, "help for "+c.Name()) // -h is the host, as in mysql
	f.StringVarP(&s.host, "host", "h", "", "server to connect to; without it an engine runs inside the shell")
	f.IntVarP(&s.port, "port", "P", defaultHTTPPort, "HTTP port or MySQL port of the server")
	f.StringVarP(&s.execute, "execute", "e", "", "run these statements and exit")
	f.StringVarP(&s.file, "file", "f", "", "run the statements of this file and exit")
	f.StringVar(&s.format, "format", "", "of results: "+strings.Join(output.Formats, ", ")+" (default: table on a terminal, else tsv, changelog when endless)")
	f.StringVar(&s.dataDir, "data-dir", "", "data directory of the embedded engine; without it nothing is kept")
	f.StringArrayVar(&s.vars, "var", nil, "name=value for ${name}")
	f.BoolVarP(&s.noHeader, "skip-column-names", "N", false, "leave out column names")
	f.BoolVar(&s.force, "force", false, "go on after an error")
	f.DurationVar(&s.timeout, "timeout", 0, "end after this time; exit code 5")
	f.Int64Var(&s.maxRows, "max-rows", 0, "end each query after so many rows")
	return s
}

func newSQL() *cobra.Command {
	c := &cobra.Command{Use: "sql", Short: "Open a SQL shell, or run statements, on a server or an embedded engine", Args: cobra.NoArgs,
		Example: "  millrace sql -h 127.0.0.1 -P 8030\n  millrace sql -e 'SELECT 1+1' --format jsonl"}
	s := addShellFlags(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error { return runShell(cmd.Context(), s) }
	return c
}

// runShell runs the shell, or the statements given by -e, -f or standard input.
func runShell(ctx context.Context, s *shellFlags) error {
	if s.format != "" {
		if err := checkFormat(s.format); err != nil {
			return err
		}
	}
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	conn, e, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		conn.Close()
		if e != nil {
			stopCtx, cancel := context.WithTimeout(context.Background(), stopTimeout)
			defer cancel()
			_ = e.Close(stopCtx)
		}
	}()
	switch {
	case s.execute != "":
		err = s.script(ctx, conn, s.execute)
	case s.file != "":
		err = s.runScriptFile(ctx, conn, s.file)
	case !term.IsTerminal(int(os.Stdin.Fd())):
		err = s.runScriptFile(ctx, conn, "-")
	default:
		return repl.Run(ctx, repl.Options{Conn: conn, Engine: e, Format: s.format, Temporary: e != nil && e.Temporary()})
	}
	if ctx.Err() == context.DeadlineExceeded {
		return &exitStatus{code: exitTimeout, err: fmt.Errorf("timed out after %s", s.timeout)}
	}
	return err
}

// connect opens the embedded engine, or a session on the server.
func (s *shellFlags) connect(ctx context.Context) (client.Conn, *engine.Engine, error) {
	if s.host != "" {
		c, err := client.Dial(ctx, net.JoinHostPort(s.host, fmt.Sprint(s.port)))
		return c, nil, err
	}
	logger, err := newLogger("error")
	if err != nil {
		return nil, nil, err
	}
	e, err := engine.Open(engine.Options{DataDir: s.dataDir, Stdout: os.Stdout, Logger: logger})
	if err != nil {
		return nil, nil, err
	}
	return &client.Local{Session: e.NewSession()}, e, nil
}

func (s *shellFlags) runScriptFile(ctx context.Context, conn client.Conn, path string) error {
	text, err := readScript(path, s.vars)
	if err != nil {
		return err
	}
	return s.script(ctx, conn, text)
}

// script runs statements one after the other and stops at the first error, unless --force.
func (s *shellFlags) script(ctx context.Context, conn client.Conn, text string) error {
	script := parser.Pieces(text)
	if !s.force { // nothing runs when a statement of the script is no SQL
		if _, err := parser.ParseScript(text); err != nil {
			return diag.WithSource(err, text)
		}
	}
	var first error
	for _, p := range script {
		err := s.statement(ctx, conn, p.Text)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = diag.InScript(err, p.Offset, text)
		if !s.force {
			return err
		}
		printError(err)
		if first == nil {
			first = failed(exitError, "some statements failed")
		}
	}
	return first
}

func (s *shellFlags) statement(ctx context.Context, conn client.Conn, sql string) error {
	res, err := conn.Exec(ctx, sql)
	if err != nil {
		return err
	}
	defer res.Close()
	for _, n := range res.Notices {
		fmt.Fprintf(os.Stderr, "note: %s\n", n)
	}
	if len(res.Columns) == 0 {
		fmt.Fprintln(os.Stderr, res.Message)
		return nil
	}
	opt := output.Options{Format: s.format, NoHeader: s.noHeader, MaxRows: s.maxRows}
	if opt.Format == "" {
		opt.Format = defaultFormat(res)
	}
	_, err = output.Print(ctx, os.Stdout, res, opt)
	return err
}

func newCheck() *cobra.Command {
	c := &cobra.Command{Use: "check FILE.sql", Short: "Parse, bind and plan a file without running it; exit code 6 when something is wrong", Args: cobra.ExactArgs(1)}
	vars := c.Flags().StringArray("var", nil, "name=value for ${name}")
	c.RunE = func(_ *cobra.Command, args []string) error {
		text, err := readScript(args[0], *vars)
		if err != nil {
			return err
		}
		problems := engine.CheckScript(text)
		for _, p := range problems {
			printError(p)
		}
		if len(problems) > 0 {
			return failed(exitTest, "%s: %d statements are wrong", args[0], len(problems))
		}
		return nil
	}
	return c
}

func newExplainError() *cobra.Command {
	return &cobra.Command{Use: "explain-error CODE", Short: "Say what an error code means", Args: cobra.ExactArgs(1), Example: "  millrace explain-error MR-2107",
		RunE: func(_ *cobra.Command, args []string) error {
			code, ok := diag.ParseCode(args[0])
			if !ok {
				return failed(exitUsage, "'%s' is no code such as MR-2107", args[0])
			}
			title, text := diag.Explain(code)
			if title == "" {
				return failed(exitUsage, "there is no error %s", code)
			}
			fmt.Printf("%s: %s\n\n%s\n", code, title, text)
			return nil
		}}
}
