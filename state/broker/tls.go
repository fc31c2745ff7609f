package broker

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// fileCheckInterval is how often files that may change are looked at, when they are used.
const fileCheckInterval = 2 * time.Second

// fileStamp tells whether a file has changed.
type fileStamp struct {
	size int64
	at   time.Time
}

func stampFiles(paths []string) (out []fileStamp, err error) {
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		out = append(out, fileStamp{info.Size(), info.ModTime()})
	}
	return out, nil
}

// watchedFiles is a value made of files, made anew when one of them has changed. A change that cannot be read is logged once, and the
// old value stays. Safe for concurrent use.
type watchedFiles[T any] struct {
	paths  []string
	load   func() (T, error)
	logger *slog.Logger
	now    func() time.Time

	mu      sync.Mutex
	value   T           // guarded by mu
	stamps  []fileStamp // guarded by mu; of the files last read, good or bad
	checked time.Time   // guarded by mu
}

// open reads the files for the first time.
func (w *watchedFiles[T]) open() (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stamps, err = stampFiles(w.paths); err != nil {
		return err
	}
	w.checked = w.now()
	w.value, err = w.load()
	return err
}

func (w *watchedFiles[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.now(); now.Sub(w.checked) >= fileCheckInterval {
		w.checked = now
		w.reload()
	}
	return w.value
}

// reload reads the files if they have changed. Caller holds mu.
func (w *watchedFiles[T]) reload() {
	stamps, err := stampFiles(w.paths)
	if err != nil || equalStamps(stamps, w.stamps) {
		return // a file being replaced may be missing for a moment
	}
	w.stamps = stamps
	v, err := w.load()
	if err != nil {
		w.logger.Error("reading changed files failed, the old content stays in force", "files", w.paths, "error", err)
		return
	}
	w.value = v
	w.logger.Info("changed files read", "files", w.paths)
}

func equalStamps(a, b []fileStamp) bool {
	for i := range a {
		if a[i].size != b[i].size || !a[i].at.Equal(b[i].at) {
			return false
		}
	}
	return true
}

// tlsConfig makes the configuration of a listener. It is asked for again at each handshake, so that new certificates take effect.
func (b *Broker) tlsConfig(l *Listener) (*tls.Config, error) {
	w := &watchedFiles[*tls.Config]{paths: []string{l.TLS.CertFile, l.TLS.KeyFile}, logger: b.opts.Logger, now: b.opts.Now}
	if l.TLS.ClientCAFile != "" {
		w.paths = append(w.paths, l.TLS.ClientCAFile)
	}
	w.load = func() (*tls.Config, error) { return loadTLS(&l.TLS) }
	if err := w.open(); err != nil {
		return nil, fmt.Errorf("%w: listener %s: reading certificates: %w", ErrInvalidOptions, l.Name, err)
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return w.get(), nil },
	}, nil
}

func loadTLS(t *TLS) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}
	if t.ClientAuth == clientAuthNone {
		return c, nil
	}
	pem, err := os.ReadFile(t.ClientCAFile)
	if err != nil {
		return nil, err
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", t.ClientCAFile)
	}
	c.ClientAuth = tls.VerifyClientCertIfGiven
	if t.ClientAuth == clientAuthRequired {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}
