package broker

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/millrace/millrace/state/broker/auth"
)

// security is who may come in and what they may do: the rules and credentials in force, kept in the metadata log.
type security struct {
	b     *Broker
	names *auth.CertificateNames
	// authorizer is nil without Security.ACLs.
	authorizer *auth.Authorizer
	tokens     *auth.Tokens // nil without OAuth
	// static are credentials of Security.Users by mechanism and name; immutable.
	static map[string]auth.Credential
	// deriving bounds how many passwords are checked at a time: each takes milliseconds of a processor.
	deriving chan struct{}

	// changing serialises changes: the log and memory change together. It is held while the disk is waited for.
	changing sync.Mutex
	mu       sync.RWMutex
	acls     map[auth.Binding]struct{}  // guarded by mu
	users    map[string]auth.Credential // guarded by mu; by mechanism and name
}

func credentialKey(mechanism, user string) string { return mechanism + "/" + user }

// openSecurity reads the metadata log.
func (b *Broker) openSecurity() error {
	s := &security{
		b: b, acls: map[auth.Binding]struct{}{}, users: map[string]auth.Credential{}, static: map[string]auth.Credential{},
		deriving: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	b.security = s
	o := &b.opts.Security
	var err error
	if s.names, err = auth.ParseCertificateNames(o.CertificateNames); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidOptions, err)
	}
	for user, password := range o.Users {
		for _, m := range []string{auth.ScramSHA256, auth.ScramSHA512} {
			if s.static[credentialKey(m, user)], err = auth.NewCredential(m, password, auth.MinIterations); err != nil {
				return err
			}
		}
	}
	if err := s.openTokens(&o.OAuth); err != nil {
		return err
	}
	if o.ACLs {
		rules := auth.Rules{AllowIfNoACL: o.AllowIfNoACL}
		for _, u := range o.SuperUsers {
			p, err := auth.ParsePrincipal(u)
			if err != nil {
				return fmt.Errorf("%w: super user: %w", ErrInvalidOptions, err)
			}
			rules.SuperUsers = append(rules.SuperUsers, p)
		}
		s.authorizer = auth.NewAuthorizer(rules)
	}
	return s.load()
}

func (s *security) load() error {
	err := s.b.metadata.each(metaACL, func(_ string, value []byte) error {
		var b auth.Binding
		if err := json.Unmarshal(value, &b); err != nil {
			return err
		}
		s.acls[b] = struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	s.reindex()
	return s.b.metadata.each(metaScram, func(name string, value []byte) error {
		var c auth.Credential
		if err := json.Unmarshal(value, &c); err != nil {
			return err
		}
		s.users[name] = c
		return nil
	})
}

func (s *security) openTokens(o *OAuth) error {
	if !o.enabled() {
		return nil
	}
	s.tokens = &auth.Tokens{
		Issuer: o.Issuer, Audience: o.Audience, Scopes: o.Scopes, PrincipalClaim: o.PrincipalClaim,
		AllowUnsecured: o.AllowUnsecured, Now: s.b.opts.Now,
	}
	if o.KeysFile == "" {
		return nil
	}
	w := &watchedFiles[*auth.KeySet]{paths: []string{o.KeysFile}, logger: s.b.opts.Logger, now: s.b.opts.Now}
	w.load = func() (*auth.KeySet, error) {
		data, err := os.ReadFile(o.KeysFile)
		if err != nil {
			return nil, err
		}
		return auth.ParseKeySet(data)
	}
	if err := w.open(); err != nil {
		return fmt.Errorf("%w: reading keys of tokens: %w", ErrInvalidOptions, err)
	}
	s.tokens.Keys = w.get
	return nil
}

// reindex makes the rules in force what acls holds. Caller holds mu, or nobody else knows s yet.
func (s *security) reindex() {
	if s.authorizer == nil {
		return
	}
	all := make([]auth.Binding, 0, len(s.acls))
	for b := range s.acls {
		all = append(all, b)
	}
	s.authorizer.Set(all)
}

// aclName is the key of a rule in the metadata log.
func aclName(b *auth.Binding) string {
	text, _ := json.Marshal(b) // strings and numbers always encode
	return string(text)
}

// changeACLs makes rules durable, or their end, and puts that in force.
func (s *security) changeACLs(ctx context.Context, add, drop []auth.Binding) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	var changes []metaChange
	for i := range add {
		changes = append(changes, metaChange{metaACL, aclName(&add[i]), &add[i]})
	}
	for i := range drop {
		changes = append(changes, metaChange{metaACL, aclName(&drop[i]), nil})
	}
	if err := s.b.metadata.write(ctx, changes); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range add {
		s.acls[b] = struct{}{}
	}
	for _, b := range drop {
		delete(s.acls, b)
	}
	s.reindex()
	return nil
}

// findACLs lists the rules a filter chooses, in a stable order.
func (s *security) findACLs(f *auth.Filter) []auth.Binding {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []auth.Binding
	for b := range s.acls {
		if f.Matches(&b) {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b auth.Binding) int { return compareBindings(&a, &b) })
	return out
}

// Credential implements auth.Credentials.
func (s *security) Credential(mechanism, user string) (auth.Credential, bool) {
	key := credentialKey(mechanism, user)
	if c, ok := s.static[key]; ok {
		return c, true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.users[key]
	return c, ok
}

// CheckPassword implements auth.Passwords: PLAIN knows the users of Security.Users and those who have SCRAM credentials.
func (s *security) CheckPassword(user, password string) bool {
	if want, ok := s.b.opts.Security.Users[user]; ok {
		a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(password))
		return subtle.ConstantTimeCompare(a[:], b[:]) == 1
	}
	s.deriving <- struct{}{}
	defer func() { <-s.deriving }()
	for _, m := range []string{auth.ScramSHA256, auth.ScramSHA512} {
		if c, ok := s.Credential(m, user); ok {
			return c.CheckPassword(m, password)
		}
	}
	auth.CheckNobody(password) // a user who is not there takes as long as one who is
	return false
}

// exchange begins an authentication by one of the listener's mechanisms.
func (s *security) exchange(mechanism string) auth.Exchange {
	switch mechanism {
	case auth.Plain:
		return auth.NewPlain(s)
	case auth.OAuthBearer:
		return auth.NewOAuthBearer(s.tokens)
	}
	return auth.NewScram(mechanism, s)
}
