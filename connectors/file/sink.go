package file

import (
	"context"
	"os"

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
	header []byte  // first line of the file; nil: none
	target *target // nil: not open
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

// Open takes the file over or joins its other writers; a second time does nothing.
func (s *sink) Open(context.Context) (err error) {
	if s.target == nil {
		s.target, err = openTarget(s.path, s.cfg.ID, s.cfg.Options.String("if_exists"))
	}
	return err
}

// Encode appends the rows to stage as lines.
func (s *sink) Encode(stage []byte, b *vector.Batch) ([]byte, error) {
	return encodeLines(s.enc, stage, b)
}

func encodeLines(enc format.Encoder, stage []byte, b *vector.Batch) ([]byte, error) {
	var err error
	for k := range b.Rows() {
		if stage, err = enc.Encode(stage, b, b.Row(k)); err != nil {
			return stage, err
		}
		stage = append(stage, '\n')
	}
	return stage, nil
}

// Deliver writes the lines of an epoch behind those delivered before.
func (s *sink) Deliver(_ context.Context, epoch uint64, stage []byte) ([]connectors.Rejected, error) {
	if len(stage) == 0 {
		return nil, nil
	}
	return nil, s.target.deliver(s.cfg.ID, epoch, s.header, stage)
}

// Close gives the file up; a second time does nothing.
func (s *sink) Close() error {
	if s.target == nil {
		return nil
	}
	t := s.target
	s.target = nil
	return t.release()
}

// Forget removes the marker after Close: for jobs that will never be resumed, so that only the file remains.
func (s *sink) Forget() error {
	if err := os.Remove(markerPath(s.path)); err != nil && !os.IsNotExist(err) {
		return accessError("remove", markerPath(s.path), err)
	}
	return nil
}
