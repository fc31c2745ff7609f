package live

import (
	"fmt"
	"strings"
	"time"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/operator"
)

// Status is what the status line says of the engine's jobs.
type Status struct {
	RowsIn, Late, Errors, Lag int64
	Watermark                 int64
	Jobs                      int
	At                        time.Time
}

// StatusOf sums up the jobs of an engine, and its live queries.
func StatusOf(e *engine.Engine) Status {
	s := Status{Watermark: operator.MaxTime, At: time.Now()}
	for _, j := range append(e.Jobs(), e.Queries()...) {
		st := j.Status()
		s.Jobs++
		s.RowsIn += st.RowsIn
		s.Late += st.Late
		s.Errors += st.Errors
		if st.Lag > 0 {
			s.Lag += st.Lag
		}
		if st.Watermark != operator.MinTime {
			s.Watermark = min(s.Watermark, st.Watermark)
		}
	}
	return s
}

// Line gives the status line; before is an earlier status, for the rate.
func (s Status) Line(before Status) string {
	rate := 0.0
	if d := s.At.Sub(before.At).Seconds(); d > 0 {
		rate = float64(s.RowsIn-before.RowsIn) / d
	}
	parts := []string{fmt.Sprintf("%s rows in", count(s.RowsIn)), fmt.Sprintf("%s rows/s", count(int64(rate))), fmt.Sprintf("lag %s", count(s.Lag))}
	if t := engine.WatermarkText(s.Watermark); t != "" && t != "end" {
		behind := time.Since(time.UnixMicro(s.Watermark)).Round(100 * time.Millisecond)
		parts = append(parts, fmt.Sprintf("watermark %s (%s behind)", t[len("2006-01-02 "):], behind))
	}
	parts = append(parts, fmt.Sprintf("late %s", count(s.Late)), fmt.Sprintf("errors %s", count(s.Errors)))
	return strings.Join(parts, " · ")
}

// count writes a number with thousands apart.
func count(n int64) string {
	digits := fmt.Sprint(n)
	var out []byte
	for i, c := range []byte(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 && c != '-' && digits[i-1] != '-' {
			out = append(out, ',')
		}
		out = append(out, c)
	}
	return string(out)
}
