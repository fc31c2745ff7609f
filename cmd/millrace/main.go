// Command millrace is the stream-SQL engine: shell, runner, server.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // named zones also where the machine has none

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/millrace/millrace/cmd/millrace/output"
	_ "github.com/millrace/millrace/connectors/all" // the connectors in this binary
	"github.com/millrace/millrace/sql/diag"
)

// version is set at build time.
var version = "dev"

// Exit codes; stable.
const (
	exitOK        = 0
	exitError     = 1   // SQL or runtime error
	exitUsage     = 2   // flags or arguments
	exitConnect   = 3   // cannot connect
	exitTimeout   = 5   // timed out, or a limit came before the awaited result
	exitTest      = 6   // a test or check failed
	exitJob       = 7   // a job failed
	exitInterrupt = 130 // Ctrl-C
)

// exitStatus is an error with an exit code of its own.
type exitStatus struct {
	code int
	err  error
}

func (e *exitStatus) Error() string { return e.err.Error() }
func (e *exitStatus) Unwrap() error { return e.err }

// commands is the table of subcommands, in the order of the help text.
var commands = []func() *cobra.Command{newRun, newSQL, newServe, newJob, newTopic, newGroup, newUser, newACL, newQuota, newClusterCommand, newTest,
	newCheck, newFmt, newExplainError}

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE) // a reader that has seen enough is a clean end: writing gives an error instead
	go func() {
		cause := errTerminated
		if <-signals == os.Interrupt {
			cause = errInterrupted
		}
		signal.Stop(signals) // a second signal ends the process at once
		cancel(cause)
	}()
	os.Exit(execute(ctx, os.Args[1:]))
}

// Why the context of a command is done.
var (
	errInterrupted = errors.New("interrupted")
	errTerminated  = errors.New("terminated")
)

// execute runs a command line and returns its exit code.
func execute(ctx context.Context, args []string) int {
	root := &cobra.Command{
		Use:   "millrace",
		Short: "Declarative stream SQL with exactly-once results",
		Long: "Millrace runs SQL over streams: windows, joins with history, sinks.\n" +
			"Without a command it opens a SQL shell with an engine inside.\n\n" +
			"Exit codes: 0 done, 1 SQL or runtime error, 2 usage, 3 cannot connect, 5 timed out,\n" +
			"6 a test or check failed, 7 a job failed, 130 Ctrl-C.",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
	}
	shell := addShellFlags(root)
	root.RunE = func(cmd *cobra.Command, _ []string) error { return runShell(cmd.Context(), shell) }
	for _, c := range commands {
		root.AddCommand(c())
	}
	root.SetArgs(args)
	return report(root.ExecuteContext(ctx))
}

// report prints an error and gives its exit code.
func report(err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, syscall.EPIPE) {
		return exitOK
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupt
	}
	printError(err)
	var status *exitStatus
	if errors.As(err, &status) {
		return status.code
	}
	if e, ok := diag.As(err); ok {
		if e.Code == diag.CannotConnect {
			return exitConnect
		}
		return exitError
	}
	return exitUsage
}

// printError shows an error on standard error, with its place in the text when it has one.
func printError(err error) {
	if e, ok := diag.As(err); ok {
		fmt.Fprint(os.Stderr, diag.Render(e, e.Source, colour(os.Stderr)))
		return
	}
	fmt.Fprintf(os.Stderr, "millrace: %v\n", err)
}

// colour tells whether to colour what goes to f.
func colour(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd()))
}

func failed(code int, format string, args ...any) error {
	return &exitStatus{code: code, err: fmt.Errorf(format, args...)}
}

// checkFormat validates --format.
func checkFormat(name string) error {
	for _, f := range output.Formats {
		if f == name {
			return nil
		}
	}
	return failed(exitUsage, "unknown format '%s': one of %v", name, output.Formats)
}
