package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Algorithms of signatures (RFC 7518).
const (
	algRS256 = "RS256"
	algES256 = "ES256"
	algNone  = "none"
)

const (
	defaultPrincipalClaim = "sub"
	defaultClockSkew      = 30 * time.Second
)

// Tokens says which tokens are good. Keys or AllowUnsecured is required.
type Tokens struct {
	// Keys returns the keys in force.
	Keys func() *KeySet
	// Issuer and Audience, if set, must be in the token.
	Issuer, Audience string
	// PrincipalClaim is the claim with the user's name. Default "sub".
	PrincipalClaim string
	// Scopes must all be in the token's claim "scope" or "scp".
	Scopes []string
	// ClockSkew is by how much the issuer's clock may differ. Default 30 s.
	ClockSkew time.Duration
	// AllowUnsecured accepts tokens without a signature: anybody can be anyone. For tests only.
	AllowUnsecured bool
	// Now is the clock.
	Now func() time.Time
}

// claims are the parts of a token looked at. Times are seconds.
type claims struct {
	all      map[string]json.RawMessage
	Issuer   string          `json:"iss"`
	Audience json.RawMessage `json:"aud"`
	Expires  *float64        `json:"exp"`
	NotUntil *float64        `json:"nbf"`
	Scope    json.RawMessage `json:"scope"`
	Scp      json.RawMessage `json:"scp"`
}

// Check verifies a token (RFC 7519 in its compact form) and returns whose it is.
func (t *Tokens) Check(token string) (Identity, error) {
	head, rest, ok1 := strings.Cut(token, ".")
	body, sig, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || strings.Contains(sig, ".") {
		return Identity{}, errors.New("token has not three parts")
	}
	var header struct {
		Alg, Kid string
		Crit     []string
	}
	if err := decodePart(head, &header); err != nil {
		return Identity{}, fmt.Errorf("reading token header: %w", err)
	}
	if len(header.Crit) > 0 {
		return Identity{}, fmt.Errorf("token demands extensions %q", header.Crit)
	}
	signature, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil {
		return Identity{}, fmt.Errorf("reading signature: %w", err)
	}
	if err := t.checkSignature(header.Alg, header.Kid, head+"."+body, signature); err != nil {
		return Identity{}, err
	}
	var c claims
	if err := errors.Join(decodePart(body, &c), decodePart(body, &c.all)); err != nil {
		return Identity{}, fmt.Errorf("reading claims: %w", err)
	}
	return t.checkClaims(&c)
}

func decodePart(part string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

func (t *Tokens) checkSignature(alg, kid, signed string, signature []byte) error {
	if alg == algNone {
		if !t.AllowUnsecured || len(signature) > 0 {
			return errors.New("token is not signed")
		}
		return nil
	}
	if alg != algRS256 && alg != algES256 {
		return fmt.Errorf("algorithm %q, allowed are %s and %s", alg, algRS256, algES256)
	}
	if t.Keys == nil {
		return errors.New("no keys to check signatures with")
	}
	digest := sha256.Sum256([]byte(signed))
	for _, k := range t.Keys().keys {
		if k.algorithm == alg && (kid == "" || k.id == "" || k.id == kid) && k.verify(digest[:], signature) {
			return nil
		}
	}
	return fmt.Errorf("no key verifies the signature (algorithm %s, key id %q)", alg, kid)
}

func (k *signingKey) verify(digest, signature []byte) bool {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature) == nil
	case *ecdsa.PublicKey:
		if len(signature) != 64 { // r and s, 32 bytes each
			return false
		}
		return ecdsa.Verify(public, digest, new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	return false
}

func (t *Tokens) checkClaims(c *claims) (Identity, error) {
	skew := t.ClockSkew
	if skew == 0 {
		skew = defaultClockSkew
	}
	now := t.Now()
	if c.Expires == nil {
		return Identity{}, errors.New("token has no end (exp)")
	}
	expires := numericDate(*c.Expires)
	switch {
	case !now.Before(expires.Add(skew)):
		return Identity{}, fmt.Errorf("token expired at %s", expires.UTC().Format(time.RFC3339))
	case c.NotUntil != nil && now.Add(skew).Before(numericDate(*c.NotUntil)):
		return Identity{}, errors.New("token is not valid yet (nbf)")
	case t.Issuer != "" && c.Issuer != t.Issuer:
		return Identity{}, fmt.Errorf("token is by issuer %q", c.Issuer)
	case t.Audience != "" && !slices.Contains(stringList(c.Audience, false), t.Audience):
		return Identity{}, errors.New("token is for another audience (aud)")
	}
	scopes := append(stringList(c.Scope, true), stringList(c.Scp, true)...)
	for _, s := range t.Scopes {
		if !slices.Contains(scopes, s) {
			return Identity{}, fmt.Errorf("token lacks scope %q", s)
		}
	}
	claim := t.PrincipalClaim
	if claim == "" {
		claim = defaultPrincipalClaim
	}
	var name string
	if err := json.Unmarshal(c.all[claim], &name); err != nil || name == "" {
		return Identity{}, fmt.Errorf("token does not name its user: no text in claim %q", claim)
	}
	return Identity{Principal: User(name), Expires: expires}, nil
}

// numericDate converts seconds since 1970, cutting off what no clock will ever show.
func numericDate(seconds float64) time.Time {
	const year9999 = 253402300799
	return time.Unix(int64(math.Min(math.Max(seconds, 0), year9999)), 0)
}

// stringList reads a claim that is a text or a list of texts; split cuts a text at spaces.
func stringList(raw json.RawMessage, split bool) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		if split {
			return strings.Fields(one)
		}
		return []string{one}
	}
	var many []string
	_ = json.Unmarshal(raw, &many) // anything else holds nothing
	return many
}
