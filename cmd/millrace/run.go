package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/millrace/millrace/cmd/millrace/client"
	"github.com/millrace/millrace/cmd/millrace/live"
	"github.com/millrace/millrace/cmd/millrace/output"
	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/job"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// pollInterval is how often run looks whether its end has come.
const pollInterval = 50 * time.Millisecond

// idlePolls is how many polls in a row must find all jobs idle.
const idlePolls = 10

// runFlags are the flags of millrace run.
type runFlags struct {
	dataDir, until, format, kafkaListen string
	vars                                []string
	noHeader, quiet                     bool
	logLevel                            string
}

func newRun() *cobra.Command {
	var f runFlags
	c := &cobra.Command{Use: "run FILE.sql", Short: "Run a file of SQL in the foreground, without a server", Args: cobra.ExactArgs(1),
		Long: "Runs the statements of a file (- is standard input) on an engine inside this process, then waits for its jobs.\n" +
			"Without --until it ends when all jobs have ended, or at Ctrl-C.",
		Example: "  millrace run examples/taxi/pipeline.sql\n  millrace run q.sql --until idle --format jsonl\n  millrace run q.sql --data-dir ./data   # goes on where it stopped",
		RunE:    func(cmd *cobra.Command, args []string) error { return runFile(cmd.Context(), args[0], f) }}
	fl := c.Flags()
	fl.StringVar(&f.dataDir, "data-dir", "", "keep state and topics in this folder; without it the run is temporary")
	fl.StringVar(&f.until, "until", "", "when to end: eof (all jobs ended), idle (all sources read to their current end), 10s, 100rows")
	fl.StringVar(&f.format, "format", "", "of query results: "+strings.Join(output.Formats, ", ")+" (default: table on a terminal, else changelog or tsv)")
	fl.StringVar(&f.kafkaListen, "kafka-listen", "", "open the embedded broker's Kafka port at this address")
	fl.StringArrayVar(&f.vars, "var", nil, "name=value for ${name} in the file; may be repeated. The environment serves ${NAME} too")
	fl.BoolVar(&f.noHeader, "no-header", false, "leave out column names")
	fl.BoolVar(&f.quiet, "quiet", false, "print results and errors only")
	fl.StringVar(&f.logLevel, "log-level", "warn", "debug, info, warn or error")
	return c
}

// stopRule is a parsed --until.
type stopRule struct {
	kind  string // "", eof, idle, time, rows
	after time.Duration
	rows  int64
}

func parseUntil(s string) (stopRule, error) {
	if s == "" || s == "eof" || s == "idle" {
		return stopRule{kind: s}, nil
	}
	if n, ok := strings.CutSuffix(s, "rows"); ok {
		if rows, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64); err == nil && rows > 0 {
			return stopRule{kind: "rows", rows: rows}, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return stopRule{kind: "time", after: d}, nil
	}
	return stopRule{}, failed(exitUsage, "--until '%s': eof, idle, a duration like 10s, or rows like 100rows", s)
}

func runFile(ctx context.Context, path string, f runFlags) error {
	rule, err := parseUntil(f.until)
	if err != nil {
		return err
	}
	if f.format != "" {
		if err := checkFormat(f.format); err != nil {
			return err
		}
	}
	text, err := readScript(path, f.vars)
	if err != nil {
		return err
	}
	script, err := parser.ParseScript(text)
	if err != nil {
		return diag.WithSource(err, text)
	}
	logger, err := newLogger(f.logLevel)
	if err != nil {
		return err
	}
	tuneMemory()
	e, err := engine.Open(engine.Options{DataDir: f.dataDir, KafkaListen: f.kafkaListen, Stdout: os.Stdout, Logger: logger,
		Variables: map[string]string{"restart": "false"}})
	if err != nil {
		return err
	}
	r := &runner{engine: e, session: &client.Local{Session: e.NewSession()}, flags: f, rule: rule, began: time.Now(), log: logger}
	if e.Temporary() && !f.quiet {
		r.say("temporary run: nothing is kept; --data-dir DIR keeps state and topics")
	}
	err = r.run(ctx, script, text)
	stopCtx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if e := e.Close(stopCtx); err == nil {
		err = e
	}
	if err == nil && ctx.Err() != nil && (rule.kind != "" || context.Cause(ctx) == errInterrupted) {
		return context.Canceled
	}
	return err
}

// runner runs one script.
type runner struct {
	engine  *engine.Engine
	session *client.Local
	flags   runFlags
	rule    stopRule
	began   time.Time
	rows    int64 // of query results
	log     *slog.Logger
}

func (r *runner) say(format string, args ...any) {
	if !r.flags.quiet {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	}
}

func (r *runner) run(ctx context.Context, script []parser.Parsed, text string) error {
	if r.rule.kind == "time" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.rule.after)
		defer cancel()
	}
	for _, p := range script {
		if err := r.statement(ctx, p, text); err != nil {
			if ctx.Err() != nil {
				break
			}
			return err
		}
	}
	if err := r.wait(ctx); err != nil {
		return err
	}
	r.summary()
	return r.failure()
}

