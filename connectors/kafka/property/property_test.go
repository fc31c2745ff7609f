package property

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

func TestJaas(t *testing.T) {
	c := &connection{}
	err := applyJaas(c, `org.apache.kafka.common.security.plain.PlainLoginModule required username="al\"ice" password="p w";`)
	if err != nil || c.user != `al"ice` || c.pass != "p w" || c.mechanism != "PLAIN" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		set map[string]string
		bad string // the property to blame, "" for none
	}{
		"nothing":        {nil, ""},
		"plain":          {map[string]string{"security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN", "sasl.username": "u"}, ""},
		"protocol":       {map[string]string{"security.protocol": "http"}, "security.protocol"},
		"mechanism":      {map[string]string{"sasl.mechanisms": "GSSAPI"}, "sasl.mechanism"},
		"number":         {map[string]string{"fetch.min.bytes": "x"}, "fetch.min.bytes"},
		"no authorities": {map[string]string{"security.protocol": "SSL", "ssl.ca.location": "/nowhere"}, "ssl.ca.location"},
		"no token":       {map[string]string{"sasl.mechanism": "OAUTHBEARER"}, "sasl.mechanism"},
		"no client id":   {map[string]string{"sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url": "http://x"}, "sasl.oauthbearer.client.id"},
		"token":          {map[string]string{"sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.token": "a.b.c"}, ""},
	} {
		_, err := Options(func(name string) (string, bool) { v, ok := c.set[name]; return v, ok })
		var e *Error
		if (err == nil) != (c.bad == "") || (err != nil && (!errors.As(err, &e) || e.Name != c.bad)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTokens: a file is read each time, an endpoint is asked once in the life of its token.
func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	file := tokenSource{fixed: "file:" + path}
	for _, text := range []string{"one", "two"} {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if a, err := file.get(context.Background()); err != nil || a.Token != text {
			t.Errorf("%+v %v", a, err)
		}
	}
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		user, secret, _ := r.BasicAuth()
		if user != "me" || secret != "s3" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "kafka" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"access_token":"t%d","expires_in":3600}`, asked)
	}))
	defer srv.Close()
	ask := func(s tokenSource) (oauth.Auth, error) {
		s.cache = &tokenCache{}
		if _, err := s.get(context.Background()); err != nil {
			return oauth.Auth{}, err
		}
		return s.get(context.Background())
	}
	if a, err := ask(tokenSource{endpoint: srv.URL, clientID: "me", secret: "s3", scope: "kafka"}); err != nil || a.Token != "t1" || asked != 1 {
		t.Errorf("%+v %v after %d requests", a, err, asked)
	}
	if _, err := ask(tokenSource{endpoint: srv.URL, clientID: "me", secret: "wrong", scope: "kafka"}); err == nil {
		t.Error("a refusal gave a token")
	}
}
