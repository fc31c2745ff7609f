package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"

	"github.com/millrace/millrace/cmd/millrace/client"
	"github.com/millrace/millrace/cmd/millrace/output"
)

const (
	redrawInterval = 100 * time.Millisecond // at most ten pictures a second
	rateWindow     = 2 * time.Second        // over which the rate is measured
	maxRows        = 100_000                // kept of a live table; older ones of an append-only answer go first
	escape         = "\x1b["
)

// Options say how to show a live answer.
type Options struct {
	Status func() Status // nil: no status line
	Rows   int64         // end after so many rows; 0: none
}

// view is the state of the picture.
type view struct {
	w       io.Writer
	res     *client.Result
	keys    []string            // of the rows, in order of first appearance
	rows    map[string][]string // cells by key
	n       int64
	history []Status
	drawn   int // lines of the last picture
}

// Show draws until the answer ends, ctx is done, or enough rows have come; it returns the number of rows.
func Show(ctx context.Context, w io.Writer, res *client.Result, opt Options) (int64, error) {
	v := &view{w: w, res: res, rows: map[string][]string{}}
	rows := make(chan client.Row)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { ended <- pump(ctx, res, rows) }()
	tick := time.NewTicker(redrawInterval)
	defer tick.Stop()
	for {
		select {
		case r := <-rows:
			v.apply(r)
			if opt.Rows > 0 && v.n >= opt.Rows {
				v.draw(opt)
				return v.n, nil
			}
		case <-tick.C:
			v.draw(opt)
		case err := <-ended:
			v.draw(opt)
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				err = nil
			}
			return v.n, err
		}
	}
}

func pump(ctx context.Context, res *client.Result, rows chan<- client.Row) error {
	for {
		r, err := res.Next(ctx)
		if err != nil {
			return err
		}
		select {
		case rows <- r:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// apply changes the table by one row of the changelog.
func (v *view) apply(r client.Row) {
	v.n++
	key := v.key(r)
	switch r.Op {
	case "-U":
	case "-D":
		if _, ok := v.rows[key]; ok {
			delete(v.rows, key)
			v.keys = slices.DeleteFunc(v.keys, func(k string) bool { return k == key })
		}
	default:
		if _, ok := v.rows[key]; !ok {
			v.keys = append(v.keys, key)
		}
		cells := make([]string, len(r.Values))
		for i, c := range r.Values {
			cells[i] = output.Text(c, v.res.Columns[i].Type)
		}
		v.rows[key] = cells
		if len(v.keys) > maxRows {
			delete(v.rows, v.keys[0])
			v.keys = v.keys[1:]
		}
	}
}

// key identifies a row: by the answer's key, or by its number when there is none.
func (v *view) key(r client.Row) string {
	if len(v.res.Key) == 0 {
		return fmt.Sprint(v.n)
	}
	var sb strings.Builder
	for _, k := range v.res.Key {
		sb.Write(r.Values[k])
		sb.WriteByte(0)
	}
	return sb.String()
}

// draw replaces the last picture.
func (v *view) draw(opt Options) {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width < 20 || height < 6 {
		width, height = 100, 30
	}
	lines := v.table(width, height-4)
	if opt.Status != nil {
		lines = append(lines, v.statusLine(opt.Status()))
	}
	var sb strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&sb, "\r%s%dA", escape, v.drawn)
	}
	for _, l := range lines {
		sb.WriteString(runewidth.Truncate(l, width-1, "…"))
		sb.WriteString(escape + "K\n")
	}
	sb.WriteString(escape + "J")
	v.drawn = len(lines)
	_, _ = io.WriteString(v.w, sb.String())
}

func (v *view) statusLine(s Status) string {
	v.history = append(v.history, s)
	for len(v.history) > 1 && s.At.Sub(v.history[0].At) > rateWindow {
		v.history = v.history[1:]
	}
	return s.Line(v.history[0])
}

// table lays out the newest rows that fit; rows with a key are sorted by it.
func (v *view) table(width, height int) []string {
	keys := v.keys
	if len(v.res.Key) > 0 {
		keys = slices.Clone(keys)
		slices.Sort(keys)
	}
	hidden := max(0, len(keys)-max(1, height-2))
	if len(v.res.Key) > 0 {
		keys = keys[:len(keys)-hidden]
	} else {
		keys = keys[hidden:]
	}
	names := make([]string, len(v.res.Columns))
	widths := make([]int, len(names))
	for i, c := range v.res.Columns {
		names[i] = c.Name
		widths[i] = runewidth.StringWidth(c.Name)
	}
	for _, k := range keys {
		for i, c := range v.rows[k] {
			widths[i] = min(max(widths[i], runewidth.StringWidth(c)), width/2)
		}
	}
	lines := []string{row(names, widths), rule(widths)}
	for _, k := range keys {
		lines = append(lines, row(v.rows[k], widths))
	}
	if hidden > 0 {
		lines = append(lines, fmt.Sprintf("… %d more rows", hidden))
	}
	return lines
}

func row(cells []string, widths []int) string {
	var sb strings.Builder
	for i, c := range cells {
		sb.WriteString(runewidth.FillRight(runewidth.Truncate(c, widths[i], "…"), widths[i]))
		sb.WriteString("  ")
	}
	return sb.String()
}

func rule(widths []int) string {
	var sb strings.Builder
	for _, w := range widths {
		sb.WriteString(strings.Repeat("─", w) + "  ")
	}
	return sb.String()
}
