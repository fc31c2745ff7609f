package file

import (
	"context"
	"os"
	"path/filepath"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// sink appends the records of committed epochs to one file.
type sink struct {
	cfg    connectors.SinkConfig
	path   string
	enc    format.Encoder
	header []byte // first line of the file; nil: none
	file   *os.File
	mark   marker
}

func newSink(cfg connectors.SinkConfig) (connectors.Sink, error) {
	s := &sink{cfg: cfg, path: cfg.Options.String("path")}
	if s.path == "" {
		return nil, diag.New(diag.MissingOption, -1, "option 'path' is missing")
	}
	name := formatName(cfg.Options)
	if name == "parquet" {
		return newParquetSink(cfg, s.path)
	}
	var err error
	if s.enc, err = format.NewEncoder(name, cfg.Columns, cfg.Key, cfg.Options); err != nil {
		return nil, err
	}
	if h, ok := s.enc.(format.HeaderEncoder); ok {
		if line, wanted := h.Header(nil); wanted {
			s.header = append(line, '\n')
		}
	}
	return s, nil
}

// Open takes the file over: its own after a restart, cut to what was delivered; another's or nobody's by option if_exists.
func (s *sink) Open(context.Context) error {
	if s.file != nil {
		return nil
	}
	if info, err := os.Stat(s.path); err == nil && info.IsDir() {
		return diag.New(diag.FileAccess, -1, "cannot write '%s': it is a directory", s.path)
	}
	m, err := readMarker(s.path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		e := accessError("write", s.path, err)
		if _, dirErr := os.Stat(filepath.Dir(s.path)); os.IsNotExist(dirErr) {
			e.WithHint("create the directory '%s' first", filepath.Dir(s.path))
		}
		return e
	}
	info, err := f.Stat()
	if err == nil {
		err = s.takeOver(f, m, info.Size())
	}
	if err != nil {
		f.Close()
		return err
	}
	s.file = f
	return nil
}

func (s *sink) takeOver(f *os.File, m *marker, size int64) error {
	if m != nil && m.ID == s.cfg.ID {
		if size < m.Length {
			return diag.New(diag.FileAccess, -1, "'%s' has %d bytes, but %d were delivered to it", s.path, size, m.Length).
				WithHint("something else has changed the file; remove %s to begin it anew", markerPath(s.path))
		}
		s.mark = *m
		return nil
	}
	s.mark = marker{ID: s.cfg.ID}
	switch s.cfg.Options.String("if_exists") {
	case "append":
		s.mark.Length = size
	case "fail":
		if size > 0 {
			return diag.New(diag.FileAccess, -1, "'%s' is already there", s.path).WithHint("if_exists='replace' or 'append' takes it over")
		}
	default:
		if err := f.Truncate(0); err != nil {
			return accessError("write", s.path, err)
		}
	}
	return s.mark.write(s.path)
}

// Encode appends the rows to stage as lines.
func (s *sink) Encode(stage []byte, b *vector.Batch) ([]byte, error) {
	var err error
	for k := range b.Rows() {
		if stage, err = s.enc.Encode(stage, b, b.Row(k)); err != nil {
			return stage, err
		}
		stage = append(stage, '\n')
	}
	return stage, nil
}

// Deliver writes the lines of an epoch behind those of the epochs before. What a delivery that was cut off has left is overwritten.
func (s *sink) Deliver(_ context.Context, epoch uint64, stage []byte) ([]connectors.Rejected, error) {
	if len(stage) == 0 || epoch <= s.mark.Epoch {
		return nil, nil
	}
	length := s.mark.Length
	if err := s.file.Truncate(length); err != nil {
		return nil, accessError("write", s.path, err)
	}
	for _, part := range [][]byte{s.headerAt(length), stage} {
		n, err := s.file.WriteAt(part, length)
		if err != nil {
			return nil, accessError("write", s.path, err)
		}
		length += int64(n)
	}
	if err := s.file.Sync(); err != nil {
		return nil, accessError("write", s.path, err)
	}
	next := marker{ID: s.cfg.ID, Epoch: epoch, Length: length}
	if err := next.write(s.path); err != nil {
		return nil, err
	}
	s.mark = next
	return nil, nil
}

// headerAt is the header when the file is still empty.
func (s *sink) headerAt(length int64) []byte {
	if length > 0 {
		return nil
	}
	return s.header
}

// Close closes the file; a second time does nothing.
func (s *sink) Close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// Forget removes the marker after Close: for jobs that will never be resumed, so that only the file remains.
func (s *sink) Forget() error {
	if err := os.Remove(markerPath(s.path)); err != nil && !os.IsNotExist(err) {
		return accessError("remove", markerPath(s.path), err)
	}
	return nil
}
