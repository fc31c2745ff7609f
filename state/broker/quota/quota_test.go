package quota

import (
	"errors"
	"math"
	"testing"
	"time"
)

var t0 = time.Unix(1000, 0)

func limit(k Kind, v float64) (l Limits) {
	l[k] = v
	return l
}

// TestPrecedence: the order of KIP-55, from the most special to the least.
func TestPrecedence(t *testing.T) {
	order := []Entity{
		{User: Named("u"), Client: Named("c")}, {User: Named("u"), Client: Others()}, {User: Named("u")},
		{User: Others(), Client: Named("c")}, {User: Others(), Client: Others()}, {User: Others()},
		{Client: Named("c")}, {Client: Others()},
	}
	for first := range order {
		all := map[Entity]Limits{}
		for i := first; i < len(order); i++ {
			all[order[i]] = limit(Produce, float64(i+1))
		}
		all[Entity{User: Named("u"), Client: Named("other")}] = limit(Produce, 99)
		all[order[0]] = Limits{Fetch: 7, Produce: all[order[0]][Produce]} // a limit of another kind hides nothing
		rate, _, ok := newTable(all).find(Produce, who{user: "u", client: "c"})
		if !ok || rate != float64(first+1) {
			t.Errorf("first entity %d: rate %v, %v", first, rate, ok)
		}
	}
}

func TestWhoSharesABucket(t *testing.T) {
	l := NewLimiter()
	l.Set(map[Entity]Limits{{User: Others()}: limit(Produce, 10), {Client: Named("c")}: limit(Fetch, 10)})
	if l.Charge(t0, Produce, "a", "x", 150) == 0 {
		t.Error("over the limit, not held back")
	}
	if l.Charge(t0, Produce, "a", "y", 1) == 0 {
		t.Error("another client of the user has a limit of its own")
	}
	if l.Charge(t0, Produce, "b", "x", 1) != 0 {
		t.Error("another user shares the default's bucket")
	}
	l.Charge(t0, Fetch, "a", "c", 150)
	if l.Charge(t0, Fetch, "b", "c", 1) == 0 {
		t.Error("the client's limit depends on the user")
	}
	if l.Charge(t0, Fetch, "b", "d", 1e9) != 0 || l.Charge(t0, Request, "a", "c", 1e9) != 0 {
		t.Error("held back without a limit")
	}
}

func TestThrottleTime(t *testing.T) {
	l := NewLimiter()
	l.Set(map[Entity]Limits{{User: Named("u")}: {Produce: 1000, Request: 50}})
	for i, step := range []struct {
		after  time.Duration
		amount float64
		want   time.Duration
	}{{0, 10_000, 0}, {0, 500, 500 * time.Millisecond}, {time.Second, 500, 0}, {time.Hour, 12_000, 2 * time.Second}} {
		t0 = t0.Add(step.after)
		if got := l.Charge(t0, Produce, "u", "c", step.amount); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	if got := l.Charge(t0, Request, "u", "c", 100); got != maxRequestThrottle {
		t.Errorf("request time: held back %v", got)
	}
	if burst, ok := l.Burst(Produce, "u", "c"); !ok || burst != 10_000 {
		t.Error(burst, ok)
	}
	l.Set(nil)
	if l.Charge(t0, Produce, "u", "c", 1e12) != 0 {
		t.Error("a removed limit still holds")
	}
}

// TestAverageRate: whatever the pattern, nobody gets more than the rate and one window.
func TestAverageRate(t *testing.T) {
	l := NewLimiter()
	l.Set(map[Entity]Limits{{Client: Others()}: limit(Fetch, 100)})
	now, sent := t0, 0.0
	for now.Before(t0.Add(1000 * time.Second)) {
		sent += 70
		now = now.Add(l.Charge(now, Fetch, "", "c", 70) + time.Millisecond)
	}
	if sent > 100*(1000+Window)+70 || sent < 100*1000 {
		t.Errorf("sent %v in 1000 s at 100/s", sent)
	}
}

func TestConnections(t *testing.T) {
	l := NewLimiter()
	l.Set(map[Entity]Limits{{IP: Named("1.2.3.4")}: limit(Connect, 1), {IP: Others()}: limit(Connect, 100)})
	for range Window {
		if l.ChargeConnection(t0, "1.2.3.4") != 0 {
			t.Fatal("within the limit")
		}
	}
	if l.ChargeConnection(t0, "1.2.3.4") != time.Second || l.ChargeConnection(t0, "5.6.7.8") != 0 {
		t.Error("limit per address")
	}
}

func TestCheck(t *testing.T) {
	for i, e := range []Entity{{}, {IP: Named("x"), User: Named("y")}, {User: Named("")}} {
		if err := e.Check(); !errors.Is(err, ErrInvalid) {
			t.Errorf("case %d: %v", i, err)
		}
	}
	u := Entity{User: Named("u")}
	for _, v := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if err := u.CheckLimit(Produce, v); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: %v", v, err)
		}
	}
	if u.CheckLimit(Connect, 1) == nil || (Entity{IP: Others()}).CheckLimit(Produce, 1) == nil || u.CheckLimit(Request, 200) != nil {
		t.Error("which limits fit which entity")
	}
	if _, err := ParseKey("x"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func BenchmarkCharge(b *testing.B) {
	for name, all := range map[string]map[Entity]Limits{"no_limits": nil, "limited": {{User: Others()}: limit(Produce, 1e12)}} {
		b.Run(name, func(b *testing.B) {
			l := NewLimiter()
			l.Set(all)
			b.ReportAllocs()
			for b.Loop() {
				l.Charge(t0, Produce, "u", "c", 1)
			}
		})
	}
}
