package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	_ "github.com/millrace/millrace/connectors/all"
	"github.com/millrace/millrace/runtime/engine"
)

// cluster is an engine and the broker that its topics are on.
type cluster struct {
	engine  *engine.Engine
	brokers string // "": the engine's own broker
	dir     string
}

// openCluster opens an engine. A durable one syncs what it commits; a temporary one only writes it.
func openCluster(b testing.TB, brokers string, durable bool) *cluster {
	b.Helper()
	c := &cluster{brokers: brokers}
	var opt engine.Options
	if durable {
		c.dir = b.TempDir()
		opt.DataDir = c.dir
	}
	e, err := engine.Open(opt)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = e.Close(ctx)
	})
	c.engine = e
	return c
}

// client makes a Kafka client of the cluster's broker.
func (c *cluster) client(b testing.TB, opts ...kgo.Opt) *kgo.Client {
	b.Helper()
	if c.brokers != "" {
		opts = append(opts, kgo.SeedBrokers(c.brokers))
	} else {
		br, err := c.engine.Broker()
		if err != nil {
			b.Fatal(err)
		}
		opts = append(opts, kgo.SeedBrokers("localhost:9092"), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return br.Dial(ctx) }))
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cl.Close)
	return cl
}

func (c *cluster) createTopic(b testing.TB, topic string, partitions int32) {
	b.Helper()
	admin := kadm.NewClient(c.client(b))
	if _, err := admin.CreateTopic(b.Context(), partitions, 1, nil, topic); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = admin.DeleteTopics(context.Background(), topic) })
}

// options are the connector's options of a topic of the cluster.
func (c *cluster) options(topic string, more ...string) string {
	opts := []string{"connector='kafka'", "format='json'", fmt.Sprintf("topic='%s'", topic)}
	if c.brokers != "" {
		opts = append(opts, fmt.Sprintf("brokers='%s'", c.brokers))
	}
	return strings.Join(append(opts, more...), ", ")
}

// exec runs statements, separated by lines that end in a semicolon.
func (c *cluster) exec(b testing.TB, vars map[string]string, statements ...string) string {
	b.Helper()
	s := c.engine.NewSession()
	for k, v := range vars {
		statements = append([]string{fmt.Sprintf("SET %s = '%s'", k, v)}, statements...)
	}
	job := ""
	for _, text := range statements {
		r, err := s.Exec(b.Context(), text)
		if err != nil {
			b.Fatalf("%s: %v", text, err)
		}
		if r.Job != "" {
			job = r.Job
		}
		r.Close()
	}
	return job
}

// await waits until a job has ended.
func (c *cluster) await(b testing.TB, name string) {
	b.Helper()
	j := c.engine.Job(name)
	if err := j.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// binary builds millrace, once for the process.
func binary(b testing.TB) string {
	b.Helper()
	if built == "" {
		dir, err := os.MkdirTemp("", "millrace-bench-")
		if err != nil {
			b.Fatal(err)
		}
		bin := filepath.Join(dir, "millrace")
		if out, err := exec.Command("go", "build", "-o", bin, "github.com/millrace/millrace/cmd/millrace").CombinedOutput(); err != nil {
			b.Fatalf("building: %v\n%s", err, out)
		}
		built = bin
	}
	return built
}

var built string

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(filepath.Dir(built))
	}
	os.Exit(code)
}

// server is a millrace server in a process of its own.
type server struct {
	cmd         *exec.Cmd
	kafka, http string
	ready       time.Duration // from start to the ready line
}

func startServer(b testing.TB) *server {
	b.Helper()
	bin, dir := binary(b), b.TempDir()
	s := &server{cmd: exec.Command(bin, "serve", "--data-dir", dir, "--kafka-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
		"--mysql-listen", "127.0.0.1:0", "--log-level", "error")}
	out, err := s.cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.stop)
	lines, said := bufio.NewScanner(out), ""
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), "ready ")
		if !ok {
			said += lines.Text() + "\n"
			continue
		}
		s.ready = time.Since(began)
		for _, f := range strings.Fields(rest) {
			switch k, v, _ := strings.Cut(f, "="); k {
			case "kafka":
				s.kafka = v
			case "http":
				s.http = v
			}
		}
		go func() {
			for lines.Scan() {
			}
		}()
		return s
	}
	b.Fatalf("the server did not become ready: %v\n%s", lines.Err(), said)
	return nil
}

// stop ends the server; a second call does nothing.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}
