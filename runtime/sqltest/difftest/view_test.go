package difftest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/sql/diag"
)

// Limits.
const (
	viewsPerData = 20
	dataParts    = 4               // the rows come in so many parts
	viewTimeout  = 3 * time.Second // until a view must have its answer
	viewPoll     = 5 * time.Millisecond
)

// TestViews keeps random queries as materialized views.
func TestViews(t *testing.T) { compareViews(t, *queryCount/20, false, anyQuery) }

// TestChangingViews is TestViews over tables whose rows also change and go.
func TestChangingViews(t *testing.T) { compareViews(t, *queryCount/20, true, anyQuery) }

func anyQuery(r *rand.Rand) string {
	text, _ := (&queries{r: r}).query()
	return text
}

// compareViews keeps n queries as materialized views while their tables grow part by part, or change: after each part the rows of a view must be
// MariaDB's answer over the rows so far. The views take rows back where an earlier answer is no longer true.
func compareViews(t *testing.T, n int, changing bool, next func(r *rand.Rand) string) {
	c := connect(t)
	r := random(t)
	done, refused, different, answers := 0, map[string]int{}, 0, 0
	example := map[string]string{}
	for data := 0; done < n; data++ {
		dir := t.TempDir()
		e, err := engine.Open(engine.Options{DataDir: filepath.Join(dir, "data"), Stdout: io.Discard,
			Variables: map[string]string{"parallelism": strconv.Itoa(1 + data%2), "checkpoint_interval": "20ms"}})
		if err != nil {
			t.Fatal(err)
		}
		s := e.NewSession()
		rows := draw(r)
		past := newHistory(r, rows, changing)
		past.write(t, dir, 0)
		rows.create(t, s, dir, ", follow = 'true', poll_interval = '10ms'"+past.option())
		var texts []string
		for len(texts) < viewsPerData {
			text := next(r)
			done++
			if _, _, err := execute(s, fmt.Sprintf("CREATE MATERIALIZED VIEW m%d AS %s", len(texts), text)); err == nil {
				texts = append(texts, text)
			} else if d, ok := diag.As(err); ok && d.Code != diag.Internal {
				refused[d.Error()]++
				example[d.Error()] = text
			} else {
				t.Errorf("%s\n  %v", text, err)
			}
		}
		bad := map[int]bool{}
		for part := range dataParts {
			if part > 0 {
				past.write(t, dir, part)
			}
			c.run(t, past.content[part].statements())
			theirs := c.run(t, texts)
			for i, text := range texts {
				if bad[i] || len(theirs[i]) > 0 && theirs[i][0] == failed {
					continue
				}
				answers++
				if ours, want, ok := await(s, i, theirs[i]); !ok {
					bad[i] = true
					if different++; different <= *shown {
						t.Errorf("%s (part %d)\n  ours   %q\n  theirs %q", text, part+1, ours, want)
					}
				}
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	}
	for k, n := range refused {
		t.Logf("refused %4d  %s  e.g. %s", n, k, example[k])
	}
	t.Logf("%d views, %d answers, %d different", done, answers, different)
}

// await polls a view until it has the rows wanted.
func await(s *engine.Session, view int, theirs []string) (ours, want []string, ok bool) {
	for deadline := time.Now().Add(viewTimeout); ; time.Sleep(viewPoll) {
		fields, rows, err := execute(s, fmt.Sprintf("SELECT * FROM m%d", view))
		if err != nil {
			return []string{err.Error()}, theirs, false
		}
		want = normalise(fields, theirs)
		slices.Sort(rows)
		slices.Sort(want)
		if slices.Equal(rows, want) {
			return rows, want, true
		}
		if time.Now().After(deadline) {
			return rows, want, false
		}
	}
}
