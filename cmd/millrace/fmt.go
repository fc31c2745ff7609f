package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/format"
)

func newFmt() *cobra.Command {
	c := &cobra.Command{Use: "fmt [FILE.sql..|-]", Short: "Lay out SQL: one clause a line, keywords in upper case; comments stay",
		Long: "Lays out SQL files, or standard input, and writes the result to standard output.\n" +
			"Only white space and the case of keywords change.",
		Example: "  millrace fmt -w pipeline.sql\n  millrace fmt --check *.sql\n  millrace fmt < query.sql",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"sql"}, cobra.ShellCompDirectiveFilterFileExt
		}}
	write := c.Flags().BoolP("write", "w", false, "write the result back into the files")
	check := c.Flags().Bool("check", false, "write nothing; name the files that are laid out otherwise, exit code 6 when there are any")
	c.MarkFlagsMutuallyExclusive("write", "check")
	c.RunE = func(_ *cobra.Command, files []string) error {
		if len(files) == 0 {
			files = []string{"-"}
		}
		other := 0
		for _, f := range files {
			same, err := formatFile(f, *write, *check)
			if err != nil {
				return err
			}
			if !same {
				other++
			}
		}
		if *check && other > 0 {
			return failed(exitTest, "%d of %d files are laid out otherwise; millrace fmt -w mends them", other, len(files))
		}
		return nil
	}
	return c
}

// formatFile lays out one file and tells whether it already was.
func formatFile(name string, write, check bool) (same bool, err error) {
	var text []byte
	if name == "-" {
		if write {
			return false, failed(exitUsage, "standard input cannot be written back: leave out -w")
		}
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return false, failed(exitError, "reading %s: %w", name, err)
	}
	out, err := format.SQL(string(text))
	if e, ok := diag.As(err); ok {
		return false, &exitStatus{code: exitError, err: e}
	}
	same = out == string(text)
	switch {
	case check:
		if !same {
			fmt.Println(name)
		}
	case write:
		if !same {
			err = rewrite(name, out)
		}
	default:
		_, err = io.WriteString(os.Stdout, out)
	}
	return same, err
}

// rewrite replaces a file's text and keeps its permissions.
func rewrite(name, text string) error {
	info, err := os.Stat(name)
	if err == nil {
		err = os.WriteFile(name, []byte(text), info.Mode().Perm())
	}
	if err != nil {
		return failed(exitError, "writing %s: %w", name, err)
	}
	return nil
}
