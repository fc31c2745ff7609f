package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/runtime/sqltest"
)

func newTest() *cobra.Command {
	c := &cobra.Command{Use: "test [PATH...]", Short: "Run SQL script tests (*.test); exit code 6 when one fails",
		Long: "Runs the script tests in files and folders (default: the current one). runtime/sqltest/README.md describes the language.",
		Args: cobra.ArbitraryArgs}
	pattern := c.Flags().StringP("run", "r", "", "only tests whose path matches this regular expression")
	update := c.Flags().Bool("update", false, "rewrite the expected rows to what came")
	verbose := c.Flags().BoolP("verbose", "v", false, "name tests that pass, too")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			args = []string{"."}
		}
		s, err := sqltest.RunPaths(cmd.Context(), args, sqltest.Options{Pattern: *pattern, Update: *update, Verbose: *verbose, Out: os.Stdout})
		if err != nil {
			return err
		}
		fmt.Printf("%d passed, %d failed\n", s.Passed, s.Failed)
		if s.Failed > 0 {
			return failed(exitTest, "%d script tests failed", s.Failed)
		}
		return nil
	}
	return c
}
