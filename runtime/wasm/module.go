package wasm

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a module.
const (
	MaxModuleBytes   = 8 << 20
	maxTableElements = 1 << 16
	maxListedImports = 3 // named in the error
)

// magic begins every module of version 1.
const magic = "\x00asm\x01\x00\x00\x00"

// Sections of a module that are looked at before it is compiled.
const (
	sectionImport = 2
	sectionTable  = 4
)

// inspect refuses what no limit of the runtime covers: imports, and tables that could grow without bound. It reads just enough of the
// binary format (WebAssembly 1.0, section 5) to tell; the compiler validates the rest.
func inspect(module []byte) error {
	switch {
	case len(module) > MaxModuleBytes:
		return fmt.Errorf("it has %d bytes, more than %d", len(module), MaxModuleBytes)
	case !strings.HasPrefix(string(module[:min(len(module), len(magic))]), magic[:4]):
		return fmt.Errorf("it is no WebAssembly binary (it does not begin with \\0asm)")
	case len(module) < len(magic) || string(module[:len(magic)]) != magic:
		return fmt.Errorf("it is no WebAssembly binary of version 1")
	}
	r := reader{b: module[len(magic):]}
	for len(r.b) > 0 && !r.bad {
		id := r.byte()
		body := reader{b: r.take(r.u32())}
		var err error
		switch id {
		case sectionImport:
			err = refuseImports(&body)
		case sectionTable:
			err = boundedTables(&body)
		}
		if err != nil {
			return err
		}
		r.bad = r.bad || body.bad
	}
	if r.bad {
		return fmt.Errorf("it is cut off or damaged")
	}
	return nil
}

// refuseImports names what the module wants from outside.
func refuseImports(r *reader) error {
	var names []string
	n := r.u32()
	for range n {
		name := r.name() + "." + r.name()
		skipImport(r)
		if r.bad {
			break
		}
		if names = append(names, name); len(names) == maxListedImports {
			break
		}
	}
	switch {
	case len(names) == 0:
		return nil
	case int(n) > len(names):
		names = append(names, fmt.Sprintf("%d more", int(n)-len(names)))
	}
	return fmt.Errorf("it imports %s; a function has no access to its host", strings.Join(names, ", "))
}

// skipImport reads the description of an import.
func skipImport(r *reader) {
	switch r.byte() {
	case 0:
		r.u32()
	case 1:
		r.byte()
		r.limits()
	case 2:
		r.limits()
	case 3:
		r.byte()
		r.byte()
	default:
		r.bad = true
	}
}

func boundedTables(r *reader) error {
	n := r.u32()
	for range n {
		r.byte()
		least, most, bounded := r.limits()
		switch {
		case r.bad:
			return nil
		case !bounded:
			return fmt.Errorf("its table has no maximum")
		case max(least, most) > maxTableElements:
			return fmt.Errorf("its table may have %d elements, more than %d", max(least, most), maxTableElements)
		}
	}
	return nil
}

// reader reads the binary format; bad says that something was missing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	b := r.take(1)
	if r.bad {
		return 0
	}
	return b[0]
}

func (r *reader) u32() uint32 {
	x, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 || n > 5 || x > 1<<32-1 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return uint32(x)
}

// name reads a name for people: what is no text is left out.
func (r *reader) name() string {
	s := slices.DeleteFunc([]rune(string(r.take(r.u32()))), func(c rune) bool { return c < ' ' || c == utf8.RuneError })
	return string(s[:min(len(s), 64)])
}

func (r *reader) limits() (least, most uint32, bounded bool) {
	flags := r.byte()
	least = r.u32()
	if bounded = flags&1 != 0; bounded {
		most = r.u32()
	}
	return least, most, bounded
}
