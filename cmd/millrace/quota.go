package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/kafka/admin"
)

func newQuota() *cobra.Command {
	c := &cobra.Command{Use: "quota", Short: "Limit what users and clients of a Kafka cluster may take"}
	var f clusterFlags
	f.add(c)
	c.AddCommand(newQuotaSet(&f), newQuotaList(&f), newQuotaRemove(&f))
	return c
}

// quotaKeys are the limits by flag, with Kafka's names.
var quotaKeys = []struct{ flag, key, doc string }{
	{"produce", "producer_byte_rate", "bytes per second written, e.g. 10MiB"},
	{"fetch", "consumer_byte_rate", "bytes per second read, e.g. 10MiB"},
	{"request", "request_percentage", "percent of one processor"},
	{"mutation", "controller_mutation_rate", "partitions created and deleted per second"},
	{"connect", "connection_creation_rate", "connections per second; with --ip only"},
}

func addEntityFlags(c *cobra.Command, e *admin.QuotaEntity) {
	c.Flags().StringVarP(&e.User, "user", "u", "", "user; * is everybody without a limit of their own")
	c.Flags().StringVar(&e.Client, "client", "", "client id; * likewise")
	c.Flags().StringVar(&e.IP, "ip", "", "address of clients; * likewise")
}

// entity turns * into the protocol's default.
func entity(e admin.QuotaEntity) admin.QuotaEntity {
	for _, p := range []*string{&e.User, &e.Client, &e.IP} {
		if *p == "*" {
			*p = admin.Everybody
		}
	}
	return e
}

func newQuotaSet(f *clusterFlags) *cobra.Command {
	var e admin.QuotaEntity
	values := make([]string, len(quotaKeys))
	c := &cobra.Command{Use: "set", Aliases: []string{"add"}, Short: "Set limits", Args: cobra.NoArgs,
		Example: "  millrace quota set --user ann --produce 10MiB\n  millrace quota set --client '*' --request 50",
		RunE: func(cmd *cobra.Command, _ []string) error {
			set := map[string]float64{}
			for i, k := range quotaKeys {
				if values[i] == "" {
					continue
				}
				v, err := strconv.ParseFloat(values[i], 64)
				if err != nil {
					n, sizeErr := connectors.ParseSize(values[i])
					if sizeErr != nil {
						return failed(exitUsage, "--%s: '%s' is no number", k.flag, values[i])
					}
					v = float64(n)
				}
				set[k.key] = v
			}
			if len(set) == 0 {
				return failed(exitUsage, "nothing to set: --produce, --fetch, --request, --mutation or --connect")
			}
			return f.with(cmd.Context(), func(c *admin.Client) error {
				if err := c.SetQuota(cmd.Context(), entity(e), set, nil); err != nil {
					return err
				}
				return printQuotas(f, []admin.Quota{{QuotaEntity: entity(e), Limits: set}})
			})
		}}
	addEntityFlags(c, &e)
	for i, k := range quotaKeys {
		c.Flags().StringVar(&values[i], k.flag, "", k.doc)
	}
	return c
}

func printQuotas(f *clusterFlags, list []admin.Quota) error {
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	return printEach(f, list, "USER\tCLIENT\tIP\tLIMITS", func(q admin.Quota) []any {
		var limits []string
		for _, k := range slices.Sorted(maps.Keys(q.Limits)) {
			limits = append(limits, fmt.Sprintf("%s=%s", k, strconv.FormatFloat(q.Limits[k], 'f', -1, 64)))
		}
		return []any{dash(q.User), dash(q.Client), dash(q.IP), strings.Join(limits, " ")}
	})
}

func newQuotaList(f *clusterFlags) *cobra.Command {
	return &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List all limits", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return f.with(cmd.Context(), func(c *admin.Client) error {
			list, err := c.Quotas(cmd.Context())
			if err != nil {
				return err
			}
			return printQuotas(f, list)
		})
	}}
}

func newQuotaRemove(f *clusterFlags) *cobra.Command {
	var e admin.QuotaEntity
	c := &cobra.Command{Use: "rm", Aliases: []string{"delete"}, Short: "Remove the limits of a user, client or address", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), func(c *admin.Client) error {
				var keys []string
				for _, k := range quotaKeys {
					if (k.key == "connection_creation_rate") == (e.IP != "") {
						keys = append(keys, k.key)
					}
				}
				if err := c.SetQuota(cmd.Context(), entity(e), nil, keys); err != nil {
					return err
				}
				return f.done(strings.Trim(strings.Join([]string{e.User, e.Client, e.IP}, " "), " "), "removed")
			})
		}}
	addEntityFlags(c, &e)
	return c
}
