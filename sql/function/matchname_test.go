package function

import (
	"strings"
	"testing"
)

func TestMatchName(t *testing.T) {
	for _, x := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "x", true}, {"%", "", true}, {"a%", "abc", true}, {"%b%", "abc", true}, {"a_c", "ABC", true}, {"a_c", "ac", false},
		{`a\_c`, "abc", false}, {`a\_c`, "a_c", true}, {"%a%a%", "xaxxax", true}, {"%a%b", "aab", true}, {"a", "ab", false},
		{strings.Repeat("%a", 30) + "b", strings.Repeat("a", 200), false},
	} {
		if got := MatchName(x.pattern, x.name); got != x.want {
			t.Errorf("%q LIKE %q = %v", x.name, x.pattern, got)
		}
	}
}
