package property

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

// Limits of asking a token endpoint.
const (
	tokenTimeout  = 10 * time.Second
	maxTokenBytes = 1 << 20
	// tokenReuse is the part of its life for which a token is used again.
	tokenReuse = 0.8
)

// tokenSource gives tokens for OAUTHBEARER: a fixed one, one from a file, or from an endpoint by client credentials (RFC 6749
// section 4.4).
type tokenSource struct {
	fixed                             string
	endpoint, clientID, secret, scope string

	cache *tokenCache
}

// tokenCache is the token got last.
type tokenCache struct {
	mu    sync.Mutex
	token string    // guarded by mu
	until time.Time // guarded by mu; good for use until then
}

func (s *tokenSource) check() error {
	s.cache = &tokenCache{}
	switch {
	case s.fixed != "":
	case s.endpoint == "":
		return bad("sasl.mechanism", "OAUTHBEARER needs sasl.oauthbearer.token or sasl.oauthbearer.token.endpoint.url")
	case s.clientID == "":
		return bad("sasl.oauthbearer.client.id", "is missing")
	}
	return nil
}

func (s *tokenSource) get(ctx context.Context) (oauth.Auth, error) {
	if path, ok := strings.CutPrefix(s.fixed, "file:"); ok {
		text, err := os.ReadFile(path)
		if err != nil {
			return oauth.Auth{}, fmt.Errorf("reading token: %w", err)
		}
		return oauth.Auth{Token: strings.TrimSpace(string(text))}, nil
	}
	if s.fixed != "" {
		return oauth.Auth{Token: s.fixed}, nil
	}
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	now := time.Now()
	if now.Before(s.cache.until) {
		return oauth.Auth{Token: s.cache.token}, nil
	}
	token, life, err := s.ask(ctx)
	if err != nil {
		return oauth.Auth{}, fmt.Errorf("getting token from %s: %w", s.endpoint, err)
	}
	s.cache.token, s.cache.until = token, now.Add(time.Duration(float64(life)*tokenReuse))
	return oauth.Auth{Token: token}, nil
}

func (s *tokenSource) ask(ctx context.Context) (token string, life time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	form := url.Values{"grant_type": {"client_credentials"}}
	if s.scope != "" {
		form.Set("scope", s.scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(s.clientID), url.QueryEscape(s.secret))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenBytes))
	if err != nil {
		return "", 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("status %s", resp.Status)
	}
	var answer struct {
		Token   string  `json:"access_token"`
		Expires float64 `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Token == "" {
		return "", 0, fmt.Errorf("the answer holds no access_token")
	}
	return answer.Token, time.Duration(answer.Expires * float64(time.Second)), nil
}