// statement runs one statement and prints its result. Positions of errors are moved into the whole file.
func (r *runner) statement(ctx context.Context, p parser.Parsed, text string) error {
	if j := r.resumed(p); j != nil {
		return nil
	}
	res, err := r.session.Exec(ctx, p.Text)
	if err != nil {
		return diag.InScript(err, p.Offset, text)
	}
	defer res.Close()
	for _, n := range res.Notices {
		r.say("note: %s", n)
	}
	if len(res.Columns) == 0 {
		r.say("%s", res.Message)
		return nil
	}
	n, err := r.print(ctx, res)
	r.rows += n
	if err != nil && ctx.Err() == nil {
		return diag.InScript(err, p.Offset, text)
	}
	return nil
}

// resumed finds the running job or relation that a data directory already holds for this very statement, so that a second run of the
// same file goes on instead of failing with "exists already".
func (r *runner) resumed(p parser.Parsed) *engine.Existing {
	if r.engine.Temporary() {
		return nil
	}
	x := r.engine.Existing(p.Text)
	if x != nil {
		r.say("%s goes on", x.Name)
	}
	return x
}

func (r *runner) print(ctx context.Context, res *client.Result) (int64, error) {
	if !res.Live {
		return output.Print(ctx, os.Stdout, res, r.outputOptions(res))
	}
	ruled, cancel := context.WithCancel(ctx) // ends when the rule says so, a job fails, or ctx does
	defer cancel()
	go func() {
		_ = r.watch(ruled)
		cancel()
	}()
	var n int64
	var err error
	if term.IsTerminal(int(os.Stdout.Fd())) && r.flags.format == "" {
		n, err = live.Show(ruled, os.Stdout, res, live.Options{Status: r.status, Rows: r.rule.rows})
	} else {
		n, err = output.Print(ruled, os.Stdout, res, r.outputOptions(res))
	}
	if ruled.Err() != nil {
		err = ctx.Err()
	}
	return n, err
}

// watch is wait beside a live query: a run without a rule goes on while its jobs live, even when they have ended.
func (r *runner) watch(ctx context.Context) error {
	if r.rule.kind == "idle" || r.rule.kind == "eof" {
		return r.wait(ctx)
	}
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for r.failure() == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
	return nil
}

func (r *runner) outputOptions(res *client.Result) output.Options {
	opt := output.Options{Format: r.flags.format, NoHeader: r.flags.noHeader}
	if opt.Format == "" {
		opt.Format = defaultFormat(res)
	}
	if r.rule.kind == "rows" {
		opt.MaxRows = max(1, r.rule.rows-r.rows)
	}
	return opt
}

// defaultFormat is how a result is printed when nobody says.
func defaultFormat(res *client.Result) string {
	switch {
	case res.Live:
		return "changelog"
	case term.IsTerminal(int(os.Stdout.Fd())):
		return "table"
	}
	return "tsv"
}

// status is the line below a live table.
func (r *runner) status() live.Status { return live.StatusOf(r.engine) }

// wait blocks until the rule says that the run is over, a job fails, or ctx is done.
func (r *runner) wait(ctx context.Context) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	held := 0
	for {
		jobs := r.engine.Jobs()
		if r.over(jobs) {
			held++
		} else {
			held = 0
		}
		// Idle must hold for a while: what one job has delivered may be on its way into another.
		if held > 0 && (r.rule.kind != "idle" || held >= idlePolls) {
			return nil
		}
		for _, j := range jobs {
			if j.Status().State == job.Failed {
				return nil // failure() says which
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// over tells whether the end has come.
func (r *runner) over(jobs []*job.Job) bool {
	ended, idle, out := true, true, r.rows
	for _, j := range jobs {
		s := j.Status()
		done := s.State == job.Finished || s.State == job.Stopped
		ended = ended && done
		idle = idle && (done || s.Idle)
		out += s.RowsOut
	}
	switch r.rule.kind {
	case "idle":
		return idle
	case "rows":
		return out >= r.rule.rows || ended
	case "time":
		return len(jobs) > 0 && ended || len(jobs) == 0
	}
	return ended
}

// summary says what the jobs did.
func (r *runner) summary() {
	for _, j := range r.engine.Jobs() {
		s := j.Status()
		line := fmt.Sprintf("%s: %s, %d rows in, %d out", s.Name, strings.ToLower(string(s.State)), s.RowsIn, s.RowsOut)
		if s.Late > 0 {
			line += fmt.Sprintf(", %d late", s.Late)
		}
		if s.Errors > 0 {
			line += fmt.Sprintf(", %d errors", s.Errors)
		}
		r.say("%s", line)
	}
	if n := r.engine.Errors(); n > 0 {
		r.say("%d records could not be used; SELECT * FROM errors shows them", n)
	}
}

// failure is the error of the first job that failed.
func (r *runner) failure() error {
	for _, j := range r.engine.Jobs() {
		if s := j.Status(); s.State == job.Failed {
			return &exitStatus{code: exitJob, err: fmt.Errorf("job %s failed: %w", s.Name, s.Err)}
		}
	}
	return nil
}

// readScript reads a file of SQL and replaces ${name}.
func readScript(path string, vars []string) (string, error) {
	var data []byte
	var err error
	if path == "-" {
		data, err = readAll(os.Stdin)
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return "", diag.New(diag.FileAccess, -1, "cannot read %s: %v", path, diag.PathCause(err)).Wrap(err)
	}
	set := map[string]string{}
	for _, v := range vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return "", failed(exitUsage, "--var '%s': write name=value", v)
		}
		set[name] = value
	}
	return expand(string(data), set)
}
