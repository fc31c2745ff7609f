package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	_ "github.com/millrace/millrace/connectors/format/json" // the form of staged rows
	"github.com/millrace/millrace/connectors/format/parquet"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// parquetSink writes each epoch as one Parquet file of a directory. The file's name holds its job and the epoch's number, and it appears by rename, so
// delivering again replaces it by the same. Rows are staged as JSON, which is compact enough and needs no format of its own.
type parquetSink struct {
	cfg connectors.SinkConfig
	dir string
	enc format.Encoder
	dec format.Decoder
}

func newParquetSink(cfg connectors.SinkConfig, dir string) (connectors.Sink, error) {
	if _, err := parquet.NewWriter(&bytes.Buffer{}, cfg.Columns); err != nil {
		return nil, err
	}
	s := &parquetSink{cfg: cfg, dir: dir}
	var err error
	if s.enc, err = format.NewEncoder("json", cfg.Columns, nil, connectors.Values{}); err != nil {
		return nil, err
	}
	s.dec, err = format.NewDecoder("json", cfg.Columns, connectors.Values{})
	return s, err
}

const partPrefix, partSuffix = "part-", ".parquet"

func (s *parquetSink) part(epoch uint64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s%08x-%020d%s", partPrefix, crc32.ChecksumIEEE([]byte(s.cfg.ID)), epoch, partSuffix))
}

// Open makes the directory and, for a new job, treats the parts that are there as option if_exists says.
func (s *parquetSink) Open(context.Context) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return accessError("write", s.dir, err)
	}
	targets.mu.Lock() // sinks of one job open the directory one after the other
	defer targets.mu.Unlock()
	owner := filepath.Join(s.dir, "owner")
	m, err := readMarker(owner)
	if err != nil || m.knows(s.cfg.ID) {
		return err
	}
	parts, err := s.parts()
	if err != nil {
		return err
	}
	switch policy := s.cfg.Options.String("if_exists"); {
	case len(parts) == 0 || policy == "append":
	case policy == "fail":
		return diag.New(diag.FileAccess, -1, "'%s' already holds Parquet files", s.dir).
			WithHint("if_exists='replace' or 'append' takes it over")
	default:
		for _, p := range parts {
			if err := os.Remove(p); err != nil {
				return accessError("remove", p, err)
			}
		}
	}
	m = &marker{Epochs: map[string]uint64{s.cfg.ID: 0}}
	return m.write(owner)
}

func (s *parquetSink) parts() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, accessError("list", s.dir, err)
	}
	var out []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), partPrefix) && strings.HasSuffix(e.Name(), partSuffix) {
			out = append(out, filepath.Join(s.dir, e.Name()))
		}
	}
	return out, nil
}

// Encode appends the rows to stage as JSON lines.
func (s *parquetSink) Encode(stage []byte, b *vector.Batch) ([]byte, error) {
	return encodeLines(s.enc, stage, b)
}

// Deliver writes the epoch's file.
func (s *parquetSink) Deliver(_ context.Context, epoch uint64, stage []byte) ([]connectors.Rejected, error) {
	if len(stage) == 0 {
		return nil, nil
	}
	var buf bytes.Buffer
	if err := s.encodeFile(&buf, stage); err != nil {
		return nil, err
	}
	tmp := filepath.Join(s.dir, fmt.Sprintf(".%d.new", epoch))
	if err := writeSynced(tmp, buf.Bytes()); err != nil {
		return nil, accessError("write", tmp, err)
	}
	name := s.part(epoch)
	if err := errors.Join(os.Rename(tmp, name), syncDir(s.dir)); err != nil {
		return nil, accessError("write", name, err)
	}
	return nil, nil
}

func (s *parquetSink) encodeFile(buf *bytes.Buffer, stage []byte) error {
	w, err := parquet.NewWriter(buf, s.cfg.Columns)
	if err != nil {
		return err
	}
	fields := make([]types.Field, len(s.cfg.Columns))
	for i, c := range s.cfg.Columns {
		fields[i] = types.Field{Name: c.Name, Type: c.Type}
	}
	b := vector.NewBatch(fields, vector.MaxRows)
	for len(stage) > 0 {
		line, rest, _ := bytes.Cut(stage, []byte{'\n'})
		stage = rest
		if err := s.dec.Decode(line, nil, b); err != nil {
			return fmt.Errorf("decoding a staged row: %w", err)
		}
		if b.N == vector.MaxRows || len(stage) == 0 {
			if err := w.Write(b); err != nil {
				return err
			}
			b.Reset()
		}
	}
	return w.Close()
}

// Close does nothing: no file stays open.
func (s *parquetSink) Close() error { return nil }
