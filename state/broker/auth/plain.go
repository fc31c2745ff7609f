package auth

import (
	"bytes"
	"fmt"
)

// plainExchange is RFC 4616: one message, [authorization id] NUL user NUL password.
type plainExchange struct {
	users Passwords
	id    Identity
}

// NewPlain begins a PLAIN authentication.
func NewPlain(users Passwords) Exchange { return &plainExchange{users: users} }

func (x *plainExchange) Identity() Identity { return x.id }

func (x *plainExchange) Step(message []byte) ([]byte, bool, error) {
	parts := bytes.Split(message, []byte{0})
	if len(message) > maxMessage || len(parts) != 3 || len(parts[1]) == 0 {
		return nil, false, fmt.Errorf("%w: message of %s is malformed", ErrDenied, Plain)
	}
	as, user, password := string(parts[0]), string(parts[1]), string(parts[2])
	if as != "" && as != user {
		return nil, false, fmt.Errorf("%w: user %q may not act as %q", ErrDenied, user, as)
	}
	if password == "" || !x.users.CheckPassword(user, password) {
		return nil, false, fmt.Errorf("%w: wrong user or password for %q", ErrDenied, user)
	}
	x.id.Principal = User(user)
	return []byte{}, true, nil
}
