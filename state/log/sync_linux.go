package log

import (
	"os"
	"syscall"
)

// datasync makes the file's bytes and size durable, leaving out times the log does not need.
func datasync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return err
		}
	}
}
