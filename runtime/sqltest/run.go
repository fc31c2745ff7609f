package sqltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/job"
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Limits.
const (
	settleTimeout = 20 * time.Second
	settlePoll    = 5 * time.Millisecond
	settleHeld    = 2 // polls in a row that must find every job idle
	// settleTopics is the same where topics are read: what one job has delivered may be on its way to the next.
	settleTopics = 60
	closeTimeout = 10 * time.Second
)

// Options say how to run scripts.
type Options struct {
	Pattern   string
	Update    bool
	Verbose   bool
	Out       io.Writer
	Variables map[string]string // session variables; checkpoint_interval defaults to 20ms
	// CrashBefore kills and reopens the engine before every comparison.
	CrashBefore bool
}

// Summary counts scripts.
type Summary struct{ Passed, Failed int }

// RunPaths runs the scripts in files and folders.
func RunPaths(ctx context.Context, paths []string, opt Options) (Summary, error) {
	var s Summary
	pattern, err := regexp.Compile(opt.Pattern)
	if err != nil {
		return s, fmt.Errorf("reading the pattern: %w", err)
	}
	var files []string
	for _, p := range paths {
		err := filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (strings.HasSuffix(path, ".test") || path == p) && pattern.MatchString(path) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return s, err
		}
	}
	for _, f := range files {
		if err := RunFile(ctx, f, opt); err != nil {
			s.Failed++
			fmt.Fprintf(opt.Out, "FAIL %s\n%s\n", f, indent(err.Error()))
			continue
		}
		s.Passed++
		if opt.Verbose {
			fmt.Fprintf(opt.Out, "ok   %s\n", f)
		}
	}
	return s, nil
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ")
}

// runner is the state of one script.
type runner struct {
	ctx     context.Context
	opt     Options
	path    string
	dir     string // ${dir}
	id      string
	engine  *engine.Engine
	session *engine.Session
	changed bool // --update has rewritten something
}

// RunFile runs one script; the error says at which line what was wrong.
func RunFile(ctx context.Context, path string, opt Options) (err error) {
	steps, lines, err := parseScript(path)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "millrace-test-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &runner{ctx: ctx, opt: opt, path: path, dir: dir, id: fmt.Sprintf("%s-%d", filepath.Base(path), rand.Uint64())}
	defer forgetFeeds(r.id)
	if err := r.open(); err != nil {
		return err
	}
	defer func() {
		if e := r.close(); err == nil && e != nil {
			err = fmt.Errorf("closing the engine: %w", e)
		}
	}()
	shift := 0
	for i := range steps {
		s := &steps[i]
		got, err := r.step(s)
		if err != nil {
			return fmt.Errorf("%s:%d: %s: %w", path, s.line, s.verb, err)
		}
		if got == nil || slices.Equal(got, s.want) {
			continue
		}
		if !opt.Update {
			return fmt.Errorf("%s:%d: %s: the rows differ\nwant:\n%s\ngot:\n%s", path, s.line, s.verb, indent(strings.Join(s.want, "\n")), indent(strings.Join(got, "\n")))
		}
		lines = slices.Replace(lines, s.wantFrom+shift, s.wantTo+shift, got...)
		shift += len(got) - (s.wantTo - s.wantFrom)
		r.changed = true
	}
	if r.changed {
		return os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644)
	}
	return nil
}

func (r *runner) open() error {
	vars := map[string]string{"checkpoint_interval": "20ms", "restart": "false"}
	for k, v := range r.opt.Variables {
		vars[k] = v
	}
	e, err := engine.Open(engine.Options{DataDir: filepath.Join(r.dir, "data"), Variables: vars, Stdout: io.Discard})
	if err != nil {
		return err
	}
	r.engine, r.session = e, e.NewSession()
	return nil
}

func (r *runner) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return r.engine.Close(ctx)
}

// crash kills every job without a last checkpoint, then opens the engine again.
func (r *runner) crash() error {
	for _, j := range r.engine.Jobs() {
		j.Kill()
	}
	if err := r.close(); err != nil {
		return err
	}
	return r.open()
}

// crashUnseen is a crash that the script does not know of: answers are shown in the session's time zone as before.
func (r *runner) crashUnseen() error {
	zone := r.session.Variables()["time_zone"]
	if err := r.crash(); err != nil {
		return err
	}
	res, err := r.session.Exec(r.ctx, "SET time_zone = '"+zone+"'")
	if err != nil {
		return err
	}
	res.Close()
	return nil
}

