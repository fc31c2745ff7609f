package auth

import (
	"fmt"
	"strings"
)

// Principal is a user as rules name it: "User:" and a name.
type Principal string

const (
	// Anonymous is a client that did not have to say who it is.
	Anonymous Principal = "User:ANONYMOUS"
	// everybody matches any user in a rule.
	everybody Principal = "User:*"

	userPrefix = "User:"
)

// User is the principal of a user name.
func User(name string) Principal { return Principal(userPrefix + name) }

// Name is the name without the type.
func (p Principal) Name() string {
	_, name, _ := strings.Cut(string(p), ":")
	return name
}

// ParsePrincipal reads "User:name". There are no other types.
func ParsePrincipal(s string) (Principal, error) {
	if name, ok := strings.CutPrefix(s, userPrefix); !ok || name == "" {
		return "", fmt.Errorf("%w: %q is not User:name", ErrInvalid, s)
	}
	return Principal(s), nil
}
