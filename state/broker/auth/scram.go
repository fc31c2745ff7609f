package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
)

// scramExchange is the server of RFC 5802 without channel binding:
//
//	client  n,,n=USER,r=NONCE
//	server  r=NONCE+OURS,s=SALT,i=ITERATIONS
//	client  c=biws,r=NONCE+OURS,p=PROOF
//	server  v=SIGNATURE
//
// A user nobody knows gets a made-up salt and fails at the end, so that the answers do not tell which users exist.
type scramExchange struct {
	mechanism string
	hash      scramHash
	users     Credentials
	nonce     func() string // ours; tests fix it

	started     bool
	user        string
	known       bool
	credential  Credential
	header      string // gs2 header, which the last message repeats
	firstBare   string
	serverFirst string
	fullNonce   string
	id          Identity
}

// NewScram begins a SCRAM authentication by one of the two mechanisms.
func NewScram(mechanism string, users Credentials) Exchange {
	return &scramExchange{mechanism: mechanism, hash: scramHashes[mechanism], users: users, nonce: freshNonce}
}

func freshNonce() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawStdEncoding.EncodeToString(b[:])
}

func (x *scramExchange) Identity() Identity { return x.id }

func (x *scramExchange) Step(message []byte) ([]byte, bool, error) {
	if len(message) > maxMessage {
		return nil, false, fmt.Errorf("%w: message of %s is too long", ErrDenied, x.mechanism)
	}
	if !x.started {
		x.started = true
		answer, err := x.first(string(message))
		return answer, false, err
	}
	answer, err := x.final(string(message))
	return answer, err == nil, err
}

func (x *scramExchange) malformed(what string) error {
	return fmt.Errorf("%w: %s of %s is malformed", ErrDenied, what, x.mechanism)
}

// first reads client-first-message and answers with salt and nonce.
func (x *scramExchange) first(m string) ([]byte, error) {
	bind, rest, ok1 := strings.Cut(m, ",")
	as, bare, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 || (bind != "n" && bind != "y") || (as != "" && !strings.HasPrefix(as, "a=")) {
		return nil, x.malformed("first message")
	}
	x.header, x.firstBare = m[:len(m)-len(bare)], bare
	attrs := strings.Split(bare, ",")
	if len(attrs) < 2 || !strings.HasPrefix(attrs[0], "n=") || !strings.HasPrefix(attrs[1], "r=") || len(attrs[1]) == 2 {
		return nil, x.malformed("first message") // also one with the mandatory extension m=
	}
	user, ok := unescapeName(attrs[0][2:])
	if !ok || user == "" {
		return nil, x.malformed("user name")
	}
	if a, ok := unescapeName(strings.TrimPrefix(as, "a=")); !ok || (a != "" && a != user) {
		return nil, fmt.Errorf("%w: user %q may not act as another", ErrDenied, user)
	}
	x.user = user
	if x.credential, x.known = x.users.Credential(x.mechanism, user); !x.known {
		x.credential = strangerCredential(user)
	}
	x.fullNonce = attrs[1][2:] + x.nonce()
	x.serverFirst = fmt.Sprintf("r=%s,s=%s,i=%d", x.fullNonce, base64.StdEncoding.EncodeToString(x.credential.Salt), x.credential.Iterations)
	return []byte(x.serverFirst), nil
}

// final reads client-final-message, checks the proof and answers with ours.
func (x *scramExchange) final(m string) ([]byte, error) {
	at := strings.LastIndex(m, ",p=")
	if at < 0 {
		return nil, x.malformed("last message")
	}
	without := m[:at]
	proof, err := base64.StdEncoding.DecodeString(m[at+3:])
	if err != nil || len(proof) != x.hash.size {
		return nil, x.malformed("proof")
	}
	attrs := strings.Split(without, ",")
	if len(attrs) < 2 || attrs[0] != "c="+base64.StdEncoding.EncodeToString([]byte(x.header)) || !strings.HasPrefix(attrs[1], "r=") ||
		!strings.HasSuffix(attrs[1], x.fullNonce) { // librdkafka before 2.6 puts its own nonce in front once more; the proof covers it
		return nil, x.malformed("last message")
	}
	signed := []byte(x.firstBare + "," + x.serverFirst + "," + without)
	signature := x.hash.hmac(x.credential.StoredKey, signed)
	clientKey := make([]byte, len(proof))
	subtle.XORBytes(clientKey, proof, signature)
	if subtle.ConstantTimeCompare(x.hash.sum(clientKey), x.credential.StoredKey) != 1 || !x.known {
		return nil, fmt.Errorf("%w: wrong user or password for %q", ErrDenied, x.user)
	}
	x.id.Principal = User(x.user)
	return []byte("v=" + base64.StdEncoding.EncodeToString(x.hash.hmac(x.credential.ServerKey, signed))), nil
}

// unescapeName undoes =2C for a comma and =3D for an equals sign; any other use of = is an error.
func unescapeName(s string) (string, bool) {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(s, "=")
		b.WriteString(plain)
		if !found {
			return b.String(), true
		}
		switch {
		case strings.HasPrefix(rest, "2C"):
			b.WriteByte(',')
		case strings.HasPrefix(rest, "3D"):
			b.WriteByte('=')
		default:
			return "", false
		}
		s = rest[2:]
	}
}

// strangerSecret makes the salts of users nobody knows the same each time, as those of real ones are.
var strangerSecret = func() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}()

func strangerCredential(user string) Credential {
	h := scramHash{sha256.New, sha256.Size}
	return Credential{Salt: bytes.Clone(h.hmac(strangerSecret, []byte(user))[:saltBytes]), Iterations: DefaultIterations}
}
