package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/cmd/millrace/client"
	"github.com/millrace/millrace/runtime/server/httpapi"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// serverFlags name the server of job commands.
type serverFlags struct {
	host string
	port int
}

func (s *serverFlags) add(c *cobra.Command) {
	c.PersistentFlags().BoolP("help", "", false, "help for "+c.Name())
	c.PersistentFlags().StringVarP(&s.host, "host", "h", "127.0.0.1", "the server")
	c.PersistentFlags().IntVarP(&s.port, "port", "P", defaultHTTPPort, "HTTP port of the server")
}

func (s *serverFlags) addr() string { return net.JoinHostPort(s.host, fmt.Sprint(s.port)) }

func newJob() *cobra.Command {
	c := &cobra.Command{Use: "job", Short: "Submit, list and stop the jobs of a server"}
	var s serverFlags
	s.add(c)
	var vars []string
	submit := &cobra.Command{Use: "submit FILE.sql", Short: "Run a file's statements on the server; its jobs stay", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return submitJob(cmd.Context(), &s, args[0], vars) }}
	submit.Flags().StringArrayVar(&vars, "var", nil, "name=value for ${name}")
	var asJSON bool
	ls := &cobra.Command{Use: "ls", Short: "List the jobs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return listJobs(cmd.Context(), &s, asJSON) }}
	ls.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.AddCommand(submit, ls,
		control(&s, "stop", "Stop a job behind a last checkpoint; resume goes on from there", "STOP JOB"),
		control(&s, "resume", "Start a stopped job where it stopped", "RESUME JOB"),
		control(&s, "drop", "Stop a job and forget its state", "DROP JOB"))
	return c
}

func control(s *serverFlags, verb, short, statement string) *cobra.Command {
	return &cobra.Command{Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		conn, err := client.Dial(cmd.Context(), s.addr())
		if err != nil {
			return err
		}
		defer conn.Close()
		res, err := conn.Exec(cmd.Context(), fmt.Sprintf("%s `%s`", statement, args[0]))
		if err != nil {
			return err
		}
		defer res.Close()
		fmt.Fprintln(os.Stderr, res.Message)
		return nil
	}}
}

// submitJob runs the statements of a file on the server and prints the jobs that they started.
func submitJob(ctx context.Context, s *serverFlags, path string, vars []string) error {
	text, err := readScript(path, vars)
	if err != nil {
		return err
	}
	script, err := parser.ParseScript(text)
	if err != nil {
		return diag.WithSource(err, text)
	}
	conn, err := client.Dial(ctx, s.addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, p := range script {
		if err := submitStatement(ctx, conn, p.Text); err != nil {
			return diag.InScript(err, p.Offset, text)
		}
	}
	return nil
}

func submitStatement(ctx context.Context, conn client.Conn, sql string) error {
	res, err := conn.Exec(ctx, sql)
	if err != nil {
		return err
	}
	defer res.Close()
	switch {
	case res.Live:
		fmt.Fprintln(os.Stderr, "note: a live query has no place in a job; left out")
	case res.Job != "":
		fmt.Println(res.Job)
	default:
		fmt.Fprintln(os.Stderr, res.Message)
	}
	for _, n := range res.Notices {
		fmt.Fprintf(os.Stderr, "note: %s\n", n)
	}
	return nil
}

func listJobs(ctx context.Context, s *serverFlags, asJSON bool) error {
	conn, err := client.Dial(ctx, s.addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr()+"/v1/jobs", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var jobs []httpapi.Job
	if err := json.NewDecoder(resp.Body).Decode(&jobs); err != nil {
		return fmt.Errorf("reading the list of jobs: %w", err)
	}
	if asJSON {
		enc := json.NewEncoder(os.Stdout)
		for _, j := range jobs {
			if err := enc.Encode(j); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATE\tROWS IN\tROWS OUT\tLATE\tERRORS\tLAG\tWATERMARK\tERROR")
	for _, j := range jobs {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", j.Name, j.State, j.RowsIn, j.RowsOut, j.Late, j.Errors, j.Lag, j.Watermark, j.Error)
	}
	return w.Flush()
}
