package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/connectors/kafka/admin"
)

func newGroup() *cobra.Command {
	c := &cobra.Command{Use: "group", Short: "Inspect, move and delete the consumer groups of a Kafka cluster"}
	var f clusterFlags
	f.add(c)
	c.AddCommand(newGroupList(&f), newGroupDescribe(&f), newGroupSeek(&f), newGroupDelete(&f))
	return c
}

func newGroupList(f *clusterFlags) *cobra.Command {
	return &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List the groups", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return f.with(cmd.Context(), func(c *admin.Client) error {
			groups, err := c.Groups(cmd.Context())
			if err != nil {
				return err
			}
			return printEach(f, groups, "NAME\tSTATE\tPROTOCOL", func(g admin.Group) []any { return []any{g.Name, g.State, g.Protocol} })
		})
	}}
}

func newGroupDescribe(f *clusterFlags) *cobra.Command {
	return &cobra.Command{Use: "describe NAME", Short: "Members, offsets and lag of a group, in records and seconds", Args: cobra.ExactArgs(1),
		Long: "Shows how far a group is. LAG is in records; SECONDS is the age of the first record not consumed, - when it cannot be told.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), func(c *admin.Client) error {
				g, err := c.DescribeGroup(cmd.Context(), args[0], time.Now())
				if err != nil {
					return err
				}
				if f.json {
					return printJSON(g)
				}
				fmt.Printf("group    %s\nstate    %s\nmembers  %d\nlag      %d\n\n", g.Name, g.State, g.Members, g.Lag)
				return printEach(f, g.Partitions, "TOPIC\tPARTITION\tCOMMITTED\tEND\tLAG\tSECONDS\tCLIENT\tHOST", groupCells)
			})
		}}
}

func groupCells(p admin.GroupPartition) []any {
	committed, lag, seconds, client, host := "-", "-", "-", "-", "-"
	if p.Committed >= 0 {
		committed = fmt.Sprint(p.Committed)
	}
	if p.Lag >= 0 {
		lag = fmt.Sprint(p.Lag)
	}
	if p.LagSeconds != nil {
		seconds = fmt.Sprintf("%.1f", *p.LagSeconds)
	}
	if p.Member != "" {
		client, host = p.Client, p.Host
	}
	return []any{p.Topic, p.Partition, committed, p.End, lag, seconds, client, host}
}

func newGroupSeek(f *clusterFlags) *cobra.Command {
	var topics []string
	var to string
	var part int32
	c := &cobra.Command{Use: "seek NAME", Short: "Set the committed offsets of a group without members", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pos, err := admin.ParsePosition(to, time.Now())
			if err != nil {
				return clusterError(err)
			}
			return f.with(cmd.Context(), func(c *admin.Client) error {
				var all []admin.Seeked
				for _, t := range topics {
					moved, err := c.SeekGroup(cmd.Context(), args[0], t, part, pos)
					if err != nil {
						return err
					}
					all = append(all, moved...)
				}
				return printEach(f, all, "TOPIC\tPARTITION\tFROM\tTO", func(s admin.Seeked) []any { return []any{s.Topic, s.Partition, s.From, s.To} })
			})
		}}
	c.Flags().StringArrayVarP(&topics, "topic", "t", nil, "topic to move in; may be repeated")
	c.Flags().StringVarP(&to, "to", "o", "", "start, end, an offset, -10 for the last ten of each partition, or @TIME")
	c.Flags().Int32VarP(&part, "partition", "p", -1, "only this partition")
	_ = c.MarkFlagRequired("topic")
	_ = c.MarkFlagRequired("to")
	return c
}

func newGroupDelete(f *clusterFlags) *cobra.Command {
	return &cobra.Command{Use: "delete NAME...", Aliases: []string{"rm"}, Short: "Forget groups without members", Args: cobra.MinimumNArgs(1),
		RunE: f.eachName((*admin.Client).DeleteGroup, "deleted")}
}
