package file

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

const (
	readSize       = 256 << 10 // bytes asked of the file at once
	maxRejected    = 1024      // rejected records that one Read returns at most
	maxRejectedRaw = 64 << 10  // bytes kept of a rejected record
	maxBatchBytes  = 16 << 20  // bytes of records after which a Read returns, however few rows they are
	maxMaxLine     = 1 << 30   // a vector's offsets have 31 bits
)

// reader reads the records of one file. Invariant: buf[start:] are the bytes of the file from pos.offset on that have been read.
type reader struct {
	file    *os.File // nil: it is not there yet
	path    string
	dec     format.Decoder
	framer  format.Framer
	header  format.HeaderDecoder // not nil: the header has still to be read
	follow  bool
	blanks  bool // empty lines are records
	poll    time.Duration
	maxLine int

	buf      []byte
	start    int
	scanned  int  // bytes behind start known to hold no line end
	skipping bool // inside a record that is too long
	eof      bool // the last fill found the end
	idle     bool // the last Read has said Idle
	pos      place
	meta     format.Meta
	rejected []connectors.Rejected
}

func (r *reader) seek(pos place) error {
	if err := seekTo(r.file, pos.offset); err != nil {
		return accessError("read", r.path, err)
	}
	r.pos, r.buf, r.start, r.scanned, r.eof = pos, r.buf[:0], 0, 0, false
	return nil
}

// Read appends records as rows until the batch is full, the end is reached, or enough was rejected.
func (r *reader) Read(ctx context.Context, dst *vector.Batch) (connectors.Status, error) {
	begin := r.pos.offset
	for {
		status, err := r.drain(dst)
		if err != nil || status == connectors.End {
			return status, err
		}
		if dst.N == vector.MaxRows || len(r.rejected) >= maxRejected {
			return connectors.More, nil
		}
		if r.pos.offset-begin >= maxBatchBytes && dst.N > 0 {
			return connectors.More, nil
		}
		if !r.eof {
			if err := ctx.Err(); err != nil {
				return connectors.More, err
			}
			if err := r.fill(); err != nil {
				return connectors.More, err
			}
			continue
		}
		// At the end of a followed file: say so once, then wait.
		if dst.N > 0 || len(r.rejected) > 0 || !r.idle {
			r.idle, r.eof = true, false
			return connectors.Idle, nil
		}
		if err := r.wait(ctx); err != nil {
			return connectors.Idle, err
		}
	}
}

// drain decodes the whole records in the buffer, and the unfinished one at the end of a file that is not followed.
func (r *reader) drain(dst *vector.Batch) (connectors.Status, error) {
	for dst.N < vector.MaxRows && len(r.rejected) < maxRejected {
		n := r.frame()
		if n == 0 && r.eof && !r.follow {
			if r.start == len(r.buf) {
				return connectors.End, nil
			}
			n = len(r.buf) - r.start
		}
		if n == 0 {
			return connectors.More, nil
		}
		if err := r.record(r.buf[r.start:r.start+n], dst); err != nil {
			return connectors.More, err
		}
		r.start, r.scanned = r.start+n, 0
		r.idle = false
	}
	return connectors.More, nil
}

// frame returns the length of the next whole record, 0 when the buffer does not hold one. A record that grows beyond maxLine is
// rejected at once; its rest is then framed as lines and dropped.
func (r *reader) frame() int {
	data := r.buf[r.start:]
	n := 0
	if r.framer != nil && !r.skipping {
		n = r.framer.Frame(data)
	} else if nl := bytes.IndexByte(data[r.scanned:], '\n'); nl >= 0 {
		n = r.scanned + nl + 1
	}
	if n == 0 {
		r.scanned = len(data)
	}
	if n == 0 && len(data) > r.maxLine {
		if !r.skipping {
			r.reject(data, r.pos.line+1, diag.New(diag.MalformedRecord, -1, "the record is longer than %d bytes", r.maxLine).
				WithHint("option max_line sets the limit"))
		}
		r.skipping = true
		n = len(data)
	}
	return n
}

