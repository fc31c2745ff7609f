package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/connectors/kafka/admin"
	"github.com/millrace/millrace/sql/diag"
)

const defaultBrokers = "127.0.0.1:9092"

// clusterFlags are what the commands over a Kafka cluster have in common.
type clusterFlags struct {
	brokers    string
	json       bool
	properties []string // NAME=VALUE
	file       string   // of more of them
}

func (f *clusterFlags) add(c *cobra.Command) {
	c.PersistentFlags().StringVarP(&f.brokers, "brokers", "b", defaultBrokers, "brokers to ask first, HOST:PORT with commas")
	c.PersistentFlags().StringArrayVarP(&f.properties, "property", "X", nil,
		"property of Kafka's clients, NAME=VALUE, e.g. security.protocol=SASL_SSL; may be repeated")
	c.PersistentFlags().StringVar(&f.file, "command-config", "", "file of such properties, one NAME=VALUE a line; -X overrides it")
	c.PersistentFlags().BoolVar(&f.json, "json", false, "print JSON, one object a line")
}

// with connects, runs fn and gives its error the exit code it deserves.
func (f *clusterFlags) with(ctx context.Context, fn func(c *admin.Client) error) error {
	properties, err := f.allProperties()
	if err != nil {
		return err
	}
	c, err := admin.Open(ctx, f.brokers, properties)
	if err != nil {
		return clusterError(err)
	}
	defer c.Close()
	return clusterError(fn(c))
}

// maxPropertyFile bounds a file of properties, in bytes.
const maxPropertyFile = 1 << 20

// allProperties are those of the file with those of the command line on top.
func (f *clusterFlags) allProperties() (map[string]string, error) {
	var list []string
	if f.file != "" {
		text, err := os.ReadFile(f.file)
		if err != nil || len(text) > maxPropertyFile {
			return nil, failed(exitUsage, "cannot read --command-config %s: %v", f.file, cmp.Or(err, errors.New("it is too large")))
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line[0] != '!' {
				k, v, _ := strings.Cut(line, "=")
				list = append(list, strings.TrimSpace(k)+"="+strings.TrimSpace(v))
			}
		}
	}
	return parsePairs(append(list, f.properties...))
}

// clusterError keeps errors that have a code, and tells wrong arguments from a cluster that refuses.
func clusterError(err error) error {
	var status *exitStatus
	switch _, coded := diag.As(err); {
	case err == nil || coded || errors.Is(err, context.Canceled) || errors.As(err, &status):
		return err
	case errors.Is(err, admin.ErrUsage):
		return &exitStatus{exitUsage, err}
	case errors.Is(err, context.DeadlineExceeded):
		return &exitStatus{exitTimeout, err}
	}
	return &exitStatus{exitError, err}
}

