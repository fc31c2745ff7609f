package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// commandTimeout bounds every command of the black-box tests: a hanging command is killed and fails its test.
const commandTimeout = 60 * time.Second

// waitTimeout bounds waiting for something that a running process is to do.
const waitTimeout = 30 * time.Second

var built struct {
	once sync.Once
	dir  string
	err  error
}

// TestMain removes the binary that the tests have shared.
func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// millrace gives the path of the binary, which is built once for all tests.
func millrace(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "millrace-test-"); built.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-tags", "invariants", "-o", filepath.Join(built.dir, "millrace"), ".")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("building: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "millrace")
}

// answer is what a command printed and how it ended; code -1 is a signal.
type answer struct {
	out, err string
	code     int
}

// want fails the test unless the command ended with code and said the words on either of its outputs.
func (a answer) want(t *testing.T, code int, words ...string) answer {
	t.Helper()
	if a.code != code {
		t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", a.code, code, a.out, a.err)
	}
	for _, w := range words {
		if !strings.Contains(a.out+a.err, w) {
			t.Errorf("no %q in\nstdout: %s\nstderr: %s", w, a.out, a.err)
		}
	}
	return a
}

// lines are the lines of standard output.
func (a answer) lines() []string {
	text := strings.TrimRight(a.out, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// command runs the binary in dir and waits for its end.
func command(t *testing.T, dir, stdin string, args ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, millrace(t), args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	a := answer{out: out.String(), err: errs.String()}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		t.Fatalf("millrace %s did not end within %s\nstdout: %s\nstderr: %s", strings.Join(args, " "), commandTimeout, a.out, a.err)
	case errors.As(err, &exit):
		a.code = exit.ExitCode()
	case err != nil:
		t.Fatal(err)
	}
	return a
}

// process is a millrace process that runs beside the test.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	mu   sync.Mutex
	out  bytes.Buffer // guarded by mu
	errs bytes.Buffer // guarded by mu
	done chan struct{}
}

// begin starts the binary in dir; it is killed when the test ends.
func begin(t *testing.T, dir, stdin string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(millrace(t), args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdin = dir, strings.NewReader(stdin)
	p.cmd.Stdout, p.cmd.Stderr = writerFunc(p.tee(&p.out)), writerFunc(p.tee(&p.errs))
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(p.kill)
	return p
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func (p *process) tee(to *bytes.Buffer) func([]byte) (int, error) {
	return func(b []byte) (int, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return to.Write(b)
	}
}

func (p *process) stdout() string { p.mu.Lock(); defer p.mu.Unlock(); return p.out.String() }
func (p *process) stderr() string { p.mu.Lock(); defer p.mu.Unlock(); return p.errs.String() }

// kill ends the process as a crash does and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// signal sends a signal and waits for the end; it gives the exit code.
func (p *process) signal(s os.Signal, within time.Duration) int {
	p.t.Helper()
	_ = p.cmd.Process.Signal(s)
	return p.end(within)
}

// end waits for the end of the process.
func (p *process) end(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines say where it hangs
		<-p.done
		p.t.Fatalf("the process did not end within %s\nstdout: %s\nstderr: %s", within, p.stdout(), p.stderr())
		return -1
	}
}

// eventually waits until check gives nil.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(waitTimeout)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// contains is a check for eventually.
func contains(text func() string, word string) func() error {
	return func() error {
		if s := text(); !strings.Contains(s, word) {
			return fmt.Errorf("no %q in %q", word, s)
		}
		return nil
	}
}

// service is a running `millrace serve`.
type service struct {
	*process
	kafka, http string
	port        string // of http
}

var readyLine = regexp.MustCompile(`(?m)^ready kafka=(\S+) (?:mysql=\S* )?http=(\S+) data-dir=(\S+)$`)

// serveAt starts a server on dir and waits for its ready line. Ports of 0 are chosen by the system.
func serveAt(t *testing.T, dir, kafka, http string, more ...string) *service {
	t.Helper()
	args := append([]string{"serve", "--data-dir", dir, "--kafka-listen", kafka, "--http-listen", http, "--mysql-listen", "127.0.0.1:0",
		"--log-level", "warn"}, more...)
	s := &service{process: begin(t, filepath.Dir(dir), "", args...)}
	eventually(t, "the ready line", func() error {
		m := readyLine.FindStringSubmatch(s.stderr())
		if m == nil {
			select {
			case <-s.done:
				t.Fatalf("the server ended: %s", s.stderr())
			default:
			}
			return errors.New(s.stderr())
		}
		s.kafka, s.http = m[1], m[2]
		return nil
	})
	_, s.port, _ = net.SplitHostPort(s.http)
	return s
}

func startServer(t *testing.T, dir string) *service {
	t.Helper()
	return serveAt(t, dir, "127.0.0.1:0", "127.0.0.1:0")
}

// sql runs statements on the server and gives the rows as JSON lines.
func (s *service) sql(text string) answer {
	s.t.Helper()
	return command(s.t, "", "", "sql", "-h", "127.0.0.1", "-P", s.port, "--format", "jsonl", "-e", text)
}

// job finds a job in GET /v1/jobs.
func (s *service) job(name string) map[string]any {
	s.t.Helper()
	resp, err := http.Get("http://" + s.http + "/v1/jobs")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var jobs []map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&jobs); err != nil {
		s.t.Fatal(err)
	}
	for _, j := range jobs {
		if j["name"] == name {
			return j
		}
	}
	return nil
}

// awaitJob waits for the state of a job, whose error must contain word.
func (s *service) awaitJob(name, state, word string) {
	s.t.Helper()
	eventually(s.t, "job "+name+" "+state, func() error {
		j := s.job(name)
		if text, _ := j["error"].(string); j["state"] != state || !strings.Contains(text, word) {
			return fmt.Errorf("%v", j)
		}
		return nil
	})
}

// write makes a file in dir and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// readLines gives the lines of a file; none when it does not exist.
func readLines(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// freePort gives an address on which nothing listens at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// bashScript runs a bash script and gives both of its outputs.
func bashScript(t *testing.T, dir, script string) string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
