package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
)

// Bounds of the iteration count, as Kafka has them: fewer are weak, more would let one client keep the machine busy.
const (
	MinIterations     = 4096
	MaxIterations     = 16384
	DefaultIterations = 8192
)

const (
	saltBytes    = 24
	maxSaltBytes = 256
)

// Credential is what a server keeps of a password (RFC 5802): enough to check a proof, not enough to make one.
type Credential struct {
	Salt       []byte `json:"salt"`
	Iterations int    `json:"iterations"`
	StoredKey  []byte `json:"stored_key"`
	ServerKey  []byte `json:"server_key"`
}

// scramHash is the hash function of a mechanism.
type scramHash struct {
	new  func() hash.Hash
	size int
}

var scramHashes = map[string]scramHash{
	ScramSHA256: {sha256.New, sha256.Size},
	ScramSHA512: {sha512.New, sha512.Size},
}

func (h scramHash) hmac(key, text []byte) []byte {
	m := hmac.New(h.new, key)
	m.Write(text)
	return m.Sum(nil)
}

func (h scramHash) sum(b []byte) []byte {
	x := h.new()
	x.Write(b)
	return x.Sum(nil)
}

// NewCredential derives a credential from a password with a fresh salt. iterations 0 takes the default.
func NewCredential(mechanism, password string, iterations int) (Credential, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails: the runtime stops the program instead
	if iterations == 0 {
		iterations = DefaultIterations
	}
	salted, err := saltPassword(mechanism, password, salt, iterations)
	if err != nil {
		return Credential{}, err
	}
	return SaltedCredential(mechanism, salted, salt, iterations)
}

func saltPassword(mechanism, password string, salt []byte, iterations int) ([]byte, error) {
	h, ok := scramHashes[mechanism]
	if !ok {
		return nil, fmt.Errorf("%w: mechanism %q", ErrInvalid, mechanism)
	}
	return pbkdf2.Key(h.new, password, salt, iterations, h.size)
}

// SaltedCredential makes a credential of a password that was salted and iterated elsewhere (AlterUserScramCredentials).
func SaltedCredential(mechanism string, salted, salt []byte, iterations int) (Credential, error) {
	h, ok := scramHashes[mechanism]
	switch {
	case !ok:
		return Credential{}, fmt.Errorf("%w: mechanism %q", ErrInvalid, mechanism)
	case len(salted) != h.size || len(salt) == 0 || len(salt) > maxSaltBytes:
		return Credential{}, fmt.Errorf("%w: salt of %d bytes, salted password of %d", ErrInvalid, len(salt), len(salted))
	case iterations < MinIterations || iterations > MaxIterations:
		return Credential{}, fmt.Errorf("%w: %d iterations, allowed are %d to %d", ErrInvalid, iterations, MinIterations, MaxIterations)
	}
	return Credential{
		Salt: salt, Iterations: iterations,
		StoredKey: h.sum(h.hmac(salted, []byte("Client Key"))),
		ServerKey: h.hmac(salted, []byte("Server Key")),
	}, nil
}

// CheckPassword reports whether the credential was made from the password. It takes milliseconds.
func (c *Credential) CheckPassword(mechanism, password string) bool {
	salted, err := saltPassword(mechanism, password, c.Salt, c.Iterations)
	if err != nil {
		return false
	}
	h := scramHashes[mechanism]
	return subtle.ConstantTimeCompare(h.sum(h.hmac(salted, []byte("Client Key"))), c.StoredKey) == 1
}

// CheckNobody takes the time of CheckPassword, for a user who is not there.
func CheckNobody(password string) {
	c := strangerCredential("")
	c.CheckPassword(ScramSHA256, password)
}
