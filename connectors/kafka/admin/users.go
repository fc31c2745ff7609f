package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// User is a user with stored credentials.
type User struct {
	Name       string   `json:"name"`
	Mechanisms []string `json:"mechanisms"`
}

// iterations of new credentials: RFC 7677 asks for 4096 at least.
const scramIterations = 8192

var scramByName = map[string]kadm.ScramMechanism{"SCRAM-SHA-256": kadm.ScramSha256, "SCRAM-SHA-512": kadm.ScramSha512}

// ScramMechanisms are the mechanisms a user can have a credential for.
var ScramMechanisms = []string{"SCRAM-SHA-256", "SCRAM-SHA-512"}

// SetUser makes a user, or gives one a new password, for the mechanisms named.
func (c *Client) SetUser(ctx context.Context, name, password string, mechanisms []string) error {
	var ups []kadm.UpsertSCRAM
	for _, m := range mechanisms {
		id, ok := scramByName[strings.ToUpper(m)]
		if !ok {
			return fmt.Errorf("unknown mechanism '%s', there are %s%w", m, strings.Join(ScramMechanisms, " and "), silent{ErrUsage})
		}
		ups = append(ups, kadm.UpsertSCRAM{User: name, Mechanism: id, Iterations: scramIterations, Password: password})
	}
	r, err := c.adm.AlterUserSCRAMs(ctx, nil, ups)
	return userError("storing the credential of "+name, r, err)
}

// Users lists the users with stored credentials.
func (c *Client) Users(ctx context.Context) ([]User, error) {
	r, err := c.adm.DescribeUserSCRAMs(ctx)
	if err != nil {
		return nil, explain("listing users", err, "")
	}
	out := []User{}
	for _, u := range r.Sorted() {
		user := User{Name: u.User, Mechanisms: []string{}}
		for _, i := range u.CredInfos {
			user.Mechanisms = append(user.Mechanisms, i.Mechanism.String())
		}
		out = append(out, user)
	}
	return out, nil
}

// DeleteUser removes all credentials of a user.
func (c *Client) DeleteUser(ctx context.Context, name string) error {
	r, err := c.adm.DescribeUserSCRAMs(ctx, name)
	if err == nil {
		err = r[name].Err
	}
	if errors.Is(err, kerr.ResourceNotFound) {
		return fmt.Errorf("there is no user '%s'%w", name, silent{err})
	}
	if err != nil {
		return explain("looking for user "+name, err, "")
	}
	var dels []kadm.DeleteSCRAM
	for _, i := range r[name].CredInfos {
		dels = append(dels, kadm.DeleteSCRAM{User: name, Mechanism: i.Mechanism})
	}
	altered, err := c.adm.AlterUserSCRAMs(ctx, dels, nil)
	return userError("removing user "+name, altered, err)
}

func userError(what string, r kadm.AlteredUserSCRAMs, err error) error {
	if err != nil {
		return explain(what, err, "")
	}
	all := r.Sorted()
	if i := slices.IndexFunc(all, func(a kadm.AlteredUserSCRAM) bool { return a.Err != nil }); i >= 0 {
		return explain(what, all[i].Err, all[i].ErrMessage)
	}
	return nil
}
