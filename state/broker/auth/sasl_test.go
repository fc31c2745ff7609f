package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// store is a set of users in memory.
type store map[string]Credential

func (s store) Credential(mechanism, user string) (Credential, bool) {
	c, ok := s[mechanism+"/"+user]
	return c, ok
}

func (s store) CheckPassword(user, password string) bool {
	c, ok := s[ScramSHA256+"/"+user]
	return ok && c.CheckPassword(ScramSHA256, password)
}

// TestScramVector runs the example of RFC 7677 section 3.
func TestScramVector(t *testing.T) {
	salt, _ := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	salted, err := saltPassword(ScramSHA256, "pencil", salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	c, err := SaltedCredential(ScramSHA256, salted, salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	x := NewScram(ScramSHA256, store{ScramSHA256 + "/user": c}).(*scramExchange)
	x.nonce = func() string { return "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0" }
	for i, step := range []struct {
		in, out string
		done    bool
	}{
		{"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", false},
		{"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", true},
	} {
		out, done, err := x.Step([]byte(step.in))
		if err != nil || string(out) != step.out || done != step.done {
			t.Fatalf("step %d: %q, %v, %v", i, out, done, err)
		}
	}
	if x.Identity().Principal != "User:user" {
		t.Error(x.Identity())
	}
}

func TestScramRefuses(t *testing.T) {
	c, err := NewCredential(ScramSHA512, "secret", MinIterations)
	if err != nil {
		t.Fatal(err)
	}
	users := store{ScramSHA512 + "/ann": c}
	for _, first := range []string{"", "n", "n,,", "p=tls-unique,,n=ann,r=x", "n,,n=ann", "n,,n=,r=x", "n,,n=a=2,r=x", "n,,n=ann,r=", "n,a=bob,n=ann,r=x",
		"n,,m=1,n=ann,r=x", "n,b,n=ann,r=x", strings.Repeat("n", maxMessage+1)} {
		if _, done, err := NewScram(ScramSHA512, users).Step([]byte(first)); !errors.Is(err, ErrDenied) || done {
			t.Errorf("%.40q: %v", first, err)
		}
	}
	proof := base64.StdEncoding.EncodeToString(make([]byte, 64))
	for _, user := range []string{"ann", "nobody"} {
		for _, final := range []string{"", "c=biws,r=NONCE", "c=biws,r=NONCE,p=", "c=biws,r=NONCE,p=AAAA", "c=biws,r=other,p=" + proof, "c=eSws,r=NONCE,p=" + proof, "c=biws,r=NONCE,p=" + proof} {
			x := NewScram(ScramSHA512, users).(*scramExchange)
			if _, _, err := x.Step([]byte("n,,n=" + user + ",r=abc")); err != nil {
				t.Fatal(err)
			}
			if _, done, err := x.Step([]byte(strings.ReplaceAll(final, "NONCE", x.fullNonce))); !errors.Is(err, ErrDenied) || done {
				t.Errorf("%s %q: %v", user, final, err)
			}
		}
	}
	if a, b := strangerCredential("x"), strangerCredential("x"); string(a.Salt) != string(b.Salt) {
		t.Error("the salt of a stranger tells that there is no such user")
	}
}

func TestCredentialBounds(t *testing.T) {
	for _, n := range []int{1, MinIterations - 1, MaxIterations + 1} {
		if _, err := NewCredential(ScramSHA256, "p", n); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d iterations: %v", n, err)
		}
	}
	if _, err := NewCredential("MD5", "p", 0); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := SaltedCredential(ScramSHA256, make([]byte, 31), []byte("s"), 4096); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestPlain(t *testing.T) {
	c, _ := NewCredential(ScramSHA256, "secret", MinIterations)
	users := store{ScramSHA256 + "/ann": c}
	for message, ok := range map[string]bool{
		"\x00ann\x00secret": true, "ann\x00ann\x00secret": true, "bob\x00ann\x00secret": false, "\x00ann\x00wrong": false,
		"\x00bob\x00secret": false, "ann\x00secret": false, "\x00ann\x00": false, "\x00\x00secret": false, "\x00ann\x00secret\x00": false, "": false,
	} {
		x := NewPlain(users)
		if _, done, err := x.Step([]byte(message)); done != ok || (err == nil) != ok || ok && x.Identity().Principal != "User:ann" {
			t.Errorf("%q: %v, %v", message, done, err)
		}
	}
}

func TestCertificateNames(t *testing.T) {
	for _, c := range []struct{ rules, subject, want string }{
		{"", "CN=ann,O=Shop", "User:CN=ann,O=Shop"},
		{"DEFAULT", "CN=ann", "User:CN=ann"},
		{`RULE:^CN=(.*?),O=Shop.*$/$1/`, "CN=Ann,O=Shop,C=DE", "User:Ann"},
		{`RULE:^CN=(.*?),O=Shop.*$/$1x/L, DEFAULT`, "CN=Ann,O=Shop", "User:annx"},
		{`RULE:^CN=(.*?),OU=(.*?)$/$1@$2/U,RULE:^CN=(\w+).*/$1/,DEFAULT`, "CN=ann,OU=it", "User:ANN@IT"},
		{`RULE:^CN=(.*?),OU=(.*?)$/$1@$2/U,RULE:^CN=(\w+).*/$1/,DEFAULT`, "CN=ann,O=x", "User:ann"},
		{`RULE:^CN=a\/b$/c\/d/`, "CN=a/b", "User:c/d"},
		{`RULE:^CN=x$/y/`, "CN=ann", ""},
		{`RULE:^CN=.*$//`, "CN=ann", ""},
	} {
		n, err := ParseCertificateNames(c.rules)
		if err != nil {
			t.Errorf("%q: %v", c.rules, err)
			continue
		}
		if got, err := n.Principal(c.subject); string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q of %q: %q, %v", c.rules, c.subject, got, err)
		}
	}
	for _, bad := range []string{"x", "RULE:", "RULE:a/b", "RULE:(/b/", "DEFAULT DEFAULT", "DEFAULT,RULE"} {
		if _, err := ParseCertificateNames(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// issuer signs tokens in tests.
type issuer struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	set []byte
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	point, _ := e.PublicKey.Bytes()
	set, _ := json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": "r", "use": "sig", "n": b64(r.N.Bytes()), "e": b64(big.NewInt(int64(r.E)).Bytes())},
		{"kty": "EC", "kid": "e", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
		{"kty": "oct", "kid": "s"},
	}})
	return &issuer{r, e, set}
}

func (s *issuer) token(t testing.TB, alg, kid string, claims map[string]any) string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	head, _ := json.Marshal(map[string]string{"alg": alg, "kid": kid})
	body, _ := json.Marshal(claims)
	signed := b64(head) + "." + b64(body)
	digest := sha256.Sum256([]byte(signed))
	var sig []byte
	var err error
	switch alg {
	case algRS256:
		sig, err = rsa.SignPKCS1v15(rand.Reader, s.rsa, crypto.SHA256, digest[:])
	case algES256:
		var r, v *big.Int
		if r, v, err = ecdsa.Sign(rand.Reader, s.ec, digest[:]); err == nil {
			sig = append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + b64(sig)
}

func TestOAuthBearer(t *testing.T) {
	is := newIssuer(t)
	keys, err := ParseKeySet(is.set)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(10_000, 0)
	tokens := &Tokens{Keys: func() *KeySet { return keys }, Issuer: "https://login", Audience: "kafka", Scopes: []string{"stream"}, Now: func() time.Time { return now }}
	good := func(change ...any) map[string]any {
		c := map[string]any{"sub": "ann", "iss": "https://login", "aud": []string{"kafka", "x"}, "exp": 10_600, "scope": "stream other"}
		for i := 0; i < len(change); i += 2 {
			c[change[i].(string)] = change[i+1]
		}
		return c
	}
	for name, c := range map[string]struct {
		token string
		ok    bool
	}{
		"rsa":              {is.token(t, algRS256, "r", good()), true},
		"ecdsa":            {is.token(t, algES256, "e", good()), true},
		"no key id":        {is.token(t, algES256, "", good()), true},
		"unknown key id":   {is.token(t, algES256, "zz", good()), false},
		"wrong key":        {newIssuer(t).token(t, algRS256, "r", good()), false},
		"unsigned":         {is.token(t, algNone, "", good()), false},
		"other algorithm":  {is.token(t, "HS256", "r", good()), false},
		"expired":          {is.token(t, algRS256, "r", good("exp", 9_900)), false},
		"no expiry":        {is.token(t, algRS256, "r", good("exp", nil)), false},
		"not yet":          {is.token(t, algRS256, "r", good("nbf", 10_100)), false},
		"within the skew":  {is.token(t, algRS256, "r", good("exp", 9_990)), true},
		"other issuer":     {is.token(t, algRS256, "r", good("iss", "x")), false},
		"other audience":   {is.token(t, algRS256, "r", good("aud", "x")), false},
		"audience as text": {is.token(t, algRS256, "r", good("aud", "kafka")), true},
		"no scope":         {is.token(t, algRS256, "r", good("scope", "other")), false},
		"scope as list":    {is.token(t, algRS256, "r", good("scope", nil, "scp", []string{"stream"})), true},
		"no user":          {is.token(t, algRS256, "r", good("sub", "")), false},
		"two parts":        {"a.b", false},
		"rubbish":          {"!.!.!", false},
	} {
		x := NewOAuthBearer(tokens)
		out, done, err := x.Step([]byte("n,,\x01auth=Bearer " + c.token + "\x01host=h\x01\x01"))
		if err != nil || done != c.ok {
			t.Errorf("%s: %q, %v, %v", name, out, done, err)
			continue
		}
		if c.ok && x.Identity().Principal != "User:ann" {
			t.Errorf("%s: %+v", name, x.Identity())
		}
		if !c.ok {
			if _, done, err := x.Step([]byte{1}); !errors.Is(err, ErrDenied) || done || !strings.Contains(string(out), "invalid_token") {
				t.Errorf("%s: %q, then %v", name, out, err)
			}
		}
	}
	tokens.AllowUnsecured = true
	token := is.token(t, algNone, "", good())
	for message, ok := range map[string]bool{
		"n,,\x01auth=Bearer " + token + "\x01\x01":           true,
		"n,a=ann,\x01auth=bearer " + token + "\x01\x01":      true,
		"n,a=bob,\x01auth=Bearer " + token + "\x01\x01":      false,
		"n,,\x01auth=Basic " + token + "\x01\x01":            false,
		"n,,\x01auth=Bearer " + token + "\x01":               false,
		"p=x,,\x01auth=Bearer " + token + "\x01\x01":         false,
		"n,,\x01host=h\x01\x01":                              false,
		"n,,\x01auth=Bearer " + token + "\x01broken\x01\x01": false,
		"": false,
	} {
		if _, done, _ := NewOAuthBearer(tokens).Step([]byte(message)); done != ok {
			t.Errorf("%.60q: %v", message, done)
		}
	}
}

func TestKeySetRefuses(t *testing.T) {
	for _, bad := range []string{"", "{}", `{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}`, `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`,
		fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","x":%q,"y":%q}]}`, strings.Repeat("A", 43), strings.Repeat("A", 43))} {
		if _, err := ParseKeySet([]byte(bad)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzMechanisms feeds every mechanism two messages of a hostile client.
func FuzzMechanisms(f *testing.F) {
	c, _ := NewCredential(ScramSHA256, "secret", MinIterations)
	users := store{ScramSHA256 + "/ann": c}
	is := newIssuer(f)
	keys, _ := ParseKeySet(is.set)
	tokens := &Tokens{Keys: func() *KeySet { return keys }, Now: func() time.Time { return time.Unix(0, 0) }}
	f.Add([]byte("n,,n=ann,r=abc"), []byte("c=biws,r=abc,p=AAAA"))
	f.Add([]byte("\x00ann\x00wrong"), []byte{})
	f.Add([]byte("n,,\x01auth=Bearer "+is.token(f, algES256, "e", map[string]any{"sub": "ann"})+"\x01\x01"), []byte{1})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, x := range []Exchange{NewPlain(users), NewScram(ScramSHA256, users), NewOAuthBearer(tokens)} {
			_, done, err := x.Step(first)
			if !done && err == nil {
				_, done, _ = x.Step(second)
			}
			if done {
				t.Fatalf("%T let in %q %q as %s", x, first, second, x.Identity().Principal)
			}
		}
		ParseKeySet(first)
		ParseCertificateNames(string(first))
	})
}