// step runs one step; rows that were compared come back as they should stand in the script, nil when nothing was compared.
func (r *runner) step(s *step) ([]string, error) {
	switch s.verb {
	case "statement":
		return nil, r.statement(s)
	case "query":
		return r.query(s)
	case "input", "watermark", "idle", "end":
		return nil, r.feed(s)
	case "file", "changelog":
		return r.file(s)
	case "write", "append":
		return nil, r.write(s)
	case "restart":
		if err := r.close(); err != nil {
			return nil, err
		}
		return nil, r.open()
	case "crash":
		return nil, r.crash()
	}
	return nil, fmt.Errorf("unknown step")
}

// expand fills in the script's folder, and the test's identity into script sources.
func (r *runner) expand(sql string) string {
	return strings.NewReplacer(r.expansions()...).Replace(sql)
}

func (r *runner) expansions() []string {
	return []string{"${dir}", r.dir, "${here}", filepath.Dir(r.path), "connector='script'", "connector='script', test='" + r.id + "'"}
}

// unexpanded is the offset in the script's text of an offset in the expanded text; inside a replacement it is where that begins.
func (r *runner) unexpanded(sql string, offset int) int {
	for at := 0; at < min(offset, len(sql)); at++ {
		for x := r.expansions(); len(x) > 0; x = x[2:] {
			if !strings.HasPrefix(sql[at:], x[0]) {
				continue
			}
			if offset < at+len(x[1]) {
				return at
			}
			offset -= len(x[1]) - len(x[0])
			at += len(x[0]) - 1
			break
		}
	}
	return offset
}

func (r *runner) statement(s *step) error {
	if len(s.args) == 0 {
		return errors.New("ok or error?")
	}
	text := r.expand(s.body)
	ctx, cancel := context.WithTimeout(r.ctx, settleTimeout)
	defer cancel()
	res, err := r.session.Exec(ctx, text)
	if err == nil && s.args[0] == "error" && res.Live {
		res.Close()
		return errors.New("it runs: a live query")
	}
	if err == nil {
		err = r.discard(ctx, res)
	}
	if s.args[0] == "ok" {
		if e, ok := diag.As(err); ok {
			return errors.New(diag.Render(e, e.Source, false))
		}
		return err
	}
	return r.checkError(err, s.body, s.args[1:])
}

