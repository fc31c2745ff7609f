package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// openTerminal makes a pseudo terminal: the end that a person sits at, and the one that a program runs on.
func openTerminal(b testing.TB) (person, program *os.File) {
	b.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		b.Skipf("no pseudo terminals here: %v", err)
	}
	var number, unlock uint32
	size := [4]uint16{24, 80, 0, 0}
	for _, c := range []struct {
		request uintptr
		arg     unsafe.Pointer
	}{{syscall.TIOCSPTLCK, unsafe.Pointer(&unlock)}, {syscall.TIOCGPTN, unsafe.Pointer(&number)}, {syscall.TIOCSWINSZ, unsafe.Pointer(&size)}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), c.request, uintptr(c.arg)); errno != 0 {
			b.Fatal(errno)
		}
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		b.Fatal(err)
	}
	return person, program
}

// timeToPrompt starts the shell on a terminal and waits for its prompt.
func timeToPrompt(b testing.TB, bin string) time.Duration {
	b.Helper()
	person, program := openTerminal(b)
	cmd := exec.Command(bin)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Env = append(os.Environ(), "TERM=xterm", "HOME="+b.TempDir())
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	program.Close()
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		person.Close()
	}()
	var seen []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(seen, []byte("millrace>")) {
		n, err := person.Read(buf)
		if err != nil {
			b.Fatalf("%v after %q", err, seen)
		}
		seen = append(seen, buf[:n]...)
	}
	return time.Since(began)
}
