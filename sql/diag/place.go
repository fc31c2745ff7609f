package diag

import (
	"errors"
	"io/fs"
)

// WithSource gives a positioned error the text that it points into, unless it has one. Other errors stay as they are.
func WithSource(err error, text string) error {
	if e, ok := As(err); ok && e.Source == "" {
		return e.in(text, 0)
	}
	return err
}

// InScript moves the error of a statement that begins at offset into the whole script. Other errors stay as they are.
func InScript(err error, offset int, script string) error {
	if e, ok := As(err); ok {
		return e.in(script, offset)
	}
	return err
}

// in is a copy of e in a text, with its position moved by shift.
func (e *Error) in(text string, shift int) *Error {
	moved := *e
	if moved.Offset >= 0 {
		moved.Offset += shift
		if moved.End > 0 {
			moved.End += shift
		}
	}
	moved.Source = text
	return &moved
}

// PathCause drops the operation and the path that errors of the file system repeat.
func PathCause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