func (r *runner) discard(ctx context.Context, res *engine.Result) error {
	defer res.Close()
	for {
		if _, err := res.Next(ctx); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// checkError compares an error with `CODE [line:col] [text...]`.
func (r *runner) checkError(err error, source string, want []string) error {
	if err == nil {
		return errors.New("it succeeded")
	}
	e, ok := diag.As(err)
	if !ok {
		return fmt.Errorf("an error without code: %w", err)
	}
	if len(want) > 0 && e.Code.String() != want[0] {
		return fmt.Errorf("the code is %s: %s", e.Code, e.Message)
	}
	if len(want) > 1 && want[1] != "-" {
		line, col := diag.Position(source, r.unexpanded(source, e.Offset))
		if at := fmt.Sprintf("%d:%d", line, col); e.Offset < 0 || at != want[1] {
			return fmt.Errorf("the place is %s (offset %d): %s", at, e.Offset, e.Message)
		}
	}
	if len(want) > 2 {
		if text := strings.Join(want[2:], " "); !strings.Contains(e.Error(), text) {
			return fmt.Errorf("the message is: %s", e.Error())
		}
	}
	return nil
}

// settle waits until all jobs have done what they can.
func (r *runner) settle() error {
	if r.opt.CrashBefore && len(r.engine.Jobs()) > 0 { // without jobs it would only forget the session's variables
		if err := r.crashUnseen(); err != nil {
			return err
		}
	}
	held, hold := 0, settleHeld
	for _, rel := range r.engine.Catalog().List(catalog.Source) {
		if rel.Connector == "kafka" {
			hold = settleTopics
		}
	}
	for deadline := time.Now().Add(settleTimeout); held < hold; time.Sleep(settlePoll) {
		busy := ""
		for _, j := range r.engine.Jobs() {
			st := j.Status()
			switch {
			case st.State == job.Failed:
				return fmt.Errorf("job %s failed: %w", st.Name, st.Err)
			case st.State == job.Finished || st.State == job.Stopped || st.Idle:
			default:
				busy = st.Name
			}
		}
		if busy == "" && !feedsCovered(r.id) {
			busy = "that reads a feed"
		}
		held++
		if busy != "" {
			held = 0
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("job %s is still busy after %s", busy, settleTimeout)
		}
	}
	return nil
}

func (r *runner) query(s *step) ([]string, error) {
	if err := r.settle(); err != nil {
		return nil, err
	}
	limit, _ := strconv.Atoi(s.value("rows"))
	ctx, cancel := context.WithTimeout(r.ctx, settleTimeout)
	defer cancel()
	res, err := r.session.Exec(ctx, r.expand(s.body))
	if err != nil {
		return nil, err
	}
	defer res.Close()
	got := []string{}
	for limit == 0 || len(got) < limit {
		b, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		got = appendRows(got, b, res.Live)
	}
	if limit > 0 {
		got = got[:min(limit, len(got))]
	}
	return arrange(got, s), nil
}

// appendRows writes rows as the script has them.
func appendRows(dst []string, b *vector.Batch, changes bool) []string {
	for k := range b.Rows() {
		i := b.Row(k)
		var cells []string
		if changes {
			cells = append(cells, b.Change(i).String())
		}
		for _, c := range b.Cols {
			text := string(function.AppendText(nil, c, i))
			cells = append(cells, strings.NewReplacer("\n", "\\n", "\t", "\\t").Replace(text))
		}
		dst = append(dst, strings.TrimRight(strings.Join(cells, "\t"), " "))
	}
	return dst
}

// arrange sorts rows whose order does not count; when they are those wanted, in another order, it returns the wanted ones.
func arrange(got []string, s *step) []string {
	if s.flag("ordered") {
		return got
	}
	a, b := slices.Clone(got), slices.Clone(s.want)
	slices.Sort(a)
	slices.Sort(b)
	if slices.Equal(a, b) {
		if s.want == nil {
			return []string{}
		}
		return s.want
	}
	return a
}

func (r *runner) feed(s *step) error {
	if len(s.args) == 0 {
		return errors.New("which feed?")
	}
	f := feedOf(r.id + "/" + s.args[0])
	switch s.verb {
	case "input":
		f.change(func() {
			for _, line := range strings.Split(s.body, "\n") {
				f.records = append(f.records, feedRecord{data: []byte(line)})
			}
		})
	case "watermark":
		t, ok := types.ParseTimestamp([]byte(strings.Join(s.args[1:], " ")))
		if !ok {
			return fmt.Errorf("'%s' is no instant", strings.Join(s.args[1:], " "))
		}
		f.change(func() { f.records = append(f.records, feedRecord{mark: t, isMark: true}) })
	case "idle":
		f.change(func() { f.records = append(f.records, feedRecord{isIdle: true}) })
	case "end":
		f.change(func() {
			f.records = append(f.records, feedRecord{mark: operator.MaxTime, isMark: true})
			f.ended = true
		})
	}
	return nil
}

// write makes a file of the step's lines, or adds them to one.
func (r *runner) write(s *step) error {
	if len(s.args) == 0 {
		return errors.New("which file?")
	}
	path := filepath.Join(r.dir, s.args[0])
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if s.verb == "append" {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(s.body + "\n")
	return errors.Join(err, f.Close())
}

// file compares the lines of a file, or what is left of the changelog in it.
func (r *runner) file(s *step) ([]string, error) {
	if err := r.settle(); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(r.dir, s.args[0]))
	if err != nil {
		return nil, err
	}
	lines := []string{}
	for line := range strings.Lines(string(data)) {
		lines = append(lines, strings.TrimRight(line, "\n"))
	}
	if s.verb == "changelog" {
		if lines, err = replay(lines); err != nil {
			return nil, err
		}
	}
	return arrange(lines, s), nil
}

// replay plays a changelog of JSON objects with the field op and returns the rows left, without op.
func replay(lines []string) ([]string, error) {
	left := map[string]int{}
	for i, line := range lines {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			return nil, fmt.Errorf("line %d is no JSON object: %w", i+1, err)
		}
		op := strings.Trim(string(fields["op"]), `"`)
		delete(fields, "op")
		text, err := json.Marshal(fields)
		if err != nil {
			return nil, err
		}
		if c, ok := vector.ParseChange([]byte(op)); !ok {
			return nil, fmt.Errorf("line %d: change kind '%s'", i+1, op)
		} else if c.Adds() {
			left[string(text)]++
		} else if left[string(text)]--; left[string(text)] < 0 {
			return nil, fmt.Errorf("line %d takes back a row that is not there: %s", i+1, line)
		}
	}
	out := []string{}
	for row, n := range left {
		for range n {
			out = append(out, row)
		}
	}
	return out, nil
}
