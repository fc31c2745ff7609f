package opensearch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	osclient "github.com/opensearch-project/opensearch-go/v4"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// attemptTimeout bounds one attempt to reach the cluster when the sink is opened.
const attemptTimeout = 10 * time.Second

// sink writes to one index, or to a family of them.
type sink struct {
	cfg    connectors.SinkConfig
	opts   sinkOptions
	log    *slog.Logger
	client *osclient.Client
	end    context.CancelFunc // ends the client's background work
	idle   func()             // closes idle connections
	stager *stager            // Encode only
	pacer  *pacer             // Deliver only

	mu   sync.Mutex
	note error // guarded by mu; what is being retried; nil: all is well
}

func newSink(cfg connectors.SinkConfig) (connectors.Sink, error) {
	opts, err := readOptions(cfg)
	if err != nil {
		return nil, err
	}
	s := &sink{cfg: cfg, opts: opts, pacer: newPacer(opts.limits), log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if cfg.Env != nil && cfg.Env.Logger != nil {
		s.log = cfg.Env.Logger
	}
	if s.stager, err = newStager(cfg, &s.opts); err != nil {
		return nil, err
	}
	tlsConfig, err := readTLS(cfg.Options)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = tlsConfig
	transport.MaxIdleConnsPerHost = opts.limits.inFlight
	s.idle = transport.CloseIdleConnections
	ctx, cancel := context.WithCancel(context.Background())
	s.end = cancel
	// Retries are the sink's own, as they have to look at every item; the client only chooses nodes.
	s.client, err = osclient.NewClient(osclient.Config{
		Addresses: opts.urls, Username: cfg.Options.String("username"), Password: cfg.Options.String("password"),
		Transport: transport, DisableRetry: true, HealthCheckMaxRetries: -1, MaxRetryClusterHealth: -1, Context: ctx,
		ResurrectTimeoutInitial: time.Second, ResurrectTimeoutMax: 5 * time.Second,
	})
	if err != nil {
		cancel()
		return nil, badOption("url", "%v", err)
	}
	return s, nil
}

func readTLS(v connectors.Values) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: v.Bool("tls_skip_verify")}
	if file := v.String("tls_ca"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, badOption("tls_ca", "%v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, badOption("tls_ca", "'%s' holds no PEM certificate", file)
		}
	}
	if file := v.String("tls_cert"); file != "" {
		cert, err := tls.LoadX509KeyPair(file, v.String("tls_key"))
		if err != nil {
			return nil, badOption("tls_cert", "%v", err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return config, nil
}

// Health is nil when all is well, else what keeps the sink from delivering.
func (s *sink) Health() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.note
}

func (s *sink) setNote(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note = err
}

// Open implements connectors.Sink: it waits for the cluster and makes index or template.
func (s *sink) Open(ctx context.Context) error {
	start, pause := time.Now(), backoffMin
	defer s.setNote(nil)
	for {
		one, cancel := context.WithTimeout(ctx, min(attemptTimeout, max(backoffMin, s.opts.connectTimeout)))
		err := s.prepare(one)
		cancel()
		if _, final := diag.As(err); final || err == nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.setNote(err)
		if time.Since(start)+pause > s.opts.connectTimeout {
			return diag.New(diag.SinkUnavailable, -1, "cannot reach OpenSearch for '%s': %v", s.cfg.Relation, err).Wrap(err).
				WithHint("check the option 'url' and that the cluster runs")
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, backoffMax)
	}
}

// prepare makes the index, or the template of the indices.
func (s *sink) prepare(ctx context.Context) error {
	if !s.opts.create {
		_, err := s.ask(ctx, http.MethodGet, "/", nil)
		return err
	}
	m := mapping(s.cfg.Columns, s.opts.geo, s.cfg.Options.String("timestamp_format"))
	if s.opts.index.fixed() {
		path := "/" + s.opts.index.prefix()
		status, err := s.ask(ctx, http.MethodHead, path, nil)
		if err != nil || status == http.StatusOK {
			return err
		}
		_, err = s.ask(ctx, http.MethodPut, path, object{"mappings": m})
		return err
	}
	name := "millrace-" + strings.TrimRight(s.opts.index.prefix(), "-_.")
	_, err := s.ask(ctx, http.MethodPut, "/_index_template/"+name, object{
		"index_patterns": []string{s.opts.index.prefix() + "*"}, "template": object{"mappings": m}, "priority": 100,
	})
	return err
}

// ask makes a request of the preparation. Refusals are the user's errors; 404 and an index that has come into being meanwhile are not.
func (s *sink) ask(ctx context.Context, method, path string, body object) (status int, err error) {
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return 0, fmt.Errorf("writing the mapping: %w", err)
		}
	}
	status, answer, err := s.request(ctx, method, path, text)
	switch {
	case err != nil:
		return 0, err
	case status/100 == 2, status == http.StatusNotFound, bytesContain(answer, "resource_already_exists_exception"):
		return status, nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return 0, diag.New(diag.SinkUnavailable, -1, "OpenSearch refuses '%s': status %d", s.cfg.Relation, status).
			WithHint("check username, password and the user's rights on index '%s'", s.cfg.Options.String("index"))
	case status == http.StatusTooManyRequests, status >= 500:
		return 0, fmt.Errorf("%s %s: status %d: %s", method, path, status, brief(answer))
	}
	return 0, diag.New(diag.SinkUnavailable, -1, "OpenSearch refuses %s %s: %s", method, path, brief(answer)).
		WithHint("create the index by hand and set create_index = 'false'")
}

