package admin

import (
	"errors"
	"testing"
	"time"
)

func TestParsePosition(t *testing.T) {
	now := time.UnixMilli(10_000_000)
	for s, want := range map[string]Position{
		"start": {kind: atStart}, "earliest": {kind: atStart}, "end": {kind: atEnd}, "17": {atOffset, 17}, "0": {atOffset, 0}, "-10": {beforeEnd, 10},
		"@1700000000000": {atTime, 1_700_000_000_000}, "@1700000000": {atTime, 1_700_000_000_000}, "@1970-01-02": {atTime, 86_400_000},
		"@1970-01-01T00:00:01Z": {atTime, 1000}, "@1970-01-01 00:00:02": {atTime, 2000}, "@-1h": {atTime, 6_400_000},
	} {
		if got, err := ParsePosition(s, now); err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", s, got, err, want)
		}
	}
	for _, bad := range []string{"", "x", "@", "@1h", "@yesterday", "1.5", "99999999999999999999"} {
		if p, err := ParsePosition(bad, now); !errors.Is(err, ErrUsage) {
			t.Errorf("%q is %+v, %v", bad, p, err)
		}
	}
}
