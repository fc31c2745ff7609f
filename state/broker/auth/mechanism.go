package auth

import (
	"errors"
	"time"
)

// Names of the mechanisms as SaslHandshake lists them.
const (
	Plain       = "PLAIN"
	ScramSHA256 = "SCRAM-SHA-256"
	ScramSHA512 = "SCRAM-SHA-512"
	OAuthBearer = "OAUTHBEARER"
)

// ErrDenied: the client did not prove who it is. The text behind it is for the log; the client learns no details.
var ErrDenied = errors.New("authentication failed")

// maxMessage bounds one message of a client; tokens may be long, everything else is short.
const maxMessage = 64 << 10

// Exchange is the server's side of one authentication. Step is called with each message of the client, in order, and returns the
// answer. After an error, or when it reports done, it must not be called again. An Exchange is for one goroutine.
type Exchange interface {
	Step(message []byte) (answer []byte, done bool, err error)
	// Identity is valid after Step reported done.
	Identity() Identity
}

// Identity is the outcome of an authentication.
type Identity struct {
	Principal Principal
	Expires   time.Time // when the proof ends by itself, e.g. that of a token; zero: never
}

// Passwords knows the users of PLAIN.
type Passwords interface {
	// CheckPassword reports whether the password is the user's.
	CheckPassword(user, password string) bool
}

// Credentials knows the users of SCRAM.
type Credentials interface {
	// Credential is what is stored for a user and a mechanism.
	Credential(mechanism, user string) (Credential, bool)
}
