package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/connectors/kafka/admin"
)

func newACL() *cobra.Command {
	c := &cobra.Command{Use: "acl", Short: "Add, list and remove the access rules of a Kafka cluster",
		Long: "Access rules say who may do what. A rule that denies wins over one that allows; what nothing allows is denied.\n" +
			"Operations: read write create delete alter describe cluster_action describe_configs alter_configs idempotent_write all."}
	var f clusterFlags
	f.add(c)
	c.AddCommand(newACLAdd(&f), newACLList(&f), newACLRemove(&f))
	return c
}

// aclFlags are the fields of a rule, or of a filter over rules.
type aclFlags struct {
	user, host, operations    string
	topic, group, txn         string
	cluster, prefixed, denies bool
}

func (a *aclFlags) add(c *cobra.Command, host string) {
	c.Flags().StringVarP(&a.user, "user", "u", "", "user; * is everybody")
	c.Flags().StringVar(&a.host, "host", host, "address of the client; * is any")
	c.Flags().StringVarP(&a.operations, "operation", "o", "", "operations, with commas")
	c.Flags().StringVarP(&a.topic, "topic", "t", "", "a topic; * is all")
	c.Flags().StringVarP(&a.group, "group", "g", "", "a consumer group")
	c.Flags().StringVar(&a.txn, "transactional-id", "", "a transactional id")
	c.Flags().BoolVar(&a.cluster, "cluster", false, "the cluster itself")
	c.Flags().BoolVar(&a.prefixed, "prefix", false, "the name is a prefix of names")
	c.Flags().BoolVar(&a.denies, "deny", false, "the rule denies")
}

// rules makes one rule for each operation and resource named; empty lists leave the field empty.
func (a *aclFlags) rules() []admin.ACL {
	base := admin.ACL{Host: a.host}
	if a.user != "" {
		base.Principal = "User:" + strings.TrimPrefix(a.user, "User:")
	}
	if a.denies {
		base.Permission = "deny"
	}
	var resources []admin.ACL
	for _, r := range [...]struct{ kind, name string }{{"topic", a.topic}, {"group", a.group}, {"transactional_id", a.txn}} {
		if r.name != "" {
			x := base
			if x.Resource, x.Name = r.kind, r.name; a.prefixed {
				x.Pattern = "prefixed"
			}
			resources = append(resources, x)
		}
	}
	if a.cluster {
		x := base
		x.Resource = "cluster"
		resources = append(resources, x)
	}
	if len(resources) == 0 {
		resources = append(resources, base)
	}
	var out []admin.ACL
	for _, r := range resources {
		for _, op := range strings.Split(a.operations, ",") {
			r.Operation = strings.TrimSpace(op)
			out = append(out, r)
		}
	}
	return out
}

func newACLAdd(f *clusterFlags) *cobra.Command {
	var a aclFlags
	c := &cobra.Command{Use: "add", Short: "Allow, or deny, a user something", Args: cobra.NoArgs,
		Example: "  millrace acl add --user ann --operation read,write --topic orders\n" +
			"  millrace acl add --user ann --operation read --group reports- --prefix\n" +
			"  millrace acl add --user '*' --operation delete --topic '*' --deny",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.user == "" || a.operations == "" || a.topic+a.group+a.txn == "" && !a.cluster {
				return failed(exitUsage, "a rule needs --user, --operation and one of --topic, --group, --transactional-id, --cluster")
			}
			return f.with(cmd.Context(), func(c *admin.Client) error {
				rules := a.rules()
				for i := range rules {
					if rules[i].Permission == "" {
						rules[i].Permission = "allow"
					}
					if rules[i].Pattern == "" {
						rules[i].Pattern = "literal"
					}
					if err := c.CreateACL(cmd.Context(), rules[i]); err != nil {
						return err
					}
				}
				return printACLs(f, rules)
			})
		}}
	a.add(c, "*")
	return c
}

func printACLs(f *clusterFlags, list []admin.ACL) error {
	return printEach(f, list, "PRINCIPAL\tPERMISSION\tOPERATION\tRESOURCE\tNAME\tPATTERN\tHOST", func(a admin.ACL) []any {
		return []any{a.Principal, a.Permission, a.Operation, a.Resource, a.Name, a.Pattern, a.Host}
	})
}

// printEach runs fn for each rule that the flags name and prints the rules it gives.
func (a *aclFlags) printEach(ctx context.Context, f *clusterFlags, fn func(*admin.Client, context.Context, admin.ACL) ([]admin.ACL, error)) error {
	return f.with(ctx, func(c *admin.Client) error {
		var all []admin.ACL
		for _, filter := range a.rules() {
			list, err := fn(c, ctx, filter)
			if err != nil {
				return err
			}
			all = append(all, list...)
		}
		return printACLs(f, all)
	})
}

func newACLList(f *clusterFlags) *cobra.Command {
	var a aclFlags
	c := &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List rules, all or those that fit", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.printEach(cmd.Context(), f, (*admin.Client).ACLs)
		}}
	a.add(c, "")
	return c
}

func newACLRemove(f *clusterFlags) *cobra.Command {
	var a aclFlags
	var all bool
	c := &cobra.Command{Use: "rm", Aliases: []string{"delete"}, Short: "Remove the rules that fit", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a == (aclFlags{}) && !all {
				return failed(exitUsage, "name what to remove, or --all")
			}
			return a.printEach(cmd.Context(), f, (*admin.Client).DeleteACLs)
		}}
	a.add(c, "")
	c.Flags().BoolVar(&all, "all", false, "every rule")
	return c
}