// printEach prints items as JSON lines, or as a table: a head and one row of cells per item.
func printEach[T any](f *clusterFlags, items []T, head string, cells func(T) []any) error {
	if f.json {
		for _, item := range items {
			if err := printJSON(item); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for _, item := range items {
		row := cells(item)
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func printJSON(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func newTopic() *cobra.Command {
	c := &cobra.Command{Use: "topic", Short: "Create, inspect, change, read and write the topics of a Kafka cluster"}
	var f clusterFlags
	f.add(c)
	c.AddCommand(newTopicCreate(&f), newTopicList(&f), newTopicDescribe(&f), newTopicAlter(&f), newTopicTrim(&f), newTopicDelete(&f),
		newTopicProduce(&f), newTopicConsume(&f))
	return c
}

func newTopicCreate(f *clusterFlags) *cobra.Command {
	var partitions int
	var replicas int16
	var config []string
	var lenient bool
	c := &cobra.Command{Use: "create NAME...", Short: "Create topics", Args: cobra.MinimumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		settings, err := parsePairs(config)
		if err != nil {
			return err
		}
		return f.with(cmd.Context(), func(c *admin.Client) error {
			for _, name := range args {
				err := c.Create(cmd.Context(), name, partitions, replicas, settings)
				if lenient && errors.Is(err, admin.ErrExists) {
					fmt.Fprintf(os.Stderr, "topic %s is there already\n", name)
					continue
				}
				if err != nil {
					return err
				}
				if err := f.done(name, "created"); err != nil {
					return err
				}
			}
			return nil
		})
	}}
	c.Flags().IntVarP(&partitions, "partitions", "p", -1, "number of partitions (-1: the cluster's default)")
	c.Flags().Int16VarP(&replicas, "replicas", "r", -1, "replicas of each partition (-1: the cluster's default)")
	c.Flags().StringArrayVarP(&config, "config", "c", nil, "setting, NAME=VALUE; may be repeated")
	c.Flags().BoolVar(&lenient, "if-not-exists", false, "no error for a topic that exists")
	return c
}

// eachName runs fn for each argument and reports what was done to it.
func (f *clusterFlags) eachName(fn func(*admin.Client, context.Context, string) error, what string) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return f.with(cmd.Context(), func(c *admin.Client) error {
			for _, name := range args {
				if err := fn(c, cmd.Context(), name); err != nil {
					return err
				}
				if err := f.done(name, what); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// done reports a change that has a name and no other result.
func (f *clusterFlags) done(name, what string) error {
	if f.json {
		return printJSON(map[string]string{"name": name, "result": what})
	}
	_, err := fmt.Printf("%s %s\n", what, name)
	return err
}

// parsePairs reads NAME=VALUE.
func parsePairs(list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, item := range list {
		k, v, ok := strings.Cut(item, "=")
		if !ok || k == "" {
			return nil, failed(exitUsage, "'%s' is not NAME=VALUE", item)
		}
		out[k] = v
	}
	return out, nil
}

func newTopicList(f *clusterFlags) *cobra.Command {
	var internal bool
	c := &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List the topics", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return f.with(cmd.Context(), func(c *admin.Client) error {
			topics, err := c.Topics(cmd.Context(), internal)
			if err != nil {
				return err
			}
			return printEach(f, topics, "NAME\tPARTITIONS\tREPLICAS\tRECORDS",
				func(t admin.Topic) []any { return []any{t.Name, t.Partitions, t.Replicas, t.Records} })
		})
	}}
	c.Flags().BoolVarP(&internal, "internal", "i", false, "internal topics too")
	return c
}

func newTopicDescribe(f *clusterFlags) *cobra.Command {
	var all bool
	c := &cobra.Command{Use: "describe NAME", Short: "Partitions, offsets and settings of a topic", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), func(c *admin.Client) error {
				t, err := c.Describe(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if !all {
					t.Config = slices.DeleteFunc(t.Config, func(c admin.Config) bool { return !c.Set })
				}
				if f.json {
					return printJSON(t)
				}
				return printTopic(f, t)
			})
		}}
	c.Flags().BoolVarP(&all, "all", "a", false, "settings with their default value too")
	return c
}

func printTopic(f *clusterFlags, t *admin.TopicDetail) error {
	fmt.Printf("topic       %s\nid          %s\npartitions  %d\nreplicas    %d\nrecords     %d\n\n", t.Name, t.ID, t.Partitions, t.Replicas, t.Records)
	err := printEach(f, t.Parts, "PARTITION\tLEADER\tREPLICAS\tSTART\tEND", func(p admin.Partition) []any {
		return []any{p.Partition, p.Leader, p.Replicas, p.Start, p.End}
	})
	if err != nil || len(t.Config) == 0 {
		return err
	}
	fmt.Println()
	return printEach(f, t.Config, "SETTING\tVALUE", func(c admin.Config) []any {
		if !c.Set {
			return []any{c.Name, c.Value + " (default)"}
		}
		return []any{c.Name, c.Value}
	})
}

func newTopicAlter(f *clusterFlags) *cobra.Command {
	var set, unset []string
	var a admin.Alteration
	c := &cobra.Command{Use: "alter NAME", Short: "Change settings, or the number of partitions", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if a.Set, err = parsePairs(set); err != nil {
				return err
			}
			if a.Unset = unset; len(a.Set)+len(a.Unset)+a.Partitions == 0 {
				return failed(exitUsage, "nothing to change: --set, --unset or --partitions")
			}
			return f.with(cmd.Context(), func(c *admin.Client) error {
				if err := c.Alter(cmd.Context(), args[0], a); err != nil {
					return err
				}
				return f.done(args[0], "altered")
			})
		}}
	c.Flags().StringArrayVarP(&set, "set", "s", nil, "setting, NAME=VALUE; may be repeated")
	c.Flags().StringArrayVarP(&unset, "unset", "u", nil, "setting that goes back to its default; may be repeated")
	c.Flags().IntVarP(&a.Partitions, "partitions", "p", 0, "new number of partitions; it can only grow")
	return c
}

func newTopicTrim(f *clusterFlags) *cobra.Command {
	var before string
	var part int32
	c := &cobra.Command{Use: "trim NAME", Short: "Delete the records before a position", Args: cobra.ExactArgs(1),
		Long: "Deletes the records before a position: end for all, an offset, -10 to leave the last ten of each partition, or @TIME.",
		RunE: func(cmd *cobra.Command, args []string) error {
			pos, err := admin.ParsePosition(before, time.Now())
			if err != nil {
				return clusterError(err)
			}
			return f.with(cmd.Context(), func(c *admin.Client) error {
				trimmed, err := c.Trim(cmd.Context(), args[0], part, pos)
				return errors.Join(err, printEach(f, trimmed, "PARTITION\tFROM\tSTART",
					func(t admin.Trimmed) []any { return []any{t.Partition, t.From, t.Start} }))
			})
		}}
	c.Flags().StringVarP(&before, "offset", "o", "", "first position to keep: end, an offset, -N or @TIME")
	c.Flags().Int32VarP(&part, "partition", "p", -1, "only this partition")
	_ = c.MarkFlagRequired("offset")
	return c
}

func newTopicDelete(f *clusterFlags) *cobra.Command {
	return &cobra.Command{Use: "delete NAME...", Aliases: []string{"rm"}, Short: "Delete topics with their records", Args: cobra.MinimumNArgs(1),
		RunE: f.eachName((*admin.Client).Delete, "deleted")}
}
