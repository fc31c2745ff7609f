package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/millrace/millrace/connectors/kafka/admin"
)

func newUser() *cobra.Command {
	c := &cobra.Command{Use: "user", Short: "Add, list and remove the users of a Kafka cluster (SCRAM credentials)"}
	var f clusterFlags
	f.add(c)
	c.AddCommand(newUserAdd(&f), newUserList(&f), newUserRemove(&f))
	return c
}

func newUserAdd(f *clusterFlags) *cobra.Command {
	var password string
	var mechanisms []string
	c := &cobra.Command{Use: "add NAME", Short: "Add a user, or change the password of one", Args: cobra.ExactArgs(1),
		Long: "Stores what the server needs to check the password, not the password. Without --password it is asked for, or read as one line\n" +
			"from standard input.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if password == "" {
				var err error
				if password, err = readPassword(); err != nil {
					return err
				}
			}
			return f.with(cmd.Context(), func(c *admin.Client) error {
				if err := c.SetUser(cmd.Context(), args[0], password, mechanisms); err != nil {
					return err
				}
				return f.done(args[0], "added")
			})
		}}
	c.Flags().StringVarP(&password, "password", "p", "", "the password; others on this machine may see it on the command line")
	c.Flags().StringSliceVarP(&mechanisms, "mechanism", "m", admin.ScramMechanisms, "mechanisms, with commas")
	return c
}

// readPassword asks at a terminal, without echo, or reads a line.
func readPassword() (string, error) {
	fd := int(os.Stdin.Fd())
	if term.IsTerminal(fd) {
		fmt.Fprint(os.Stderr, "password: ")
		text, err := term.ReadPassword(fd)
		fmt.Fprintln(os.Stderr)
		if err != nil || len(text) == 0 {
			return "", failed(exitUsage, "no password given")
		}
		return string(text), nil
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", failed(exitUsage, "no password on standard input: %v", err)
	}
	return line, nil
}

func newUserList(f *clusterFlags) *cobra.Command {
	return &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List the users", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return f.with(cmd.Context(), func(c *admin.Client) error {
			users, err := c.Users(cmd.Context())
			if err != nil {
				return err
			}
			return printEach(f, users, "NAME\tMECHANISMS", func(u admin.User) []any { return []any{u.Name, strings.Join(u.Mechanisms, " ")} })
		})
	}}
}

func newUserRemove(f *clusterFlags) *cobra.Command {
	return &cobra.Command{Use: "rm NAME...", Aliases: []string{"delete"}, Short: "Remove users", Args: cobra.MinimumNArgs(1),
		RunE: f.eachName((*admin.Client).DeleteUser, "removed")}
}
