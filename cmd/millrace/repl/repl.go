package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	prompt "github.com/c-bata/go-prompt"
	"golang.org/x/term"

	"github.com/millrace/millrace/cmd/millrace/client"
	"github.com/millrace/millrace/cmd/millrace/live"
	"github.com/millrace/millrace/cmd/millrace/output"
	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// Options say what the shell talks to.
type Options struct {
	Conn      client.Conn
	Engine    *engine.Engine // of an embedded engine, for completion and the status line; nil on a server
	Format    string
	Temporary bool
}

// shell is the state between two lines.
type shell struct {
	ctx     context.Context
	opt     Options
	out     io.Writer
	pending string // lines of an unfinished statement
	format  string
	timing  bool
	quit    bool
	history *history
	words   *completer
}

// Run reads and runs statements until \q or Ctrl-D. Ctrl-C stops the running statement or clears the line, never the shell.
func Run(ctx context.Context, opt Options) error {
	s := &shell{ctx: context.WithoutCancel(ctx), opt: opt, out: os.Stdout, format: opt.Format, timing: true, history: openHistory()}
	s.words = &completer{shell: s}
	fmt.Fprintln(s.out, `Millrace SQL shell. Statements end with ; — \h for help, \q to leave.`)
	if opt.Temporary {
		fmt.Fprintln(s.out, "The engine runs inside this shell and keeps nothing; --data-dir DIR keeps it.")
	}
	restore := saveTerminal()
	defer restore()
	interrupts := make(chan os.Signal, 1) // that come between two statements end nothing
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	p := prompt.New(s.line, s.words.complete,
		prompt.OptionParser(&keySplitter{ConsoleParser: prompt.NewStandardInputParser(), restore: restore}),
		prompt.OptionTitle("millrace"),
		prompt.OptionLivePrefix(func() (string, bool) { return s.prefix(), true }),
		prompt.OptionHistory(s.history.lines),
		prompt.OptionMaxSuggestion(10),
		prompt.OptionCompletionWordSeparator(" \t\n(),=;."),
		prompt.OptionPrefixTextColor(prompt.Cyan),
		prompt.OptionSuggestionBGColor(prompt.DarkGray),
		prompt.OptionSuggestionTextColor(prompt.White),
		prompt.OptionDescriptionBGColor(prompt.Black),
		prompt.OptionDescriptionTextColor(prompt.LightGray),
		prompt.OptionSelectedSuggestionBGColor(prompt.Cyan),
		prompt.OptionSelectedSuggestionTextColor(prompt.Black),
		prompt.OptionSelectedDescriptionBGColor(prompt.Black),
		prompt.OptionSelectedDescriptionTextColor(prompt.White),
		prompt.OptionSetExitCheckerOnInput(func(_ string, entered bool) bool { return entered && s.quit }),
		prompt.OptionAddKeyBind(prompt.KeyBind{Key: prompt.ControlC, Fn: func(*prompt.Buffer) { s.pending = "" }}),
	)
	p.Run()
	return nil
}

// saveTerminal remembers the terminal's mode, which the line editor changes and does not give back.
func saveTerminal() func() {
	fd := int(os.Stdin.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(fd, state) }
}

// prefix is the prompt: where statements run, or what an unfinished one waits for.
func (s *shell) prefix() string {
	if s.quit {
		return "" // the editor draws a last time
	}
	if s.pending == "" {
		if name := s.opt.Conn.Name(); name != "embedded" {
			return "millrace " + name + "> "
		}
		return "millrace> "
	}
	switch q := parser.InQuote(s.pending); q {
	case 0:
		return "       -> "
	case '*':
		return "      /*> "
	default:
		return fmt.Sprintf("       %c> ", q)
	}
}

// line takes one line of input.
func (s *shell) line(text string) {
	if s.pending == "" && s.meta(strings.TrimSpace(text)) {
		return
	}
	vertical := false
	for _, end := range []string{`\G`, `\g`} {
		if t, ok := strings.CutSuffix(strings.TrimRight(text, " \t"), end); ok && parser.InQuote(s.pending+t) == 0 {
			text, vertical = t+";", end == `\G`
		}
	}
	all := s.pending + text
	statements, rest := parser.Split(all)
	s.pending = ""
	if strings.TrimSpace(rest) != "" {
		s.pending = rest + "\n"
	}
	if len(statements) > 0 {
		s.history.add(strings.TrimSpace(strings.TrimSuffix(all, rest)))
	}
	for _, sql := range statements {
		if !s.run(sql, vertical) {
			s.pending = ""
			return
		}
	}
}

// run runs one statement, which Ctrl-C stops; false after an error.
func (s *shell) run(sql string, vertical bool) bool {
	ctx, stop := signal.NotifyContext(s.ctx, os.Interrupt)
	defer stop()
	began := time.Now()
	res, err := s.opt.Conn.Exec(ctx, sql)
	if err != nil {
		s.fail(err, sql)
		return false
	}
	defer res.Close()
	for _, n := range res.Notices {
		fmt.Fprintln(s.out, "note:", n)
	}
	if len(res.Columns) == 0 {
		fmt.Fprintln(s.out, res.Message)
		return true
	}
	n, err := s.print(ctx, res, vertical)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(s.out, "^C stopped")
	case err != nil:
		s.fail(err, sql)
		return false
	case s.timing:
		fmt.Fprintf(s.out, "%d %s (%s)\n", n, rowWord(n), time.Since(began).Round(100*time.Microsecond))
	}
	return true
}

func rowWord(n int64) string {
	if n == 1 {
		return "row"
	}
	return "rows"
}

func (s *shell) print(ctx context.Context, res *client.Result, vertical bool) (int64, error) {
	opt := output.Options{Format: s.format}
	if opt.Format == "" {
		opt.Format = "table"
	}
	if vertical {
		opt.Format = "vertical"
	}
	if res.Live && opt.Format == "table" && term.IsTerminal(int(os.Stdout.Fd())) {
		fmt.Fprintln(s.out, "live; Ctrl-C stops")
		lo := live.Options{}
		if s.opt.Engine != nil {
			lo.Status = func() live.Status { return live.StatusOf(s.opt.Engine) }
		}
		return live.Show(ctx, s.out, res, lo)
	}
	return output.Print(ctx, s.out, res, opt)
}

func (s *shell) fail(err error, sql string) {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(s.out, "^C stopped")
		return
	}
	e, ok := diag.As(err)
	if !ok {
		fmt.Fprintln(s.out, "ERROR", err)
		return
	}
	source := e.Source
	if source == "" {
		source = sql
	}
	fmt.Fprint(s.out, diag.Render(e, source, os.Getenv("NO_COLOR") == ""))
}
