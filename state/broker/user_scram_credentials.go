package broker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

const (
	errResourceNotFound       int16 = 91
	errDuplicateResource      int16 = 92
	errUnacceptableCredential int16 = 93
)

// maxUserName bounds the names of users.
const maxUserName = 255

// scramMechanisms are the mechanisms by the protocol's numbers.
var scramMechanisms = map[int8]string{1: auth.ScramSHA256, 2: auth.ScramSHA512}

// handleDescribeUserScramCredentials lists who has a stored credential, and how it was made; never the credential.
func handleDescribeUserScramCredentials(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DescribeUserSCRAMCredentialsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeUserSCRAMCredentialsResponse)
	resp.Results = []kmsg.DescribeUserSCRAMCredentialsResponseResult{}
	if resp.ErrorCode = r.cluster(kmsg.ACLOperationDescribe); resp.ErrorCode != errNone {
		resp.ErrorMessage = refusedMessage(resp.ErrorCode)
		return ready(resp)
	}
	stored := b.security.storedUsers()
	names := slices.Sorted(maps.Keys(stored))
	if len(req.Users) > 0 {
		names = names[:0]
		for _, u := range req.Users {
			names = append(names, u.Name)
		}
	}
	seen := map[string]int{}
	for _, name := range names {
		seen[name]++
	}
	for _, name := range slices.Compact(names) {
		if seen[name] == 0 {
			continue // answered with its first mention
		}
		rr := kmsg.NewDescribeUserSCRAMCredentialsResponseResult()
		rr.User, rr.CredentialInfos = name, []kmsg.DescribeUserSCRAMCredentialsResponseResultCredentialInfo{}
		switch {
		case seen[name] > 1:
			rr.ErrorCode, rr.ErrorMessage = errDuplicateResource, kmsg.StringPtr("user is named twice in the request")
		case len(stored[name]) == 0:
			rr.ErrorCode, rr.ErrorMessage = errResourceNotFound, kmsg.StringPtr("no such user")
		default:
			rr.CredentialInfos = stored[name]
		}
		seen[name] = 0
		resp.Results = append(resp.Results, rr)
	}
	return ready(resp)
}

type credentialInfo = kmsg.DescribeUserSCRAMCredentialsResponseResultCredentialInfo

// storedUsers lists the stored credentials by user.
func (s *security) storedUsers() map[string][]credentialInfo {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[string][]credentialInfo{}
	for number := int8(1); number <= int8(len(scramMechanisms)); number++ {
		prefix := credentialKey(scramMechanisms[number], "")
		for key, c := range s.users {
			if name, ok := strings.CutPrefix(key, prefix); ok {
				out[name] = append(out[name], credentialInfo{Mechanism: number, Iterations: int32(c.Iterations)})
			}
		}
	}
	return out
}

// credentialChange is what a request does to one user.
type credentialChange struct {
	user    string
	set     map[string]auth.Credential // by key
	drop    []string
	code    int16
	message string
}

func (c *credentialChange) refuse(code int16, format string, args ...any) {
	if c.code == errNone {
		c.code, c.message = code, fmt.Sprintf(format, args...)
	}
}

// handleAlterUserScramCredentials sets and removes credentials. All changes to one user succeed or fail together.
func handleAlterUserScramCredentials(b *Broker, r *request) reply {
	req := r.body.(*kmsg.AlterUserSCRAMCredentialsRequest)
	resp := req.ResponseKind().(*kmsg.AlterUserSCRAMCredentialsResponse)
	resp.Results = []kmsg.AlterUserSCRAMCredentialsResponseResult{}
	changes := b.security.credentialChanges(req)
	refuse := r.cluster(kmsg.ACLOperationAlter)
	for _, c := range changes {
		if refuse != errNone {
			c.code, c.message = refuse, "not authorized"
		}
		if c.code == errNone {
			if err := b.security.changeCredentials(b.ctx, c); err != nil {
				b.opts.Logger.Error("storing credentials failed", "user", c.user, "error", err)
				c.refuse(errorCode(err), "%v", err)
			}
		}
		rr := kmsg.NewAlterUserSCRAMCredentialsResponseResult()
		if rr.User, rr.ErrorCode = c.user, c.code; c.code != errNone {
			rr.ErrorMessage = &c.message
		}
		resp.Results = append(resp.Results, rr)
	}
	return ready(resp)
}

// credentialChanges sorts a request by user and checks it.
func (s *security) credentialChanges(req *kmsg.AlterUserSCRAMCredentialsRequest) []*credentialChange {
	var list []*credentialChange
	byUser := map[string]*credentialChange{}
	named := map[string]bool{}
	change := func(user string, number int8) (*credentialChange, string) {
		c := byUser[user]
		if c == nil {
			c = &credentialChange{user: user, set: map[string]auth.Credential{}}
			byUser[user] = c
			list = append(list, c)
		}
		if user == "" || len(user) > maxUserName {
			c.refuse(errUnacceptableCredential, "user name is empty or too long")
		}
		mechanism, ok := scramMechanisms[number]
		if !ok {
			c.refuse(errUnsupportedMechanism, "unknown SCRAM mechanism %d", number)
		}
		key := credentialKey(mechanism, user)
		if named[key] {
			c.refuse(errDuplicateResource, "credential is named twice in the request")
		}
		named[key] = true
		return c, mechanism
	}
	for _, d := range req.Deletions {
		c, mechanism := change(d.Name, d.Mechanism)
		key := credentialKey(mechanism, d.Name)
		s.mu.RLock()
		if _, ok := s.users[key]; !ok {
			c.refuse(errResourceNotFound, "no such credential")
		}
		s.mu.RUnlock()
		c.drop = append(c.drop, key)
	}
	for _, u := range req.Upsertions {
		c, mechanism := change(u.Name, u.Mechanism)
		if c.code != errNone {
			continue
		}
		cred, err := auth.SaltedCredential(mechanism, u.SaltedPassword, u.Salt, int(u.Iterations))
		if err != nil {
			c.refuse(errUnacceptableCredential, "%v", err)
		}
		c.set[credentialKey(mechanism, u.Name)] = cred
	}
	return list
}

// changeCredentials makes a change durable and puts it in force. Connections already authenticated stay.
func (s *security) changeCredentials(ctx context.Context, c *credentialChange) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	var changes []metaChange
	for key, cred := range c.set {
		changes = append(changes, metaChange{metaScram, key, cred})
	}
	for _, key := range c.drop {
		changes = append(changes, metaChange{metaScram, key, nil})
	}
	if err := s.b.metadata.write(ctx, changes); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.users, c.set)
	for _, key := range c.drop {
		delete(s.users, key)
	}
	return nil
}
