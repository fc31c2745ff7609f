package auth

import (
	"fmt"
	"strings"
)

// bearerExchange is RFC 7628: n,[a=AS],\x01auth=Bearer TOKEN\x01[key=value\x01]…\x01. A token that is refused is answered with a JSON
// text; the client acknowledges it with one \x01 byte and only then the authentication fails.
type bearerExchange struct {
	tokens *Tokens
	refuse error // told to the client, failure is due
	id     Identity
}

// NewOAuthBearer begins an OAUTHBEARER authentication.
func NewOAuthBearer(t *Tokens) Exchange { return &bearerExchange{tokens: t} }

func (x *bearerExchange) Identity() Identity { return x.id }

func (x *bearerExchange) Step(message []byte) ([]byte, bool, error) {
	if x.refuse != nil {
		return nil, false, x.refuse
	}
	if len(message) > maxMessage {
		return nil, false, fmt.Errorf("%w: message of %s is too long", ErrDenied, OAuthBearer)
	}
	as, token, ok := parseBearer(string(message))
	if !ok {
		return nil, false, fmt.Errorf("%w: message of %s is malformed", ErrDenied, OAuthBearer)
	}
	id, err := x.tokens.Check(token)
	if err == nil && as != "" && User(as) != id.Principal {
		err = fmt.Errorf("user %q may not act as %q", id.Principal.Name(), as)
	}
	if err != nil {
		x.refuse = fmt.Errorf("%w: %w", ErrDenied, err)
		return []byte(`{"status":"invalid_token"}`), false, nil
	}
	x.id = id
	return []byte{}, true, nil
}

func parseBearer(m string) (as, token string, ok bool) {
	head, rest, found := strings.Cut(m, "\x01")
	if !found || !strings.HasSuffix(rest, "\x01\x01") {
		return "", "", false
	}
	bind, a, found := strings.Cut(head, ",")
	a, end, found2 := strings.Cut(a, ",")
	if !found || !found2 || end != "" || (bind != "n" && bind != "y") {
		return "", "", false
	}
	if as, ok = unescapeName(strings.TrimPrefix(a, "a=")); !ok || (a != "" && !strings.HasPrefix(a, "a=")) {
		return "", "", false
	}
	for _, pair := range strings.Split(strings.TrimSuffix(rest, "\x01\x01"), "\x01") {
		key, value, found := strings.Cut(pair, "=")
		if !found {
			return "", "", false
		}
		if key == "auth" {
			scheme, t, _ := strings.Cut(value, " ")
			if !strings.EqualFold(scheme, "bearer") {
				return "", "", false
			}
			token = strings.TrimSpace(t)
		}
	}
	return as, token, token != ""
}
