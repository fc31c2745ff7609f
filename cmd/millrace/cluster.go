package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/connectors/kafka/admin"
)

func newClusterCommand() *cobra.Command {
	c := &cobra.Command{Use: "cluster", Short: "Inspect a Kafka cluster"}
	var f clusterFlags
	f.add(c)
	c.AddCommand(&cobra.Command{Use: "health", Short: "Brokers, and partitions in trouble; exit code 6 if there are any", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), func(c *admin.Client) error {
				h, err := c.Health(cmd.Context())
				if err != nil {
					return err
				}
				if err := printHealth(&f, h); err != nil {
					return err
				}
				if !h.Healthy {
					return failed(exitTest, "the cluster is not healthy")
				}
				return nil
			})
		}})
	return c
}

func printHealth(f *clusterFlags, h *admin.Health) error {
	if f.json {
		return printJSON(h)
	}
	fmt.Printf("healthy           %v\ncluster           %s\ntopics            %d\npartitions        %d\n", h.Healthy, h.ClusterID, h.Topics, h.Partitions)
	fmt.Printf("leaderless        %s\nunder-replicated  %s\n\n", orNone(h.Leaderless), orNone(h.UnderReplicated))
	return printEach(f, h.Brokers, "BROKER\tADDRESS\tCONTROLLER", func(b admin.Broker) []any { return []any{b.ID, b.Address, b.Controller} })
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}
