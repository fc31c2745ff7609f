package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
)

// Limits of a key set.
const (
	maxKeys    = 100
	minRSABits = 2048
	maxRSABits = 8192
)

// KeySet holds the public keys that sign tokens, by key id.
type KeySet struct {
	keys []signingKey
}

// signingKey is one key and the algorithm it may be used with.
type signingKey struct {
	id        string
	algorithm string
	public    crypto.PublicKey
}

// jwk is a key as RFC 7517 writes it.
type jwk struct {
	Kty, Kid, Use, Alg, Crv, N, E, X, Y string
}

// ParseKeySet reads a JSON Web Key Set (RFC 7517). Keys of other kinds than RSA and P-256, and keys for encryption, are passed over.
func ParseKeySet(data []byte) (*KeySet, error) {
	var doc struct{ Keys []jwk }
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: key set: %w", ErrInvalid, err)
	}
	if len(doc.Keys) > maxKeys {
		return nil, fmt.Errorf("%w: key set has %d keys, limit %d", ErrInvalid, len(doc.Keys), maxKeys)
	}
	s := &KeySet{}
	for i := range doc.Keys {
		k := &doc.Keys[i]
		if k.Use != "" && k.Use != "sig" {
			continue
		}
		var err error
		sk := signingKey{id: k.Kid}
		switch {
		case k.Kty == "RSA" && (k.Alg == "" || k.Alg == algRS256):
			sk.algorithm = algRS256
			sk.public, err = rsaKey(k)
		case k.Kty == "EC" && k.Crv == "P-256":
			sk.algorithm = algES256
			sk.public, err = ecKey(k)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: key %q: %w", ErrInvalid, k.Kid, err)
		}
		s.keys = append(s.keys, sk)
	}
	if len(s.keys) == 0 {
		return nil, fmt.Errorf("%w: key set has no key for %s or %s", ErrInvalid, algRS256, algES256)
	}
	return s, nil
}

func rsaKey(k *jwk) (*rsa.PublicKey, error) {
	n, err1 := base64.RawURLEncoding.DecodeString(k.N)
	e, err2 := base64.RawURLEncoding.DecodeString(k.E)
	if err1 != nil || err2 != nil || len(e) == 0 || len(e) > 4 {
		return nil, fmt.Errorf("modulus or exponent is malformed")
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits || key.E < 3 || key.E%2 == 0 {
		return nil, fmt.Errorf("modulus of %d bits, allowed are %d to %d", bits, minRSABits, maxRSABits)
	}
	return key, nil
}

func ecKey(k *jwk) (*ecdsa.PublicKey, error) {
	x, err1 := base64.RawURLEncoding.DecodeString(k.X)
	y, err2 := base64.RawURLEncoding.DecodeString(k.Y)
	if err1 != nil || err2 != nil || len(x) != 32 || len(y) != 32 {
		return nil, fmt.Errorf("coordinates are malformed")
	}
	point := append(append([]byte{4}, x...), y...)
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}
