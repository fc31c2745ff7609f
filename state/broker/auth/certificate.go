package auth

import (
	"fmt"
	"regexp"
	"strings"
)

// CertificateNames turns the subject of a client's certificate into a user by rules in the form of Kafka's
// ssl.principal.mapping.rules: a list of RULE:pattern/replacement/ with L or U behind for lower or upper case, and DEFAULT, which
// takes the whole subject. The first rule whose pattern matches the whole subject wins. The zero value is DEFAULT alone.
type CertificateNames struct {
	rules []certificateRule
}

type certificateRule struct {
	pattern     *regexp.Regexp // nil: DEFAULT
	replacement string         // in the syntax of regexp.Expand
	fold        byte           // 'L', 'U' or 0
}

// groupReference is $1 as Java writes it; Go would take $1x for a group named 1x.
var groupReference = regexp.MustCompile(`\$(\d+)`)

// ParseCertificateNames reads a list of rules. "" is DEFAULT.
func ParseCertificateNames(s string) (*CertificateNames, error) {
	c := &CertificateNames{}
	for rest := strings.TrimSpace(s); rest != ""; {
		var r certificateRule
		var err error
		if after, ok := strings.CutPrefix(rest, "DEFAULT"); ok {
			rest = after
		} else if after, ok := strings.CutPrefix(rest, "RULE:"); !ok {
			return nil, fmt.Errorf("%w: mapping rule at %q is neither RULE: nor DEFAULT", ErrInvalid, rest)
		} else if r, rest, err = parseCertificateRule(after); err != nil {
			return nil, err
		}
		c.rules = append(c.rules, r)
		rest = strings.TrimSpace(rest)
		if rest == "" {
			break
		}
		after, ok := strings.CutPrefix(rest, ",")
		if !ok {
			return nil, fmt.Errorf("%w: mapping rules need a comma at %q", ErrInvalid, rest)
		}
		rest = strings.TrimSpace(after)
	}
	return c, nil
}

// parseCertificateRule reads pattern/replacement/[LU] and returns what follows.
func parseCertificateRule(s string) (r certificateRule, rest string, err error) {
	pattern, s, ok1 := cutUnescaped(s)
	replacement, s, ok2 := cutUnescaped(s)
	if !ok1 || !ok2 {
		return r, "", fmt.Errorf("%w: mapping rule is not RULE:pattern/replacement/", ErrInvalid)
	}
	if r.pattern, err = regexp.Compile(`^(?:` + pattern + `)$`); err != nil {
		return r, "", fmt.Errorf("%w: mapping rule: %w", ErrInvalid, err)
	}
	r.replacement = groupReference.ReplaceAllString(replacement, "$${$1}")
	if s != "" && (s[0] == 'L' || s[0] == 'U') {
		r.fold, s = s[0], s[1:]
	}
	return r, s, nil
}

// cutUnescaped cuts at the first slash without a backslash before it; \/ becomes /.
func cutUnescaped(s string) (before, after string, found bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			if s[i+1] != '/' {
				b.WriteByte('\\')
			}
			i++
			b.WriteByte(s[i])
		case s[i] == '/':
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// Principal names the user of a certificate by its subject in the form of RFC 2253, e.g. "CN=ann,O=Shop".
func (c *CertificateNames) Principal(subject string) (Principal, error) {
	if c == nil || len(c.rules) == 0 {
		return User(subject), nil
	}
	for i := range c.rules {
		r := &c.rules[i]
		if r.pattern == nil {
			return User(subject), nil
		}
		m := r.pattern.FindStringSubmatchIndex(subject)
		if m == nil {
			continue
		}
		name := string(r.pattern.ExpandString(nil, r.replacement, subject, m))
		switch r.fold {
		case 'L':
			name = strings.ToLower(name)
		case 'U':
			name = strings.ToUpper(name)
		}
		if name == "" {
			break
		}
		return User(name), nil
	}
	return "", fmt.Errorf("%w: no mapping rule names a user for certificate subject %q", ErrDenied, subject)
}
