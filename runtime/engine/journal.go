package engine

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"unicode/utf8"
)

// maxJournalBytes is the size at which a journal begins anew; the one before is kept beside it until the next change.
const maxJournalBytes = 16 << 20

// journal keeps the rows of a system table on disk, a line of JSON per row. Records that do not decode are written before the epoch that
// covers them is committed, and their position tells them when they come again. Late rows and row errors are written right behind the commit
// of their epoch: a process that dies between the two loses that epoch's. Lines are not synced: a power cut may take the newest.
type journal struct {
	path string
	log  *slog.Logger
	file *os.File // nil after an error: then rows are kept in memory only
	size int64
}

// entry is one line. Text that is no UTF-8 is kept in Bytes, by column.
type entry struct {
	ID    string         `json:"id,omitempty"`
	Row   []any          `json:"row"`
	Bytes map[int]string `json:"bytes,omitempty"`
}

// openJournal reads what earlier lives have left into r and goes on behind it.
func openJournal(path string, r *ring, log *slog.Logger) error {
	for _, name := range []string{path + ".old", path} {
		if err := loadJournal(name, r); err != nil {
			return err
		}
	}
	j := &journal{path: path, log: log}
	if err := j.open(); err != nil {
		return err
	}
	r.journal, r.total = j, 0 // earlier rows are shown, but not counted again
	return nil
}

func (j *journal) open() (err error) {
	if j.file, err = os.OpenFile(j.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		return fmt.Errorf("opening %s: %w", j.path, err)
	}
	info, err := j.file.Stat()
	if err != nil {
		return fmt.Errorf("opening %s: %w", j.path, err)
	}
	j.size = info.Size()
	return nil
}

// loadJournal reads one file; a last line that a crash has cut off is left out, as its row comes again.
func loadJournal(path string, r *ring) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxJournalBytes+1)
	for lines.Scan() {
		var e entry
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		if d.Decode(&e) != nil || len(e.Row) != len(r.fields) {
			continue
		}
		r.add(e.ID, e.values()...)
	}
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// values gives the row as add takes it.
func (e *entry) values() []any {
	for i, v := range e.Row {
		if n, ok := v.(json.Number); ok {
			e.Row[i], _ = n.Int64()
		}
		if text, ok := e.Bytes[i]; ok {
			raw, _ := base64.StdEncoding.DecodeString(text)
			e.Row[i] = string(raw)
		}
	}
	return e.Row
}

// write appends a row. A journal that cannot be written says so once; the table goes on in memory.
func (j *journal) write(identity string, row []any) {
	if j.file == nil {
		return
	}
	e := entry{ID: identity, Row: append([]any(nil), row...)}
	for i, v := range row {
		if s, ok := v.(string); ok && !utf8.ValidString(s) {
			if e.Bytes == nil {
				e.Bytes = map[int]string{}
			}
			e.Bytes[i], e.Row[i] = base64.StdEncoding.EncodeToString([]byte(s)), ""
		}
	}
	if !utf8.ValidString(e.ID) {
		e.ID = ""
	}
	line, err := json.Marshal(&e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
		j.size += int64(len(line)) + 1
	}
	if err == nil && j.size > maxJournalBytes {
		j.file.Close()
		if err = os.Rename(j.path, j.path+".old"); err == nil {
			err = j.open()
		}
	}
	if err != nil {
		j.log.Error("a system table is not kept on disk any more", "path", j.path, "err", err)
		j.close()
	}
}

func (j *journal) close() {
	if j.file != nil {
		j.file.Close()
		j.file = nil
	}
}