func bytesContain(b []byte, s string) bool {
	return strings.Contains(string(b[:min(len(b), 1<<16)]), s)
}

// Encode implements connectors.Sink.
func (s *sink) Encode(stage []byte, b *vector.Batch) ([]byte, error) {
	stage, err := s.stager.encode(stage, b)
	if err != nil {
		return stage, fmt.Errorf("encoding rows of '%s': %w", s.cfg.Relation, err)
	}
	return stage, nil
}

// Deliver implements connectors.Sink.
func (s *sink) Deliver(ctx context.Context, epoch uint64, stage []byte) ([]connectors.Rejected, error) {
	items, err := decodeStage(stage, s.cfg.ID, epoch)
	if err != nil {
		return nil, fmt.Errorf("reading the stage of epoch %d: %w", epoch, err)
	}
	defer s.setNote(nil)
	d := delivery{sink: s, version: epoch, pending: items, answers: make(chan outcome, s.opts.limits.inFlight)}
	err = d.run(ctx)
	return d.rejected, err
}

// Close implements connectors.Sink.
func (s *sink) Close() error {
	s.end()
	s.idle()
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// delivery sends the items of one epoch until each has a final verdict. Each document appears once in an epoch, so requests may be under
// way at once and items be sent again in any order.
type delivery struct {
	sink     *sink
	version  uint64
	pending  []*item   // to be sent
	halves   [][]*item // to be sent as they are: halves of a request that was refused as a whole
	running  int       // requests under way; <= pacer.current.inFlight when one is started
	answers  chan outcome
	rejected []connectors.Rejected
}

func (d *delivery) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer func() { // requests still under way read the stage, which the caller may reuse
		cancel()
		for ; d.running > 0; d.running-- {
			<-d.answers
		}
	}()
	p := d.sink.pacer
	for d.running > 0 || len(d.pending) > 0 || len(d.halves) > 0 {
		for d.running < p.current.inFlight && (len(d.pending) > 0 || len(d.halves) > 0) {
			if p.pause > 0 && d.running == 0 {
				if err := sleep(ctx, p.pause); err != nil {
					return err
				}
			} else if p.pause > 0 {
				break // hear first what becomes of those under way
			}
			batch := d.next()
			d.running++
			go func() { d.answers <- d.sink.send(ctx, batch, d.version) }()
			if p.pause > 0 {
				break // one request finds out whether it is better now
			}
		}
		o := <-d.answers
		d.running--
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := d.settle(o); err != nil {
			return err
		}
	}
	return nil
}

// next takes as many items as the limits allow.
func (d *delivery) next() []*item {
	if n := len(d.halves); n > 0 {
		batch := d.halves[n-1]
		d.halves = d.halves[:n-1]
		return batch
	}
	l := d.sink.pacer.current
	n, size := 0, 0
	for n < len(d.pending) && n < l.docs {
		if size += d.pending[n].size(); size > l.bytes && n > 0 {
			break
		}
		n++
	}
	batch := d.pending[:n:n]
	d.pending = d.pending[n:]
	return batch
}

// settle takes over what an answer says.
func (d *delivery) settle(o outcome) error {
	s, p := d.sink, d.sink.pacer
	if o.fatal != nil {
		return diag.New(diag.SinkUnavailable, -1, "OpenSearch refuses the documents of '%s': %v", s.cfg.Relation, o.fatal).Wrap(o.fatal).
			WithHint("check username, password and the user's rights")
	}
	switch {
	case o.overload:
		p.overloaded()
	case o.tooLarge:
		p.tooLarge(o.bytes)
	case o.rulings != nil && o.err != nil:
		p.backOff()
	default:
		p.succeeded()
	}
	d.report(o.err)
	if (o.tooLarge || o.unfit) && len(o.items) > 1 {
		half := len(o.items) / 2
		d.halves = append(d.halves, o.items[:half], o.items[half:])
		return nil
	}
	if o.tooLarge || o.unfit {
		d.reject(o.items[0], o.err.Error())
		return nil
	}
	if o.rulings == nil {
		d.pending = slices.Concat(o.items, d.pending)
		return nil
	}
	var again []*item
	for i, r := range o.rulings {
		switch r.verdict {
		case retry:
			again = append(again, o.items[i])
		case rejected:
			d.reject(o.items[i], r.reason)
		}
	}
	if len(again) > 0 {
		d.pending = slices.Concat(again, d.pending)
	}
	return nil
}

// report makes the state visible and logs when it changes between well and not.
func (d *delivery) report(err error) {
	s := d.sink
	before := s.Health()
	s.setNote(err)
	switch {
	case err != nil && before == nil:
		s.log.Warn("opensearch: documents have to be sent again", "relation", s.cfg.Relation, "epoch", d.version, "err", err)
	case err == nil && before != nil:
		s.log.Info("opensearch: documents are accepted again", "relation", s.cfg.Relation, "epoch", d.version)
	}
}

func (d *delivery) reject(it *item, reason string) {
	raw := slices.Clone(it.doc)
	if it.kind == kindDelete {
		raw = slices.Clone(it.id)
	}
	d.rejected = append(d.rejected, connectors.Rejected{
		Raw: raw, Position: fmt.Sprintf("%s/%s epoch %d row %d", it.index, it.id, d.version, it.number),
		Err: diag.New(diag.SinkRejected, -1, "OpenSearch refuses a document of '%s': %s", d.sink.cfg.Relation, reason),
	})
}

var _ connectors.Sink = (*sink)(nil)