// record consumes the next n bytes of the file, which are one record with its line end.
func (r *reader) record(data []byte, dst *vector.Batch) error {
	first := r.pos.line + 1
	r.meta.Offset, r.meta.Line = r.pos.offset, first
	r.pos.offset += int64(len(data))
	r.pos.line += int64(bytes.Count(data, []byte{'\n'}))
	ended := data[len(data)-1] == '\n'
	if r.skipping {
		r.skipping = !ended
		return nil
	}
	if ended {
		data = data[:len(data)-1]
	}
	if !r.blanks {
		data = bytes.TrimSuffix(data, []byte{'\r'})
		if r.meta.Offset == 0 {
			data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")) // a byte order mark
		}
	}
	switch {
	case len(data) > r.maxLine:
		r.reject(data, first, diag.New(diag.MalformedRecord, -1, "the record is longer than %d bytes", r.maxLine).
			WithHint("option max_line sets the limit"))
	case r.header != nil:
		err := r.header.Header(data)
		r.header = nil
		if err != nil {
			err.Message = fmt.Sprintf("%s: %s", format.Position(r.path, first), err.Message)
			return err
		}
	case !r.blanks && blank(data):
	default:
		if err := r.dec.Decode(data, &r.meta, dst); err != nil {
			r.reject(data, first, err)
		}
	}
	return nil
}

func (r *reader) reject(data []byte, line int64, err *diag.Error) {
	r.rejected = append(r.rejected, connectors.Rejected{
		Raw: bytes.Clone(data[:min(len(data), maxRejectedRaw)]), Position: format.Position(r.path, line), Err: err})
}

// fill reads more of the file into the buffer.
func (r *reader) fill() error {
	if r.file == nil {
		r.eof = true
		return nil
	}
	if r.start > 0 {
		r.buf = r.buf[:copy(r.buf, r.buf[r.start:])]
		r.start = 0
	}
	r.buf = slices.Grow(r.buf, readSize)
	n, err := r.file.Read(r.buf[len(r.buf) : len(r.buf)+readSize])
	r.buf = r.buf[:len(r.buf)+n]
	if err == io.EOF {
		r.eof = true
		return nil
	}
	if err != nil {
		return accessError("read", r.path, err)
	}
	return nil
}

// wait blocks until the followed file has grown. A file that has become shorter, or another one under its name, is read from its start.
func (r *reader) wait(ctx context.Context) error {
	timer := time.NewTimer(r.poll)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		info, err := os.Stat(r.path)
		if err != nil && !os.IsNotExist(err) {
			return accessError("read", r.path, err)
		}
		held := r.pos.offset + int64(len(r.buf)-r.start)
		switch {
		case err == nil && (info.Size() < r.pos.offset || r.replaced(info)):
			return r.restart()
		case err == nil && info.Size() > held:
			r.eof = false
			return nil
		}
		timer.Reset(r.poll)
	}
}

// replaced tells whether the path now names another file than the open one, as after a log rotation.
func (r *reader) replaced(now os.FileInfo) bool {
	if r.file == nil {
		return true
	}
	open, err := r.file.Stat()
	return err == nil && !os.SameFile(open, now)
}

// restart opens the path again, as its file was replaced or emptied.
func (r *reader) restart() error {
	f, err := os.Open(r.path)
	if err != nil {
		return accessError("read", r.path, err)
	}
	if r.file != nil {
		r.file.Close()
	}
	r.file = f
	if h, ok := r.dec.(format.HeaderDecoder); ok && h.WantsHeader() {
		r.header = h
	}
	return r.seek(place{})
}

// readHeader reads the header of a file that will be resumed behind it.
func (r *reader) readHeader() error {
	for r.header != nil && !r.eof {
		if err := r.fill(); err != nil {
			return err
		}
		if n := r.frame(); n > 0 {
			return r.record(r.buf[r.start:r.start+n], nil)
		}
	}
	return nil
}

// Rejected returns and forgets the records that are no rows.
func (r *reader) Rejected() []connectors.Rejected {
	out := r.rejected
	r.rejected = nil
	return out
}

// Position returns the place behind the last record that was delivered or rejected.
func (r *reader) Position() connectors.Position { return r.pos.encode() }

// Lag estimates the records ahead from the bytes ahead and the mean length of those read.
func (r *reader) Lag() int64 {
	if r.file == nil {
		return 0
	}
	info, err := r.file.Stat()
	if err != nil || r.pos.line == 0 {
		return -1
	}
	return max(0, (info.Size()-r.pos.offset)*r.pos.line/max(r.pos.offset, 1))
}

// Close closes the file.
func (r *reader) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
