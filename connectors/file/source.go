package file

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/connectors/format/parquet"
	"github.com/millrace/millrace/sql/diag"
)

// source lists the files of a path and opens readers on them.
type source struct {
	cfg    connectors.SourceConfig
	path   string
	format string
	follow bool
}

func newSource(cfg connectors.SourceConfig) (connectors.Source, error) {
	s := &source{cfg: cfg, path: cfg.Options.String("path"), format: formatName(cfg.Options), follow: cfg.Options.Bool("follow")}
	if s.path == "" {
		return nil, diag.New(diag.MissingOption, -1, "option 'path' is missing")
	}
	if n := cfg.Options.Size("max_line"); n <= 0 || n > maxMaxLine {
		return nil, diag.New(diag.BadOption, -1, "option 'max_line': %d is not 1 to %d bytes", n, maxMaxLine)
	}
	if s.format == "parquet" {
		if s.follow {
			return nil, diag.New(diag.BadOption, -1, "a Parquet file is whole: option 'follow' works with lines only")
		}
		return s, nil
	}
	// Errors of columns and options show now rather than at the first file.
	_, err := format.NewDecoder(s.format, cfg.Columns, cfg.Options)
	return s, err
}

// Splits lists the files. A source that follows may begin before its files are there; a single file is then waited for.
func (s *source) Splits(context.Context) ([]connectors.Split, error) {
	files, err := list(s.path)
	if err != nil && s.follow && errors.Is(err, fs.ErrNotExist) {
		return []connectors.Split{{ID: s.path}}, nil
	}
	if err != nil {
		return nil, err
	}
	if len(files) == 0 && !s.follow {
		return nil, diag.New(diag.FileAccess, -1, "no file matches '%s'", s.path)
	}
	splits := make([]connectors.Split, len(files))
	for i, f := range files {
		splits[i].ID = f
	}
	return splits, nil
}

// Open starts reading a file behind position.
func (s *source) Open(_ context.Context, split connectors.Split, position connectors.Position) (connectors.Reader, error) {
	pos, err := decodePosition(position)
	if err != nil {
		return nil, err
	}
	if s.format == "parquet" {
		r, err := parquet.Open(split.ID, s.cfg.Columns)
		if err != nil {
			return nil, openError(split.ID, err)
		}
		return newParquetReader(r, pos)
	}
	f, err := os.Open(split.ID)
	if err != nil && !(s.follow && pos.offset == 0 && errors.Is(err, fs.ErrNotExist)) {
		return nil, accessError("read", split.ID, err)
	}
	r, err := s.newReader(f, split.ID, pos)
	if err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

func openError(path string, err error) error {
	if _, ok := diag.As(err); ok {
		return err
	}
	return accessError("read", path, err)
}

// newReader makes a reader; f is nil when the file is still to come.
func (s *source) newReader(f *os.File, path string, pos place) (*reader, error) {
	dec, err := format.NewDecoder(s.format, s.cfg.Columns, s.cfg.Options)
	if err != nil {
		return nil, err
	}
	r := &reader{file: f, path: path, dec: dec, follow: s.follow, poll: s.cfg.Options.Duration("poll_interval"),
		maxLine: int(s.cfg.Options.Size("max_line")), blanks: s.format == "raw", meta: format.Meta{File: path}}
	r.framer, _ = dec.(format.Framer)
	if h, ok := dec.(format.HeaderDecoder); ok && h.WantsHeader() {
		r.header = h
	}
	if pos.offset > 0 && r.header != nil {
		// The header has to be read again, for the columns' places, before the reader moves on.
		if err := r.readHeader(); err != nil {
			return nil, err
		}
	}
	return r, r.seek(pos)
}

// Close does nothing: readers own their files.
func (s *source) Close() error { return nil }

// place is the decoded position of a split: bytes and lines (Parquet: rows, and 0) behind the last record.
type place struct{ offset, line int64 }

func (p place) encode() connectors.Position {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(p.offset)), uint64(p.line))
}

func decodePosition(p connectors.Position) (place, error) {
	if p == nil {
		return place{}, nil
	}
	offset, n := binary.Uvarint(p)
	if n <= 0 || offset > 1<<62 {
		return place{}, errors.New("decoding file position: malformed")
	}
	line, m := binary.Uvarint(p[n:])
	if m <= 0 || line > 1<<62 {
		return place{}, errors.New("decoding file position: malformed")
	}
	return place{offset: int64(offset), line: int64(line)}, nil
}

// seekTo moves a file, when there is one, for a reader that resumes.
func seekTo(f *os.File, offset int64) error {
	if f == nil {
		return nil
	}
	_, err := f.Seek(offset, io.SeekStart)
	return err
}

// blank tells whether a line holds nothing.
func blank(line []byte) bool { return len(strings.TrimSpace(string(line))) == 0 }
